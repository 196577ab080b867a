"""What a run needs before its first fault: disks, servers, recipients, the mailing, the settings, the roles."""
import asyncio, pathlib, random, time

from rig import pgbouncer, postgres
from rig.fleet import Fleet
from rig.ledger import SQLiteFile
from rig.machine import CannotRun, quiet_port, wait_port
from rig.redis import RedisServer
from rig.run_log import RunLog
from rig.sink import Sink

from . import visits
from .disk import SmallDisk
from .faults import Adversary
from .plan import DISKS, ENGINES, KINDS, ROLES, STANDBYS, TRACKER, WHERE_ASKED
from .relay import Relay
from .watch import Watch


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


class RunSetup:
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
        # What can only be done to another engine is skipped, unless it was asked for.
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
            print("!" * 100 + f"\n!! SKIPPED: {', '.join(sorted(wanted))}: {self.disk_note}\n" + "!" * 100)

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
brake: {{bounces_hour: "off", bounces_day: "off"}}
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
