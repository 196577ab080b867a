"""Visitors of the messages that have arrived: each recipient's links are asked for once, by links that we sign ourselves, and the ledger
is asked at the end what became of each visit."""
import asyncio, base64, collections, dataclasses, hashlib, hmac, json, struct, time

from rig.ledger import LedgerUnavailable, of
from rig.machine import CannotRun
from rig.record import RecordTail, parse
from rig.redis import RedisError

OPEN, CLICK, UNSUBSCRIBE = 1, 2, 4
"""Purposes of tokens (docs/tracking.md)."""
SECRET = "k" * 44
KEYS = f"1: {SECRET}\n"
BOUND = 0.15
"""Seconds of answered events that the end of a tracker may cost: 120 ms where Redis has just gone, and what a busy machine adds."""
RATE = 250
"""Visits a second at most."""
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"


def recipients_of(group):
    """The places of the recipients in a row of `event_group` (`StoredEventGroup`): a version byte; of each its place, how many bytes
    follow, the highest first, and these. `group` is as a store gives it."""
    data = group if isinstance(group, bytes) else bytes.fromhex(group[2:])
    at, places = 1, []
    while at < len(data):
        places.append(data[at])
        at += 5 + int.from_bytes(data[at + 1:at + 5], "big")
    return places


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(purpose, mailing, batch, index, payload=b""):
    """Purpose (3 bits), key (5), mailing (32), batch (20), index (14), link (6), and 80 bits of HMAC-SHA256."""
    head = bytes([purpose << 5 | 1]) + struct.pack(">I", mailing) + (batch << 20 | index << 6).to_bytes(5, "big")
    return encoded(head + hmac.new(SECRET.encode(), head + payload, hashlib.sha256).digest()[:10])


def path(purpose, mailing, batch, index):
    if purpose == CLICK:
        payload = b"\0\0https://shop.example/"
        return f"/c/{token(purpose, mailing, batch, index, payload)}/{encoded(payload)}"
    return f"/{'o' if purpose == OPEN else 'u'}/{token(purpose, mailing, batch, index)}"


@dataclasses.dataclass
class Visit:
    address: str
    purpose: int
    asked: float = 0.0
    answered: float | None = None


