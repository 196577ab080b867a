"""One run: the fleet, the provider that fails, its outage, the mailing's end, the judgement."""
import asyncio, pathlib, signal, sqlite3, time

from rig.run_log import RunLog
from rig.redis import RedisError, RedisServer
from rig.fleet import Fleet
from rig.ledger import Ledger
from rig.record import read_record
from rig.sink import Sink

from . import judge

PAUSE = 2.0
"""Seconds of the profile's Retry-After."""
PROFILES = {"smtp": "421=0.3,450=0.1,550=0.05",
            "http": f"429=0.3,502=0.1,410=0.05,503=0.0005;retry-after={PAUSE:.0f}s"}
REFUSING = {"smtp": "connect:421=1", "http": "503=1"}
THROTTLED, TEMPORARY = 0.3, 0.1
"""Their shares in both profiles."""
REST = 1.0
"""Seconds that a throttled message may rest before it is tried again, in the ideal."""
ENDED = ("sent", "stopped", "failed")
MAILING = {"smtp": """channel: email
from: "Example Shop <news@example.com>"
subject: "Number {{id}}"
text: "Dear {{first_name}}, this is the only message for {{email}}."
""", "http": """channel: webhook
body: '{"to":"{{email}}","id":"{{id}}"}'
"""}


class Run:
    def __init__(self, options, folder):
        self.o, self.dir = options, pathlib.Path(folder)
        self.log = RunLog(quiet=False)
        self.fleet = Fleet(folder, options.flotilla, 10, self.log.find)
        self.redis = RedisServer(folder, self.fleet.spawn)
        self.record, self.ledger = self.dir / "record.tsv", self.dir / "flotilla.sqlite"
        self.sink = Sink(self.fleet, options.flotilla, self.dir, self.record, options.protocol, options=self.profile(1))
        self.mailing, self.state, self.reason, self.memory = None, None, "", 0
        self.states, self.outage, self.back = {}, None, None
        self.log.progress = lambda: "  ".join(f"{k} {v:,}" for k, v in sorted(self.states.items()) if v)

    def profile(self, seed, fail=None):
        return ["--fail", fail or self.o.profile, "--seed", str(seed), "--latency", "2-10ms"]

    async def start(self):
        o = self.o
        self.valid = {f"person-{n}@d{n % 40}.example" for n in range(o.recipients)}
        (self.dir / "recipients.csv").write_text("id,email,first_name\n" + "".join(
            f"{n},person-{n}@d{n % 40}.example,Name{n % 97}\n" for n in range(o.recipients)))
        (self.dir / "mailing.yaml").write_text(f"name: Failing\n{MAILING[o.protocol]}" f"""\
recipients: {{file: recipients.csv, id: id, address: email}}
provider: p
speed: {o.rate}/s
attempts: 20
""")
        (self.dir / "flotilla.yaml").write_text(f"""redis: {{url: "unix://{self.redis.socket}"}}
ledger: {{path: "{self.ledger}"}}
brake: {{bounces_hour: "off", bounces_day: "off"}}
worker: {{retry_base: {o.base}ms, retry_cap: {o.cap}ms}}
metrics: {{listen: "off"}}
log: {{level: info}}
email: {{hostname: failing.example.com}}
shutdown: {{grace: 10s}}
providers:
  p: {{url: "{o.protocol}://127.0.0.1:{self.sink.port}", connections: 20, connect_timeout: 5s, timeout: 20s}}
""")
        await self.sink.start()
        await self.redis.start()
        self.mailing = await self.fleet.add_mailing("mailing.yaml")
        for name in ("planner-1", "collector-1", *(f"worker-{n}" for n in range(1, o.workers + 1))):
            self.fleet.add(name, {}).start()
        self.started = self.log.begun = time.time()
        self.log.say(f"mailing {self.mailing}: {o.recipients:,} recipients, {o.rate}/s, {o.protocol} {o.profile}")

    def ideal(self, tries, pauses):
        """The parts of the least time to expect, in seconds: each try at the full rate, the outage, the pauses asked for,
        and the longest chain of back-offs."""
        o = self.o
        chain, k = judge.longest_chain(o.recipients, THROTTLED, TEMPORARY, REST, o.base / 1000, o.cap / 1000)
        return {"tries / rate": tries / o.rate, "outage": o.outage, "pauses": pauses, f"longest back-off ({k} in a row)": chain}

    async def go(self):
        await self.start()
        o = self.o
        expected = o.recipients / (1 - THROTTLED - TEMPORARY)
        pauses = expected * 0.0005 * PAUSE if o.protocol == "http" else 0
        limit = o.limit or 90 + 4 * sum(self.ideal(expected, pauses).values())
        cut = self.started + expected / o.rate * 0.4
        said = 0
        while time.time() - self.started < limit:
            self.look()
            if self.state in ENDED:
                break
            for role in self.fleet.exits():
                self.log.find("exit", f"{role.name} ended by itself with {role.process.returncode}: {role.last_words()}")
            if o.outage and self.outage is None and time.time() > cut:
                await self.sink.stop()
                self.outage = time.time()
                if o.refusing:
                    self.sink.options = self.profile(1, REFUSING[o.protocol])
                    await self.sink.start()
                self.log.say(f"the provider {'refuses all' if o.refusing else 'is unavailable'} for {o.outage:.0f} s")
            if self.outage and self.back is None and time.time() - self.outage >= o.outage:
                if o.refusing:
                    await self.sink.stop()
                self.sink.options = self.profile(2)
                await self.sink.start()
                self.back = time.time()
                self.log.say("the provider is back")
            if self.state == "paused":
                self.log.find("pause", f"the mailing paused itself: {self.reason}")
                await self.fleet.command("mailing", "resume", self.mailing)
            if time.time() - said > 10:
                said = time.time()
                await self.measure()
                self.log.say("")
            await asyncio.sleep(0.2)
        self.ended = time.time()
        self.log.say(f"the mailing is {self.state} after {self.ended - self.started:.1f} s")
        await asyncio.sleep(1.5)  # the ledger's last results
        for kind in ("worker", "planner", "collector"):
            await asyncio.gather(*(r.terminate() for r in self.fleet.roles.values() if r.kind == kind and r.alive))
        if self.sink.process.poll() is None:
            await self.sink.stop()
        await self.redis.stop(signal.SIGTERM)

    def look(self):
        try:
            db = sqlite3.connect(f"file:{self.ledger}?mode=ro", uri=True, timeout=0.2)
            try:
                self.state, self.reason = db.execute("SELECT state, reason FROM mailing WHERE id = ?", (self.mailing,)).fetchone()
                self.states = dict(db.execute("SELECT state, n FROM counter WHERE mailing = ? AND n > 0", (self.mailing,)))
            finally:
                db.close()
        except sqlite3.Error:
            pass  # it is being written: the next look tells

    async def measure(self):
        try:
            self.memory = max(self.memory, (await self.redis.memory())[1])
        except (OSError, RedisError, asyncio.TimeoutError, KeyError):
            pass

    def verdict(self):
        arrivals = [a for a in read_record(self.record) if a.address]
        ledger = Ledger(str(self.ledger), self.mailing)
        outage = tuple(int((t or 0) * 1e6) for t in (self.outage, self.back)) if self.o.refusing else (0, 0)
        j = judge.Judgement(self.o.protocol, arrivals, ledger, self.valid, outage)
        count, pauses, broken = judge.in_pauses(arrivals, self.o.protocol, PAUSE, outage)
        during = sum(outage[0] <= a.begun < outage[1] for a in arrivals)
        parts = self.ideal(len(arrivals) - during, pauses)
        took = max((a.decided for a in arrivals), default=0) / 1e6 - min((a.begun for a in arrivals), default=0) / 1e6
        ideal = sum(parts.values())
        first, half = judge.at_work_after(arrivals, self.back, self.o.rate) if self.back else (None, None)
        found = self.log.findings
        rows = [
            ("open", "not terminal", len(j.open), "0", not j.open),
            ("saveable", "failed, and the provider never refused them for good", len(j.saveable), "0", not j.saveable),
            ("burnt", "more attempts than answers that were no throttling", len(j.burnt), "0", not j.burnt),
            ("doubled", "two messages or more, and not on the uncertain list", len(j.doubled), "0", not j.doubled),
            ("lost", "state says sent, and no message came", len(j.lost), "0", not j.lost),
            ("after", "tried again after a refusal for good", len(j.after_refusal), "0", not j.after_refusal),
            ("end", "the mailing's state at the end", self.state, "sent", self.state == "sent"),
            ("found", "roles that ended, pauses nobody asked for", len(found), "0", not found),
            ("time", "time to complete by the ideal", round(took / ideal, 2), f"{self.o.ratio:g}", took / ideal <= self.o.ratio),
        ]
        if self.o.protocol == "http":
            rows.append(("pauses", f"begun in a pause asked for, later than {judge.REACTION:g} s after it", broken, "0", not broken))
        if self.o.outage:
            rows.append(("again", "seconds from the provider's return to half the rate",
                         "never" if half is None else round(half, 1), f"{self.o.probe:g}", half is not None and half <= self.o.probe))
        awake = judge.tampered(self.o.protocol, arrivals, ledger, self.valid, outage)
        rows.append(("judge", "the judge finds a tampered record", "yes" if awake else "NO", "yes", awake))
        everything = {
            "protocol": self.o.protocol, "profile": self.o.profile, "recipients": self.o.recipients, "rate": self.o.rate,
            "good": all(r[4] for r in rows), "rows": [dict(zip(("name", "what", "found", "allowed", "good"), r)) for r in rows],
            "took": took, "ideal": ideal, "ideal_parts": parts, "tries": len(arrivals), "codes": dict(j.codes), "states": dict(j.states),
            "uncertain_listed": j.listed, "pauses": count, "pauses_seconds": pauses,
            "first_after_outage": first, "tries_in_outage": during,
            "rates": judge.rates(arrivals, self.started, 5), "redis_peak_mb": self.memory / 1e6, "findings": self.log.findings,
            "names": {k: getattr(j, k)[:10] for k in ("open", "saveable", "burnt", "doubled", "lost", "after_refusal")},
            "attempts": {who: ledger.attempts[who] for who in j.burnt[:10]},
        }
        return rows, everything

    def close(self):
        self.fleet.close()
