"""Ledgers with thousands of mailings, made from one mailing by copying its rows: faster than adding each, for any version of the schema."""
import contextlib, sqlite3

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def mailing_id(number):
    """An id of the form that the product gives: 13 characters of Crockford's base 32."""
    bits, text = (1_700_000_000_000 << 24) + number, ""
    for _ in range(13):
        text, bits = ALPHABET[bits & 31] + text, bits >> 5
    return text


@contextlib.contextmanager
def opened(path):
    db = sqlite3.connect(path, timeout=10, isolation_level=None)
    try:
        db.execute("BEGIN IMMEDIATE")
        yield db
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        db.close()


def clone(path, original, numbers, provider=None):
    """Copies all rows of a mailing for each of some numbers, which make the new ids.

    `provider`: an expression of SQL over `n`, the number, that gives the copy's provider; None leaves the original's."""
    with opened(path) as db:
        db.execute("CREATE TEMP TABLE copy (n INTEGER PRIMARY KEY, id TEXT NOT NULL)")
        db.executemany("INSERT INTO copy VALUES (?, ?)", [(n, mailing_id(n)) for n in numbers])
        for table, key in tables(db):
            names, values = [], []
            for name, kind, primary in columns(db, table):
                if name != key and primary == 1 and kind == "INTEGER" and name == "id":
                    continue    # SQLite numbers the rows itself
                if table == "mailing" and name == "number":
                    continue    # and a trigger the mailings
                names.append(name)
                values.append("copy.id" if name == key else f"o.{name}")
                if name == "definition" and provider:
                    values[-1] = f"json_set(o.definition, '$.provider', {provider})"
                if name == "provider" and provider and table == "mailing":
                    values[-1] = provider
            db.execute(f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(values)} FROM {table} o, copy "
                       f"WHERE o.{key} = ?", (original,))
        db.execute("DROP TABLE copy")


def rename(path, mailing, new):
    """Gives a mailing another id."""
    with opened(path) as db:
        for table, key in tables(db):
            db.execute(f"UPDATE {table} SET {key} = ? WHERE {key} = ?", (new, mailing))


def remove(path, mailing):
    """Removes the rows of a mailing."""
    with opened(path) as db:
        for table, key in tables(db):
            db.execute(f"DELETE FROM {table} WHERE {key} = ?", (mailing,))


def forget_dispatch(path):
    """Gives all dispatched batches back, as if Redis had never had them."""
    with opened(path) as db:
        names = {name for name, _, _ in columns(db, "progress")}
        for dispatched in names & {"dispatched", "fed"}:
            db.execute(f"UPDATE progress SET {dispatched} = 0, ready = 0 WHERE {dispatched} > 0")


def tables(db):
    """Each table that has rows of a mailing, and the column with the mailing's id."""
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        found = {column for column, _, _ in columns(db, name)}
        if name == "mailing" or "mailing" in found:
            yield name, "id" if name == "mailing" else "mailing"


def columns(db, table):
    return [(row[1], row[2].upper(), row[5]) for row in db.execute(f"PRAGMA table_info({table})")]
