"""The measure: what the times of starts say about a limit. Pure; times in microseconds, sorted."""
import bisect, math, statistics

WINDOWS = (10_000, 100_000, 1_000_000, 10_000_000, 60_000_000)
UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


class Limit:
    """A limit as Flotilla writes it: `500/s`, `6000/min,burst=50`."""

    def __init__(self, text):
        self.text = text
        rate, _, burst = text.partition(",burst=")
        count, unit = rate.split("/")
        self.rate, self.burst = int(count) / UNITS[unit], int(burst or 1)


class Slack:
    """How much later than it was sent a message may have been seen, in seconds, at any time of a run.

    Usually the p99 of what the probes tell; around a probe that was later than that, or woke later (the whole machine
    stood still), as much as that one. `probes`: (sent, overslept, seen) in microseconds, in order."""

    MARGIN = 15_000
    """Probes come every 7 to 13 ms: what one of them met may have begun and ended that long before and after."""

    def __init__(self, probes, tolerance):
        self.tolerance = tolerance
        self.usual = quantile(sorted(seen - at for at, _, seen in probes), 0.99)
        self.peaks = [(at - max(0, overslept) - self.MARGIN, seen + self.MARGIN, max(seen - at, overslept))
                      for at, overslept, seen in probes if max(seen - at, overslept) > self.usual]

    def share(self, arrivals):
        """The share of a run around whose times a probe was later than the tolerance by itself."""
        until = arrivals[0].begun
        whole, stalled = max(1, arrivals[-1].begun - until), 0
        for since, to, size in self.peaks:
            if size > self.tolerance * 1e6:
                stalled += max(0, to - max(since, until))
                until = max(until, to)
        return stalled / whole

    def of(self, times):
        """For each of the times: the slack and the tolerance, in seconds."""
        out = [self.usual] * len(times)
        for since, until, size in self.peaks:
            for n in range(bisect.bisect_left(times, since), bisect.bisect_right(times, until)):
                out[n] = max(out[n], size)
        return [us / 1e6 + self.tolerance for us in out]


def excess(times, limit, window, slack=None):
    """The largest of starts - (rate * window + burst) over all windows [t, t + window), the largest of the same less
    rate * the slack at t (`slack`: seconds for each start), and the number of the start t of that one.

    A window that begins just at a start holds no fewer than one that begins between this start and the one before."""
    allowed = limit.rate * window / 1e6 + limit.burst
    most, beyond, where, end, count = 0, -math.inf, 0, 0, len(times)
    for n, begin in enumerate(times):
        limit_of_window = begin + window
        while end < count and times[end] < limit_of_window:
            end += 1
        if end - n > most:
            most = end - n
        if slack is not None and end - n - limit.rate * slack[n] > beyond:
            beyond, where = end - n - limit.rate * slack[n], n
    return most - allowed, beyond - allowed, where


def use(times, limit, since, until):
    """The share of the rate that was used in [since, until); NaN where there is no such time.

    One start more is granted than was seen: which of two it is that falls outside is chance."""
    if until <= since:
        return math.nan
    count = bisect.bisect_left(times, until) - bisect.bisect_left(times, since)
    due = limit.rate * (until - since) / 1e6
    return min(count + 1, max(count, due)) / due


def evenness(times, limit):
    """The spread of the gaps against their mean, and the fullest 100 ms against what 100 ms should hold; None for few."""
    if len(times) < 20:
        return None, None
    gaps = [b - a for a, b in zip(times, times[1:])]
    spread = statistics.pstdev(gaps) / statistics.fmean(gaps)
    if limit.rate < 50:
        return spread, None
    fullest = excess(times, limit, 100_000)[0] + limit.rate * 0.1 + limit.burst
    return spread, fullest / (limit.rate * 0.1)


def holds_after(times, limit, changed, tolerance):
    """Seconds from the change until no window that begins later breaks the lower limit any more; `tolerance` in seconds."""
    last = changed
    later = times[bisect.bisect_left(times, changed):]
    for window in WINDOWS[1:3]:
        allowed, end = limit.rate * (window / 1e6 + tolerance) + limit.burst, 0
        for n, begin in enumerate(later):
            while end < len(later) and later[end] < begin + window:
                end += 1
            if end - n > allowed:
                last = max(last, begin)
    return (last - changed) / 1e6


def used_after(times, limit, changed):
    """Seconds from the change until the next second sees 98 % of the higher limit; NaN if that never came."""
    later = times[bisect.bisect_left(times, changed):]
    for n, begin in enumerate(later):
        if bisect.bisect_left(later, begin + 1_000_000) - n >= 0.98 * limit.rate:
            return (begin - changed) / 1e6
    return math.nan


def quantile(sorted_values, share):
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))] if sorted_values else math.nan


def is_awake():
    """The measure's own trial: what must be found in made-up times is found, and nothing where nothing is."""
    limit = Limit("100/s")
    even = [n * 10_000 for n in range(7000)]
    crowd = even[:1000] + [even[999] + 1, even[999] + 2] + even[1000:]  # the burst of 1 allows one of the two
    calm = [(n * 10_000, 100, n * 10_000 + 200) for n in range(2000)]
    stall = calm[:998] + [(9_980_000, 100, 10_010_000)] + calm[1001:]
    third = [t for n, t in enumerate(even) if n % 3]
    slower = [n * 5_000 for n in range(400)] + [2_000_000 + n * 10_000 for n in range(400)]
    return (
        all(excess(even, limit, w)[0] <= 0 for w in WINDOWS)
        and all(excess(crowd, limit, w)[0] == 1 for w in WINDOWS)
        and excess(crowd, limit, 10_000, Slack(calm, 0).of(crowd))[1] > 0.9
        and excess(crowd, limit, 10_000, Slack(stall, 0).of(crowd))[1] < 0
        and use(even, limit, 0, 70_000_000) > 0.999 and use(third, limit, 0, 70_000_000) < 0.68
        and holds_after(even, limit, 5_000_000, 0) == 0
        and 0.8 < holds_after(slower, limit, 1_000_000, 0) <= 1.01
        and used_after(slower, Limit("200/s"), 0) == 0)
