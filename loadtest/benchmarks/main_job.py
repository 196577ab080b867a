"""The main job beside the limit of this machine: e-mail beside smtp-source, HTTP beside wrk."""
import json, re, resource, subprocess

from rig.machine import CannotRun

from .bench import MAILINGS


def send(bench, build, mailing, provider, count):
    """One whole mailing through `flotilla send`."""
    folder = bench.folder("send")
    wall, cpu = bench.measured([build.flotilla, "send", MAILINGS / f"{mailing}.yaml", "--quiet", "--recipients", bench.recipients(count),
                                "--provider", provider, "--ledger", folder / "ledger.sqlite", "--report", folder / "report.json",
                                *bench.options.send], cwd=folder)
    outcome = json.loads((folder / "report.json").read_text())
    if outcome["states"].get("sent") != count:
        raise CannotRun(f"not all were sent: {outcome['states']}")
    return {"us": cpu / count * 1e6, "rate": outcome["messages_per_second"], "wall_rate": count / wall}


def email(bench):
    port, n = bench.smtp_sink(), bench.options.messages
    limit, ours = [], {build: [] for build in bench.builds}
    for _ in range(bench.options.rounds):
        wall, cpu = bench.measured(["smtp-source", "-d", "-s", "20", "-l", "2500", "-m", n, "-f", "news@example.com",
                                    "-t", "somebody@example.com", f"127.0.0.1:{port}"], cwd="/")
        limit.append({"us": cpu / n * 1e6, "rate": n / wall, "wall_rate": n / wall})
        for build, rounds in ours.items():
            rounds.append(send(bench, build, "email", f"smtp://127.0.0.1:{port}", n))
    show(bench, "smtp-source -d", limit, "flotilla e-mail", ours, "60 us, 0.8 of smtp-source", "e-mail rate / smtp-source")


def http(bench):
    port, n = bench.nginx(), bench.options.messages
    script = bench.dir / "post.lua"
    script.write_text('wrk.method = "POST"\nwrk.body = string.rep("x", 600)\nwrk.headers["Content-Type"] = "application/json"\n')
    limit, ours = [], {build: [] for build in bench.builds}
    for _ in range(bench.options.rounds):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        out = subprocess.run(["wrk", "-t", "1", "-c", "64", "-d", "4s", "-s", script, f"http://127.0.0.1:{port}/hook"],
                             check=True, stdout=subprocess.PIPE, text=True).stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = int(re.search(r"(\d+) requests in", out).group(1))
        rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))
        cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        limit.append({"us": cpu / done * 1e6, "rate": rate, "wall_rate": rate})
        for build, rounds in ours.items():
            rounds.append(send(bench, build, "webhook", f"http://127.0.0.1:{port}/hook", n))
    show(bench, "wrk", limit, "flotilla HTTP", ours, "40 us, 20,000/s", "HTTP rate / wrk")


def show(bench, peer, limit, name, ours, target, ratio):
    bound = bench.row(peer, limit)
    for build, rounds in ours.items():
        middle = bench.row(build.named(name), rounds, target)
        bench.ratio(build.named(ratio), middle["rate"] / bound["rate"])
    bench.compare(name, name)
