"""The events in Redis, counted by a reader of the wire form that is not ours (Sources/Core/Model/Tracking/EventBatch.swift)."""


def number(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def batch(data):
    """Source, sequence of the first event, and how many events."""
    if data[0] != 1:
        raise ValueError(f"version {data[0]} of a batch of events")
    source = int.from_bytes(data[1:9], "little")
    sequence, at = number(data, 9)
    _, at = number(data, at)
    for _ in range(3):
        count, at = number(data, at)
        for _ in range(count):
            length, at = number(data, at)
            at += length
    count, at = number(data, at)
    return source, sequence, count


async def stored(ask, prefix="flotilla"):
    """How many different events the streams hold. `ask`: a client that returns bytes."""
    seen = {}
    for stream in range(2):
        start = b"-"
        while True:
            entries = await ask("XRANGE", f"{{{prefix}}}:events:{stream}", start, "+", "COUNT", "500", timeout=30)
            for id, fields in entries:
                source, sequence, count = batch(dict(zip(fields[::2], fields[1::2]))[b"d"])
                seen.setdefault((stream, source), {})[sequence] = count
            if len(entries) < 500:
                break
            start = b"(" + entries[-1][0]
    return sum(sum(batches.values()) for batches in seen.values())
