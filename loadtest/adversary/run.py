"""One run: the fleet, the faults, the healing, the end."""
import asyncio, shutil, signal, time

from rig.ledger import Ledger

from . import diagnosis, verdict
from .plan import Fault, draw
from .run_setup import RunSetup
from .watch import TERMINAL


class Run(RunSetup):
    async def go(self):
        await self.start()
        self.plan = self.o.script or self.draw()
        self.log.say(
            f"mailing {self.mailing}: {self.o.recipients:,} recipients, {self.speed}/s, uncertain: {self.o.uncertain}, lease "
            f"{self.o.lease}, {len(self.plan)} faults in {self.o.seconds:.0f} s")
        watching = asyncio.create_task(self.watch.go())
        visiting = asyncio.create_task(self.visits.go()) if self.visits else None
        try:
            await self.torment(watching)
            await self.adversary.heal()
            await self.end(watching)
            if visiting:
                await self.end_visits(visiting)
            await self.shut_down()
        finally:
            self.watch.stopped = True
            if visiting:
                self.visits.stopped = True
                await asyncio.gather(visiting, return_exceptions=True)
            await asyncio.gather(watching, return_exceptions=True)
        self.log.end_outages()

    def draw(self):
        """The faults of the run, in the order of their times."""
        longest = max(2.0, self.o.seconds / 3)
        gap = self.o.gap or max(1.2, self.o.seconds / 40)
        drawn = [k for k in self.kinds if k != "plan-kill"]  # which has a moment of its own
        plan = draw(self.o.seed, self.o.seconds, drawn, gap, longest) if drawn else []
        return [Fault(0, "plan-kill", "", 2, 0), *plan] if "plan-kill" in self.kinds else plan

    def nears_its_end(self):
        if not self.watch.states or self.watch.mailing_state in ("scheduled", "collecting", "draft"):
            return False
        return self.watch.mailing_state in TERMINAL or self.watch.open <= self.o.recipients * 0.02

    async def torment(self, watching):
        faults = list(self.plan)
        stop_at = self.o.seconds * 0.6 if self.o.stop else None
        while self.log.now < self.o.seconds:
            if watching.done():
                watching.result()  # throws what ended it
            if self.nears_its_end():
                self.log.say(f"the mailing nears its end: {len(faults)} faults of the plan are left over")
                break
            if faults and faults[0].at <= self.log.now:
                self.adversary.start(faults.pop(0))
                continue
            if stop_at and self.log.now >= stop_at:
                stop_at = None
                await self.adversary.insist("stop", self.mailing)
                self.log.say("stopped for good")
            await asyncio.sleep(0.02)
        self.log.say("faults end, everything is healed")

    async def end(self, watching):
        """Waits for the mailing's end, at most `--limit` seconds from the healing."""
        healed = time.time()
        rest = self.watch.open
        if rest > self.speed * 20 and self.watch.mailing_state not in TERMINAL:
            faster = rest // 20
            await self.adversary.insist("speed", self.mailing, f"{faster}/s")
            self.log.say(f"speed {faster}/s, so that the rest takes some 20 s")
        held_since, rounds = None, 0
        while time.time() - healed < self.o.limit:
            if watching.done():
                watching.result()
            state, states = self.watch.mailing_state, self.watch.states
            if state in TERMINAL:
                break
            uncertain = states.get("uncertain", 0)
            if uncertain and uncertain == self.watch.open:
                held_since = held_since or time.time()
                if time.time() - held_since > 2:
                    await self.decide(uncertain, rounds)
                    rounds, held_since = rounds + 1, None
                    if rounds > 3:
                        break
            else:
                held_since = None
            await asyncio.sleep(0.1)
        self.ended = time.time()
        self.took = self.ended - healed
        self.finished = self.watch.mailing_state in TERMINAL
        if self.finished:
            self.log.say(f"the mailing is {self.watch.mailing_state} {self.took:.1f} s after the healing")
            await self.drained()
        else:
            self.stuck = await diagnosis.all(self)
            self.log.say(f"STUCK: not at its end {self.took:.0f} s after the healing", "finding")
            print("\n".join("  | " + line for line in self.stuck))
        self.ending = True

    async def decide(self, uncertain, rounds):
        """Only the uncertain are open: a person decides. What is held is judged as it was before."""
        if self.o.uncertain == "hold":
            if self.snapshot is None:
                self.snapshot = Ledger(self.store, self.mailing)
            words = ("--settle", "sent")
        else:
            words = ("--resend",)
        code, text = await self.fleet.command("mailing", "uncertain", self.mailing, *words, "--all", timeout=60)
        last = text.splitlines()[-1] if text else ""
        self.log.say(f"{uncertain} are held; flotilla mailing uncertain {' '.join(words)} --all: {last}")
        self.settled = {"people": uncertain, "command": " ".join(words), "status": code}
        if code != 0:
            self.log.find("uncertain", f"flotilla mailing uncertain ended with {code}: {last}")

    async def drained(self):
        """After the end all results must reach the ledger; whatever comes is part of the judgement."""
        end = time.time() + 15
        left = None
        while time.time() < end:
            try:
                left = sum([await self.redis.ask("XLEN", key) for key in
                            (await self.redis.ask("SCAN", "0", "MATCH", "*flotilla}:status:*", "COUNT", "100000"))[1]])
            except OSError:
                left = None
            if left == 0:
                break
            await asyncio.sleep(0.1)
        if left:
            self.log.find("status", f"{left} entries of the status streams were not collected 15 s after the mailing's end")
        await asyncio.sleep(0.5)

    async def end_visits(self, visiting):
        """Nobody visits any more, and what was done is in the ledger."""
        self.visits.stopped = True
        await visiting
        if left := await self.visits.drained(self.dir / "spool"):
            self.log.find("events", f"visits were not collected 40 s after the mailing's end: {left}")

    async def shut_down(self):
        self.ending = True
        for kind in ("tracker", "worker", "planner", "collector"):
            roles = [r for r in self.fleet.roles.values() if r.kind == kind and r.alive]
            took = await asyncio.gather(*(r.terminate() for r in roles))
            self.log.say(f"SIGTERM to every {kind}: ended after {max(took, default=0):.1f} s")
        if self.mailing and self.finished:
            code, text = await self.fleet.command("mailing", "report", self.mailing, "--json", timeout=60)
            self.report = text if code == 0 else f"status {code}: {text}"
        await self.sink.stop()
        await self.redis.stop(signal.SIGTERM)

    def close(self):
        """No process that we started outlives this, however the run ended. The small disks are there until `clean`."""
        for server in filter(None, (self.bouncer, self.postgres)):
            server.close()
        if self.fleet:
            self.fleet.close()

    def clean(self):
        """Removes the small disks, and the folders of PostgreSQL."""
        for disk in self.disks.values():
            disk.unmount()
        for folder in filter(None, (self.folder, self.other_folder)):
            shutil.rmtree(folder, ignore_errors=True)

    def verdict(self):
        """Rows (name, what, found, allowed: text, good), and everything as a dictionary for --json."""
        return verdict.of(self)
