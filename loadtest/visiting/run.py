"""The tracker under load: what it answers a second, how soon, with how much memory, and what it keeps when it or Redis dies."""
import asyncio, os, pathlib, shutil, signal, sqlite3, statistics, subprocess, time

from rig.executables import laboratory
from rig.machine import CannotRun, free_port, peak_of, wait_port
from rig.processes import Processes
from rig.redis import Client, RedisServer

from .events import stored
from .load import Visitors, wrk

URL = "http://t.example"
KEYS = "1: " + "k" * 44 + "\n"
BOUND = 0.020
"""Seconds of events that the end of a tracker may cost (docs/tracking.md)."""


class Run:
    def __init__(self, options, folder):
        self.o, self.dir = options, pathlib.Path(folder)
        self.processes = Processes(folder)
        self.redis = RedisServer(folder, self.processes.spawn)
        self.ask = Client(self.redis.socket, decode=bytes)
        self.rows = []
        keys = self.dir / "tracker.keys"
        keys.touch(mode=0o600)
        keys.write_text(KEYS)
        self.config = self.dir / "flotilla.yaml"
        self.port, self.metrics = free_port(), free_port()
        self.config.write_text(f"""redis: {{url: "unix://{self.redis.socket}"}}
ledger: {{path: "{self.dir}/flotilla.sqlite"}}
tracker: {{url: "{URL}", listen: "127.0.0.1:{self.port}", keys: "{keys}", spool: "{self.dir}/spool"}}
metrics: {{listen: "127.0.0.1:{self.metrics}"}}
log: {{level: warning}}
""")

    # The parts of a run

    def links(self, *kinds, count=100_000, first=0):
        path = self.dir / f"{'-'.join(kinds)}-{count}-{first}.txt"
        if not path.exists():
            self.processes.run("links", [
                laboratory(self.o.flotilla), "tracking", "links", "--keys", self.dir / "tracker.keys", "--count", count, "--first", first,
                "--out", path, *(word for kind in kinds for word in ("--kind", kind))])
        return path

    def paths(self, *kinds, **more):
        return self.links(*kinds, **more).read_text().split()

    def tracker(self):
        process = self.processes.spawn("tracker", [self.o.flotilla, "tracker", "--config", self.config])
        try:
            wait_port(self.port)
        except CannotRun:
            raise CannotRun(f"the tracker does not listen: {self.processes.last_words('tracker', 3)}") from None
        return process

    def bare(self):
        port = free_port()
        process = self.processes.spawn("bare", [laboratory(self.o.flotilla), "tracking", "bare", "--port", port])
        wait_port(port)
        return process, port

    def row(self, what, found, allowed, good):
        """`good`: None for a figure without a bound."""
        self.rows.append((what, found, allowed, good))
        print(f"  {'    ' if good is None else 'ok  ' if good else 'FAIL'}  {what:<58}{found:>16}  {allowed}", flush=True)

    async def flush(self):
        """Empties the streams: there is no collector, and a full stream would be another measurement."""
        for stream in range(2):
            await self.ask("DEL", f"{{flotilla}}:events:{stream}")

    # What is measured

    async def speed(self):
        """Pixel and redirect beside hummingbird alone, by turns."""
        tracker, (bare, port) = self.tracker(), self.bare()
        for kind in ("open", "click"):
            links, rates = self.links(kind), {"bare": [], "tracker": []}
            for _ in range(self.o.rounds):
                for name, at in (("bare", port), ("tracker", self.port)):
                    found = await asyncio.to_thread(wrk, at, links, self.o.seconds)
                    if found["refused"] or found["failed"]:
                        raise CannotRun(f"{name} refused {found['refused']} and failed {found['failed']} of {found['requests']} requests")
                    rates[name].append(found["rate"])
                    await self.flush()
            ours, theirs = (statistics.median(rates[name]) for name in ("tracker", "bare"))
            self.row(f"{kind}: hummingbird alone", f"{theirs:,.0f}/s", "", None)
            self.row(f"{kind}: tracker", f"{ours:,.0f}/s", "at least 25,000/s", ours >= 25_000)
            self.row(f"{kind}: tracker / hummingbird", f"{ours / theirs:.2f}", "at least 0.80", ours / theirs >= 0.8)
        self.processes.end([tracker, bare])

    async def latency(self):
        """At half of 25,000 a second: each connection rests between an answer and the next request."""
        tracker, connections = self.tracker(), 128
        links, pause = self.links("open", "click"), round(connections / 12.5)
        found = await asyncio.to_thread(wrk, self.port, links, self.o.seconds * 2, connections, 1, pause)
        self.row("pixel and redirect at half the load", f"{found['rate']:,.0f}/s", "about 12,500/s", None)
        self.row("p50, p99", f"{found['p50']:.1f}, {found['p99']:.1f} ms", "p99 at most 20 ms", found["p99"] <= 20 and not found["failed"])
        await self.flush()
        self.processes.end([tracker])

    async def memory(self):
        """Ten million requests with --long, a million without: the second half needs no more than the first."""
        tracker, links, asked, sizes = self.tracker(), self.links("open", "click"), 0, []
        wanted = 10_000_000 if self.o.long else 1_000_000
        while asked < wanted:
            asked += (await asyncio.to_thread(wrk, self.port, links, 5))["requests"]
            pages = int(pathlib.Path(f"/proc/{tracker.pid}/statm").read_text().split()[1])
            sizes.append(pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20))
            await self.flush()
        half = len(sizes) // 2
        before, after = max(sizes[:half] or sizes), max(sizes[half:])
        self.row(f"memory over {asked:,} requests, by halves", f"{before:.0f}, {after:.0f} MB", "8 MB more at most", after <= before + 8)
        self.row("its peak", f"{peak_of(tracker.pid):.0f} MB", "", None)
        self.processes.end([tracker])

    async def scanners(self):
        """A million GET and HEAD of links that unsubscribe leave no event; a POST does."""
        tracker, count = self.tracker(), 1_000_000 if self.o.long else self.o.scans
        links, asked, refused = self.links("unsubscribe"), 0, 0
        while asked < count // 2:
            found = await asyncio.to_thread(wrk, self.port, links, 5)
            asked, refused = asked + found["requests"], refused + found["refused"] + found["failed"]
        heads = Visitors(self.port, links.read_text().split(), connections=64, method="HEAD")
        await heads.run(count=count - count // 2)
        await asyncio.sleep(0.5)
        found = await stored(self.ask)
        what = f"events of {asked + len(heads.times):,} GET and HEAD that would unsubscribe"
        self.row(what, f"{found}", "0", found == 0)
        self.row("of them without a good answer", f"{refused + heads.refused}", "0", refused + heads.refused == 0)
        post = Visitors(self.port, links.read_text().split(), connections=1, method="POST")
        await post.run(count=1)
        await asyncio.sleep(0.5)
        found = await stored(self.ask)
        self.row("events of one POST", f"{found}", "1", found == 1)
        await self.flush()
        self.processes.end([tracker])

    async def kill(self):
        """Events that were answered and are not in Redis when the tracker is killed."""
        worst, lost_most = 0.0, 0
        for turn in range(self.o.kills):
            tracker = self.tracker()
            visitors = Visitors(self.port, self.paths("open", "click"))
            work = asyncio.ensure_future(visitors.run())
            await asyncio.sleep(1 + turn * 0.0137)
            tracker.send_signal(signal.SIGKILL)
            killed = time.monotonic()
            tracker.wait()
            visitors.ends = True
            await work
            lost = max(0, len(visitors.times) - await stored(self.ask))
            lost_most = max(lost_most, lost)
            if lost:
                worst = max(worst, killed - sorted(visitors.times)[-lost])
            await self.flush()
            # What an earlier life spooled would be counted as this one's.
            shutil.rmtree(self.dir / "spool", ignore_errors=True)
        self.row(f"events lost by kill -9, most of {self.o.kills}", f"{lost_most}", "", None)
        self.row("the age of the oldest lost", f"{worst * 1000:.1f} ms", "20 ms, and 5 on the way", worst <= BOUND + 0.005)

    async def away(self):
        """Redis is away: every visitor gets an answer, and every event comes to Redis in the end."""
        tracker, seconds = self.tracker(), 600 if self.o.long else 20
        visitors = Visitors(self.port, self.paths("open", "click"))
        work = asyncio.ensure_future(visitors.run(rate=2000))
        await asyncio.sleep(2)
        await self.redis.stop(signal.SIGTERM)
        before = len(visitors.times)
        await asyncio.sleep(seconds)
        meanwhile = len(visitors.times) - before
        await self.redis.start()
        await asyncio.sleep(2)
        visitors.ends = True
        await work
        answered, found, end = len(visitors.times), -1, time.time() + 60
        while time.time() < end and found < answered:
            await asyncio.sleep(0.5)
            found = await stored(self.ask)
        self.row(f"answers while Redis is away for {seconds} s", f"{meanwhile:,}", "2,000/s", meanwhile >= 0.9 * 2000 * seconds)
        self.row("requests without a good answer", f"{visitors.refused + visitors.broken}", "0", visitors.refused + visitors.broken == 0)
        self.row("answered, and in Redis afterwards", f"{answered:,}, {found:,}", "the same", answered == found)
        self.row("memory at most", f"{peak_of(tracker.pid):.0f} MB", "", None)
        await self.flush()
        self.processes.end([tracker])

    async def questions(self):
        """Pages that need the ledger: each of 20,000 recipients looks once at each, so that nothing is known before it is asked."""
        count, batch = 20_000, 500
        number = await self.planned(count, batch)
        process = self.all_roles(count)
        for kind in ("preferences", "view"):
            path = self.dir / f"{kind}-asked.txt"
            self.processes.run("links", [
                laboratory(self.o.flotilla), "tracking", "links", "--keys", self.dir / "tracker.keys", "--count", count,
                "--mailing", number, "--batch", batch, "--kind", kind, "--out", path])
            found = await asyncio.to_thread(wrk, self.port, path, self.o.seconds, 32, 1, 32)
            good = found["p99"] <= 50 and not found["failed"] and not found["refused"] and found["requests"] <= count
            self.row(f"{kind}: asked of the ledger", f"{found['rate']:,.0f}/s", "", None)
            self.row("p50, p99", f"{found['p50']:.1f}, {found['p99']:.1f} ms", "p99 at most 50 ms", good)
        self.processes.end([process])

    async def planned(self, count, batch):
        """Adds a mailing; its number in the ledger."""
        rows = "".join(f"{n},person{n}@example.com,Ann {n}\n" for n in range(count))
        (self.dir / "people.csv").write_text("id,email,name\n" + rows)
        link = '<a href="https://shop.example/{n}">a link</a>'
        text = "".join(f"<p>Paragraph {n} for {{{{name}}}} with {link.format(n=n)}.</p>\n" for n in range(60))
        (self.dir / "message.html").write_text(f'<html><body>{text}<a href="{{{{view_url}}}}">Browser</a></body></html>\n')
        (self.dir / "mailing.yaml").write_text(f"""name: Asked
channel: email
from: news@example.com
subject: Hello
html: message.html
category: news
recipients: {{file: people.csv, id: id, address: email}}
provider: smtp://127.0.0.1:1
batch_size: {batch}
""")
        for name, words in (("init", ("ledger", "init")), ("categories", ("suppressions", "categories", "add", "news", "offers")),
                            ("add", ("mailing", "add", self.dir / "mailing.yaml"))):
            self.processes.run(name, [self.o.flotilla, *words, "--config", self.config])
        with sqlite3.connect(self.dir / "flotilla.sqlite") as ledger:
            return ledger.execute("SELECT number FROM mailing").fetchone()[0]

    def all_roles(self, count):
        process = self.processes.spawn("up", [self.o.flotilla, "up", "--config", self.config])
        wait_port(self.port)
        end = time.time() + 60
        while time.time() < end:
            with sqlite3.connect(self.dir / "flotilla.sqlite") as ledger:
                if ledger.execute("SELECT planned_count FROM mailing").fetchone()[0] == count:
                    time.sleep(3)
                    return process
            time.sleep(0.2)
        raise CannotRun(f"the mailing is not planned: {self.processes.last_words('up', 3)}")

    async def classes(self):
        """The trace of docs/tracking.md."""
        command = [laboratory(self.o.flotilla), "tracking", "classify", "--messages", str(1_000_000 if self.o.long else 100_000)]
        done = await asyncio.to_thread(subprocess.run, list(map(str, command)), stdout=subprocess.PIPE, text=True)
        for line in done.stdout.splitlines()[:-1]:
            print(f"        {line}")
        self.row("people and machines", "told apart" if done.returncode == 0 else "mixed up", "99 % and 0.1 %", done.returncode == 0)

    async def go(self):
        await self.redis.start()
        for part in self.o.only or PARTS:
            await PARTS[part](self)

    def close(self):
        self.processes.close()


PARTS = {"classes": Run.classes, "speed": Run.speed, "latency": Run.latency, "memory": Run.memory, "scanners": Run.scanners,
         "kill": Run.kill, "away": Run.away, "questions": Run.questions}
