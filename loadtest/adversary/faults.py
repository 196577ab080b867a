"""The faults: each a coroutine that does something bad, waits, and undoes it."""
import asyncio, re, time

from rig.ledger import LedgerUnavailable
from .disk import empty_log
from .plan import ROLES, TRACKER
from .postgres_faults import PostgresFaults
from .redis_faults import RedisFaults


def last_line(text):
    """What a command said last, short enough for a line of ours."""
    line = text.splitlines()[-1] if text else ""
    return line if len(line) <= 120 else line[:117] + "..."


class Adversary(RedisFaults, PostgresFaults):
    def __init__(self, run):
        self.run, self.log, self.fleet = run, run.log, run.fleet
        self.healing = asyncio.Event()  # set: everything is undone at once
        self.tasks, self.taken = set(), set()
        self.pauses = []  # (paused, resumed): seconds since 1970, when the commands had returned and before the next one

    def start(self, fault):
        if len(self.tasks) >= 5 and not self.run.o.script:
            self.log.skip(fault.kind, "five others are at work")
            return
        task = asyncio.create_task(self.do(fault))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def do(self, fault):
        try:
            await getattr(self, fault.kind.replace("-", "_"))(fault)
        except (OSError, RuntimeError, asyncio.TimeoutError) as error:
            self.log.find("harness", f"{fault.kind} could not be done or undone: {error!r}")

    async def heal(self):
        self.healing.set()
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=60)
        if self.tasks:
            self.log.find("harness", f"{len(self.tasks)} faults could not be undone within 60 s")

    async def rest(self, seconds):
        """Waits, or less when everything is to be healed."""
        try:
            await asyncio.wait_for(self.healing.wait(), seconds)
        except asyncio.TimeoutError:
            pass

    def begin(self, kind, text):
        self.log.count(kind)
        self.log.say(text, kind)

    def take(self, name, fault):
        """One of a thing: False when another fault has it."""
        if name in self.taken:
            self.log.skip(fault.kind, f"another fault has {name}")
            return False
        self.taken.add(name)
        return True

    def role(self, fault):
        role = self.fleet.free(fault.target)
        if role is None:
            self.log.skip(fault.kind, "every role is taken")
        else:
            role.busy = True
        return role

    # Roles

    async def kill(self, fault):
        if not (role := self.role(fault)):
            return
        self.begin("kill", f"kill {role.name} (pid {role.process.pid}), started again after {fault.seconds:.1f} s")
        self.end(role)
        await self.rest(fault.seconds)
        role.start()
        role.busy = False

    def end(self, role):
        role.kill()
        if role.name == TRACKER:
            self.run.visits.tracker_killed()

    async def tracker_kill(self, fault):
        role = self.fleet.roles.get(TRACKER)
        if not role or role.busy or not role.alive:
            self.log.skip("tracker-kill", "another fault has it, or there is none")
            return
        role.busy = True
        self.begin("tracker-kill", f"kill {role.name} (pid {role.process.pid}), started again after {fault.seconds:.1f} s")
        self.end(role)
        await self.rest(fault.seconds)
        role.start()
        role.busy = False

    async def freeze(self, fault):
        if not (role := self.role(fault)):
            return
        self.begin("freeze", f"freeze {role.name} (pid {role.process.pid}) for {fault.seconds:.1f} s")
        role.freeze()
        await self.rest(fault.seconds)
        role.wake()
        self.log.say(f"  {role.name} is awake")
        role.busy = False

    async def term(self, fault):
        if not (role := self.role(fault)):
            return
        self.begin("term", f"SIGTERM to {role.name} (pid {role.process.pid}), started again {fault.seconds:.1f} s after its end")
        took = await role.terminate()
        self.log.say(f"  {role.name} has ended after {took:.1f} s")
        await self.rest(fault.seconds)
        role.start()
        role.busy = False

    async def rolling(self, fault):
        if not self.take("rolling restart", fault):
            return
        self.begin("rolling", "rolling restart of every role")
        for name in [*ROLES, TRACKER]:
            role = self.fleet.roles.get(name)
            if self.healing.is_set() or not role or role.busy or not role.alive:
                continue
            role.busy = True
            took = await role.terminate()
            role.start()
            role.busy = False
            self.log.say(f"  {name} restarted, its end took {took:.1f} s")
            await self.rest(fault.seconds)
        self.taken.discard("rolling restart")

    async def collectors(self, fault):
        both = [r for r in self.fleet.roles.values() if r.kind == "collector" and not r.busy and r.alive]
        if len(both) < 2:
            self.log.skip("collectors", "another fault has one of them")
            return
        self.begin("collectors", f"kill both collectors, started again after {fault.seconds:.1f} s")
        for role in both:
            role.busy = True
            role.kill()
        await self.rest(fault.seconds)
        for role in both:
            role.start()
            role.busy = False

    async def plan_kill(self, fault):
        """Waits for the moment when part of the mailing is planned."""
        role = None
        while role is None and not self.healing.is_set():
            try:
                (mailing,), leaders = await asyncio.to_thread(self.run.store.read, [
                    f"SELECT rows_read, planning_done FROM mailing WHERE id = '{self.run.mailing}'",
                    "SELECT holder FROM leadership WHERE name = 'planning'"], 1)
            except (LedgerUnavailable, ValueError):
                await asyncio.sleep(0.05)
                continue
            if int(mailing[1]):
                self.log.skip("plan-kill", "the mailing was planned before it could be done")
                return
            pid = re.search(r"-(\d+)-[0-9a-z]+$", leaders[0][0] if leaders else "")
            if int(mailing[0]) and pid:
                role = next((r for r in self.fleet.roles.values() if r.alive and r.process.pid == int(pid[1]) and not r.busy), None)
        if role is None:
            return
        role.busy = True
        role.kill()
        (done,), = self.run.store.read([f"SELECT rows_read, planning_done FROM mailing WHERE id = '{self.run.mailing}'"])
        if int(done[1]):
            self.log.skip("plan-kill", f"{role.name} had planned the whole mailing when it was killed")
        else:
            self.begin("plan-kill", f"kill {role.name} with {int(done[0]):,} rows planned, started again after {fault.seconds:.1f} s")
        await self.rest(fault.seconds)
        role.start()
        role.busy = False

    async def cut(self, fault):
        role = self.fleet.roles[fault.target]
        if not self.take(f"the link of {role.name}", fault):
            return
        reset = fault.coin < 0.5
        self.begin("cut", f"cut {role.name} from Redis for {fault.seconds:.1f} s, then " + ("reset" if reset else "continue"))
        role.relay.hold()
        role.cut = True
        self.fleet.changed()
        await self.rest(fault.seconds)
        if reset:
            role.relay.drop()
        role.relay.release()
        role.cut = False
        self.fleet.changed()
        self.log.say(f"  {role.name} has its way to Redis again")
        self.taken.discard(f"the link of {role.name}")

    # The provider, the disk

    async def drop(self, fault):
        self.begin("drop", f"reset {self.run.relay.drop()} connections to the provider")

    async def unavailable(self, fault):
        if not self.take("the provider", fault):
            return
        self.begin("unavailable", f"the provider is unavailable for {fault.seconds:.1f} s")
        self.log.outage("the provider is unavailable", True)
        self.run.relay.refuse()
        await self.rest(fault.seconds)
        await self.run.relay.open()
        self.log.outage("the provider is unavailable", False)
        self.log.say("  the provider is back")
        self.taken.discard("the provider")

    async def disk(self, fault):
        if not self.take("the disk", fault):
            return
        self.log.outage("the disk is full", True)
        empty_log(self.run.ledger)
        size = self.run.disk.fill()
        self.begin("disk", f"fill the ledger's disk ({size / 1e6:.0f} MB of ballast) for {fault.seconds:.1f} s")
        await self.rest(fault.seconds)
        self.run.disk.clear()
        self.log.outage("the disk is full", False)
        self.log.say("  the disk has room again")
        self.taken.discard("the disk")

    # People

    async def pause(self, fault):
        if not self.take("the mailing", fault):
            return
        self.log.outage("paused", True)
        code, text = await self.fleet.command("mailing", "pause", self.run.mailing)
        paused = time.time()
        if code == 0:
            self.begin("pause", f"pause for {fault.seconds:.1f} s")
            await self.rest(fault.seconds)
            self.pauses.append((paused, time.time()))
            await self.insist("resume", self.run.mailing)
            self.log.say("  resumed")
        else:
            # It may have been taken all the same: the answer was lost, not the deed.
            self.log.skip("pause", last_line(text) or f"status {code}")
            if (self.run.watch.mailing_state or "") == "paused" or code == -1:
                await self.insist("resume", self.run.mailing, once=code == -1)
        self.log.outage("paused", False)
        self.taken.discard("the mailing")

    async def speed(self, fault):
        if not self.take("the speed", fault):
            return
        slow = f"{max(1, self.run.speed // 5)}/s"
        code, text = await self.fleet.command("mailing", "speed", self.run.mailing, slow)
        if code == 0:
            self.begin("speed", f"speed {slow} for {fault.seconds:.1f} s")
            await self.rest(fault.seconds)
            await self.insist("speed", self.run.mailing, "own")
            self.log.say("  speed as before")
        else:
            self.log.skip("speed", last_line(text) or f"status {code}")
        self.taken.discard("the speed")

    async def insist(self, *words, once=False):
        """A command that must be done before the run can end: tried again while the ledger's disk or lock is in the way."""
        for attempt in range(40):
            code, text = await self.fleet.command("mailing", *words)
            if code == 0 or once or self.run.watch.mailing_state in ("sent", "stopped", "failed"):
                return
            await asyncio.sleep(0.5)
        self.log.find("harness", f"flotilla mailing {' '.join(map(str, words))} failed for 20 s: {text}")
