"""What is found of a run: the rows of its table, and everything for a program."""
from rig.ledger import Ledger
from rig.record import read_record

from . import judge, visits
from .plan import GRACEFUL, REWINDING


def of(run):
    """Rows (name, what, found, allowed: text, good), and everything as a dictionary for --json."""
    arrivals = read_record(run.record) if run.record.exists() else []
    last = Ledger(run.store, run.mailing)
    # Held ones are judged as they were before a person settled them, all others as they are at the very end.
    ledger = last
    if run.snapshot:
        ledger = run.snapshot
        ledger.state, ledger.reason = last.state, last.reason
    hold = run.o.uncertain == "hold"
    j = judge.Judgement(arrivals, ledger, run.valid, hold)
    f = j.figures
    whole, own = judge.standstill(arrivals, run.started, run.ended, run.log.outages)
    memory = run.watch.memory_peak / 1e6
    findings = {kind: [x["text"] for x in run.log.findings if x["kind"] == kind]
                for kind in {x["kind"] for x in run.log.findings}}
    expected = "stopped" if run.o.stop else "sent"
    listed = f["uncertain"]["listed"]
    awake = judge.is_awake(arrivals, ledger, run.valid, hold)
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
        ("planned", "planned, against valid rows of the file", f["planned"], f"{len(run.valid):,}",
         f["planned"] == len(run.valid) and not ledger.twice_planned),
        ("excluded", "excluded, against bad rows of the file", f["excluded"], f"{run.bad:,}", f["excluded"] == run.bad),
        ("sum", "sum of the states, against planned", f["sum_of_states"], f"{f['planned']:,}", f["sum_of_states"] == f["planned"]),
        ("miscounted", "counters that differ from the recipients' states", j.miscounted, "0", not j.miscounted),
        ("end", "the mailing's state at the end", f["mailing_state"], expected, f["mailing_state"] == expected),
        ("exits", "roles that ended and were not asked to", len(findings.get("exit", [])), "0", "exit" not in findings),
        ("term", "SIGTERM: late, or status not 0", len(findings.get("term", [])), "0", "term" not in findings),
        ("pauses", "pauses nobody asked for", len(findings.get("pause", [])), "0", "pause" not in findings),
        ("other", "other findings (see FOUND above)",
         sum(len(v) for k, v in findings.items() if k not in ("exit", "term", "pause")), "0",
         not set(findings) - {"exit", "term", "pause"}),
        ("memory", "Redis used_memory at most, MB", round(memory, 1), f"{run.o.memory:.0f}", memory <= run.o.memory),
        ("still", "longest standstill less our own outages, s", round(own[0], 1), f"{run.o.still:.0f}", own[0] <= run.o.still),
    ]
    if not set(run.log.done) & REWINDING:
        lacking = sum(n for why, n in ledger.why.items() if "older copy" in why)
        rows.append(("older", "uncertain, as the ledger lacked something, though nothing took it back in time", lacking, "0",
                     lacking == 0))
    late = judge.late_after_pause(arrivals, run.adversary.pauses)
    if run.adversary.pauses and set(run.log.done) <= {"pause", "speed"}:
        rows.append(("late", "messages begun more than 1 s after a pause", late, "0", late == 0))
    if is_graceful(run):
        rows.append(("graceful", "uncertain, though every fault was a graceful one", listed, "0", listed == 0))
    tracked = run.visits.judgement() if run.visits else None
    if tracked:
        rows += tracked.rows(visits.is_awake(run.visits))
    rows.append(("judge", "the judge finds a tampered record", "yes" if awake else "NO", "yes", awake))
    took = {
        "seed": run.o.seed, "ledger": run.o.ledger, "good": all(r[4] for r in rows), "recipients": run.o.recipients,
        "uncertain_policy": run.o.uncertain, "lease": run.o.lease, "speed": run.speed, "profile": run.o.profile,
        "rows": [dict(zip(("name", "what", "found", "allowed", "good"), r)) for r in rows], "figures": f,
        "faults": run.log.done, "skipped": run.log.skipped, "disk_note": run.disk_note,
        "standstill": {"in_all": whole[0], "in_all_at": whole[1], "own": own[0], "own_at": own[1]},
        "outages": [{"from": a - run.started, "to": b - run.started, "why": w} for a, b, w in run.log.outages],
        "pauses": len(run.adversary.pauses), "late_after_pause": late,
        "redis_peak_mb": memory, "seconds": run.ended - run.started, "seconds_after_healing": run.took,
        "visits": tracked and {"answered": tracked.answered, "lost_within_the_bound": tracked.excused, "refused": run.visits.refused,
                               "broken": run.visits.broken},
        "settled": run.settled, "findings": run.log.findings, "events": run.log.events,
        "plan": [vars(x) for x in run.plan], "stuck": getattr(run, "stuck", None), "report": getattr(run, "report", None),
        "roles": {r.name: {"starts": r.starts, "cpu_seconds": round(r.cpu, 2), "peak_mb": round(r.peak, 1)}
                  for r in run.fleet.roles.values()},
        "names": {k: getattr(j, k)[:20] for k in ("lost", "open", "doubled", "doubled_though_held", "denied", "strangers",
                                                 "other_id", "beyond_list")},
    }
    return rows, took


def is_graceful(run):
    """Whether nothing was done after which anybody may be uncertain."""
    certain = all(fault.split("=")[0].split(":")[-1].isdigit() for fault in run.o.profile.split(",")) \
        if run.o.profile != "none" else True
    return certain and set(run.log.done) <= GRACEFUL
