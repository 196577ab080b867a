"""The judge: who could have got the message and did not, and how long it took against the best possible."""
import bisect, collections, math

TERMINAL = ("sent", "delivered", "failed", "expired", "stopped", "skipped")
FINAL = {"smtp": (550,), "http": (410,)}
THROTTLED = {"smtp": (421,), "http": (429, 503)}
"""Answers that spend no attempt: the 503 of the profile names a wait."""
PAUSE = {"smtp": None, "http": 503}
"""In an outage, in which all is answered with it, 503 is plain, and neither."""
REACTION = 0.5
"""Seconds within which a fleet must keep to a pause that one of its workers was asked for."""


class Judgement:
    """Findings by name, each a list of recipients; figures beside them."""

    def __init__(self, protocol, arrivals, ledger, valid, outage=(0, 0)):
        tries = collections.defaultdict(list)
        for a in arrivals:
            tries[a.address].append(a)
        taken = {who: sum(a.accepted for a in found) for who, found in tries.items()}
        refused = {who for who, found in tries.items() if any(a.code in FINAL[protocol] for a in found)}
        spent = {who: sum(a.code not in THROTTLED[protocol] or outage[0] <= a.begun < outage[1] for a in found)
                 for who, found in tries.items()}
        self.open = sorted(who for who in valid if ledger.delivery.get(who) not in TERMINAL)
        self.lost = sorted(who for who, state in ledger.delivery.items() if state == "sent" and not taken.get(who))
        self.saveable = sorted(who for who, state in ledger.delivery.items()
                               if state in ("failed", "expired", "stopped", "skipped") and who not in refused)
        self.burnt = sorted(who for who, n in ledger.attempts.items() if n > spent.get(who, 0) + ledger.listed[who])
        self.doubled = sorted(who for who, n in taken.items() if n > 1 and not ledger.listed[who])
        self.after_refusal = sorted(who for who in refused if tries[who][-1].code not in FINAL[protocol])
        self.codes = collections.Counter(a.code for a in arrivals)
        self.states = collections.Counter(ledger.delivery.values())
        self.listed = len(ledger.listed)


def tampered(protocol, arrivals, ledger, valid, outage):
    """The judge's own trial: whether it finds somebody failed without a refusal, an attempt too many and a double."""
    plain = Judgement(protocol, arrivals, ledger, valid, outage)
    sent = next((a for a in arrivals if a.accepted and ledger.delivery.get(a.address) == "sent" and not ledger.listed[a.address]), None)
    if sent is None:
        return True  # nobody got anything
    who, states, attempts = sent.address, ledger.delivery[sent.address], ledger.attempts[sent.address]
    try:
        doubled = Judgement(protocol, arrivals + [sent], ledger, valid, outage)
        ledger.delivery[who], ledger.attempts[who] = "failed", 99
        failed = Judgement(protocol, arrivals, ledger, valid, outage)
    finally:
        ledger.delivery[who], ledger.attempts[who] = states, attempts
    return (set(doubled.doubled) - set(plain.doubled) == {who} and who in failed.burnt
            and (who in failed.saveable) == (who not in plain.saveable))


def in_pauses(arrivals, protocol, length, outage):
    """How many pauses were asked for, the seconds of all together, and how many messages began in one of them later than
    REACTION after it had been asked for."""
    code = PAUSE[protocol]
    asked = sorted(a.decided for a in arrivals if code and a.code == code and not outage[0] <= a.begun < outage[1])
    begun = sorted(a.begun for a in arrivals)
    count, seconds, broken, over = 0, 0.0, 0, 0
    for at in asked:
        end = at + int(length * 1e6)
        since = max(at + int(REACTION * 1e6), over)
        if since < end:
            broken += bisect.bisect_left(begun, end) - bisect.bisect_left(begun, since)
        seconds += (end - max(at, over)) / 1e6
        count, over = count + 1, end
    return count, seconds, broken


def longest_chain(recipients, throttled, temporary, rest, base, cap):
    """Seconds of waiting that the unluckiest of so many recipients is to expect, and its attempts that came to nothing.

    With a share p of answers that ask for another attempt, one of N recipients meets k = ln N / ln(1 / p) of them in a row.
    Either all were temporary, which wait min(cap, base x 2^n) at most, or they came as mixed as they usually do, and each
    throttled one waits `rest`. The longer of the two."""
    def in_a_row(share):
        return math.ceil(math.log(max(2, recipients)) / math.log(1 / share))

    def waits(k):
        return sum(min(cap, base * 2 ** n) for n in range(k))
    alone = in_a_row(temporary / (1 - throttled))
    mixed = in_a_row(throttled + temporary)
    slow = round(mixed * temporary / (throttled + temporary))
    return max((waits(alone), alone), (waits(slow) + (mixed - slow) * rest, mixed))


def rates(arrivals, since, seconds):
    """Messages a second, in parts of so many seconds."""
    count = collections.Counter(int((a.begun / 1e6 - since) // seconds) for a in arrivals)
    return [count[n] / seconds for n in range(max(count, default=-1) + 1)]


def at_work_after(arrivals, back, rate):
    """Seconds from the provider's return to the first message, and to the first second with half the rate; None: never."""
    begun = sorted(a.begun / 1e6 for a in arrivals if a.begun / 1e6 >= back)
    half = next((t for n, t in enumerate(begun) if bisect.bisect_left(begun, t + 1) - n >= rate / 2), None)
    return begun[0] - back if begun else None, half - back if half is not None else None
