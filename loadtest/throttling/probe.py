#!/usr/bin/env python3
"""Measures how late the sink's clock sees what was sent: messages of its own over a kept connection, every 7 to 13 ms.

    probe.py smtp|http PORT        writes NUMBER<tab>MICROSECONDS<tab>OVERSLEPT of each to standard output when its input ends

The time is taken just before the write. Overslept: microseconds that it woke too late. Each goes to
bounce-NUMBER@probe.test, which the sink refuses by its name."""
import gc, os, random, select, socket, sys, time

protocol, port = sys.argv[1], int(sys.argv[2])
connection = socket.create_connection(("127.0.0.1", port))
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
rng, stamps, received = random.Random(1), [], b""


def answers(count):
    """Reads until as many whole answers are there."""
    global received
    while True:
        if protocol == "smtp":
            lines = received.split(b"\r\n")
            done = sum(1 for line in lines[:-1] if line[3:4] == b" ")
        else:
            head, _, body = received.partition(b"\r\n\r\n")
            length = next((int(h.split(b":")[1]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-length")), 0)
            done = 1 if b"\r\n\r\n" in received and len(body) >= length else 0
        if done >= count:
            received = b""
            return
        data = connection.recv(65536)
        if not data:
            sys.exit("the sink has closed the probe's connection")
        received += data


if protocol == "smtp":
    answers(1)
    connection.sendall(b"EHLO probe.test\r\n")
    answers(1)
gc.disable()
n = 0
while True:
    pause, before = rng.uniform(0.007, 0.013), time.monotonic()
    if select.select([sys.stdin], [], [], pause)[0]:
        break
    overslept = round((time.monotonic() - before - pause) * 1e6)
    who = f"bounce-{n}@probe.test"
    if protocol == "smtp":
        data, count = f"MAIL FROM:<probe@probe.test>\r\nRCPT TO:<{who}>\r\nRSET\r\n".encode(), 3
    else:
        body = f'{{"to":"{who}"}}'
        data, count = f"POST / HTTP/1.1\r\nHost: probe\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode(), 1
    begun = time.time_ns()
    connection.send(data)
    stamps.append((n, begun // 1000, overslept))
    answers(count)
    n += 1
os.write(1, b"".join(b"%d\t%d\t%d\n" % stamp for stamp in stamps))
