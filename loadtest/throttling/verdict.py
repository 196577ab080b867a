"""The judgement of a trial, from the sink's record and the probe's stamps."""
import datetime, math, re, sqlite3, time

from rig.machine import CannotRun
from rig.record import read_record

from . import measure
from .measure import WINDOWS, Limit


class Verdict:
    def __init__(self, trial):
        self.trial = trial

    def judge(self, before, after):
        arrivals = read_record(self.trial.record)
        probes = {a.address: a.begun for a in arrivals if a.address.endswith("@probe.test")}
        sent = [tuple(map(int, line.split())) for line in (self.trial.dir / "probe.tsv").read_text().splitlines()]
        sent = [(at, overslept, probes[who]) for n, at, overslept in sent if (who := f"bounce-{n}@probe.test") in probes]
        late = sorted(seen - at for at, _, seen in sent)
        starts = sorted((a for a in arrivals if not a.address.endswith("@probe.test") and a.begun < self.trial.marks["cut"]),
                        key=lambda a: a.begun)
        if not starts or not late:
            raise CannotRun(f"the record holds {len(starts)} messages and {len(late)} of the probe")
        self.slack = measure.Slack(sent, self.trial.o.tolerance)
        jitter = {"p50": measure.quantile(late, 0.5), "p99": measure.quantile(late, 0.99),
                  "p99.9": measure.quantile(late, 0.999), "max": late[-1], "count": len(late),
                  "stalls": len([1 for *_, size in self.slack.peaks if size > 2000])}
        self.allowance = jitter["p99"] / 1e6 + self.trial.o.tolerance
        self.trial.marks["first"] = starts[0].begun
        self.trial.marks["end"] = self.trial.marks["cut"]
        if len(starts) >= self.trial.planned:
            self.trial.marks["end"] = min(self.trial.marks["cut"], starts[-1].begun)
            took = (self.trial.marks["end"] - starts[0].begun) / 1e6
            self.trial.notes.append(f"all {self.trial.planned:,} messages had gone after {took:.1f} s")
        count = sum(before["at"] <= a.begun < after["at"] for a in starts)
        seconds = (after["at"] - before["at"]) / 1e6
        figures = {"messages": len(starts), "reservations": (after["asked"] - before["asked"]) / seconds,
                   "scripts": (after["scripts"] - before["scripts"]) / seconds,
                   "worker_us": (after["workers"] - before["workers"]) / max(1, count) * 1e6,
                   "redis_us": (after["redis"] - before["redis"]) / max(1, count) * 1e6}
        rows = [row for claim in self.trial.case.claims if (row := self.row(claim, starts, jitter))]
        turns = [turn for t in self.trial.case.turns if (turn := self.turn(t, starts))]
        if self.trial.case.clocks:
            self.prove_clocks()
        for x in self.trial.log.findings:
            self.trial.notes.append(x["text"])
        dear = figures["reservations"] > self.trial.o.calls
        good = all(r["good"] for r in rows + turns) and not (dear or self.trial.refused or self.trial.log.findings)
        return {"case": self.trial.case.name, "what": self.trial.case.what, "workers": self.trial.workers, "channel": self.trial.o.channel,
                "seconds": self.trial.seconds, "jitter_us": jitter, "figures": figures, "rows": rows, "turns": turns,
                "notes": self.trial.notes, "refused": self.trial.refused, "dear": dear, "stalled": self.slack.share(starts), "good": good}

    def when(self, text):
        name, _, more = text.partition("+")
        return self.trial.marks[name] + int(float(more or 0) * 1e6) if name in self.trial.marks else None

    def row(self, claim, starts, jitter):
        since, until = self.when(claim.since), self.when(claim.until)
        if since is None or until is None:
            return None  # an action was refused; the notes say so
        limit, pick = Limit(claim.limit), claim.pick
        chosen = [a for a in starts if since <= a.begun < until and (
            pick is None or (a.mailing == self.trial.mailings[pick] if isinstance(pick, int) else a.address.endswith("@" + pick)))]
        times = [a.begun for a in chosen]
        # Under several limits a start may come later than its own slot by two of the widest one's (docs/throttling.md).
        widest = Limit(self.trial.case.widest).rate if self.trial.case.widest else None
        several = min(1 / limit.rate, 2 / widest) if widest else 0
        slack = [seconds + several for seconds in self.slack.of(times)]
        spread, fullest = measure.evenness(times, limit)
        out = {"scope": claim.scope, "limit": claim.limit, "starts": len(times), "spread": spread, "fullest": fullest,
               "excess": {}, "beyond": {}, "explained": round(limit.rate * jitter["p99"] / 1e6, 2),
               "allowed": round(limit.rate * (self.allowance + several), 2)}
        for window in (w for w in WINDOWS if w <= until - since):
            most, beyond, where = measure.excess(times, limit, window, slack)
            out["excess"][window], out["beyond"][window] = round(most, 2), round(beyond, 2)
            if beyond > 1e-6 and "worst" not in out:
                out["worst"] = {"window": window, "after": (times[where] - self.trial.marks["first"]) / 1e6, "starts": [
                    (round((a.begun - times[where]) / 1000, 2), a.connection) for a in chosen[max(0, where - 2):where + 8]]}
        out["kept"] = all(beyond <= 1e-6 for beyond in out["beyond"].values())
        # The first second of a run is for starting, the last for ending; inside the run only the changes have such edges.
        a = since + 1_000_000 if claim.since == "first" else since
        b = until - 1_000_000 if claim.until == "end" else until
        out["use"], out["use_raw"] = self.used(times, limit, a, b), measure.use(times, limit, a, b)
        out["used"] = not claim.use or math.isnan(out["use"]) or out["use"] >= self.trial.o.use
        out["judged_use"] = claim.use
        out["good"] = out["kept"] and out["used"]
        return out

    def used(self, times, limit, a, b):
        """The use without the gaps for which no survivor is to blame."""
        parts, at = [], a
        for since, until in sorted(self.trial.gaps):
            parts.append((at, min(since, b)))
            at = max(at, min(until, b))
        parts = [(x, y) for x, y in parts + [(at, b)] if y > x]
        whole = sum(y - x for x, y in parts)
        return sum(measure.use(times, limit, x, y) * (y - x) for x, y in parts) / whole if whole else math.nan

    def turn(self, turn, starts):
        if turn.mark not in self.trial.marks:
            return None
        times, limit, changed = [a.begun for a in starts], Limit(turn.limit), self.trial.marks[turn.mark]
        following = [m for name, m in self.trial.marks.items() if name.endswith(".begun") and m > changed]
        times = [t for t in times if t < min(following, default=self.trial.marks["end"])]
        if turn.higher:
            took = measure.used_after(times, limit, changed)
        else:
            took = measure.holds_after(times, limit, changed, self.allowance)
        return {"what": turn.what, "seconds": took, "good": took <= 1}

    def prove_clocks(self):
        """The workers' logs have their own time: it must be an hour off, or the case proved nothing. What they wrote for the ledger goes by
        Redis's time, and must not be."""
        logged = set()
        for log in sorted((self.trial.dir / "log").glob("worker-*.log")):
            stamps = re.findall(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)", log.read_text(errors="replace"), re.M)
            if stamps:
                at = datetime.datetime.fromisoformat(stamps[0] + "+00:00").timestamp()
                logged.add(round((at - time.time()) / 3600))
        db = sqlite3.connect(f"file:{self.trial.ledger}?mode=ro", uri=True, timeout=10)
        try:
            told = {round((at / 1000 - time.time()) / 3600) for (at,) in db.execute("SELECT max(base) FROM result GROUP BY worker")}
        finally:
            db.close()
        hours = ", ".join(f"{h:+d} h" if h else "0 h" for h in sorted(logged))
        self.trial.notes.append(f"clocks of workers are off by {hours}, as their logs tell")
        if not any(logged):
            self.trial.log.find("clock", "no worker's clock was wrong: the case proves nothing")
        if any(told):
            self.trial.log.find("clock", "the ledger has times of a wrong clock")
