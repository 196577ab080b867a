"""A flood: connections that send good requests without a pause, and read the answers as they come. It is a process of its own, so that it
takes no turn from the visitors beside it.

    python3 flood.py PORT FILE SECONDS CONNECTIONS

Prints how many requests were sent and answered as JSON. FILE: a path a line."""
import json, selectors, socket, sys, time

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"
AT_ONCE = 500
"""Requests of a piece that a connection sends: it ends behind a whole one."""
ANSWER = b"HTTP/1.1 "
PATIENCE = 30
"""Seconds for the answers to what was sent."""


class Connection:
    def __init__(self, port, pieces, first):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.pieces, self.next, self.rest = pieces, first, memoryview(b"")
        self.sent = self.good = self.refused = 0
        self.tail = b""
        self.is_closed = False

    @property
    def is_answered(self):
        return self.is_closed or self.good + self.refused >= self.sent

    def send(self, is_ending):
        """Returns whether there is anything to send: no piece is begun at the end."""
        while True:
            if not self.rest:
                if is_ending:
                    return False
                self.rest = memoryview(self.pieces[self.next % len(self.pieces)])
                self.next += 1
                self.sent += AT_ONCE
            try:
                self.rest = self.rest[self.socket.send(self.rest):]
            except BlockingIOError:
                return True
            except OSError:
                self.is_closed = True
                return False

    def receive(self):
        while True:
            try:
                data = self.socket.recv(1 << 18)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self.is_closed = True
                return
            data = self.tail + data
            self.good += sum(data.count(ANSWER + kind) for kind in (b"2", b"3"))
            self.refused += sum(data.count(ANSWER + kind) for kind in (b"4", b"5"))
            # Too short for a whole beginning of an answer: none counts twice.
            self.tail = data[-len(ANSWER):]


def pieces(file):
    paths = open(file).read().split()
    requests = [f"GET {path} HTTP/1.1\r\nHost: t.example\r\nUser-Agent: {AGENT}\r\n\r\n".encode() for path in paths]
    return [b"".join(requests[at:at + AT_ONCE]) for at in range(0, len(requests) - AT_ONCE + 1, AT_ONCE)]


def main(port, file, seconds, count):
    all_pieces = pieces(file)
    connections = [Connection(port, all_pieces, number * 7) for number in range(count)]
    selector = selectors.DefaultSelector()
    for one in connections:
        selector.register(one.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, one)
    start = time.monotonic()
    while True:
        now = time.monotonic()
        is_ending = now - start >= seconds
        if is_ending and all(one.is_answered for one in connections) or now - start > seconds + PATIENCE:
            break
        for key, events in selector.select(0.1):
            one = key.data
            if events & selectors.EVENT_READ:
                one.receive()
            has_more = not one.is_closed and (not events & selectors.EVENT_WRITE or one.send(is_ending))
            if one.is_closed:
                selector.unregister(one.socket)
            elif not has_more:
                selector.modify(one.socket, selectors.EVENT_READ, one)
    print(json.dumps({
        "sent": sum(one.sent for one in connections), "good": sum(one.good for one in connections),
        "refused": sum(one.refused for one in connections), "closed": sum(one.is_closed for one in connections),
        "seconds": time.monotonic() - start}))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))
