"""One run: a fleet of the old version, a mailing, the change to the new version in an order, the mailing's end, the judgement."""
import asyncio, json, pathlib, signal, sqlite3, time

from adversary import judge
from rig.fleet import Fleet
from rig.ledger import Ledger
from rig.record import read_record
from rig.redis import RedisServer
from rig.run_log import RunLog
from rig.sink import Sink

ENDED = ("sent", "stopped", "failed")
LATENCY = "5-40ms"
"""Of the provider's answers, so that messages are in flight at each moment."""


class Run:
    def __init__(self, options, folder):
        o = options
        self.o, self.dir = o, pathlib.Path(folder)
        self.log = RunLog(quiet=False)
        self.fleet = Fleet(folder, o.old, 30, self.log.find)
        self.redis = RedisServer(folder, self.fleet.spawn)
        self.record, self.ledger = self.dir / "record.tsv", self.dir / "flotilla.sqlite"
        self.sink = Sink(self.fleet, o.new, self.dir, self.record, options=["--sync", "--latency", LATENCY, "--fail", o.fail])
        self.mailing, self.state, self.states = None, None, {}
        self.log.progress = lambda: "  ".join(f"{k} {v:,}" for k, v in sorted(self.states.items()) if v)

    async def start(self):
        o = self.o
        self.valid = {f"person-{n}@d{n % 40}.example" for n in range(o.recipients)}
        (self.dir / "recipients.csv").write_text("id,email\n" + "".join(
            f"{n},person-{n}@d{n % 40}.example\n" for n in range(o.recipients)))
        (self.dir / "mailing.yaml").write_text(f"""name: Upgraded
channel: email
from: "Example Shop <news@example.com>"
subject: "Number {{{{id}}}}"
text: "The only message for {{{{email}}}}."
recipients: {{file: recipients.csv, id: id, address: email}}
provider: p
speed: {o.rate}/s
uncertain: {o.uncertain}
""")
        (self.dir / "flotilla.yaml").write_text(f"""redis: {{url: "unix://{self.redis.socket}"}}
ledger: {{path: "{self.ledger}"}}
metrics: {{listen: "off"}}
email: {{hostname: upgrade.example.com}}
worker: {{retry_base: 2s, retry_cap: 8s}}
providers:
  p: {{url: "smtp://127.0.0.1:{self.sink.port}", connections: 20}}
""")
        await self.sink.start()
        await self.redis.start()
        self.mailing = await self.fleet.add_mailing("mailing.yaml")
        for name in ("planner-1", "collector-1", "worker-1", "worker-2"):
            self.fleet.add(name, {}).start()
        self.log.begun = time.time()

    async def go(self):
        await self.start()
        await self.reached(0.25)
        await getattr(self, self.o.order.replace("-", "_"))()
        self.log.say("all roles are of the new version")
        await self.reached(1)
        self.log.say(f"the mailing is {self.state}")
        for kind in ("worker", "collector", "planner"):
            await self.stop(*self.of(kind))
        await self.sink.stop()
        await self.redis.stop(signal.SIGTERM)

    def of(self, kind):
        return [r for r in self.fleet.roles.values() if r.kind == kind and r.alive]

    async def stop(self, *roles):
        for role, took in zip(roles, await asyncio.gather(*(r.terminate() for r in roles))):
            self.log.say(f"{role.name} has ended after {took:.1f} s")

    async def restart(self, *names):
        """Each of them, one after the other: the others work meanwhile."""
        self.fleet.flotilla = str(self.o.new)
        for name in names:
            role = self.fleet.roles[name]
            await self.stop(role)
            role.start()
            self.log.say(f"{name} is started in the new version")
            await self.pause(self.o.pause)

    async def in_order(self):
        """As docs/operations.md says for versions whose formats differ."""
        await self.stop(*self.of("worker"))
        await self.collected()
        await self.stop(*self.of("collector"))
        await self.stop(*self.of("planner"))
        self.fleet.flotilla = str(self.o.new)
        for name in ("planner-1", "collector-1", "worker-1", "worker-2"):
            self.fleet.roles[name].start()

    async def readers_first(self):
        await self.restart("collector-1", "planner-1", "worker-1", "worker-2")

    async def workers_first(self):
        await self.restart("worker-1", "worker-2", "collector-1", "planner-1")

    async def collected(self):
        """Waits until no result waits in Redis, as an operator would."""
        form = ("--output", "json")
        for _ in range(60):
            status, text = await self.fleet.command("top", "--once", *form)
            if status == 64:
                form = ("--json",)  # its name before
            try:
                if json.loads(text[text.index("{"):])["lag_entries"] == 0:
                    return
            except (ValueError, KeyError, TypeError):
                pass  # the last answer stands in the finding
            await asyncio.sleep(0.5)
        self.log.find("lag", f"results still wait in Redis: {text[-300:]}")

    async def reached(self, share):
        """Waits until so large a share of the recipients is sent to; 1: until the mailing has ended."""
        limit, said = time.time() + 60 + 3 * self.o.recipients / self.o.rate, 0
        while time.time() < limit:
            await self.pause(0.2)
            if self.state in ENDED or self.only_held() or share < 1 and self.states.get("sent", 0) >= share * self.o.recipients:
                return
            if time.time() - said > 10:
                said = time.time()
                self.log.say("")
        self.log.find("late", f"not {share:.0%} sent in {limit - self.log.begun:.0f} s; the mailing is {self.state}")

    def only_held(self):
        """All who are left wait for a person (`uncertain: hold`)."""
        return self.o.uncertain == "hold" and set(self.states) <= {"sent", "failed", "uncertain"} and sum(self.states.values()) > 0

    async def pause(self, seconds):
        end = time.time() + seconds
        while time.time() < end:
            await asyncio.sleep(0.2)
            self.look()

    def look(self):
        for role in self.fleet.exits():
            self.log.find("exit", f"{role.name} ended by itself with {role.process.returncode}: {role.last_words()}")
        try:
            db = sqlite3.connect(f"file:{self.ledger}?mode=ro", uri=True, timeout=0.2)
            try:
                self.state, = db.execute("SELECT state FROM mailing WHERE id = ?", (self.mailing,)).fetchone()
                self.states = dict(db.execute("SELECT state, n FROM counter WHERE mailing = ? AND n > 0", (self.mailing,)))
            finally:
                db.close()
        except sqlite3.Error:
            pass  # it is being written: the next look tells

    def verdict(self):
        arrivals = [a for a in read_record(self.record) if a.address]
        ledger = Ledger(str(self.ledger), self.mailing)
        j = judge.Judgement(arrivals, ledger, self.valid, self.o.uncertain == "hold")
        still, _ = judge.stand_still(arrivals, self.log.begun, max(a.decided for a in arrivals) / 1e6, [])
        listed = len(ledger.listed)
        rows = [(what, len(found), "0", not found) for what, found in (
            ("not terminal", j.open), ("state says sent, and no message came", j.lost),
            ("two messages or more, and not on the uncertain list", j.doubled),
            ("has the message, and the ledger says otherwise", j.denied), ("found beside", self.log.findings))]
        rows += [
            ("counters by the states", j.miscounted, "0", j.miscounted == 0),
            ("on the uncertain list", listed, str(self.o.listed), listed <= self.o.listed),
            ("seconds without a message", round(still[0], 1), f"{self.o.still:g}", still[0] <= self.o.still),
            ("the mailing's state at the end", self.state, "sent", self.state == "sent" or self.only_held()),
            ("the judge finds a tampered record",
             "yes" if (awake := judge.is_awake(arrivals, ledger, self.valid, False)) else "NO", "yes", awake)]
        return rows, j.figures
