"""One run: the fleet, the faults, the healing, the end, the judgement."""
import asyncio, pathlib, random, shutil, signal, time

from rig import pgbouncer, postgres
from rig.machine import CannotRun, quiet_port, wait_port
from rig.run_log import RunLog
from rig.redis import RedisServer
from rig.fleet import Fleet
from rig.ledger import Ledger, SQLiteFile
from rig.record import read_record
from rig.sink import Sink

from . import diagnosis, judge, visits
from .disk import SmallDisk
from .faults import Adversary
from .plan import DISKS, ENGINES, GRACEFUL, KINDS, ROLES, STANDBYS, TRACKER, WHERE_ASKED, Fault, draw
from .relay import Relay
from .watch import TERMINAL, Watch



def write_recipients(path, count, rng):
    """A CSV of `count` valid recipients, each with an address of its own, and some that must be excluded. Returns the
    valid addresses and how many rows must be excluded."""
    valid, bad = [], 0
    with open(path, "w", encoding="utf-8") as file:
        file.write("id,email,first_name\n")
        for n in range(count):
            valid.append(f"person-{n}@d{rng.randrange(40)}.example")
            file.write(f"{n},{valid[-1]},Name{n % 97}\n")
            if rng.random() < 0.01:
                bad += 1
                double = valid[-1].upper().replace(".EXAMPLE", ".example")
                file.write(rng.choice([f"x{n},,None\n", f"x{n},no address,Bad\n", f"x{n},{double},Double\n"]))
    return set(valid), bad


