"""One trial: a case with a number of workers. The fleet, the actions in the middle, the record, the figures."""
import asyncio, math, pathlib, random, re, subprocess, sys, time, urllib.error, urllib.request

from rig.machine import CannotRun, cpu_of, free_port
from rig.run_log import RunLog
from rig.clock import wrong_clock
from rig.executables import laboratory
from rig.redis import RedisError, RedisServer
from rig.fleet import Fleet
from rig.sink import Sink

from .cases import DOMAINS
from .measure import Limit
from .verdict import Verdict

RESERVATIONS = "flotilla_throttle_reservation_requests_total"
IN_FLIGHT = "flotilla_batches_in_flight"
EMAIL = """name: {name}
channel: email
from: "Example Shop <news@example.com>"
subject: "Hello {{{{first_name}}}}"
text: "Dear {{{{first_name}}}}, this is message {{{{id}}}}."
recipients: {{file: {file}, id: id, address: email}}
provider: p
"""
WEBHOOK = """name: {name}
channel: webhook
body: '{{"to":"{{{{email}}}}","id":"{{{{id}}}}"}}'
recipients: {{file: {file}, id: id, address: email}}
provider: p
"""
GRANTED = 0.3
"""Seconds that the slots a killed or frozen worker holds may lie ahead: their loss is not the survivors'."""


