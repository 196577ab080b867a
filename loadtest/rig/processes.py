"""The processes of a run: each is started with a log, dies with us, and has ended when `close` returns."""
import ctypes, os, pathlib, signal, subprocess, time

from .machine import CannotRun

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


class Processes:
    """All processes of a run. `close` ends whatever was started here, by its process id."""

    def __init__(self, folder):
        self.dir = pathlib.Path(folder)
        self.processes = []
        self.place = lambda name, command: command
        """The command of a process, by its name, as it is run where the process belongs (rig/network.py)."""
        (self.dir / "log").mkdir(exist_ok=True)

    def log(self, name):
        return self.dir / "log" / f"{name}.log"

    def last_words(self, name, lines=1):
        text = self.log(name).read_text(errors="replace").splitlines() if self.log(name).exists() else []
        return "\n".join(text[-lines:]) if text else "(no log)"

    def spawn(self, name, command, env=None, realtime=False, **more):
        """Starts a process whose output goes to its log. `more` are arguments of Popen that differ from ours."""
        with open(self.log(name), "ab") as log:
            process = subprocess.Popen(
                list(map(str, self.place(name, command))), env=os.environ | (env or {}), start_new_session=True,
                preexec_fn=come_first if realtime else die_with_parent,
                **({"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, "cwd": self.dir} | more))
        self.processes = [p for p in self.processes if p.poll() is None] + [process]
        return process

    def run(self, name, command, env=None, **more):
        """Runs a command to its end and returns what it printed. Throws CannotRun when it fails."""
        process = self.spawn(name, command, env, **({"stdout": subprocess.PIPE, "text": True} | more))
        printed, _ = process.communicate()
        if process.returncode != 0:
            raise CannotRun(f"{' '.join(map(str, command))} ended with {process.returncode}: {self.last_words(name, 3)}")
        return (printed or "").strip()

    def end(self, processes, how=signal.SIGTERM, seconds=15):
        """Sends a signal to all of them and waits; who has not ended in time is killed."""
        for process in processes:
            if process.poll() is None:
                process.send_signal(how)
        deadline = time.time() + seconds
        for process in processes:
            try:
                process.wait(max(0.01, deadline - time.time()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
        for process in self.processes:
            process.wait()
