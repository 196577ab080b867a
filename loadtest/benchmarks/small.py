"""Small mailings: how long one message takes, how many mailings go out, and what waiting costs."""
import asyncio, os, random, shutil, signal, time

from rig.machine import CannotRun, exact_cpu_of
from rig.record import RecordTail, parse
from rig.sink import Sink

from . import cloned_ledger
from .bench import MAILINGS, QUIET, quantile
from .roles import ask

SENDS, ADDS = 20, 100
MAILINGS_AT_ONCE, RECIPIENTS = 1000, 100
FINISHED, PAUSED = 10_000, 200
LANES = 1000
IDLE_SECONDS = 30
CONNECTION_SECONDS = 33
"""After so long without a message connections are closed, each of which costs as much as a message or two."""
LONGEST = 600
"""Seconds after which a run is given up."""


def small(bench):
    sink = Provider(bench, "small")
    for part in (sends, additions, many_mailings, idle_roles, idle_lanes):
        if bench.options.part and part.__name__ not in bench.options.part:
            continue
        for build in bench.builds:
            print(f"\n{build.named(part.__name__.replace('_', ' '))}", flush=True)
            part(bench, build, sink)
    sink.stop()


class Provider:
    """A sink that takes everything and writes its record at once."""

    def __init__(self, bench, name, *options, listeners=1):
        self.record = bench.dir / f"{name}.tsv"
        self.sink = Sink(bench.processes, bench.laboratory, bench.dir, self.record, options=["--sync", *options], name=name,
                         listeners=listeners)
        asyncio.run(self.sink.start())
        self.url, self.tail = self.sink.url, RecordTail(self.record)

    def stop(self):
        asyncio.run(self.sink.stop())

    def skip(self):
        """Forgets all that has arrived so far."""
        self.tail.lines()

    def wait(self, count, seconds, running=lambda: None):
        """Waits for so many arrivals; those that came within the time, and those of the last look."""
        arrived, end = [], time.time() + seconds
        while len(arrived) < count and time.time() < end:
            new = self.tail.lines()
            arrived += new
            if not new:
                running()
                time.sleep(0.001 if count == 1 else 0.02)
        return [parse(line.decode("utf-8", "replace")) for line in arrived]


def still_running(bench, processes):
    """A check that throws when one of our processes has ended."""
    def check():
        for name, process in processes.items():
            if process.poll() is not None:
                raise CannotRun(f"{name} ended with {process.returncode}: {bench.processes.last_words(name, 3)}")
    return check


def sends(bench, build, sink):
    """`flotilla send` of one recipient with a ledger of its own, from its start to its end."""
    walls, cpus = [], []
    for number in range(SENDS):
        folder = bench.folder("send")
        file, _ = bench.one_recipient(folder, number)
        command = [build.flotilla, "send", MAILINGS / "email.yaml", "--quiet", "--recipients", file, "--provider", sink.url,
                   "--ledger", folder / "ledger.sqlite"]
        wall, cpu = bench.measured(command, cwd=folder, env=os.environ | QUIET)
        walls.append(wall)
        cpus.append(cpu)
    sink.skip()
    note = f"CPU {quantile(cpus, 0.5):.3f} s"
    bench.figure(build, "send of one recipient, p50", quantile(walls, 0.5), "s", 0.25)
    bench.figure(build, "send of one recipient, p90", quantile(walls, 0.9), "s", 0.25, note=note)


