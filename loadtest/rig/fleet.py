"""The fleet: our processes, how they are started, frozen, ended, and how they end when nobody asked them to."""
import asyncio, ctypes, os, pathlib, signal, subprocess, tempfile, time

libc = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1
PRIORITY = 10
"""Of processes that are served first (SCHED_FIFO)."""


def die_with_parent():
    """In a child before exec: the kernel kills it when we die, however we die."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def come_first():
    """In a child before exec: die_with_parent, and from now on all other processes of the machine wait for it."""
    die_with_parent()
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))


def may_come_first():
    """Whether `come_first` is allowed here: root may, others need CAP_SYS_NICE or a limit of their own."""
    try:
        return subprocess.run(["true"], preexec_fn=come_first).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


class Role:
    """A role's process, the present one; its log goes on over restarts."""

    def __init__(self, fleet, name, env):
        self.fleet, self.name, self.env = fleet, name, env
        self.kind = name.split("-")[0]
        self.process, self.frozen, self.wanted = None, False, False
        self.busy = False  # a fault has it in hand
        self.relay, self.cut = None, False
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
        if self.alive:
            self.process.send_signal(signal.SIGTERM)
        while self.process.poll() is None and time.time() - begun < limit:
            await asyncio.sleep(0.02)
        took = time.time() - begun
        if self.process.poll() is None:
            self.fleet.find("term", f"{self.name} had not ended {took:.0f} s after SIGTERM (grace {self.fleet.grace} s)")
            self.kill()
        elif self.process.returncode != 0:
            self.fleet.find("term", f"{self.name} ended with status {self.process.returncode} after SIGTERM: {self.last_words()}")
        self.frozen = False
        self.fleet.changed()
        return took

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
        text = self.fleet.log(self.name).read_text(errors="replace").splitlines()
        return "\n".join(text[-lines:]) if text else "(no log)"


class Fleet:
    """All processes of a run. Whatever was spawned here is ended by `close`, by its process id."""

    def __init__(self, folder, flotilla, grace, find, changed):
        self.dir, self.flotilla, self.grace = pathlib.Path(folder), str(flotilla), grace
        self.find, self._changed = find, changed
        self.processes, self.roles = [], {}
        (self.dir / "log").mkdir()

    def log(self, name):
        return self.dir / "log" / f"{name}.log"

    def spawn(self, name, command, env=None, realtime=False, **more):
        with open(self.log(name), "ab") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=more.pop("stdout", log), stderr=log, cwd=self.dir,
                env=os.environ | (env or {}), start_new_session=True,
                preexec_fn=come_first if realtime else die_with_parent, **more)
        self.processes = [p for p in self.processes if p.poll() is None] + [process]
        return process

    def add(self, name, env):
        self.roles[name] = Role(self, name, env)
        return self.roles[name]

    def changed(self):
        """Tells for each kind of role whether one of it can work."""
        for kind in {r.kind for r in self.roles.values()}:
            self._changed(kind, any(r.available for r in self.roles.values() if r.kind == kind))

    def free(self, preferred):
        """The preferred role, or another of its kind, or any, that no fault has in hand; None when all are taken."""
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

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
        for process in self.processes:
            process.wait()