class Trial:
    def __init__(self, options, case, workers, folder, realtime):
        self.o, self.case, self.workers, self.dir, self.realtime = options, case, workers, pathlib.Path(folder), realtime
        self.seconds = options.seconds or (case.short if options.short else case.seconds)
        self.log = RunLog(quiet=not options.verbose)
        self.fleet = Fleet(folder, options.flotilla, 5, self.log.find)
        self.redis = RedisServer(folder, self.fleet.spawn, durable=False)
        self.record, self.ledger = self.dir / "record.tsv", self.dir / "flotilla.sqlite"
        self.marks, self.gaps, self.notes, self.refused, self.asked, self.holds = {}, [], [], [], {}, {}
        self.mailings, self.ports, self.planned, self.ending = [], {}, 0, False

    # Setting up

    def recipients(self, count):
        """Invented ones; where domains matter, our own, the domains by turns."""
        path = self.dir / f"recipients-{count}.csv"
        if path.exists():
            return path
        if self.case.domains:
            rng = random.Random(1)
            where = rng.choices(list(DOMAINS), list(DOMAINS.values()), k=count)
            rows = "".join(f"{n},person-{n}@{domain},Name{n % 97}\n" for n, domain in enumerate(where))
            path.write_text("id,email,first_name\n" + rows)
        else:
            self.fleet.run("generate", [
                laboratory(self.fleet.flotilla), "generate", "recipients", count, "--seed", "1", "--out", path,
                "--invalid", "0", "--duplicates", "0", "--missing", "0"])
        return path

    def configure(self, port):
        scheme = "smtp" if self.o.channel == "email" else "http"
        limit = f", limit: '{self.case.provider}'" if self.case.provider else ""
        domains = "".join(f"\n  {name}: {{limit: '{text}'}}" for name, text in self.case.domains.items())
        (self.dir / "flotilla.yaml").write_text(f"""redis: {{url: "unix://{self.redis.socket}"}}
ledger: {{path: "{self.ledger}"}}
metrics: {{listen: "off"}}
log: {{level: info}}
email: {{hostname: throttle.example.com}}
providers:
  p: {{url: "{scheme}://127.0.0.1:{port}", connections: 20{limit}}}
""" + (f"domains:{domains}\n" if domains else "")
            + (f"channels: {{{self.o.channel}: {{limit: '{self.case.channel}'}}}}\n" if self.case.channel else ""))

    async def add(self, number, speed):
        fastest = min([Limit(text).rate for text in (speed, self.case.provider, self.case.channel) if text])
        rows = math.ceil(fastest * (self.seconds + 6)) + 200
        file, name = self.recipients(rows), f"mailing-{number}"
        text = (EMAIL if self.o.channel == "email" else WEBHOOK).format(name=name, file=file.name)
        (self.dir / f"{name}.yaml").write_text(text + (f"speed: '{speed}'\n" if speed else ""))
        self.mailings.append(await self.fleet.add_mailing(f"{name}.yaml"))
        self.planned += rows

    def add_worker(self, number):
        name, port = f"worker-{number}", free_port()
        env = {"FLOTILLA_METRICS_LISTEN": f"127.0.0.1:{port}"}
        hours = self.case.clocks[number - 1] if number <= min(len(self.case.clocks), max(1, self.workers - 1)) else 0
        if hours:
            env |= wrong_clock(self.dir, hours * 3600)
        self.ports[name] = port
        self.fleet.add(name, env)

    async def start(self):
        if not self.realtime:
            self.notes.append("the sink waits for processors like all others: not root")
        self.sink = Sink(self.fleet, self.o.flotilla, self.dir, self.record, "smtp" if self.o.channel == "email" else "http",
                         realtime=self.realtime)
        await self.sink.start()
        await self.redis.start()
        self.configure(self.sink.port)
        for number, speed in enumerate(self.case.speeds, 1):
            await self.add(number, speed)
        for name in ("planner", "collector"):
            self.fleet.add(f"{name}-1", {})
        for number in range(1, self.workers + 1):
            self.add_worker(number)
        self.probe = self.spawn_probe()
        for role in self.fleet.roles.values():
            role.start()

    def spawn_probe(self):
        with open(self.dir / "probe.tsv", "wb") as out:
            return self.fleet.spawn(
                "probe", [sys.executable, pathlib.Path(__file__).with_name("probe.py"), self.sink.protocol, self.sink.port],
                realtime=self.realtime, stdin=subprocess.PIPE, stdout=out)

    # The run

    async def go(self):
        await self.start()
        await self.first()
        begun = time.time()
        watching = asyncio.create_task(self.ask_workers())
        acting = asyncio.create_task(self.act(begun))
        try:
            await asyncio.sleep(1)
            before = await self.figures()
            await asyncio.sleep(max(0.1, begun + self.seconds - 1 - time.time()))
            after = await self.figures()
            await asyncio.sleep(max(0, begun + self.seconds - time.time()))
            self.marks["cut"] = time.time_ns() // 1000
            await asyncio.wait_for(acting, 30)
        finally:
            self.ending = True
            acting.cancel()
            await asyncio.gather(acting, watching, return_exceptions=True)
        self.probe.stdin.close()
        self.probe.wait(5)
        for role in self.fleet.roles.values():
            if role.kind == "worker" and role.alive:
                role.kill()
        await asyncio.sleep(0.3)
        await self.sink.stop()
        return Verdict(self).judge(before, after)

    async def first(self):
        """Waits for the first start. Throws CannotRun with what the roles said."""
        end = time.time() + 60
        while time.time() < end:
            if self.record.exists():
                with open(self.record, encoding="utf-8", errors="replace") as file:
                    if any("@probe.test" not in line for line in file):
                        return
            for role in self.fleet.exits():
                raise CannotRun(f"{role.name} ended with {role.process.returncode}: {role.last_words()}")
            await asyncio.sleep(0.05)
        raise CannotRun("no message within 60 s; planner: " + self.fleet.roles["planner-1"].last_words())

    async def act(self, begun):
        for share, what, *rest in self.case.actions:
            await asyncio.sleep(max(0, begun + share * self.seconds - time.time()))
            await getattr(self, what)(*rest)

    async def command(self, mark, words):
        self.mark(mark + ".begun")
        code, text = await self.fleet.command(*(self.mailings[0] if w == "{mailing}" else w for w in words))
        self.mark(mark)
        if code != 0:
            self.refused.append(f"flotilla {' '.join(words[:2])} ended with {code}: {text.splitlines()[-1] if text else ''}")
            del self.marks[mark]

    async def busiest(self):
        """The worker that holds the most batches: its end costs most."""
        workers = [r for r in self.fleet.roles.values() if r.kind == "worker" and r.available]
        await asyncio.gather(*map(self.ask, workers))
        return max(workers, key=lambda r: self.holds.get(r.name, 0))

    async def kill(self, seconds):
        role = await self.busiest()
        self.gap(role, seconds)
        role.kill()
        await asyncio.sleep(seconds)
        role.start()

    async def freeze(self, seconds):
        role = await self.busiest()
        self.gap(role, seconds)
        role.freeze()
        await asyncio.sleep(seconds)
        role.wake()

    def gap(self, role, seconds):
        """What does not count as use: what survivors cannot know of, or with one worker all of the time."""
        now = time.time_ns() // 1000
        self.gaps.append((now, now + int((GRANTED if self.workers > 1 else seconds + 1) * 1e6)))

    def mark(self, name):
        self.marks[name] = time.time_ns() // 1000

    # What it costs

    async def ask_workers(self):
        while not self.ending:
            for role in list(self.fleet.roles.values()):
                if role.kind == "worker" and role.available:
                    await self.ask(role)
            await asyncio.sleep(0.5)

    async def ask(self, role):
        """The worker's count of reservations, kept for each of its processes."""
        def get():
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[role.name]}/metrics", timeout=0.5) as answer:
                return answer.read().decode()
        try:
            text = await asyncio.to_thread(get)
        except (OSError, urllib.error.URLError):
            return
        def total(metric):
            found = re.findall(rf"^{metric}(?:{{[^}}]*}})? ([0-9.e+]+)$", text, re.M)
            return sum(map(float, found)) if found else None
        if (asked := total(RESERVATIONS)) is not None:
            self.asked[role.name, role.starts] = asked
        self.holds[role.name] = total(IN_FLIGHT) or 0

    async def figures(self):
        for role in self.fleet.roles.values():
            if role.kind == "worker" and role.available:
                await self.ask(role)
            role.measure()
        try:
            stats = await self.redis.ask("INFO", "commandstats")
        except (OSError, RedisError, asyncio.TimeoutError):
            stats = ""
        scripts = sum(int(n) for n in re.findall(r"cmdstat_(?:evalsha|eval|fcall):calls=(\d+)", stats))
        return {"at": time.time_ns() // 1000, "asked": sum(self.asked.values()) if self.asked else math.nan, "scripts": scripts,
                "workers": sum(r.cpu for r in self.fleet.roles.values() if r.kind == "worker"),
                "redis": cpu_of(self.redis.process.pid)}

    def close(self):
        self.fleet.close()