def additions(bench, build, sink):
    """`mailing add` on a running fleet, to the arrival at the sink: from the command's start, and from its end."""
    folder, redis = bench.folder("additions"), bench.redis()
    ledger = folder / "ledger.sqlite"
    # The first mailing makes the ledger and warms the fleet up.
    first, _ = bench.one_recipient(folder, 0)
    bench.add(build, "email", first, ledger, "--provider", sink.url)
    up = bench.role(build, "up", redis, ledger)
    alive = still_running(bench, {"up": up})
    if not sink.wait(1, 60, alive):
        raise CannotRun("the first mailing did not arrive within 60 s: " + bench.processes.last_words("up", 3))
    rng, from_start, from_end, commands = random.Random(1), [], [], []
    for number in range(1, ADDS + 1):
        file, address = bench.one_recipient(folder, number)
        time.sleep(rng.uniform(0.1, 0.4))
        start = time.time()
        bench.add(build, "email", file, ledger, "--provider", sink.url)
        end = time.time()
        arrived = sink.wait(1, 30, alive)
        if not arrived or arrived[0].address != address:
            raise CannotRun(f"mailing {number} did not arrive within 30 s")
        commands.append((end - start) * 1e3)
        from_start.append(arrived[0].decided / 1e3 - start * 1e3)
        from_end.append(arrived[0].decided / 1e3 - end * 1e3)
    bench.processes.end([up])
    asyncio.run(redis.stop(signal.SIGTERM))
    bench.figure(build, "mailing add to delivered, p50", quantile(from_start, 0.5), "ms")
    bench.figure(build, "mailing add to delivered, p99", quantile(from_start, 0.99), "ms", 100)
    bench.figure(build, "mailing add, the command alone, p50", quantile(commands, 0.5), "ms")
    bench.figure(build, "from its end to delivered, p50", quantile(from_end, 0.5), "ms")
    bench.figure(build, "from its end to delivered, p99", quantile(from_end, 0.99), "ms")


def many_mailings(bench, build, sink):
    """A thousand mailings of a hundred recipients that wait in the ledger when the fleet starts, with and without a past."""
    folder = bench.folder("many")
    plain = folder / "plain.sqlite"
    original = bench.add(build, "email", bench.recipients(RECIPIENTS), plain, "--provider", sink.url)
    past = folder / "past.sqlite"
    shutil.copy(plain, past)
    cloned_ledger.clone(plain, original, range(1, MAILINGS_AT_ONCE))
    run_mailings(bench, build, sink, plain, f"{MAILINGS_AT_ONCE:,} mailings of {RECIPIENTS}")
    make_past(bench, build, sink, past, original)
    cloned_ledger.clone(past, original, range(1, MAILINGS_AT_ONCE))
    run_mailings(bench, build, sink, past, f"the same beside {FINISHED:,} finished and {PAUSED} paused")


def make_past(bench, build, sink, ledger, original):
    """Finished mailings of ten recipients, and paused ones that are planned, as copies of two that the build itself made."""
    with_past = ledger.with_suffix(".work")
    shutil.copy(ledger, with_past)
    cloned_ledger.remove(with_past, original)
    redis = bench.redis()
    finished = bench.add(build, "email", bench.recipients(10), with_past, "--provider", sink.url)
    up = bench.role(build, "up", redis, with_past)
    state = lambda: ask(with_past, "SELECT state FROM mailing WHERE id = ?", finished)
    wait_until(lambda: state() == "sent", 60, "the first mailing of the past ends")
    # One recipient an hour: all but the first wait.
    slow = ledger.parent / "slow.yaml"
    slow.write_text((MAILINGS / "email.yaml").read_text().replace("email.html", str(MAILINGS / "email.html")) + "\nspeed: 1/h\n")
    paused = bench.add(build, slow, bench.recipients(RECIPIENTS), with_past, "--provider", sink.url)
    wait_until(lambda: ask(with_past, "SELECT planning_done FROM mailing WHERE id = ?", paused), 60, "the paused mailing is planned")
    bench.processes.run("pause", [build.flotilla, "mailing", "pause", paused, "--ledger", with_past])
    time.sleep(2)
    bench.processes.end([up])
    asyncio.run(redis.stop(signal.SIGTERM))
    sink.skip()
    cloned_ledger.forget_dispatch(with_past)
    cloned_ledger.clone(with_past, finished, range(10_000_000, 10_000_000 + FINISHED - 1))
    cloned_ledger.clone(with_past, paused, range(20_000_000, 20_000_000 + PAUSED - 1))
    # The mailings to send are younger than the past.
    again = bench.add(build, "email", bench.recipients(RECIPIENTS), with_past, "--provider", sink.url)
    cloned_ledger.rename(with_past, again, original)
    shutil.move(with_past, ledger)