class Visits:
    def __init__(self, run, port):
        self.run, self.port = run, port
        self.tail = RecordTail(run.record)
        self.made, self.waiting, self.known = {}, collections.deque(), set()  # made: by (batch, index)
        self.places, self.number = None, None
        self.losses = []  # (from, to): what was answered then may be lost
        self.empty = time.time()  # when the streams of events were last seen without an entry
        self.stopped, self.refused, self.broken = False, 0, 0

    # While the run goes

    async def go(self):
        """Visits until `stopped` is set."""
        await asyncio.gather(self._look(), *(self._visit() for _ in range(4)))

    async def _look(self):
        while not self.stopped:
            await self._note_empty()
            if self.places is None:
                await asyncio.to_thread(self._read_places)
            if self.places is not None:
                self._read_record()
            await asyncio.sleep(0.1)

    async def left(self):
        """Entries of the streams of events; None where Redis does not tell."""
        try:
            return sum([await self.run.redis.ask("XLEN", f"{{flotilla}}:events:{stream}") for stream in range(2)])
        except (OSError, RedisError, asyncio.TimeoutError):
            return None

    async def _note_empty(self):
        now = time.time()
        if await self.left() == 0:
            self.empty = now

    def _read_places(self):
        """Where each address is, once all are planned."""
        mailing = self.run.mailing
        try:
            (number, done), = self.run.store.read([f"SELECT number, planning_done FROM mailing WHERE id = '{mailing}'"], 1)[0]
            if not int(done):
                return
            batches, = self.run.store.read([f"SELECT number, recipients FROM batch WHERE {of(mailing)}"], 2)
        except (LedgerUnavailable, ValueError):
            return
        places = {r[1]: (int(batch), index) for batch, recipients in batches for index, r in enumerate(json.loads(recipients))}
        self.number, self.places = int(number), places

    def _read_record(self):
        for line in self.tail.lines():
            arrival = parse(line.decode("utf-8", "replace"))
            if arrival.accepted and arrival.address in self.places and arrival.address not in self.known:
                # A person has one message, whose links are asked for once.
                purpose = UNSUBSCRIBE if len(self.known) % 10 == 9 else (OPEN, CLICK)[len(self.known) % 2]
                self.known.add(arrival.address)
                self.waiting.append(Visit(arrival.address, purpose))

    async def _visit(self):
        reader = writer = None
        while not self.stopped:
            await asyncio.sleep(4 / RATE)
            if not self.waiting:
                continue
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                continue  # the tracker is unavailable: nobody has asked for anything
            if not self.waiting:
                continue  # another has taken it meanwhile
            visit = self.waiting.popleft()
            try:
                await asyncio.wait_for(self._ask(visit, reader, writer), 10)
            except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.TimeoutError):
                self.broken += 1
                writer.close()
                writer = None
        if writer:
            writer.close()

    async def _ask(self, visit, reader, writer):
        place = self.places[visit.address]
        self.made[place] = visit
        method, body = ("POST", "Content-Length: 0\r\n") if visit.purpose == UNSUBSCRIBE else ("GET", "")
        visit.asked = time.time()
        writer.write(f"{method} {path(visit.purpose, self.number, *place)} HTTP/1.1\r\nHost: t.example\r\n"
                     f"User-Agent: {AGENT}\r\n{body}\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        answered = time.time()
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        if length:
            await reader.readexactly(int(length))
        if head.split(b" ", 2)[1][:1] in (b"2", b"3"):
            visit.answered = answered
        else:
            self.refused += 1

    # What may be lost

    def tracker_killed(self):
        now = time.time()
        self.losses.append((now - BOUND, now))

    def redis_lost(self):
        """Redis has lost what it held, or a part of it: what no collector had written yet."""
        self.losses.append((self.empty - BOUND, time.time()))

    # The end

    async def drained(self, spool, seconds=40):
        """Waits until the ledger has all; returns what is left where that takes longer."""
        end = time.time() + seconds
        while time.time() < end:
            files = [f.name for f in spool.glob("*.spool")]
            entries, waiting = await self.left(), None
            if entries == 0 and not files:
                await asyncio.sleep(0.3)  # the last gathering
                waiting = await asyncio.to_thread(self._waiting)
                if await self.left() == 0 and waiting == 0:
                    return None
            await asyncio.sleep(0.1)
        return f"{entries} entries in Redis, {', '.join(files) or 'nothing'} in the spool, and {waiting} rows in the ledger's log"

    def _waiting(self):
        """Rows of the ledger's log of visits that are not counted yet; None where it cannot be read."""
        try:
            ((rows,),), = self.run.store.read(["SELECT count(*) FROM event_log"], 2)
        except LedgerUnavailable:
            return None
        return int(rows)

    def judgement(self):
        """Throws CannotRun where the ledger has no table of visits."""
        mailing = self.run.mailing
        try:
            rows, counters, suppressed = self.run.store.read([
                f"SELECT batch, part, data FROM event_group WHERE {of(mailing)}",
                f"SELECT action, n FROM event_count WHERE {of(mailing)} AND class = 0 AND link = -1",
                "SELECT address FROM suppression WHERE channel = 'email'"])
        except LedgerUnavailable as error:
            raise CannotRun(f"the visits in the ledger cannot be read: {error}") from None
        kept = {(int(batch), 64 * int(part) + place) for batch, part, group in rows for place in recipients_of(group)}
        return VisitJudgement(self.made, kept, sum(int(n) for _, n in counters), {a for a, in suppressed}, self.losses)


class VisitJudgement:
    """What became of visits: `made` by (batch, index), one a recipient; `kept`: the recipients of whom the ledger has visits."""

    def __init__(self, made, kept, counted, suppressed, losses):
        def is_excused(visit):
            return any(visit.asked <= end and visit.answered >= start for start, end in losses)
        answered = {place: visit for place, visit in made.items() if visit.answered}
        missing = [visit for place, visit in answered.items() if place not in kept]
        self.answered = len(answered)
        self.excused = sum(is_excused(visit) for visit in missing)
        self.lost = sorted(visit.address for visit in missing if not is_excused(visit))
        self.twice = max(0, counted - len(kept))
        self.made_up = len(kept - set(made))
        self.unheard = sorted(
            visit.address for visit in answered.values()
            if visit.purpose == UNSUBSCRIBE and visit.address not in suppressed and not is_excused(visit))

    def rows(self, awake):
        return [
            ("visits_lost", "answered visits that the ledger lacks, beyond the bound", len(self.lost), "0", not self.lost),
            ("visits_twice", "visits that are counted twice", self.twice, "0", self.twice == 0),
            ("visits_made_up", "recipients with a visit that nobody made", self.made_up, "0", self.made_up == 0),
            ("unheard", "answered unsubscribes that suppress nobody", len(self.unheard), "0", not self.unheard),
            ("visits_judge", "the judge finds a visit that is removed", "yes" if awake else "NO", "yes", awake),
        ]


def is_awake(visits):
    """The judge's own trial: without one of the visits in the ledger it has to find one more lost, with one more counted a double one."""
    made = {place: visit for place, visit in visits.made.items() if visit.answered}
    if not made:
        return True
    place = next(iter(made))
    kept = set(made) - {place}
    without = VisitJudgement(made, kept, len(kept), {v.address for v in made.values()}, [])
    more = VisitJudgement(made, set(made), len(made) + 1, {v.address for v in made.values()}, [])
    deaf = VisitJudgement(made, set(made), len(made), set(), [])
    wanted = {v.address for v in made.values() if v.purpose == UNSUBSCRIBE}
    return without.lost == [made[place].address] and more.twice == 1 and set(deaf.unheard) == wanted
