"""The two engines of the ledger side by side: by themselves, without files, providers and Redis, and under a fleet."""
import asyncio, json, statistics, subprocess, time

from benchmarks import roles
from rig.machine import CannotRun
from rig.postgres import PostgresServer
from rig.processes import die_with_parent

LIMITS = {"SQLite": {"history": 100}, "PostgreSQL": {"planned": 150_000, "collected": 100_000, "bytes": 120, "history": 50}}
SHAPES = ((10_000_000, 10), (50_000_000, 10_000))
"""Recipients, and how many mailings they are in; --ledger-share has a part of both."""


SETTINGS = ("shared_buffers=1GB", "max_wal_size=4GB", "checkpoint_timeout=15min", "wal_compression=on")
"""What a person would set on a machine of this size; none gives up what was committed."""


def database(bench):
    server = PostgresServer(bench.processes.spawn, settings=SETTINGS)
    asyncio.run(server.make())
    return server


def ledgers(bench):
    """10 million in ten mailings on both engines, 50 million in 10,000 on PostgreSQL, and (as a whole only) a fleet with either."""
    share = bench.options.ledger_share
    for build in bench.builds:
        one, many = ((int(count * share), max(10, int(mailings * share))) for count, mailings in SHAPES)
        folder = bench.folder("ledger-sqlite")
        figures = fill(bench, build, folder / "ledger.sqlite", *one)
        size = sum(path.stat().st_size for path in folder.iterdir())
        table(bench, build, "SQLite", figures, size)
        for count, mailings in (one, many):
            server = database(bench)
            try:
                empty = server.size()
                figures = fill(bench, build, server.url, count, mailings)
                figures["hot"] = server.hot_share()
                table(bench, build, "PostgreSQL", figures, server.size() - empty)
            finally:
                server.close()
        if bench.options.ledger_share == 1:
            end_to_end(bench, build)


EVENTS = {"cpu": 6, "report": 200, "recipient": 200}
"""Microseconds of CPU of our process for each event, with its share of the counting of logged ones; milliseconds of a question."""


def events(bench):
    """5 million visits of a million recipients, who come in no order; --ledger-share has a part of both."""
    count, recipients = (int(number * bench.options.ledger_share) for number in (5_000_000, 1_000_000))
    for build in bench.builds:
        server = database(bench)
        try:
            for engine, place in (("SQLite", bench.folder("events") / "ledger.sqlite"), ("PostgreSQL", server.url)):
                figures = load(bench, place, "--recipients", recipients, "--events", count)
                what = f"{engine}, {count:,} visits of {recipients:,} recipients"
                bench.figure(build, f"{what}: a visit into the ledger", figures["cpu"], "us", EVENTS["cpu"],
                             note=f"the last tenth {figures['cpuAtLast']:.1f}; counting {figures.get('counting', 0):.1f}")
                for question in ("report", "recipient"):
                    bench.figure(build, f"{what}: {question}, at most", figures[question], "ms", EVENTS[question])
                bench.figure(build, f"{what}: the longest transaction", figures["transaction"], "ms")
                bench.result[build.named(what)] = figures
        finally:
            server.close()


def receipts(bench):
    """300,000 receipts of 300,000 messages, in no order; --ledger-share has a part of both."""
    count = int(300_000 * bench.options.ledger_share)
    for build in bench.builds:
        server = database(bench)
        try:
            for engine, place in (("SQLite", bench.folder("receipts") / "ledger.sqlite"), ("PostgreSQL", server.url)):
                figures = load(bench, place, "--recipients", count, "--receipts", count)
                what = f"{engine}, {count:,} receipts"
                kinds = ", ".join(f"{kind} {figures['timeByKind'][kind]:.0f}" for kind in sorted(figures["timeByKind"]))
                bench.figure(build, f"{what}: CPU of one", figures["cpu"], "us")
                bench.figure(build, f"{what}: time of one", figures["time"], "us", note=kinds)
                bench.figure(build, f"{what}: the longest transaction", figures["transaction"], "ms")
                bench.result[build.named(what)] = figures
        finally:
            server.close()


def fleets(bench):
    """E-mail by a fleet with either ledger."""
    for build in bench.builds:
        end_to_end(bench, build)


def end_to_end(bench, build):
    """E-mail by a fleet with the ledger in either, by turns: CPU of all our processes and of Redis, without the database's."""
    provider, found = f"smtp://127.0.0.1:{bench.smtp_sink()}", {"SQLite": [], "PostgreSQL": []}
    for _ in range(bench.options.rounds):
        for engine, figures in found.items():
            server = database(bench) if engine == "PostgreSQL" else None
            _, cpu = roles.fleet(bench, build, "email", provider, bench.options.messages, server=server)
            figures.append(sum(role["us"] for role in cpu.values()))
            if server:
                server.close()
    middle = {engine: statistics.median(figures) for engine, figures in found.items()}
    for engine, us in middle.items():
        bench.figure(build, f"{engine}: e-mail, all roles and Redis", us, "us")
    bench.figure(build, "e-mail in PostgreSQL / in SQLite, CPU", middle["PostgreSQL"] / middle["SQLite"], limit=1.3)


def fill(bench, build, place, recipients, mailings):
    start = time.time()
    return load(bench, place, "--recipients", recipients, "--mailings", mailings) | {"wall": time.time() - start}


def load(bench, place, *arguments):
    done = subprocess.run([bench.laboratory, "ledger", str(place), *map(str, arguments)],
                          stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
    if done.returncode != 0:
        raise CannotRun(f"flotilla-lab ledger failed with {done.returncode}")
    return json.loads(done.stdout)


def table(bench, build, engine, figures, size):
    limits, what = LIMITS[engine], f"{engine}, {figures['recipients']:,} in {figures['mailings']:,}"
    if figures["mailings"] > 10:
        limits = limits | {"history": 200, "report": 200, "list": 200}
    for name, key in (("planning", "planned"), ("collecting", "collected")):
        bench.figure(build, f"{what}: {name}", figures[f"{key}PerSecond"], "/s", limits.get(key), at_least=True)
    bench.figure(build, f"{what}: a delivery", size / figures["recipients"], "bytes", limits.get("bytes"))
    for question in ("history", "report", "list"):
        spread = figures[question]
        bench.figure(build, f"{what}: {question}", spread["median"], "ms", limits.get(question), note=f"at most {spread['highest']:.1f}")
    if "hot" in figures:
        bench.figure(build, f"{what}: updates of progress that no index hears of", 100 * figures["hot"], "%")
    bench.result[build.named(what)] = figures | {"bytes": size}
