"""The sink's record (docs/sink.md): who was tried when, and with what answer."""
import collections


class Arrival(collections.namedtuple("Arrival", "begun decided address mailing message code accepted stage connection")):
    """A line of the record; times in microseconds since 1970."""


def parse(line):
    """One whole line of a record."""
    f = line.rstrip("\n").split("\t")
    if len(f) != 12:
        raise ValueError(f"a line of the sink's record has {len(f)} columns: {line!r}")
    return Arrival(int(f[0]), int(f[1]), f[3], f[4], f[5], int(f[6]), f[7] == "1", f[8], int(f[11]))


class RecordTail:
    """Reads what a record has gained since the last look."""

    def __init__(self, path):
        self.path, self.offset, self.rest = path, 0, b""

    def lines(self):
        """The new whole lines, as bytes without their ends."""
        try:
            with open(self.path, "rb") as file:
                file.seek(self.offset)
                data = file.read()
        except FileNotFoundError:
            return []
        self.offset += len(data)
        *lines, self.rest = (self.rest + data).split(b"\n")
        return lines


def read_record(path):
    """Every line, in the order of the file. A last line without its end (the sink was killed) is skipped."""
    lines = []
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            if not line.endswith("\n"):
                break
            lines.append(parse(line))
    return lines
