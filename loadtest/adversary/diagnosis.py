"""What is stuck: printed when a mailing does not come to its end."""
import asyncio

from rig.ledger import LedgerUnavailable, of
from rig.redis import RedisError


def pairs(flat):
    return dict(zip(flat[::2], flat[1::2])) if isinstance(flat, list) else flat


async def redis(ask):
    """The streams, who has what of them, and the hashes of batches."""
    lines = []
    try:
        found = []
        cursor = "0"
        while True:
            cursor, keys = await ask("SCAN", cursor, "MATCH", "*flotilla*:*", "COUNT", "1000")
            found += keys
            if cursor == "0" or len(found) > 5000:
                break
        for key in sorted(found):
            kind = await ask("TYPE", key)
            if kind == "stream":
                entries = await ask("XLEN", key)
                lines.append(f"{key}: {entries} entries")
                for group in map(pairs, await ask("XINFO", "GROUPS", key)) if entries else ():
                    lines.append(f"  group {group}")
                    for consumer in map(pairs, await ask("XINFO", "CONSUMERS", key, group["name"])):
                        lines.append(f"    consumer {consumer}")
                    for entry in await ask("XPENDING", key, group["name"], "-", "+", "12"):
                        lines.append(f"    pending {entry[0]} with {entry[1]}, idle {entry[2]} ms, delivered {entry[3]} times")
            elif kind == "hash":
                count = await ask("HLEN", key)
                show = [] if ":mailing:" in key else (await ask("HSCAN", key, "0", "COUNT", "12"))[1]
                lines.append(f"{key}: {count} fields {pairs(show) if show else ''}")
            elif kind == "string" and not any(part in key for part in (":throttle:", ":marks:")):
                lines.append(f"{key} = {await ask('GET', key)}")
            elif kind == "zset":
                lines.append(f"{key}: {await ask('ZCARD', key)} members {await ask('ZRANGE', key, '0', '11', 'WITHSCORES')}")
    except (OSError, RedisError, asyncio.TimeoutError, KeyError) as error:
        lines.append(f"Redis: {error!r}")
    return lines


MAILING = ("state", "reason", "started", "planned", "planned_count", "next_batch", "rows_read", "planning_done", "stuck_reason")
BATCH = ("number", "dispatch", "dispatched", "ready", "open", "states", "done", "released")


def ledger(store, mailing):
    try:
        rows, counters, sums, batches, leaders = store.read([
            f"SELECT {', '.join(MAILING)} FROM mailing WHERE id = '{mailing}'",
            f"SELECT state, n FROM counter WHERE {of(mailing)} AND n <> 0",
            "SELECT count(*), sum(CASE WHEN dispatched > 0 THEN 1 ELSE 0 END), "
            "sum(CASE WHEN dispatched > 0 AND done = 1 THEN 1 ELSE 0 END), "
            "sum(CASE WHEN open > 0 THEN 1 ELSE 0 END), sum(CASE WHEN ready IS NOT NULL THEN 1 ELSE 0 END) "
            f"FROM progress WHERE {of(mailing)}",
            f"SELECT {', '.join(BATCH)} FROM progress WHERE {of(mailing)} AND open > 0 ORDER BY number LIMIT 5",
            "SELECT name, holder, fencing_token FROM leadership"])
    except LedgerUnavailable as error:
        return [f"ledger: {error}"]
    return [
        *("mailing: " + ", ".join(f"{k}={v}" for k, v in zip(MAILING, row)) for row in rows), f"counters: {dict(counters)}",
        *("batches: %s, dispatched %s, of them done %s, open %s, ready or due %s" % row for row in sums),
        *("  open batch: " + ", ".join(f"{k}={str(v)[:60]}" for k, v in zip(BATCH, row)) for row in batches),
        *("leads: %s %s, fencing token %s" % row for row in leaders)]


async def all(run):
    lines = ["-- the ledger"] + ledger(run.store, run.mailing)
    lines += ["-- Redis"] + await redis(run.redis.ask)
    for role in run.fleet.roles.values():
        state = "frozen" if role.frozen else "alive" if role.alive else "down"
        lines += [f"-- {role.name} ({state}, {role.starts} starts)"] + role.last_words(6).splitlines()
    return lines
