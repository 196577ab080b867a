"""Providers that do not delay each other: good ones beside one that is slow, one that refuses connections, one with a tight limit."""
import asyncio, random, signal, statistics, time

from rig.machine import quiet_port

from .small import Provider, still_running

GOOD = 17
SLOW = "30s"
LIMIT = "1/s"
WORKERS = (1, 4)
LEAST = 0.95
LONGEST = 120
"""Seconds after which a run is given up."""


def lanes(bench):
    good = Provider(bench, "good", "--latency", "5-15ms", listeners=GOOD)
    slow, limited = Provider(bench, "slow", "--latency", SLOW), Provider(bench, "limited")
    urls = {f"good{n}": url for n, url in enumerate(good.sink.urls)}
    bad = {"slow": slow.url, "dead": f"smtp://127.0.0.1:{quiet_port(random.Random())}", "limited": limited.url}
    count = bench.options.messages // GOOD
    for workers in WORKERS:
        rates = {(build, beside): [] for build in bench.builds for beside in (False, True)}
        for number in range(bench.options.rounds):
            for build in bench.builds:
                # The other one comes first in each second round.
                for beside in ((False, True) if number % 2 == 0 else (True, False)):
                    rates[build, beside].append(run(bench, build, good, urls, bad, beside, workers, count))
        for build in bench.builds:
            alone, together = (statistics.median(rates[build, beside]) for beside in (False, True))
            name = f"{workers} worker{'s' if workers > 1 else ''}"
            bench.figure(build, f"{name}: {GOOD} providers alone", alone, "messages/s")
            bench.figure(build, f"{name}: beside a slow, a dead and a limited one", together, "messages/s")
            # Runs alternate: the machine is slower in one minute than in another.
            pairs = [b / a for a, b in zip(rates[build, False], rates[build, True])]
            bench.figure(build, f"{name}: the second / the first", statistics.median(pairs), "", LEAST, at_least=True,
                         note=" ".join(f"{pair:.2f}" for pair in pairs))
    for provider in (good, slow, limited):
        provider.stop()


def run(bench, build, good, urls, bad, beside, workers, count):
    """The rate at which the good providers got their messages, from the first to the last or until the time limit."""
    folder, redis = bench.folder("lanes"), bench.redis()
    ledger, config = folder / "ledger.sqlite", folder / "flotilla.yaml"
    names = urls | (bad if beside else {})
    limit = {"limited": f", limit: {LIMIT}"}
    config.write_text("providers:\n" + "".join(
        f"  {name}: {{url: \"{url}\", connections: 10{limit.get(name, '')}}}\n" for name, url in names.items()))
    # The bad ones come first, so that the good ones stand behind them.
    for name in reversed(names):
        bench.add(build, "email", bench.recipients(count), ledger, "--provider", name, "--config", config)
    good.skip()
    roles = {"collector": "collector", "planner": "planner"} | {f"worker-{n}": "worker" for n in range(1, workers + 1)}
    processes = {name: bench.role(build, role, redis, ledger, "--config", config, name=name) for name, role in roles.items()}
    begun = time.time()
    arrived = good.wait(GOOD * count, LONGEST, still_running(bench, processes))
    ended = time.time()
    bench.processes.end([*processes.values()], signal.SIGKILL)
    asyncio.run(redis.stop(signal.SIGTERM))
    if not arrived:
        return 0.001
    first = min(a.begun for a in arrived) / 1e6
    last = max(a.decided for a in arrived) / 1e6 if len(arrived) == GOOD * count else ended
    rate = len(arrived) / (last - first)
    which = f"{build.named(f'{workers} workers')}, {'beside the bad' if beside else 'alone'}"
    print(f"  {which}: {len(arrived):,} of {GOOD * count:,} in {last - first:.1f} s = {rate:,.0f}/s "
          f"(first after {first - begun:.2f} s)", flush=True)
    return rate
