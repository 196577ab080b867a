"""The fleet: our roles, how they are started, frozen, ended, and how they end when nobody asked them to."""
import asyncio, os, pathlib, re, signal, subprocess, tempfile, time

from .machine import CannotRun
from .processes import Processes, die_with_parent


class Role:
    """A role's process, the present one; its log continues over restarts."""

    def __init__(self, fleet, name, env):
        self.fleet, self.name, self.env = fleet, name, env
        self.kind = name.split("-")[0]
        self.process, self.frozen, self.wanted = None, False, False
        self.busy = False  # a fault has taken it
        self.relay, self.ledger_relay, self.cut = None, None, False
        self.starts, self.cpu, self.peak = 0, 0.0, 0.0

    @property
    def alive(self):
        return self.process is not None and self.process.poll() is None

    @property
    def available(self):
        return self.alive and not self.frozen and not self.cut

    def start(self):
        self.process = self.fleet.spawn(self.name, [self.fleet.flotilla, self.kind], self.env)
        self.wanted, self.frozen = True, False
        self.starts += 1
        self.fleet.changed()

    def kill(self):
        self.wanted = False
        self.measure()
        self.process.kill()
        self.process.wait()
        self.frozen = False
        self.fleet.changed()

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)
        self.frozen = True
        self.fleet.changed()

    def wake(self):
        self.process.send_signal(signal.SIGCONT)
        self.frozen = False
        self.fleet.changed()

    async def terminate(self):
        """SIGTERM. The end must have status 0 and come within the grace: anything else is a finding. Returns seconds."""
        self.wanted = False
        self.measure()
        begun, limit = time.time(), self.fleet.grace + 2
        # A process that has only just been started has nothing to end in order, and SIGTERM ends it as it ends any.
        allowed = (0,) if self.catches(signal.SIGTERM) else (0, -signal.SIGTERM)
        if self.alive:
            self.process.send_signal(signal.SIGTERM)
        while self.process.poll() is None and time.time() - begun < limit:
            await asyncio.sleep(0.02)
        took = time.time() - begun
        if self.process.poll() is None:
            self.fleet.find("term", f"{self.name} had not ended {took:.0f} s after SIGTERM (grace {self.fleet.grace} s)")
            self.kill()
        elif self.process.returncode not in allowed:
            self.fleet.find("term", f"{self.name} ended with status {self.process.returncode} after SIGTERM: {self.last_words()}")
        self.frozen = False
        self.fleet.changed()
        return took

    def catches(self, number):
        """Whether the process has a handler for a signal (proc(5), SigCgt)."""
        try:
            status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return True
        caught = re.search(r"^SigCgt:\s*([0-9a-f]+)", status, re.MULTILINE)
        return caught is None or int(caught[1], 16) >> (number - 1) & 1 == 1

    def measure(self):
        """CPU and memory of the present process into the sums; a process that has ended keeps what was last seen."""
        try:
            fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        except (OSError, AttributeError):
            return
        seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        last = getattr(self, "_last", (0, 0.0))
        self.cpu += seconds - (last[1] if last[0] == self.process.pid else 0.0)
        self._last = (self.process.pid, seconds)
        for line in status.splitlines():
            if line.startswith("VmHWM:"):
                self.peak = max(self.peak, int(line.split()[1]) / 1024)

    def last_words(self, lines=1):
        return self.fleet.last_words(self.name, lines)


class Fleet(Processes):
    """The roles of a run and what else it starts.

    `find(kind, text)` is told what must not happen; `changed(kind, any)` whether any role of a kind can work."""

    def __init__(self, folder, flotilla, grace=10, find=lambda kind, text: None, changed=lambda kind, any: None):
        super().__init__(folder)
        self.flotilla, self.grace = str(flotilla), grace
        self.find, self._changed = find, changed
        self.roles = {}

    def add(self, name, env):
        self.roles[name] = Role(self, name, env)
        return self.roles[name]

    def changed(self):
        """Tells for each kind of role whether one of it can work."""
        for kind in {r.kind for r in self.roles.values()}:
            self._changed(kind, any(r.available for r in self.roles.values() if r.kind == kind))

    def free(self, preferred):
        """The preferred role, or another of its kind, or any, that no fault has taken; None when all are taken."""
        kind = preferred.split("-")[0]
        order = [preferred] + [r for r in self.roles if r.startswith(kind)] + list(self.roles)
        for name in order:
            role = self.roles.get(name)
            if role and not role.busy and role.alive:
                return role
        return None

    async def command(self, *words, timeout=15):
        """`flotilla mailing …`; the exit status and all it printed."""
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(
                [self.flotilla, *map(str, words)], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                cwd=self.dir, start_new_session=True, preexec_fn=die_with_parent)
            self.processes.append(process)
            end = time.time() + timeout
            while process.poll() is None and time.time() < end:
                await asyncio.sleep(0.01)
            late = process.poll() is None
            if late:
                process.kill()
                process.wait()
            output.seek(0)
            text = output.read().decode("utf-8", "replace").strip()
        return (-1, f"no end after {timeout} s: {text}") if late else (process.returncode, text)

    def exits(self):
        """Roles that have ended and were not asked to, each once: (role, status)."""
        ended = [r for r in self.roles.values() if r.wanted and r.process.poll() is not None]
        for role in ended:
            role.wanted = False
            self.changed()
        return ended

    async def add_mailing(self, file, *options):
        """`flotilla mailing add`; the mailing's id. Throws CannotRun."""
        code, text = await self.command("mailing", "add", file, *options, timeout=60)
        if code != 0:
            raise CannotRun(f"flotilla mailing add ended with {code}: {text.splitlines()[-1] if text else ''}")
        return next(line for line in text.splitlines() if re.fullmatch("[0-9a-z]{13}", line))
