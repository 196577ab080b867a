"""Looks on while the run goes: progress, memory, roles that end by themselves, a mailing that pauses by itself."""
import asyncio, time

from rig.ledger import STATES, LedgerUnavailable, of
from rig.redis import RedisError

OPEN = ("planned", "deferred", "uncertain")
TERMINAL = ("sent", "stopped", "failed")


class Watch:
    def __init__(self, run):
        self.run, self.log = run, run.log
        self.states, self.mailing_state, self.reason = {}, None, ""
        self.lines, self.offset, self.rates = 0, 0, []
        self.memory, self.memory_peak = 0, 0
        self.restarts, self.fallen = set(), set()
        self.paused_since, self.stopped = None, False
        self.ledger_unavailable = 0

    @property
    def open(self):
        return sum(n for state, n in self.states.items() if state in OPEN)

    def text(self):
        rate = 0
        if len(self.rates) > 1:
            (t0, n0), (t1, n1) = self.rates[0], self.rates[-1]
            rate = (n1 - n0) / max(t1 - t0, 0.1)
        open_ = f"{self.open:,}" if self.states else "-"
        return f"sent {self.states.get('sent', 0):,}  open {open_}  {rate:,.0f}/s"

    async def go(self):
        """Runs until `stopped` is set. (Not by being cancelled: wait_for in Python 3.11 and before may swallow that.)"""
        beat = 0
        while not self.stopped:
            now = time.time()
            self.run.redis.note_size(now)
            self.read_record(now)
            for role in self.run.fleet.exits():
                again = role.name in self.fallen
                self.fallen.add(role.name)
                self.log.find("exit", f"{role.name} ended by itself" + (
                    " again" if again else f" with status {role.process.returncode}: {role.last_words()}"))
                task = asyncio.create_task(self.restart(role))
                self.restarts.add(task)
                task.add_done_callback(self.restarts.discard)
            if beat % 3 == 0:
                await self.read_ledger()
                await self.read_memory()
                self.look_for_pauses(now)
            if beat % 10 == 0:
                for role in self.run.fleet.roles.values():
                    role.measure()
            if now - self.log.last_print > 5:
                self.log.say("")
            beat += 1
            await asyncio.sleep(0.1)

    async def restart(self, role):
        """What a service manager does a second later, unless a fault has taken the role."""
        await asyncio.sleep(1)
        if not role.alive and not role.busy and not self.run.ending:
            role.start()

    def read_record(self, now):
        """Counts the sink's new lines."""
        try:
            with open(self.run.record, "rb") as file:
                file.seek(self.offset)
                data = file.read()
        except FileNotFoundError:
            return
        self.offset += len(data)
        self.lines += data.count(b"\n")
        self.rates = [(t, n) for t, n in self.rates if now - t <= 1.5] + [(now, self.lines)]

    async def read_ledger(self):
        try:
            state, counters = await asyncio.to_thread(self.run.store.read, [
                f"SELECT state, reason FROM mailing WHERE id = '{self.run.mailing}'",
                f"SELECT state, n FROM counter WHERE {of(self.run.mailing)}"], 0.5)
        except LedgerUnavailable:
            self.ledger_unavailable += 1  # the next look tells more
            return
        if state:
            self.mailing_state, self.reason = state[0]
        self.states = {STATES.get(state, state): int(n) for state, n in counters}

    async def read_memory(self):
        try:
            self.memory, peak = await self.run.redis.memory()
            self.memory_peak = max(self.memory_peak, peak)
        except (OSError, RedisError, asyncio.TimeoutError, asyncio.IncompleteReadError, KeyError):
            pass

    def look_for_pauses(self, now):
        """A mailing is paused by us alone; when it does so by itself that is a finding, and a person resumes it."""
        if self.mailing_state != "paused" or "the mailing" in self.run.adversary.taken or self.run.ending:
            self.paused_since = None
        elif self.paused_since is None:
            self.paused_since = now
        elif now - self.paused_since > 1:
            self.paused_since = None
            self.log.find("pause", f"the mailing paused itself: {self.reason or 'no reason given'}")
            task = asyncio.create_task(self.run.adversary.insist("resume", self.run.mailing))
            self.restarts.add(task)
            task.add_done_callback(self.restarts.discard)
