"""Visitors: wrk for rates, and a client of our own that knows when each answer came, and asks by HEAD, which wrk cannot."""
import asyncio, json, pathlib, subprocess, sys, time

from rig.machine import CannotRun
from rig.processes import die_with_parent

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"
SCRIPT = pathlib.Path(__file__).with_name("links.lua")
FLOOD = pathlib.Path(__file__).with_name("flood.py")


def wrk(port, links, seconds, connections=64, threads=1, pause=0):
    """What wrk says of a run (links.lua)."""
    command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "-s", SCRIPT, f"http://127.0.0.1:{port}", "--", links]
    done = subprocess.run(list(map(str, command + ([pause] if pause else []))), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          preexec_fn=die_with_parent)
    rows = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not rows:
        raise CannotRun(f"wrk ended with {done.returncode}: {done.stdout.strip()[-300:]}")
    row = json.loads(rows[-1])
    return row | {"rate": row["requests"] / row["seconds"]}


async def flood(port, links, seconds, connections=60):
    """What connections that pipeline without a pause saw (flood.py)."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, FLOOD, *map(str, (port, links, seconds, connections)), stdout=subprocess.PIPE, preexec_fn=die_with_parent)
    printed, _ = await process.communicate()
    if process.returncode:
        raise CannotRun(f"the flood ended with {process.returncode}")
    return json.loads(printed)


class Visitors:
    """Asks over some connections, one request at a time on each, and keeps the time of each good answer."""

    def __init__(self, port, paths, connections=16, method="GET"):
        self.port, self.paths, self.connections, self.method = port, paths, connections, method
        self.times, self.refused, self.broken, self.next, self.ends = [], 0, 0, 0, False
        self.longest = 0
        """Seconds between a request and its answer, at most."""

    async def run(self, rate=None, count=None):
        """Until `ends`, or until so many were asked. `rate`: requests a second of all connections."""
        self.count = count
        pause = self.connections / rate if rate else 0
        await asyncio.gather(*(self._visit(pause) for _ in range(self.connections)))

    async def _visit(self, pause):
        while not self._is_over():
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                self.broken += 1
                await asyncio.sleep(0.02)
                continue
            try:
                await self._ask(reader, writer, pause)
            except (OSError, asyncio.IncompleteReadError):
                self.broken += 1
            finally:
                writer.close()

    async def _ask(self, reader, writer, pause):
        due = time.monotonic()
        body = "Content-Length: 0\r\n" if self.method == "POST" else ""
        while not self._is_over():
            path = self.paths[self.next % len(self.paths)]
            self.next += 1
            asked = time.monotonic()
            writer.write(f"{self.method} {path} HTTP/1.1\r\nHost: t.example\r\nUser-Agent: {AGENT}\r\n{body}\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
            if self.method != "HEAD" and length:
                await reader.readexactly(int(length))
            self.longest = max(self.longest, time.monotonic() - asked)
            if head.split(b" ", 2)[1][:1] in (b"2", b"3"):
                self.times.append(time.monotonic())
            else:
                self.refused += 1
            if pause:
                due = max(due + pause, time.monotonic() - 1)
                await asyncio.sleep(max(0, due - time.monotonic()))

    def _is_over(self):
        return self.ends or self.count is not None and self.next >= self.count
