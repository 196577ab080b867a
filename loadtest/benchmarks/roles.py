"""The roles as processes of their own: CPU and memory of each, what watching costs, a million recipients."""
import asyncio, csv, itertools, random, re, signal, sqlite3, statistics, time, urllib.request

from rig.machine import CannotRun, cpu_of, peak_of, quiet_port


def fleet(bench, build, mailing, provider, count, watched=False, server=None):
    """One mailing by a fleet; wall seconds, and figures of each process. Watched: metrics are read each second, and logs are written.
    With the ledger in a PostgreSQL server, where one is given, whose CPU is not counted."""
    folder, redis = bench.folder("fleet"), bench.redis()
    ledger = server.url if server else folder / "ledger.sqlite"
    mailing_id = bench.add(build, mailing, bench.recipients(count), ledger, "--provider", provider)
    start = time.time()
    roles, pages = {}, []
    for role in ("collector", "worker", "planner"):
        env = {}
        if watched:
            port = quiet_port(random.Random())
            env = {"FLOTILLA_METRICS_LISTEN": f"127.0.0.1:{port}", "FLOTILLA_LOG_LEVEL": "info"}
            pages.append(f"http://127.0.0.1:{port}/metrics")
        roles[role] = bench.role(build, role, redis, ledger, env=env, name=f"{folder.name}-{role}")
    peak, state, looked, reads = 0, "", time.time(), 0
    while state not in ("sent", "failed"):
        time.sleep(0.1)
        if pages and time.time() >= looked + 1:
            looked += 1
            reads += sum(map(read_page, pages))
        peak = max(peak, asyncio.run(redis.memory())[1])
        state = (server.read([f"SELECT state FROM mailing WHERE id = '{mailing_id}'"])[0][0][0] if server
                 else ask(ledger, "SELECT state FROM mailing WHERE id = ?", mailing_id))
        for role, process in roles.items():
            if process.poll() is not None:
                raise CannotRun(f"the {role} ended before the mailing: {bench.processes.last_words(f'{folder.name}-{role}', 3)}")
    wall = time.time() - start
    if watched and not (reads and all(bench.processes.log(f"{folder.name}-{role}").stat().st_size for role in roles)):
        raise CannotRun("nobody watched: the run was too short, or a role has no log; more --messages")
    everything = [*roles.items(), ("redis", redis.process)]
    figures = {role: {"us": cpu_of(p.pid) / count * 1e6, "rss_mb": peak_of(p.pid)} for role, p in everything}
    figures["redis"]["used_memory_peak_mb"] = peak / 1e6
    bench.processes.end([*roles.values()])
    asyncio.run(redis.stop(signal.SIGTERM))
    return wall, figures


def ask(ledger, query, *values):
    """The first value that a ledger answers with; None where it cannot be read just now."""
    try:
        db = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True, timeout=5)
        try:
            row = db.execute(query, values).fetchone()
            return row[0] if row else None
        finally:
            db.close()
    except sqlite3.Error:
        return None


def read_page(page):
    try:
        with urllib.request.urlopen(page, timeout=5) as answer:
            return len(answer.read()) > 1000
    except OSError:
        return False    # it is not up yet


def providers(bench):
    return (("email", f"smtp://127.0.0.1:{bench.smtp_sink()}"), ("webhook", f"http://127.0.0.1:{bench.nginx()}/hook"))


def roles(bench):
    for mailing, provider in providers(bench):
        for build in bench.builds:
            wall, figures = fleet(bench, build, mailing, provider, bench.options.messages)
            for role, f in figures.items():
                bench.rows.append((build.named(f"{mailing}: {role}"), f"{f['us']:.1f}", "", f"{f['rss_mb']:.0f} MB", ""))
            total = sum(f["us"] for f in figures.values())
            bench.rows.append((build.named(f"{mailing}: all roles"), f"{total:.1f}", f"{bench.options.messages / wall:,.0f}", "", ""))
            bench.result[build.named(f"{mailing} by role")] = figures


