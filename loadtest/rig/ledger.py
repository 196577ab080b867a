"""What a ledger says became of everyone (docs/ledger.md): read by SQL of our own, from its tables."""
import collections, json, re, sqlite3

STATES = dict(p="planned", d="deferred", u="uncertain", x="stopped", k="skipped", e="expired", f="failed", s="sent", v="delivered")


class LedgerUnavailable(RuntimeError):
    """The ledger cannot be read now: it is locked, full, ended or not made yet."""


class SQLiteFile:
    """A ledger in a file."""

    def __init__(self, path):
        self.path = str(path)

    def read(self, queries, timeout=10):
        """The rows of each query, in one transaction. Throws LedgerUnavailable."""
        try:
            db = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=timeout)
            try:
                db.execute("BEGIN")
                return [db.execute(query).fetchall() for query in queries]
            finally:
                db.close()
        except sqlite3.Error as error:
            raise LedgerUnavailable(str(error)) from error


def of(mailing):
    """The condition that a row is of a mailing."""
    if not re.fullmatch("[0-9a-z]{13}", mailing):
        raise ValueError(f"'{mailing}' is no mailing's id")
    return f"mailing = '{mailing}'"


class Ledger:
    """What the ledger says of a mailing, read in one transaction. `place` is a file's path, or what reads a database."""

    def __init__(self, place, mailing):
        source = SQLiteFile(place) if isinstance(place, str) else place
        its = of(mailing)
        (self.state, self.reason, planned, excluded), = source.read(
            [f"SELECT state, reason, planned_count, excluded_count FROM mailing WHERE id = '{mailing}'"])[0]
        rows, counters, listed = source.read([
            f"SELECT b.number, b.recipients, p.states, p.attempts FROM batch b JOIN progress p ON p.mailing = b.mailing "
            f"AND p.number = b.number WHERE b.{its} ORDER BY b.number",
            f"SELECT state, n FROM counter WHERE {its} AND n <> 0",
            f"SELECT batch, idx, worker, why, held, settled_at FROM uncertain WHERE {its}"])
        self.planned, self.excluded = int(planned), int(excluded)
        self.counters = {state: int(n) for state, n in counters}
        self.delivery, self.attempts, self.place, self.twice_planned = {}, {}, {}, 0
        for number, recipients, states, attempts in rows:
            for index, (recipient, state, tries) in enumerate(zip(json.loads(recipients), states, attempts, strict=True)):
                address = recipient[1]
                self.twice_planned += address in self.delivery
                self.delivery[address] = STATES[state]
                self.attempts[address] = ord(tries) - 48
                self.place[int(number), index] = address
        self.listed, self.held, self.why, self.by_worker = collections.Counter(), set(), collections.Counter(), collections.Counter()
        self.knows_uncertain = True
        for batch, index, worker, why, held, settled in listed:
            address = self.place.get((int(batch), int(index)), f"batch {batch}, index {index}, which is not planned")
            self.listed[address] += 1
            self.why[why] += 1
            self.by_worker[worker] += 1
            if int(held) and not settled:
                self.held.add(address)
