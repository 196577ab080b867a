"""What is stuck: printed when a mailing does not come to its end."""
import asyncio, sqlite3

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


def ledger(path, mailing):
    lines = []
    try:
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=2)
        db.row_factory = sqlite3.Row
        row = db.execute("SELECT * FROM mailing WHERE id = ?", (mailing,)).fetchone()
        lines.append("mailing: " + ", ".join(f"{k}={row[k]}" for k in row.keys() if k not in ("definition", "source")))
        lines.append("counters: " + str(dict(map(tuple, db.execute(
            "SELECT state, n FROM counter WHERE mailing = ? AND n <> 0", (mailing,))))))
        lines.append("batches: %s, dispatched %s, of them done %s, open %s, ready or due %s" % tuple(db.execute(
            "SELECT count(*), sum(dispatched > 0), sum(dispatched > 0 AND done), sum(open > 0), sum(ready IS NOT NULL) FROM progress "
            "WHERE mailing = ?", (mailing,)).fetchone()))
        for row in db.execute(
                "SELECT * FROM progress WHERE mailing = ? AND open > 0 ORDER BY number LIMIT 5", (mailing,)):
            lines.append("  open batch: " + ", ".join(
                f"{k}={row[k][:60] + '…' if isinstance(row[k], str) and len(row[k]) > 60 else row[k]}"
                for k in row.keys() if k not in ("mailing", "awaited", "attempts")))
        db.close()
    except sqlite3.Error as error:
        lines.append(f"ledger: {error}")
    return lines


async def all(run):
    lines = ["-- the ledger"] + ledger(run.ledger, run.mailing)
    lines += ["-- Redis"] + await redis(run.redis.ask)
    for role in run.fleet.roles.values():
        state = "frozen" if role.frozen else "alive" if role.alive else "down"
        lines += [f"-- {role.name} ({state}, {role.starts} starts)"] + role.last_words(6).splitlines()
    return lines
