"""What the load tests ask of the machine: ports, CPU and memory of processes."""
import fcntl, os, pathlib, random, re, socket, time


class CannotRun(Exception):
    """A load test could not be set up; says why."""


HELD = {}
"""Of each port that is taken, an open file that is locked: until this process ends, however it does."""


def free_port():
    """A TCP port of loopback on which nothing listens."""
    return quiet_port(random)


def quiet_port(rng):
    """A free port below those that the system hands out, so that nobody else gets it while it is closed.

    The tests (Tests/TestServers/TestPort.swift) and `flotilla loadtest` take theirs under the same locks."""
    folder = pathlib.Path("/tmp/flotilla-ports")
    folder.mkdir(exist_ok=True)
    if folder.stat().st_uid == os.getuid():
        folder.chmod(0o777)
    for _ in range(2000):
        port = rng.randrange(20000, 32000)
        if port in HELD:
            continue
        file = os.open(folder / str(port), os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as s:
                s.bind(("127.0.0.1", port))
            HELD[port] = file
            return port
        except OSError:
            os.close(file)
    raise CannotRun("no free port between 20000 and 32000")


def wait_port(port, seconds=10):
    end = time.time() + seconds
    while time.time() < end:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise CannotRun(f"nothing listens on port {port} after {seconds} s")


def cpu_of(pid):
    """Seconds of CPU, user and system, that a process has used, in steps of 10 ms."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def exact_cpu_of(pid):
    """Seconds of CPU that the living threads of a process have used, to the nanosecond."""
    total = 0
    for file in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            total += int(file.read_text().split()[0])
        except OSError:
            pass    # the thread has ended
    return total / 1e9


def peak_of(pid):
    """The most memory that a process has had, in MB."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", text).group(1)) / 1024
