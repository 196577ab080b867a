"""The provider: `flotilla-lab sink`, started by us, ended so that its record is whole."""
import asyncio, signal

from .executables import laboratory
from .machine import CannotRun, free_port


class Sink:
    """A sink with one protocol, any number of listeners and one record, over any number of starts.

    `urls` has the address of each listener. Realtime: the sink is served before all other processes of the machine, so that
    the times in its record are not those of a process that waited for a processor."""

    def __init__(self, processes, flotilla, folder, record, protocol="smtp", options=(), realtime=False, name="sink", listeners=1,
                 address="127.0.0.1"):
        self.processes, self.program, self.folder, self.record = processes, laboratory(flotilla), folder, record
        self.protocol, self.options, self.realtime, self.name = protocol, list(options), realtime, name
        self.address = address
        self.process, self.urls, self.ports = None, [], [free_port() for _ in range(listeners)]

    @property
    def url(self):
        return self.urls[0]

    @property
    def port(self):
        return self.ports[0]

    async def start(self):
        """At the same ports each time. Throws CannotRun."""
        path = self.folder / f"{self.name}.url"
        listeners = [word for port in self.ports for word in (f"--{self.protocol}", f"{self.address}:{port}")]
        with open(path, "wb") as out:
            self.process = self.processes.spawn(
                self.name, [self.program, "sink", *listeners, "--record", self.record, *self.options], stdout=out, realtime=self.realtime)
        for _ in range(500):
            lines = path.read_text().split("\n")[:-1]
            if len(lines) == len(self.ports):
                self.urls = lines
                return
            if self.process.poll() is not None:
                break
            await asyncio.sleep(0.02)
        raise CannotRun(f"flotilla-lab sink does not start: {self.processes.last_words(self.name, 5)}")

    async def stop(self):
        self.process.send_signal(signal.SIGTERM)
        for _ in range(1000):
            if self.process.poll() is not None:
                return
            await asyncio.sleep(0.01)
        raise RuntimeError("the sink does not end; its record cannot be trusted")