def wait_until(is_so, seconds, what):
    end = time.time() + seconds
    while not is_so():
        if time.time() > end:
            raise CannotRun(f"not within {seconds} s: {what}")
        time.sleep(0.05)


def run_mailings(bench, build, sink, ledger, what):
    redis, count = bench.redis(), MAILINGS_AT_ONCE * RECIPIENTS
    sink.skip()
    start = time.time()
    up = bench.role(build, "up", redis, ledger)
    arrived = sink.wait(count, LONGEST, still_running(bench, {"up": up}))
    cpu = exact_cpu_of(up.pid)
    bench.processes.end([up], signal.SIGKILL)
    asyncio.run(redis.stop(signal.SIGTERM))
    if not arrived:
        raise CannotRun("no message arrived: " + bench.processes.last_words("up", 3))
    seconds = max(a.decided for a in arrived) / 1e6 - start
    note = f"first after {min(a.decided for a in arrived) / 1e6 - start:.2f} s, CPU {cpu:.1f} s"
    if len(arrived) < count:
        return bench.figure(build, what, None, "s", 8, note=f"{len(arrived):,} of {count:,} arrived within {LONGEST} s")
    bench.figure(build, what, seconds, "s", 8, note=note)


def idle_cpu(bench, processes):
    """The share of a core that each process uses while nothing happens, in %."""
    before = {name: exact_cpu_of(p.pid) for name, p in processes.items()}
    time.sleep(IDLE_SECONDS)
    still_running(bench, processes)()
    return {name: (exact_cpu_of(p.pid) - before[name]) / IDLE_SECONDS * 100 for name, p in processes.items()}


def idle_roles(bench, build, sink):
    """Planner, worker and collector that have sent one mailing and wait for the next."""
    folder, redis = bench.folder("idle"), bench.redis()
    ledger = folder / "ledger.sqlite"
    bench.add(build, "email", bench.recipients(RECIPIENTS), ledger, "--provider", sink.url)
    sink.skip()
    processes = {role: bench.role(build, role, redis, ledger) for role in ("planner", "worker", "collector")}
    sink.wait(RECIPIENTS, 60, still_running(bench, processes))
    time.sleep(5)
    for role, share in idle_cpu(bench, processes | {"redis": redis.process}).items():
        bench.figure(build, f"idle {role}", share, "% of a core", None if role == "redis" else 0.2)
    bench.processes.end([*processes.values()])
    asyncio.run(redis.stop(signal.SIGTERM))


def idle_lanes(bench, build, sink):
    """A worker beside a thousand providers whose batches all wait for a limit."""
    folder, redis = bench.folder("lanes"), bench.redis()
    ledger = folder / "ledger.sqlite"
    config = folder / "flotilla.yaml"
    config.write_text("providers:\n" + "".join(f"  p{n}: {{url: \"{sink.url}\", limit: \"1/h\", connections: 1}}\n" for n in range(LANES)))
    original = bench.add(build, "email", bench.recipients(3), ledger, "--provider", "p0", "--config", config)
    cloned_ledger.clone(ledger, original, range(1, LANES), provider="'p' || copy.n")
    sink.skip()
    processes = {role: bench.role(build, role, redis, ledger, "--config", config) for role in ("planner", "worker", "collector")}
    arrived = sink.wait(LANES, 300, still_running(bench, processes))
    if len(arrived) < LANES:
        bench.figure(build, f"worker with {LANES:,} lanes", None, "% of a core", 0.2,
                     note=f"only {len(arrived)} lanes had sent their first message after 300 s")
    time.sleep(CONNECTION_SECONDS)
    for role, share in idle_cpu(bench, processes | {"redis": redis.process}).items():
        if role != "worker" or len(arrived) == LANES:
            bench.figure(build, f"{role} with {LANES:,} lanes", share, "% of a core", 0.2 if role == "worker" else None)
    bench.processes.end([*processes.values()], signal.SIGKILL)
    asyncio.run(redis.stop(signal.SIGTERM))
