"""The provider: `flotilla sink`, started by us, ended so that its record is whole."""
import asyncio, signal

from machine import CannotRun, free_port


class Sink:
    """One listener for SMTP or HTTP and one record, over any number of starts.

    Realtime: it is served before all other processes of the machine, so that the times in its record are not those of
    a process that waited for a processor."""

    def __init__(self, fleet, folder, record, protocol="smtp", options=(), realtime=False):
        self.fleet, self.folder, self.record, self.protocol = fleet, folder, record, protocol
        self.options, self.realtime = list(options), realtime
        self.process, self.url, self.port = None, None, free_port()

    async def start(self):
        """At the same port each time. Throws CannotRun."""
        path = self.folder / "sink.url"
        with open(path, "wb") as out:
            self.process = self.fleet.spawn("sink", [
                self.fleet.flotilla, "sink", f"--{self.protocol}", f"127.0.0.1:{self.port}", "--record", str(self.record),
                *self.options], stdout=out, realtime=self.realtime)
        for _ in range(500):
            text = path.read_text()
            if "\n" in text:
                self.url = text.split("\n")[0]
                return
            if self.process.poll() is not None:
                break
            await asyncio.sleep(0.02)
        raise CannotRun("flotilla sink does not start: " + self.fleet.log("sink").read_text()[-500:])

    async def stop(self):
        self.process.send_signal(signal.SIGTERM)
        for _ in range(1000):
            if self.process.poll() is not None:
                return
            await asyncio.sleep(0.01)
        raise RuntimeError("the sink does not end; its record cannot be trusted")
