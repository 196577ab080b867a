"""A run on several hosts: the same fleet, mailing and judge, and whole hosts that are slow or cut off."""
import sys

from rig import postgres
from rig.machine import CannotRun
from rig.network import Network
from rig.redis import RedisServer

from . import relay
from .faults import Adversary
from .plan import ON_HOSTS, ROLES, Fault
from .run import Run

PLACES = {"host-1": ("planner-1", "worker-1"), "host-2": ("planner-2", "collector-1"), "host-3": ("collector-2", "worker-2"),
          "host-4": ("worker-3",)}
REDIS, POSTGRES = 6379, 5432
SLOW = "slow"
"""The process that slows a host down."""


class HostsAdversary(Adversary):
    async def cut_host(self, fault):
        network, roles = self.run.network, [self.fleet.roles[name] for name in PLACES[fault.target] if name in self.fleet.roles]
        self.begin("cut-host", f"cut off {fault.target} ({', '.join(PLACES[fault.target])}) for {fault.seconds:.0f} s")
        network.cut(fault.target)
        for role in roles:
            role.cut = True
        self.fleet.changed()
        await self.rest(fault.seconds)
        network.connect(fault.target)
        for role in roles:
            role.cut = False
        self.fleet.changed()
        self.log.say(f"  {fault.target} is back")


class HostsRun(Run):
    """Redis, PostgreSQL and the provider are on the hub. Each role is on its host and reaches them by TCP. No host but the one on which
    the mailing is added has the recipients' file: they come by way of the ledger."""

    adversary_kind = HostsAdversary
    has_tracker = False
    adding = ("--upload",)

    def __init__(self, options, folder):
        super().__init__(options, folder)
        if not options.faults_named:
            self.kinds = []
        if wrong := sorted(set(self.kinds) - ON_HOSTS):
            raise CannotRun(f"{', '.join(wrong)} cannot be done with --hosts")

    def make_servers(self, rng):
        self.network = Network(self.fleet, PLACES)
        hub = self.network.hub
        homes = {role: self.network.hosts[host] for host, roles in PLACES.items() for role in roles}
        homes |= {"redis": hub, "postgres": hub, "sink": hub}
        if self.o.slow != "none":
            homes[SLOW] = self.network.hosts[self.o.slow]
        self.fleet.place = lambda name, command: homes[name].inside(command) if name in homes else command
        self.host = hub.address
        self.redis = RedisServer(self.dir, self.fleet.spawn, port=REDIS, bind=hub.address)
        self.postgres = self.store = postgres.PostgresServer(self.fleet.spawn, listen=hub.address, folder=self.folder)

    def make_way(self, rng):
        return self.sink.port

    async def add_mailing(self):
        await super().add_mailing()
        (self.dir / "recipients.csv").unlink()

    async def add_roles(self):
        hub = self.network.hub.address
        if self.o.slow != "none":
            # All that this host says to Redis and PostgreSQL, and all that it hears of them, takes half of the delay.
            links = [f"127.0.0.1:{port}={hub}:{port}" for port in (REDIS, POSTGRES)]
            self.fleet.spawn(SLOW, [sys.executable, relay.__file__, str(self.o.delay / 2000), *links])
        for name in ROLES:
            if name == "planner-2" and not self.o.standby:
                continue
            address = "127.0.0.1" if self.o.slow != "none" and name in PLACES[self.o.slow] else hub
            self.fleet.add(name, {
                "FLOTILLA_REDIS_URL": f"redis://{address}:{REDIS}",
                "FLOTILLA_LEDGER_URL": f"postgres://{postgres.USER}@{address}:{POSTGRES}/{postgres.DATABASE}"})

    def draw(self):
        cut = [] if self.o.cut == "none" else [Fault(self.o.seconds / 4, "cut-host", self.o.cut, self.o.cut_seconds, 0)]
        return sorted(super().draw() + cut, key=lambda fault: fault.at)
