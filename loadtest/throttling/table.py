"""The table, in plain text and as Markdown."""
import math

from .measure import WINDOWS

HEAD = ("case", "workers", "scope", "limit", "use", "10 ms", "100 ms", "1 s", "10 s", "60 s", "p99 explains", "allowed", "gaps",
        "100 ms peak", "reserve/s", "worker us", "Redis us", "verdict")


def number(value, digits=1):
    return "-" if value is None or math.isnan(value) else f"{value:,.{digits}f}"


def lines(result):
    """A trial's rows as texts."""
    if "error" in result:
        return [(result["case"], str(result["workers"])) + ("-",) * (len(HEAD) - 3) + ("not set up",)]
    out, f = [], result["figures"]
    for n, r in enumerate(result["rows"]):
        verdict = "ok" if r["good"] else " and ".join(
            (["OVER"] if not r["kept"] else []) + (["UNUSED"] if not r["used"] else []))
        use = f"{r['use']:.1%}" + ("" if r["judged_use"] else " *") if not math.isnan(r["use"]) else "-"
        out.append((
            result["case"] if n == 0 else "", str(result["workers"]) if n == 0 else "", r["scope"], r["limit"], use,
            *(f"{r['excess'][w]:+.2f}" if w in r["excess"] else "-" for w in WINDOWS), number(r["explained"], 2), number(r["allowed"], 2),
            number(r["spread"], 2), number(r["fullest"], 2),
            *((number(f["reservations"]), number(f["worker_us"]), number(f["redis_us"])) if n == 0 else ("", "", "")), verdict))
    return out


def plain(rows, head=True):
    widths = [max(len(h), w) for h, w in zip(HEAD, (9, 1, 22, 8, 7, 7, 7, 7, 7, 7, 6, 6, 4, 6, 6, 6, 6, 6))]
    form = lambda row: "  ".join(c.ljust(w) if i in (0, 2, 3, 17) else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))).rstrip()
    return "\n".join(([form(HEAD)] if head else []) + [form(row) for row in rows])


def markdown(rows):
    return "\n".join("| " + " | ".join(row) + " |" for row in [HEAD, ("---",) * len(HEAD), *rows])


def remarks(result):
    """What stands below a trial's rows."""
    if "error" in result:
        return ["not set up: " + result["error"]]
    j = result["jitter_us"]
    out = [f"arrival jitter p50 {j['p50']} us, p99 {j['p99']} us, p99.9 {j['p99.9']} us, max {j['max']} us of {j['count']} probes; "
           f"{result['figures']['messages']:,} starts, {result['figures']['scripts']:,.0f} scripts/s of all kinds"]
    if result["stalled"] > 0.02:
        out.append(f"the machine stood still: for {result['stalled']:.0%} of the time more than usual is allowed")
    if result["dear"]:
        out.append(f"TOO DEAR: {result['figures']['reservations']:,.0f} reservations a second")
    out += [f"REFUSED: {text}" for text in result["refused"]]
    for t in result["turns"]:
        out.append(f"{t['what']}: after {t['seconds']:.2f} s (allowed 1 s){'' if t['good'] else '  TOO LATE'}")
    for r in result["rows"]:
        if abs(r["use"] - r["use_raw"]) > 1e-9:
            out.append(f"{r['scope']}: use {r['use_raw']:.1%} of the whole time, {r['use']:.1%} without what no survivor could use")
        if "worst" in r:
            w = r["worst"]
            out.append(f"{r['scope']}: over in {w['window'] / 1000:g} ms, {w['after']:.3f} s after the first start; "
                       f"starts there, ms (connection): "
                       + " ".join(f"{ms:g} ({c})" for ms, c in w["starts"]))
        worst = max(r["excess"].values(), default=0)
        if r["kept"] and worst > r["allowed"]:
            out.append(f"{r['scope']}: the excess of {worst:+.2f} is arrival jitter: a probe at that moment was as late")
    return out + result["notes"]


LEGEND = """use: starts / (rate x time while work waited), without the first and the last second; * only told, not judged.
10 ms ... 60 s: the largest starts - (rate x window + burst) over all windows of that length; below 0 the limit was never reached.
p99 explains: rate x the p99 of the arrival jitter.
allowed: rate x (its p99 + {tolerance:g} s, and two slots of the widest limit where several meet);
around a later probe as much more as it was late.
gaps: standard deviation of the times between two starts by their mean. 100 ms peak: the fullest 100 ms by rate x 100 ms.
reserve/s: reservations of the whole fleet a second. us: CPU microseconds a message."""