def watching(bench):
    """With metrics and logs, and without, by turns, so that what else the machine does is the same for both."""
    build = bench.builds[0]
    provider, found = f"smtp://127.0.0.1:{bench.smtp_sink()}", {True: [], False: []}
    for number in range(2 * bench.options.rounds):
        # The other one comes first in each second round.
        watched = (number + number // 2) % 2 == 1
        wall, figures = fleet(bench, build, "email", provider, bench.options.messages, watched)
        rate = bench.options.messages / wall
        found[watched].append({"us": sum(f["us"] for f in figures.values()), "rate": rate, "wall_rate": rate})
    bench.row("neither metrics nor logs", found[False])
    bench.row("metrics read each second, logs", found[True])
    # Runs alternate: the machine is slower in one minute than in another by more than the difference that is looked for.
    pairs = sorted(on["us"] - off["us"] for off, on in zip(found[False], found[True]))
    middle = statistics.median(pairs)
    bench.rows.append(("metrics and logs, a pair", f"{middle:.1f}", "", f"{pairs[0]:.1f} to {pairs[-1]:.1f} us", "3 us"))
    bench.result["metrics and logs"] = {"us": middle, "pairs": pairs}


def million(bench):
    provider = f"smtp://127.0.0.1:{bench.smtp_sink()}"
    for build in bench.builds:
        walls = {}
        for count in (100_000, 1_000_000):
            walls[count], figures = fleet(bench, build, "email", provider, count)
            for role, f in figures.items():
                bench.rows.append((build.named(f"{count:,}: {role}"), f"{f['us']:.1f}", "", f"{f['rss_mb']:.0f} MB", "150 MB"))
            redis = figures["redis"]["used_memory_peak_mb"]
            bench.rows.append((build.named(f"{count:,}: Redis used_memory"), "", "", f"{redis:.0f} MB", "64 MB"))
            bench.result[build.named(f"{count} recipients")] = figures | {"seconds": walls[count]}
        bench.ratio(build.named("time of 1,000,000 / 10 x 100,000"), walls[1_000_000] / walls[100_000] / 10)


def received(port):
    """Messages that nginx has had, without this question."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/status") as answer:
        return int(re.split(rb"\s+", answer.read().split(b"\n")[2].strip())[2])


def rates(bench):
    """How fast mailings are planned (by the ledger's own times) and results collected (those that a worker left in Redis)."""
    port, count, rows = bench.nginx(), 60_000, 1_000_000
    for build in bench.builds:
        planning(bench, build, f"http://127.0.0.1:{port}/hook", rows)
        collecting(bench, build, port, count)


def suppressed(bench):
    """How fast a million rows are planned beside lists of suppressions, one in a hundred of which is a recipient."""
    provider, rows = f"http://127.0.0.1:{bench.nginx()}/hook", 10 * bench.options.messages
    for build in bench.builds:
        rates = [planning(bench, build, provider, rows, count) for count in (0, 100_000, 1_000_000)]
        bench.ratio(build.named("planning beside 100,000 suppressions / none"), rates[1] / rates[0])
        bench.ratio(build.named("planning beside 1,000,000 suppressions / none"), rates[2] / rates[0])


def suppressions(bench, recipients, count):
    """A table of so many suppressions."""
    path = bench.folder("suppressions") / "suppressions.csv"
    with open(recipients, newline="") as file, open(path, "w") as table:
        table.write("address\n")
        table.writelines(f"{row['email']}\n" for row in itertools.islice(csv.DictReader(file), count // 100))
        table.writelines(f"stranger.of.nobody{number}@suppressed.example\n" for number in range(count - count // 100))
    return path


def planning(bench, build, provider, count, listed=0):
    redis, ledger = bench.redis(), bench.folder("planning") / "ledger.sqlite"
    mailing = bench.add(build, "webhook", bench.recipients(count), ledger, "--provider", provider)
    if listed:
        bench.processes.run("import", [build.flotilla, "suppressions", "import", suppressions(bench, bench.recipients(count), listed),
                                       "--channel", "webhook", "--ledger", ledger])
    planner = bench.role(build, "planner", redis, ledger)
    while not ask(ledger, "SELECT planned FROM mailing WHERE id = ?", mailing):
        time.sleep(0.05)
    seconds = ask(ledger, "SELECT planned - started FROM mailing") / 1000
    what = f"planning beside {listed:,} suppressions, {peak_of(planner.pid):.0f} MB" if listed else "planning"
    rate(bench, build.named(what), cpu_of(planner.pid), count, seconds, "150,000/s")
    bench.processes.end([planner])
    asyncio.run(redis.stop(signal.SIGTERM))
    return count / seconds


def collecting(bench, build, port, count):
    redis, ledger = bench.redis(), bench.folder("collecting") / "ledger.sqlite"
    bench.add(build, "webhook", bench.recipients(count), ledger, "--provider", f"http://127.0.0.1:{port}/hook")
    asked, before = 1, received(port)
    planner, worker = bench.role(build, "planner", redis, ledger), bench.role(build, "worker", redis, ledger)
    while received(port) - before - asked < count:
        asked += 1
        time.sleep(0.05)
    # Both write what they still hold before they end.
    bench.processes.end([worker, planner])
    start = time.time()
    collector = bench.role(build, "collector", redis, ledger)
    while asyncio.run(waiting(redis)):
        time.sleep(0.01)
    rate(bench, build.named("collecting"), cpu_of(collector.pid), count, time.time() - start, "100,000/s")
    bench.processes.end([collector])
    asyncio.run(redis.stop(signal.SIGTERM))


async def waiting(redis):
    """Entries of the status streams that are not collected yet."""
    keys = (await redis.ask("SCAN", "0", "MATCH", "*}:status:*", "COUNT", "100000"))[1]
    return sum([await redis.ask("XLEN", key) for key in keys if await redis.ask("TYPE", key) == "stream"])


def rate(bench, what, cpu, count, seconds, target):
    bench.rows.append((what, f"{cpu / count * 1e6:.1f}", f"{count / seconds:,.0f}", "", target))
    bench.result[what] = {"us": cpu / count * 1e6, "rate": count / seconds}