class Run:
    host = "127.0.0.1"
    """Of the provider."""
    adversary_kind = Adversary
    has_tracker = True

    def __init__(self, options, folder):
        self.o, self.dir = options, pathlib.Path(folder)
        self.log = RunLog()
        self.ending = False
        self.mailing, self.started = None, None
        self.record = self.dir / "record.tsv"
        self.disk = SmallDisk(self.dir / "ledger", 96 + options.recipients // 1000)
        (self.dir / "ledger").mkdir()
        self.disks = {"disk": self.disk}
        self.ledger = str(self.dir / "ledger" / "flotilla.sqlite")
        self.kinds = sorted({f.kind for f in options.script}) if options.script else [k for k in KINDS if k in options.faults]
        # What can only be done to another engine is left out, unless it was asked for.
        others = set().union(*(kinds for engine, kinds in ENGINES.items() if engine != options.ledger))
        if options.faults_named or options.script:
            if wrong := sorted(others & set(self.kinds)):
                raise CannotRun(f"{', '.join(wrong)} cannot be done to a ledger in {options.ledger}: --ledger names another")
        self.kinds = [k for k in self.kinds if k not in others]
        if not options.faults_named and not options.script:
            self.kinds = [k for k in self.kinds if k not in WHERE_ASKED or k == "pgbouncer-kill" and options.pgbouncer]
        if "pgbouncer-kill" in self.kinds and not options.pgbouncer:
            raise CannotRun("pgbouncer-kill is done with --pgbouncer")
        if options.pgbouncer and STANDBYS & set(self.kinds):
            raise CannotRun("a standby cannot take over behind --pgbouncer, which names one server")
        self.store, self.postgres, self.bouncer = SQLiteFile(self.ledger), None, None
        # Of PostgreSQL: where it is, and where a standby is.
        self.folder, self.other_folder = None, None
        self.disk_note = None
        self.settled = None
        self.snapshot = None
        self.fleet, self.relay, self.visits = None, None, None

    # Setting up

    def prepare_disk(self):
        """Before the first child and thread: a mount namespace is for the thread that asks for it."""
        if self.o.ledger == "postgres":
            self.folder = postgres.make_folder()
            size, owner = 128 + self.o.recipients // 500, (self.folder.stat().st_uid, self.folder.stat().st_gid)
            self.disks = {"postgres-disk": SmallDisk(self.folder / "base", size, owner),
                          "postgres-wal": SmallDisk(self.folder / "wal", 96, owner)}
        wanted = DISKS & set(self.kinds)
        try:
            for kind in sorted(wanted):
                self.disks[kind].mount()
        except OSError as error:
            self.disk_note = f"no small disk could be mounted ({error}): run as root, with CAP_SYS_ADMIN"
            if self.o.faults_named or self.o.script:
                raise CannotRun(f"{', '.join(sorted(wanted))}: {self.disk_note}")
            self.kinds = [k for k in self.kinds if k not in wanted]
            print("!" * 100 + f"\n!! LEFT OUT: {', '.join(sorted(wanted))}: {self.disk_note}\n" + "!" * 100)

    def set_up(self):
        rng = random.Random(f"{self.o.seed} world")
        self.fleet = Fleet(self.dir, self.o.flotilla, self.o.grace, self.log.find,
                           lambda kind, any_: kind == "tracker" or self.log.outage(f"no {kind}", not any_ and self.started is not None))
        self.make_servers(rng)
        self.adversary, self.watch = self.adversary_kind(self), Watch(self)
        self.log.progress = lambda: self.watch.text() if self.started else ""
        self.valid, self.bad = write_recipients(self.dir / "recipients.csv", self.o.recipients, rng)
        self.speed = self.o.speed or max(20, round(self.o.recipients * 1.1 / self.o.seconds))
        batch = self.o.batch or min(500, max(20, self.o.recipients // 100))
        (self.dir / "mailing.yaml").write_text(f"""name: Chaos {self.o.seed}
channel: email
from: "Example Shop <news@example.com>"
subject: "{{{{first_name}}}}, number {{{{id}}}}"
text: |
  Dear {{{{first_name}}}}, this is the only message for {{{{email}}}}.
recipients: {{file: recipients.csv, id: id, address: email}}
provider: sink
speed: {self.speed}/s
batch_size: {batch}
attempts: 100
lifetime: 24h
uncertain: {self.o.uncertain}
{self.beginning()}""")
        profile = [] if self.o.profile == "none" else ["--fail", self.o.profile]
        self.sink = Sink(self.fleet, self.o.flotilla, self.dir, self.record, address=self.host, options=[
            "--latency", self.o.latency, "--seed", str(self.o.seed), *profile])
        self.provider_port = self.make_way(rng)
        if self.has_tracker:
            self.visits = visits.Visits(self, quiet_port(rng))
        self.configure()

    def beginning(self):
        """When the mailing begins, where a standby has to follow before that."""
        if "plan-promote" not in self.kinds:
            return ""
        return time.strftime('start: "%Y-%m-%dT%H:%M:%SZ"\n', time.gmtime(time.time() + 12))

    def make_way(self, rng):
        """The provider's port as workers see it: that of a relay."""
        port = quiet_port(rng)
        self.relay = Relay(port, self.sink.port)
        return port

    def make_servers(self, rng):
        self.redis = RedisServer(self.dir, self.fleet.spawn, port=quiet_port(rng) if "redis-promote" in self.kinds else 0)
        if self.o.ledger == "postgres":
            self.postgres = self.store = postgres.PostgresServer(
                self.fleet.spawn, folder=self.folder, small="postgres-wal" in self.kinds)
            if STANDBYS & set(self.kinds):
                self.other_folder = postgres.make_folder()
            if self.o.pgbouncer:
                self.bouncer = pgbouncer.Pgbouncer(self.fleet.spawn, self.postgres)

    def ledger_url(self):
        """Of the ledger in PostgreSQL, without relays."""
        if self.bouncer:
            return postgres.url(self.bouncer.dir)
        return postgres.url(self.postgres.dir, self.other_folder) if self.other_folder else self.postgres.url

    def configure(self):
        place = f'{{url: "{self.ledger_url()}"}}' if self.postgres else f'{{path: "{self.ledger}"}}'
        tracker = ""
        if self.visits:
            keys = self.dir / "tracker.keys"
            keys.touch(mode=0o600)
            keys.write_text(visits.KEYS)
            tracker = (f'tracker: {{url: "http://t.example", listen: "127.0.0.1:{self.visits.port}", keys: "{keys}", '
                       f'spool: "{self.dir}/spool"}}')
        (self.dir / "flotilla.yaml").write_text(f"""redis: {{url: "unix://{self.dir}/redis.sock"}}
ledger: {place}
{tracker}
worker:
  retry_base: 200ms
  retry_cap: 2s
  lease: {self.o.lease}
metrics: {{listen: "off"}}
log: {{level: {self.o.log_level}}}
email: {{hostname: chaos.example.com}}
shutdown: {{grace: {self.o.grace}s}}
providers:
  sink: {{url: "smtp://{self.host}:{self.provider_port}", timeout: 10s, connect_timeout: 5s, connections: 10}}
""")

    async def start(self):
        await self.sink.start()
        await self.redis.start()
        if self.postgres:
            await self.postgres.make()
        if self.bouncer:
            await self.bouncer.start()
        await self.add_roles()
        await self.add_mailing()
        for role in self.fleet.roles.values():
            role.start()
        if self.visits:
            await asyncio.to_thread(wait_port, self.visits.port)
        self.started = time.time()
        self.log.begun = self.started

    adding = ()
    """Options with which the mailing is added."""

    async def add_mailing(self):
        """The ledger is made by one process; all others find it."""
        self.mailing = await self.fleet.add_mailing("mailing.yaml", *self.adding)

    async def add_roles(self):
        if self.relay:
            await self.relay.open()
        for name in ROLES:
            if name == "planner-2" and not self.o.standby:
                continue
            if name.startswith("worker"):
                path = str(self.dir / f"{name}.sock")
                role = self.fleet.add(name, {"FLOTILLA_REDIS_URL": f"unix://{path}"})
                role.relay = Relay(path, self.redis.socket)
                await role.relay.open()
            elif self.postgres and not self.other_folder:
                folder = self.dir / f"pg-{name}"
                folder.mkdir()
                role = self.fleet.add(name, {"FLOTILLA_LEDGER_URL": postgres.url(folder)})
                role.ledger_relay = Relay(postgres.socket_file(folder), postgres.socket_file((self.bouncer or self.postgres).dir))
                await role.ledger_relay.open()
            else:
                self.fleet.add(name, {})
        if self.visits:
            self.fleet.add(TRACKER, {})

    def redis_lost(self):
        if self.visits:
            self.visits.redis_lost()

    # The run

    async def go(self):
        await self.start()
        self.plan = self.o.script or self.draw()
        self.log.say(
            f"mailing {self.mailing}: {self.o.recipients:,} recipients, {self.speed}/s, uncertain: {self.o.uncertain}, lease "
            f"{self.o.lease}, {len(self.plan)} faults in {self.o.seconds:.0f} s")
        watching = asyncio.create_task(self.watch.go())
        visiting = asyncio.create_task(self.visits.go()) if self.visits else None
        try:
            await self.torment(watching)
            await self.adversary.heal()
            await self.end(watching)
            if visiting:
                await self.end_visits(visiting)
            await self.shut_down()
        finally:
            self.watch.stopped = True
            if visiting:
                self.visits.stopped = True
                await asyncio.gather(visiting, return_exceptions=True)
            await asyncio.gather(watching, return_exceptions=True)
        self.log.end_outages()

    def draw(self):
        """The faults of the run, in the order of their times."""
        longest = max(2.0, self.o.seconds / 3)
        gap = self.o.gap or max(1.2, self.o.seconds / 40)
        drawn = [k for k in self.kinds if k != "plan-kill"]  # which has a moment of its own
        plan = draw(self.o.seed, self.o.seconds, drawn, gap, longest) if drawn else []
        return [Fault(0, "plan-kill", "", 2, 0), *plan] if "plan-kill" in self.kinds else plan

    def nears_its_end(self):
        if not self.watch.states or self.watch.mailing_state in ("scheduled", "collecting", "draft"):
            return False
        return self.watch.mailing_state in TERMINAL or self.watch.open <= self.o.recipients * 0.02

    async def torment(self, watching):
        faults = list(self.plan)
        stop_at = self.o.seconds * 0.6 if self.o.stop else None
        while self.log.now < self.o.seconds:
            if watching.done():
                watching.result()  # throws what ended it
            if self.nears_its_end():
                self.log.say(f"the mailing nears its end: {len(faults)} faults of the plan are left over")
                break
            if faults and faults[0].at <= self.log.now:
                self.adversary.start(faults.pop(0))
                continue
            if stop_at and self.log.now >= stop_at:
                stop_at = None
                await self.adversary.insist("stop", self.mailing)
                self.log.say("stopped for good")
            await asyncio.sleep(0.02)
        self.log.say("faults end, everything is healed")

    async def end(self, watching):
        """Waits for the mailing's end, at most `--limit` seconds from the healing."""
        healed = time.time()
        rest = self.watch.open
        if rest > self.speed * 20 and self.watch.mailing_state not in TERMINAL:
            faster = rest // 20
            await self.adversary.insist("speed", self.mailing, f"{faster}/s")
            self.log.say(f"speed {faster}/s, so that the rest takes some 20 s")
        held_since, rounds = None, 0
        while time.time() - healed < self.o.limit:
            if watching.done():
                watching.result()
            state, states = self.watch.mailing_state, self.watch.states
            if state in TERMINAL:
                break
            uncertain = states.get("uncertain", 0)
            if uncertain and uncertain == self.watch.open:
                held_since = held_since or time.time()
                if time.time() - held_since > 2:
                    await self.decide(uncertain, rounds)
                    rounds, held_since = rounds + 1, None
                    if rounds > 3:
                        break
            else:
                held_since = None
            await asyncio.sleep(0.1)
        self.ended = time.time()
        self.took = self.ended - healed
        self.finished = self.watch.mailing_state in TERMINAL
        if self.finished:
            self.log.say(f"the mailing is {self.watch.mailing_state} {self.took:.1f} s after the healing")
            await self.drained()
        else:
            self.stuck = await diagnosis.all(self)
            self.log.say(f"STUCK: not at its end {self.took:.0f} s after the healing", "finding")
            print("\n".join("  | " + line for line in self.stuck))
        self.ending = True

    async def decide(self, uncertain, rounds):
        """Only the uncertain are open: a person decides. What is held is judged as it was before."""
        if self.o.uncertain == "hold":
            if self.snapshot is None:
                self.snapshot = Ledger(self.store, self.mailing)
            words = ("--settle", "sent")
        else:
            words = ("--resend",)
        code, text = await self.fleet.command("mailing", "uncertain", self.mailing, *words, "--all", timeout=60)
        last = text.splitlines()[-1] if text else ""
        self.log.say(f"{uncertain} are held; flotilla mailing uncertain {' '.join(words)} --all: {last}")
        self.settled = {"people": uncertain, "command": " ".join(words), "status": code}
        if code != 0:
            self.log.find("uncertain", f"flotilla mailing uncertain ended with {code}: {last}")

    async def drained(self):
        """After the end all results must reach the ledger; whatever comes is part of the judgement."""
        end = time.time() + 15
        left = None
        while time.time() < end:
            try:
                left = sum([await self.redis.ask("XLEN", key) for key in
                            (await self.redis.ask("SCAN", "0", "MATCH", "*flotilla}:status:*", "COUNT", "100000"))[1]])
            except OSError:
                left = None
            if left == 0:
                break
            await asyncio.sleep(0.1)
        if left:
            self.log.find("status", f"{left} entries of the status streams were not collected 15 s after the mailing's end")
        await asyncio.sleep(0.5)

    async def end_visits(self, visiting):
        """Nobody visits any more, and what was done is in the ledger."""
        self.visits.stopped = True
        await visiting
        if left := await self.visits.drained(self.dir / "spool"):
            self.log.find("events", f"visits were not collected 40 s after the mailing's end: {left}")

    async def shut_down(self):
        self.ending = True
        for kind in ("tracker", "worker", "planner", "collector"):
            roles = [r for r in self.fleet.roles.values() if r.kind == kind and r.alive]
            took = await asyncio.gather(*(r.terminate() for r in roles))
            self.log.say(f"SIGTERM to every {kind}: ended after {max(took, default=0):.1f} s")
        if self.mailing and self.finished:
            code, text = await self.fleet.command("mailing", "report", self.mailing, "--json", timeout=60)
            self.report = text if code == 0 else f"status {code}: {text}"
        await self.sink.stop()
        await self.redis.stop(signal.SIGTERM)

    def close(self):
        """No process that we started outlives this, however the run ended. The small disks are there until `clean`."""
        for server in filter(None, (self.bouncer, self.postgres)):
            server.close()
        if self.fleet:
            self.fleet.close()

    def clean(self):
        """Takes the small disks away, and the folders of PostgreSQL."""
        for disk in self.disks.values():
            disk.unmount()
        for folder in filter(None, (self.folder, self.other_folder)):
            shutil.rmtree(folder, ignore_errors=True)

    # The judgement

    def verdict(self):
        """Rows (name, what, found, allowed: text, good), and everything as a dictionary for --json."""
        arrivals = read_record(self.record) if self.record.exists() else []
        last = Ledger(self.store, self.mailing)
        # Held ones are judged as they were before a person settled them, all others as they are at the very end.
        ledger = last
        if self.snapshot:
            ledger = self.snapshot
            ledger.state, ledger.reason = last.state, last.reason
        hold = self.o.uncertain == "hold"
        j = judge.Judgement(arrivals, ledger, self.valid, hold)
        f = j.figures
        whole, own = judge.stand_still(arrivals, self.started, self.ended, self.log.outages)
        memory = self.watch.memory_peak / 1e6
        findings = {kind: [x["text"] for x in self.log.findings if x["kind"] == kind]
                    for kind in {x["kind"] for x in self.log.findings}}
        expected = "stopped" if self.o.stop else "sent"
        listed = f["uncertain"]["listed"]
        awake = judge.is_awake(arrivals, ledger, self.valid, hold)
        rows = [
            ("lost", "state says sent, and no message came", len(j.lost), "0", not j.lost),
            ("open", "never terminal", len(j.open), "0", not j.open),
            ("doubled", "two messages or more, and not on the uncertain list", len(j.doubled), "0", not j.doubled),
        ]
        if hold:
            rows.append(("doubled_though_held", "uncertain: hold, and two messages all the same",
                         len(j.doubled_though_held), "0", not j.doubled_though_held))
        rows += [
            ("denied", "state says no, a message came, and not on the list", len(j.denied), "0", not j.denied),
            ("strangers", "received by somebody nobody knows", len(j.strangers), "0", not j.strangers),
            ("other_id", "tried under two Message-IDs", len(j.other_id), "0", not j.other_id),
            ("planned", "planned, against valid rows of the file", f["planned"], f"{len(self.valid):,}",
             f["planned"] == len(self.valid) and not ledger.twice_planned),
            ("excluded", "excluded, against bad rows of the file", f["excluded"], f"{self.bad:,}", f["excluded"] == self.bad),
            ("sum", "sum of the states, against planned", f["sum_of_states"], f"{f['planned']:,}", f["sum_of_states"] == f["planned"]),
            ("miscounted", "counters that differ from the recipients' states", j.miscounted, "0", not j.miscounted),
            ("end", "the mailing's state at the end", f["mailing_state"], expected, f["mailing_state"] == expected),
            ("exits", "roles that ended and were not asked to", len(findings.get("exit", [])), "0", "exit" not in findings),
            ("term", "SIGTERM: late, or status not 0", len(findings.get("term", [])), "0", "term" not in findings),
            ("pauses", "pauses nobody asked for", len(findings.get("pause", [])), "0", "pause" not in findings),
            ("other", "other findings (see FOUND above)",
             sum(len(v) for k, v in findings.items() if k not in ("exit", "term", "pause")), "0",
             not set(findings) - {"exit", "term", "pause"}),
            ("memory", "Redis used_memory at most, MB", round(memory, 1), f"{self.o.memory:.0f}", memory <= self.o.memory),
            ("still", "longest stand-still less our own outages, s", round(own[0], 1), f"{self.o.still:.0f}", own[0] <= self.o.still),
        ]
        if set(self.log.done) == {"postgres-sync"}:
            lacking = sum(n for why, n in ledger.why.items() if "older copy" in why)
            rows.append(("standby", "uncertain, as a synchronous standby lacked something", lacking, "0", lacking == 0))
        late = judge.late_after_pause(arrivals, self.adversary.pauses)
        if self.adversary.pauses and set(self.log.done) <= {"pause", "speed"}:
            rows.append(("late", "messages begun more than 1 s after a pause", late, "0", late == 0))
        if self.graceful():
            rows.append(("graceful", "uncertain, though every fault was a graceful one", listed, "0", listed == 0))
        tracked = self.visits.judgement() if self.visits else None
        if tracked:
            rows += tracked.rows(visits.is_awake(self.visits))
        rows.append(("judge", "the judge finds a tampered record", "yes" if awake else "NO", "yes", awake))
        took = {
            "seed": self.o.seed, "ledger": self.o.ledger, "good": all(r[4] for r in rows), "recipients": self.o.recipients,
            "uncertain_policy": self.o.uncertain, "lease": self.o.lease, "speed": self.speed, "profile": self.o.profile,
            "rows": [dict(zip(("name", "what", "found", "allowed", "good"), r)) for r in rows], "figures": f,
            "faults": self.log.done, "left_out": self.log.skipped, "disk_note": self.disk_note,
            "stand_still": {"in_all": whole[0], "in_all_at": whole[1], "own": own[0], "own_at": own[1]},
            "outages": [{"from": a - self.started, "to": b - self.started, "why": w} for a, b, w in self.log.outages],
            "pauses": len(self.adversary.pauses), "late_after_pause": late,
            "redis_peak_mb": memory, "seconds": self.ended - self.started, "seconds_after_healing": self.took,
            "visits": tracked and {"answered": tracked.answered, "lost_within_the_bound": tracked.excused, "refused": self.visits.refused,
                                   "broken": self.visits.broken},
            "settled": self.settled, "findings": self.log.findings, "events": self.log.events,
            "plan": [vars(x) for x in self.plan], "stuck": getattr(self, "stuck", None), "report": getattr(self, "report", None),
            "roles": {r.name: {"starts": r.starts, "cpu_seconds": round(r.cpu, 2), "peak_mb": round(r.peak, 1)}
                      for r in self.fleet.roles.values()},
            "names": {k: getattr(j, k)[:20] for k in ("lost", "open", "doubled", "doubled_though_held", "denied", "strangers",
                                                     "other_id", "beyond_list")},
        }
        return rows, took

    def graceful(self):
        """Whether nothing was done after which anybody may be uncertain."""
        certain = all(fault.split("=")[0].split(":")[-1].isdigit() for fault in self.o.profile.split(",")) \
            if self.o.profile != "none" else True
        return certain and set(self.log.done) <= GRACEFUL
