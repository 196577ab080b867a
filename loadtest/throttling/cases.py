"""The cases as data: the limits, what is done in the middle, and what is claimed of the sink's record."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Claim:
    """In a part of the run, the starts of a scope keep a limit (and use it)."""
    scope: str
    limit: str
    pick: object = None  # None: all; a number: that mailing; a text: that domain
    use: bool = True
    since: str = "first"  # marks that the actions leave; a number after + is seconds later
    until: str = "end"


@dataclasses.dataclass(frozen=True)
class Turn:
    """A limit changed at run time: from then on it must hold within a second."""
    what: str
    limit: str
    mark: str
    higher: bool = False


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    what: str
    claims: tuple
    speeds: tuple = (None,)  # a mailing each
    provider: str = None
    channel: str = None
    widest: str = None  # where several limits meet in a send: the widest of them
    domains: dict = dataclasses.field(default_factory=dict)
    actions: tuple = ()  # (share of the time, name of an action of the trial, its arguments)
    turns: tuple = ()
    clocks: tuple = ()  # hours by which the clocks of the first workers are wrong
    seconds: float = 14
    short: float = 4  # seconds of a short run
    email_only: bool = False


DOMAINS = {"fast.example": 1, "quick.example": 1, "slow.example": 1}
"""Of the case `domain`: parts of the recipients in each."""


def plain(limit, seconds=14):
    return Case(limit, f"one mailing at {limit}", (Claim("mailing", limit),), (limit,), seconds=seconds)


CASES = {c.name: c for c in (
    plain("25/s", 20),
    plain("500/s"),
    plain("1019/min", 24),
    plain("12345/s"),
    plain("7/min", 90),
    Case("minute", "one mailing at 500/s for more than a minute", (Claim("mailing", "500/s"),), ("500/s",), seconds=75),
    Case("channel", "a channel limit, shared by two mailings", (Claim("channel", "300/s"),), (None, None), channel="300/s"),
    Case("provider", "a provider limit, shared by two mailings, one with a limit of its own under it",
         (Claim("provider", "500/s"), Claim("mailing 1", "120/s", 0)), ("120/s", None), provider="500/s", widest="500/s"),
    Case("domain", "a domain limit under a mailing's and a provider's; a third of the recipients is there",
         (Claim("provider", "500/s", use=False), Claim("mailing", "300/s"), Claim("domain", "50/s", "slow.example")),
         ("300/s",), provider="500/s", widest="500/s", domains={"slow.example": "50/s"}, email_only=True),
    Case("change", "a mailing's speed and a provider's limit, changed while it is sent",
         (Claim("mailing, 500/s", "500/s", until="slower.begun"),
          Claim("mailing, then 300/s", "300/s", since="slower+1", until="tight.begun"),
          Claim("provider, then 200/s", "200/s", since="tight+1", until="free.begun"),
          Claim("mailing, at last 500/s", "500/s", since="faster+1")),
         ("500/s",), provider="1000/s", widest="1000/s", seconds=20, short=10,
         actions=((0.2, "command", "slower", ("mailing", "speed", "{mailing}", "300/s")),
                  (0.45, "command", "tight", ("limit", "set", "provider:p", "200/s")),
                  (0.7, "command", "free", ("limit", "clear", "provider:p")),
                  (0.7, "command", "faster", ("mailing", "speed", "{mailing}", "500/s"))),
         turns=(Turn("mailing speed 300/s", "300/s", "slower"), Turn("limit set provider 200/s", "200/s", "tight"),
                Turn("cleared, speed 500/s", "500/s", "faster", higher=True))),
    Case("kill", "the worker with most work killed and started again 2 s later, then one frozen for 3 s",
         (Claim("mailing", "500/s"),), ("500/s",), seconds=20,
         actions=((0.25, "kill", 2.0), (0.6, "freeze", 3.0))),
    Case("clock", "clocks of workers wrong by an hour: the first ahead, the second (of three or more) behind",
         (Claim("mailing", "500/s"),), ("500/s",), clocks=(1, -1)),
)}
SHORT = ("500/s", "provider", "change")
LONG = ("7/min", "minute")
USUAL = tuple(name for name in CASES if name not in LONG)
