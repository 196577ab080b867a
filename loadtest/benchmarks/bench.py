"""What the benchmarks share: the builds that are compared, servers, recipients, runs, and the tables."""
import asyncio, json, os, pathlib, shutil, statistics, subprocess, time

from rig.command_line import run_folder
from rig.executables import ROOT, laboratory
from rig.machine import CannotRun, free_port, wait_port
from rig.processes import Processes, die_with_parent
from rig.redis import RedisServer

MAILINGS = ROOT / "loadtest" / "bench-mailings"
QUIET = {"FLOTILLA_METRICS_LISTEN": "off", "FLOTILLA_LOG_LEVEL": "warning", "FLOTILLA_EMAIL_HOSTNAME": "bench.example.com"}
"""The environment of a role that nobody watches."""


class Build:
    """An executable that is measured, and its name in the tables: empty where there is only one."""

    def __init__(self, text):
        self.label, _, path = text.rpartition("=")
        self.flotilla = pathlib.Path(path).resolve()
        if not self.flotilla.exists():
            raise CannotRun(f"there is no executable {path}")

    def named(self, what):
        return f"{what}, {self.label}" if self.label else what


class Bench:
    def __init__(self, options):
        self.options = options
        self.dir = run_folder("bench")
        self.processes = Processes(self.dir)
        builds = options.flotilla or [subprocess.run([ROOT / "deploy/build"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()]
        self.builds = [Build(text) for text in builds]
        for number, build in enumerate(self.builds):
            build.label = build.label or (f"build {number + 1}" if len(self.builds) > 1 else "")
        split = [laboratory(b.flotilla) for b in self.builds if laboratory(b.flotilla) != str(b.flotilla)]
        self.laboratory = (split or [str(self.builds[0].flotilla)])[0]
        """Makes the recipients and the sinks for all builds."""
        self.folders = 0
        self.rows, self.figures, self.result = [], [], {"messages": options.messages, "cores": os.cpu_count()}

    def close(self):
        """Ends what still runs; by SIGTERM first, because a killed nginx leaves its worker process behind."""
        self.processes.end(self.processes.processes, seconds=5)
        self.processes.close()
        if self.options.keep:
            print(f"kept: {self.dir}")
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    def folder(self, name):
        self.folders += 1
        folder = self.dir / f"{name}-{self.folders}"
        folder.mkdir()
        return folder

    # What is sent, and to whom

    def recipients(self, count):
        path = self.dir / f"recipients-{count}.csv"
        if not path.exists():
            self.processes.run("generate", [self.laboratory, "generate", "recipients", count, "--seed", "1", "--out", path,
                                            "--invalid", "0", "--duplicates", "0", "--missing", "0"])
        return path

    def one_recipient(self, folder, number):
        """A file with one person, whose address nobody else has; the file and the address."""
        path, address = folder / f"person-{number}.csv", f"person-{number}@one.example"
        path.write_text(f"id,email,first_name,last_name,city,product,coupon\n{number},{address},Ann,Lee,York,Kite,ABC\n")
        return path, address

    def serve(self, name, command, port, **more):
        server = self.processes.spawn(name, command, **more)
        wait_port(port)
        return server

    def smtp_sink(self, *options, **more):
        port = free_port()
        user = ["-u", "nobody"] if os.getuid() == 0 else []
        self.serve("smtp-sink", ["smtp-sink", *user, *options, f"127.0.0.1:{port}", "1000"], port, cwd="/", **more)
        return port

    def nginx(self):
        port = free_port()
        conf, bodies = self.dir / "nginx.conf", self.dir / "nginx"
        bodies.mkdir(exist_ok=True)
        conf.write_text(f"""worker_processes 1; daemon off; pid {self.dir}/nginx.pid; error_log /dev/null;
            events {{ worker_connections 1024; }}
            http {{ access_log off; keepalive_requests 100000000; client_body_temp_path {bodies};
              server {{ listen 127.0.0.1:{port} backlog=1024; location = /status {{ stub_status; }}
                location / {{ return 200 "{{\\"id\\":\\"1\\"}}"; }} }} }}""")
        self.serve("nginx", ["nginx", "-c", conf, "-e", "/dev/null"], port)
        return port

    # A fleet

    def redis(self):
        """A Redis of its own in a folder of its own, that answers."""
        server = RedisServer(self.folder("redis"), self.processes.spawn, durable=False)
        asyncio.run(server.start())
        return server

    def role(self, build, role, redis, ledger, *words, env=None, name=None, **more):
        """Starts a role (planner, worker, collector, up)."""
        return self.processes.spawn(name or role, [build.flotilla, role, "--redis", f"unix://{redis.socket}", "--ledger", ledger, *words],
                                    env=QUIET | (env or {}), **more)

    def add(self, build, mailing, recipients, ledger, *words):
        """`flotilla mailing add` of a mailing of loadtest/bench-mailings by its name, or of a file; its id."""
        if isinstance(mailing, pathlib.Path):
            file = mailing
        else:
            # A mailing is known by its file, and is not added twice: each gets a copy of its own.
            file = shutil.copytree(MAILINGS, self.folder("mailing") / "files") / f"{mailing}.yaml"
        return self.processes.run("add", [build.flotilla, "mailing", "add", file, "--recipients", recipients,
                                          "--ledger", ledger, *words], env=QUIET)

    def measured(self, command, **more):
        """Runs a command; wall seconds, and CPU seconds of it and of all children it waited for."""
        start = time.time()
        process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, preexec_fn=die_with_parent, **more)
        self.processes.processes.append(process)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise CannotRun(f"failed with {process.returncode}: {' '.join(map(str, command))}")
        return time.time() - start, usage.ru_utime + usage.ru_stime

    # The tables

    def row(self, what, rounds, target=""):
        """A row of the table by message, from dictionaries with `us` (CPU a message), `rate` (messages a second) and others."""
        middle = {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}
        spread = f"{min(r['rate'] for r in rounds):,.0f}-{max(r['rate'] for r in rounds):,.0f}"
        self.rows.append((what, f"{middle['us']:.1f}", f"{middle['rate']:,.0f}", spread, target))
        self.result[what] = middle | {"rounds": rounds}
        return middle

    def ratio(self, what, value, target=""):
        self.rows.append((what, "", f"{value:.2f}", "", target))
        self.result[what] = value

    def compare(self, what, name):
        """A row that compares the CPU of a message with the first build's, where there are several."""
        first = self.result.get(self.builds[0].named(name))
        for build in self.builds[1:]:
            mine = self.result.get(build.named(name))
            if first and mine:
                self.ratio(f"{what}: CPU {build.label} / {self.builds[0].label}", mine["us"] / first["us"])

    def figure(self, build, what, value, unit="", limit=None, at_least=False, note=""):
        """A row of the table of single figures. It is within its limit when it is no more, or with `at_least` no less."""
        good = None if limit is None or value is None else value >= limit if at_least else value <= limit
        self.figures.append((build.label, what, value, unit, limit, at_least, good, note))
        self.result.setdefault("figures", []).append(
            {"build": build.label, "what": what, "value": value, "unit": unit, "limit": limit, "good": good, "note": note})
        shown = "none" if value is None else f"{value:.3g} {unit}"
        print(f"  {build.named(what)}: {shown} {note}", flush=True)

    def print(self):
        if self.rows:
            print_table(("", "CPU us/message", "messages/s", "spread", "target"), self.rows, left=(0, 4))
        if self.figures:
            lines = []
            for label, what, value, unit, limit, at_least, good, note in self.figures:
                verdict = "" if good is None else "ok" if good else "MISSED"
                bound = "" if limit is None else f"{'>=' if at_least else '<='} {limit:g} {unit}".rstrip()
                lines.append((what, label, "none" if value is None else f"{value:,.3f} {unit}".rstrip(), bound, verdict, note))
            print_table(("", "build", "value", "limit", "", ""), lines, left=(0, 1, 4, 5))
        if self.options.json:
            pathlib.Path(self.options.json).write_text(json.dumps(self.result, indent=2) + "\n")


def print_table(head, rows, left):
    widths = [max(len(r[i]) for r in [head] + rows) for i in range(len(head))]
    print()
    for r in [head] + rows:
        print("  ".join(c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths))).rstrip())


def quantile(values, share):
    """The smallest value that is no smaller than this share of them."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]
