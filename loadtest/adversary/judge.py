"""The judge: compares what the sink says it took with what the ledger says became of everyone."""
import collections, copy

GOT_IT = ("sent", "delivered")
TERMINAL = ("sent", "delivered", "failed", "expired", "stopped", "skipped")


class Judgement:
    """Findings by name, each a list of recipients; figures beside them."""

    def __init__(self, arrivals, ledger, valid, hold):
        taken = [a for a in arrivals if a.accepted]
        count = collections.Counter(a.address for a in taken)
        ids = collections.defaultdict(set)
        for a in arrivals:
            if a.message:
                ids[a.address].add(a.message)
        twice = {address for address, n in count.items() if n > 1}
        states = ledger.delivery
        self.lost = sorted(
            [a for a, s in states.items() if s in GOT_IT and not count[a]] + [a for a in valid if a not in states])
        self.open = sorted(
            a for a, s in states.items() if s not in TERMINAL and not (s == "uncertain" and a in ledger.held))
        self.doubled = sorted(a for a in twice if not ledger.listed[a])
        self.doubled_though_held = sorted(twice) if hold else []
        self.denied = sorted(
            a for a, s in states.items() if s in TERMINAL and s not in GOT_IT and count[a] and not ledger.listed[a])
        self.strangers = sorted({a.address for a in arrivals if a.address and a.address not in valid})
        self.other_id = sorted(a for a, found in ids.items() if len(found) > 1)
        self.beyond_list = sorted(a for a in twice if ledger.listed[a] and count[a] - 1 > ledger.listed[a])
        by_state = collections.Counter(states.values())
        self.miscounted = sum(
            abs(by_state[s] - ledger.counters.get(s, 0)) for s in set(by_state) | set(ledger.counters))
        listed = set(ledger.listed)
        self.figures = {
            "valid": len(valid), "planned": ledger.planned, "sum_of_states": sum(ledger.counters.values()),
            "excluded": ledger.excluded, "states": dict(ledger.counters), "mailing_state": ledger.state,
            "mailing_reason": ledger.reason, "arrivals": len(arrivals), "accepted": len(taken),
            "accepted_without_answer": sum(a.code == 0 for a in taken), "received_twice_or_more": len(twice),
            "uncertain": {
                "known_to_the_ledger": ledger.knows_uncertain, "listed": len(listed), "entries": sum(ledger.listed.values()),
                "received_twice_or_more": len(listed & twice), "received_once": sum(count[a] == 1 for a in listed),
                "received_never": sum(count[a] == 0 for a in listed), "held": len(ledger.held),
                "most_of_one_worker": max((n for w, n in ledger.by_worker.items() if w), default=0),
                "why": dict(ledger.why.most_common(12)),
            },
            "received_more_often_than_listed": len(self.beyond_list),
        }


def is_awake(arrivals, ledger, valid, hold):
    """The judge's own trial: of a record without one line a loss must be found, with one line doubled a double message."""
    plain = Judgement(arrivals, ledger, valid, hold)
    count = collections.Counter(a.address for a in arrivals if a.accepted)
    once = [a for a in arrivals if a.accepted and count[a.address] == 1
            and ledger.delivery.get(a.address) in GOT_IT and not ledger.listed[a.address]]
    if not once:
        return True  # nobody got anything: there is nothing to tamper with
    victim = once[len(once) // 2]
    without = Judgement([a for a in arrivals if a is not victim], ledger, valid, hold)
    doubled = Judgement(arrivals + [victim], ledger, valid, hold)
    lied = copy.copy(ledger)
    lied.delivery = ledger.delivery | {victim.address: "deferred"}
    open_ = Judgement(arrivals, lied, valid, hold)
    return (
        set(without.lost) - set(plain.lost) == {victim.address}
        and set(doubled.doubled) - set(plain.doubled) == {victim.address}
        and set(open_.open) - set(plain.open) == {victim.address})


def standstill(arrivals, begun, ended, outages):
    """The longest time without a message at the sink, in all and less the outages of the adversary's own making: two
    pairs of (seconds, seconds after `begun`). Times are seconds since 1970."""
    times = [begun] + sorted(a.begun / 1e6 for a in arrivals) + [ended]
    merged = []
    for start, end, _ in sorted(outages):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    longest, own = (0.0, 0.0), (0.0, 0.0)
    for before, after in zip(times, times[1:]):
        gap = after - before
        if gap > longest[0]:
            longest = (gap, before - begun)
        if gap > own[0]:
            excused = sum(max(0.0, min(after, e) - max(before, s)) for s, e in merged)
            if gap - excused > own[0]:
                own = (gap - excused, before - begun)
    return longest, own


def late_after_pause(arrivals, pauses, slack=1.0):
    """Messages that began more than `slack` seconds after a pause was confirmed, and before its end."""
    return sum(
        sum(since + slack < a.begun / 1e6 < until for a in arrivals) for since, until in pauses if until - since > slack)
