"""What is done, when and to whom: all from the seed, before anything starts."""
import dataclasses, math, random

ROLES = ["worker-1", "worker-2", "worker-3", "collector-1", "collector-2", "planner-1", "planner-2"]
TRACKER = "tracker-1"
"""Has faults of its own."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of fault: how many cards of the deck it has, seconds until it is undone (from, to), what it is."""
    cards: int
    least: float
    most: float
    what: str


KINDS = {
    "kill": Kind(4, 0.5, 5, "SIGKILL to a role, started again later"),
    "freeze": Kind(3, 0.5, 20, "SIGSTOP to a role, woken later"),
    "term": Kind(2, 0.2, 3, "SIGTERM to a role, started again after it has ended"),
    "rolling": Kind(1, 0.1, 0.5, "SIGTERM and a new start of every role, one after the other"),
    "cut": Kind(2, 0.5, 15, "a worker's way to Redis is cut, bytes kept or connections reset"),
    "redis-restart": Kind(1, 0.2, 5, "Redis ends in order and starts again"),
    "redis-kill": Kind(1, 0.2, 5, "SIGKILL to Redis, started again"),
    "redis-rewind": Kind(1, 0.2, 5, "power cut: Redis comes back without its last second"),
    "redis-freeze": Kind(1, 0.5, 8, "SIGSTOP to Redis"),
    "redis-empty": Kind(2, 0.2, 3, "FLUSHALL, or a new empty Redis in its place"),
    "drop": Kind(2, 0, 0, "all connections to the provider are reset"),
    "unavailable": Kind(1, 0.5, 5, "the provider is unavailable: connections reset and refused"),
    "disk": Kind(1, 1, 5, "no room on the ledger's disk"),
    "pause": Kind(2, 1, 3, "flotilla mailing pause, then resume"),
    "speed": Kind(1, 1, 3, "flotilla mailing speed: a fifth, then as before"),
    "plan-kill": Kind(1, 0.5, 5, "SIGKILL to the leading planner while it plans the mailing, started again later"),
    "collectors": Kind(1, 0.5, 10, "SIGKILL to both collectors, started again later"),
    "tracker-kill": Kind(2, 0.1, 3, "SIGKILL to the tracker, started again later"),
    "redis-promote": Kind(1, 0.1, 1, "SIGKILL to Redis; a replica that lacks its last moment takes its place"),
    "postgres-kill": Kind(1, 0.2, 5, "SIGKILL to all processes of PostgreSQL, started again"),
    "postgres-restart": Kind(1, 0.2, 5, "PostgreSQL ends in order and starts again"),
    "postgres-freeze": Kind(1, 1, 60, "SIGSTOP to all processes of PostgreSQL"),
    "postgres-cut": Kind(2, 0.5, 15, "the way of a planner or collector to PostgreSQL is cut, bytes kept or connections reset"),
    "postgres-disk": Kind(1, 1, 5, "no room for PostgreSQL's tables"),
    "postgres-wal": Kind(1, 1, 5, "no room for PostgreSQL's write-ahead log, of which it dies"),
    "postgres-promote": Kind(1, 0.5, 2, "SIGKILL to PostgreSQL; a standby that lacks its last moment takes its place"),
    "postgres-sync": Kind(1, 0.5, 2, "the same with a synchronous standby, which lacks nothing that was promised"),
    "plan-promote": Kind(1, 0.1, 1, "the same as postgres-promote while the mailing is planned"),
    "pgbouncer-kill": Kind(1, 0.2, 3, "SIGKILL to pgbouncer, started again"),
}
# Faults after which the ledger lacks its last commits.
REWINDING = {"postgres-promote", "plan-promote"}
STANDBYS = {"postgres-promote", "postgres-sync", "plan-promote"}
"""Faults with a second server: roles reach both without relays then, and are not cut off."""
WHERE_ASKED = STANDBYS | {"pgbouncer-kill"}
"""Faults that only those runs have that name them (or have --pgbouncer)."""
DISKS = {"disk", "postgres-disk", "postgres-wal"}
"""Faults that need small disks."""
ENGINES = {"sqlite": {"disk"}, "postgres": {k for k in KINDS if k.startswith(("postgres-", "pgbouncer-", "plan-promote"))}}
"""Faults that are done to one engine of the ledger alone."""
ON_HOSTS = {"kill", "freeze", "term", "rolling", "collectors", "plan-kill", "pause", "speed", "redis-restart", "redis-kill",
            "redis-rewind", "redis-freeze", "redis-empty", "postgres-kill", "postgres-restart", "postgres-freeze"}
"""Faults that `--hosts` can do beside its own: the others need relays, which its hosts do not have."""
SHORT = ["kill", "freeze", "term", "cut", "redis-kill", "redis-empty", "drop", "disk", "pause", "tracker-kill", "postgres-kill",
         "postgres-restart", "postgres-cut", "postgres-disk"]
"""What a short run has time for."""
GRACEFUL = {"term", "rolling", "pause", "speed", "tracker-kill"}
"""Faults after which nobody may be uncertain."""


@dataclasses.dataclass(frozen=True)
class Fault:
    at: float
    kind: str
    target: str
    seconds: float
    coin: float


def read_script(text):
    """A plan by hand: `seconds:kind[:target][:seconds until undone]`, by commas. Redis is emptied by FLUSHALL.

    Throws ValueError, which says what is wrong.
    """
    faults = []
    for item in text.split(","):
        at, name, *rest = item.strip().split(":") + [""]
        if name not in KINDS:
            raise ValueError(f"'{item}': there is no fault '{name}'")
        target, length = ROLES[0], KINDS[name].least
        for word in filter(None, rest):
            if word in ROLES:
                target = word
            elif word.replace(".", "", 1).isdigit():
                length = float(word)
            else:
                raise ValueError(f"'{item}': '{word}' is neither a role ({', '.join(ROLES)}) nor seconds")
        faults.append(Fault(float(at), name, target, length, 0.99))
    return sorted(faults, key=lambda f: f.at)


def draw(seed, seconds, kinds, gap, longest):
    """The faults of a run, in the order of their times (seconds from the start).

    Kinds come from a shuffled deck, so that each has its turn; times between them are exponential around `gap`; times
    until undone are evenly spread in their logarithm, none above `longest`. Of the targets workers come twice as often.
    """
    rng = random.Random(seed)
    faults, deck, at = [], [], 0.0
    targets = ROLES + ROLES[:3]
    while True:
        at += min(max(rng.expovariate(1 / gap), gap / 5), gap * 3)
        if at >= seconds:
            return faults
        if not deck:
            # One of each kind comes before any second one.
            first, rest = list(kinds), [k for k in kinds for _ in range(KINDS[k].cards - 1)]
            rng.shuffle(first)
            rng.shuffle(rest)
            deck = first + rest
        name = deck.pop(0)
        kind = KINDS[name]
        most = max(kind.least, min(kind.most, longest))
        length = math.exp(rng.uniform(math.log(kind.least), math.log(most))) if kind.least else 0.0
        target = rng.choice(ROLES[:3] if name == "cut" else ROLES[3:] if name == "postgres-cut" else targets)
        faults.append(Fault(round(at, 3), name, target, round(length, 3), rng.random()))
