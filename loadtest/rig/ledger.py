"""What a ledger says became of everyone (docs/ledger.md)."""
import collections, sqlite3


def rows(db, query, *values):
    return db.execute(query, values).fetchall()


def has_table(db, name):
    return bool(rows(db, "SELECT 1 FROM sqlite_master WHERE name = ?", name))


class Ledger:
    """What the ledger says of a mailing, read in one transaction."""

    def __init__(self, path, mailing):
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        try:
            db.execute("BEGIN")
            self.state, self.reason, self.planned, self.excluded = rows(
                db, "SELECT state, reason, planned_count, excluded_count FROM mailing WHERE id = ?", mailing)[0]
            self.counters = dict(rows(db, "SELECT state, n FROM counter WHERE mailing = ? AND n <> 0", mailing))
            self.delivery, self.attempts, self.place, self.twice_planned = {}, {}, {}, 0
            for address, state, attempts, batch, index in rows(
                    db, "SELECT address, state, attempts, batch, idx FROM delivery WHERE mailing = ?", mailing):
                self.twice_planned += address in self.delivery
                self.delivery[address] = state
                self.attempts[address] = attempts
                self.place[batch, index] = address
            self.listed, self.held, self.why, self.by_worker = collections.Counter(), set(), collections.Counter(), collections.Counter()
            self.knows_uncertain = has_table(db, "uncertain")
            if self.knows_uncertain:
                for batch, index, worker, why, held, settled in rows(
                        db, "SELECT batch, idx, worker, why, held, settled_at FROM uncertain WHERE mailing = ?", mailing):
                    address = self.place.get((batch, index), f"batch {batch}, index {index}, which is not planned")
                    self.listed[address] += 1
                    self.why[why] += 1
                    self.by_worker[worker] += 1
                    if held and not settled:
                        self.held.add(address)
        finally:
            db.close()
