"""Job queues at our job, in turn with us: what a user would take in our place (loadtest/bench --only queues)."""
import asyncio, dataclasses, os, pathlib, re, shlex, shutil, signal, socket, statistics, subprocess, sys, time

from benchmarks.main_job import send
from benchmarks.roles import received
from rig.machine import CannotRun, cpu_of

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = HERE.parent.parent / ".build/queues/bin"
INSTALL = "loadtest/queues/install"
WORKERS = os.cpu_count() or 2


@dataclasses.dataclass(frozen=True, eq=False)
class Peer:
    """A queue, with what its worker and its producer are started, and the jobs at a time that suit it best, by kind of job."""
    name: str
    worker: str
    producer: str
    version: str
    jobs: dict


def on_python(name, worker):
    return Peer(name, worker, f"python on_{name.lower()}.py",
                f"python -c 'import common, on_{name.lower()}, importlib.metadata as m; print(m.version(\"{name.lower()}\"))'",
                {"batch": 2, "each": 64})


ARQ = on_python("arq", "arq on_arq.Worker")
SAQ = on_python("SAQ", "saq on_saq.settings --quiet")
STREAQ = on_python("streaQ", "streaq run on_streaq:worker")
SIDEKIQ = Peer("Sidekiq", "sidekiq -r ./on_sidekiq.rb -e production -c {jobs}", "ruby on_sidekiq.rb",
               "ruby -r ./on_sidekiq.rb -e 'puts Sidekiq::VERSION'", {"batch": 10, "each": 10})
TRIALS = {"HTTP": [(ARQ, "batch"), (SAQ, "batch"), (STREAQ, "batch"), (SIDEKIQ, "batch"), (ARQ, "each"), (SIDEKIQ, "each")],
          "e-mail": [(ARQ, "batch"), (SIDEKIQ, "batch")]}
WORDS = {"batch": "500 a job", "each": "1 a job"}
SHARE = {"batch": 5, "each": 10}
"""They are slower: a fifth of the messages, a tenth when each has a job of its own."""


class Receiver:
    """The receiving server, and how many messages it says it got."""

    def __init__(self, bench, channel):
        self.asked, self.file = 0, bench.dir / "smtp-sink"
        if channel == "HTTP":
            self.port = bench.nginx()
            self.url = f"http://127.0.0.1:{self.port}/hook"
        else:
            with self.file.open("wb") as counter:
                self.url = f"smtp://127.0.0.1:{bench.smtp_sink('-c', stdout=counter)}"

    def count(self):
        if self.url.startswith("http:"):
            self.asked += 1
            return received(self.port) - self.asked
        with self.file.open("rb") as counter:
            counter.seek(max(0, self.file.stat().st_size - 400))
            found = re.findall(rb"mesg=(\d+)", counter.read())
        return int(found[-1]) if found else 0

    def expect(self, number, who):
        """Waits until it has counted so many; ends the bench when it does not, or has counted more."""
        end = time.time() + 5
        while self.count() < number and time.time() < end:
            time.sleep(0.05)
        if self.count() != number:
            raise CannotRun(f"{who}: the receiving server got {self.count():,} messages, not {number:,}")


class Queues:
    def __init__(self, bench):
        self.bench = bench
        self.log = bench.processes.log("queues")

    def measure(self):
        versions = {peer: self.version(peer) for peer in (ARQ, SAQ, STREAQ, SIDEKIQ)}
        for peer, (_, reason) in versions.items():
            if reason:
                print(f"{peer.name} is skipped: {reason}", file=sys.stderr)
        for channel, trials in TRIALS.items():
            receiver = Receiver(self.bench, channel)
            ours, theirs = [], {trial: [] for trial in trials if not versions[trial[0]][1]}
            for _ in range(self.bench.options.rounds):
                ours.append(self.ours(channel, receiver))
                for trial, rounds in theirs.items():
                    rounds.append(self.trial(*trial, receiver))
            us = self.bench.row(f"{channel}: flotilla", ours)
            for peer, kind in trials:
                version, reason = versions[peer]
                self.row(f"{channel}: {peer.name}, {WORDS[kind]}", version, reason, theirs.get((peer, kind)), us)

    def row(self, title, version, reason, rounds, us):
        if reason:
            self.bench.rows.append((title, "-", "-", "cannot run", f"install it: {INSTALL}"))
            self.bench.result[title] = {"us": None, "rate": None, "reason": reason}
            return
        rate, cpu = (us["rate"] / statistics.median(r["rate"] for r in rounds), statistics.median(r["us"] for r in rounds) / us["us"])
        self.bench.row(title, rounds, f"flotilla's rate / its {rate:.1f}, its CPU / flotilla's {cpu:.1f}")
        self.bench.result[title] |= {"version": version, "flotilla rate / its": rate, "its CPU / flotilla": cpu}

    def environment(self, peer, kind, url="http://127.0.0.1/", sock="/none"):
        return os.environ | {"PATH": f"{PYTHON}:{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1", "TARGET": url,
                             "REDIS_URL": f"unix://{sock}", "JOBS": str(peer.jobs[kind])}

    def version(self, peer):
        """The version that is installed and None; or None and why it cannot run."""
        program, *words = shlex.split(peer.version)
        found = PYTHON / program if program == "python" else shutil.which(program)
        if not found or not os.path.exists(found):
            return None, f"{program} is missing ({found or 'Debian package ruby'}); {INSTALL} installs it"
        asked = subprocess.run([found, *words], cwd=HERE, env=self.environment(peer, "batch"), capture_output=True, text=True)
        if asked.returncode == 0:
            return asked.stdout.strip(), None
        lines = asked.stderr.strip().splitlines() or ["it says nothing"]
        return None, f"{next((line for line in lines if 'Error' in line), lines[-1])}; {INSTALL} installs what it needs"

    def ours(self, channel, receiver):
        before, n = receiver.count(), self.bench.options.messages
        found = send(self.bench, self.bench.builds[0], "webhook" if channel == "HTTP" else "email", receiver.url, n)
        receiver.expect(before + n, "flotilla")
        return found

    def trial(self, peer, kind, receiver):
        """One mailing by a queue whose workers are up and warm; without their start and the producer's own."""
        count = max(1000, self.bench.options.messages // SHARE[kind])
        redis = self.bench.redis()
        sock, environment = redis.socket, self.environment(peer, kind, receiver.url, redis.socket)
        start = lambda command, **more: self.bench.processes.spawn("queues", command, environment, cwd=HERE, **more)
        command = shlex.split(peer.worker.format(jobs=peer.jobs[kind]))
        workers = [start(command) for _ in range(WORKERS)]
        try:
            self.wait(sock, "GET ready", WORKERS, workers)
            self.produce(peer, kind, start, sock, "warm", 2000 if kind == "batch" else 400, workers)
            before, processes = receiver.count(), [redis.process, *workers]
            used = sum(cpu_of(p.pid) for p in processes)
            seconds, cpu = self.produce(peer, kind, start, sock, "main", count, workers)
            cpu += sum(cpu_of(p.pid) for p in processes) - used
            receiver.expect(before + count, f"{peer.name}, {WORDS[kind]}")
            said = asyncio.run(redis.ask("HVALS", "out:main", timeout=60))
            if said != ["ok"] * count:
                raise CannotRun(f"{peer.name}: {said.count('ok'):,} of {count:,} recipients have the outcome ok{self.tail()}")
        finally:
            self.bench.processes.end([*workers, redis.process], signal.SIGKILL)
        return {"us": cpu / count * 1e6, "rate": count / seconds, "wall_rate": count / seconds}

    def produce(self, peer, kind, start, sock, mailing, count, workers):
        """Seconds from the producer's first look at the recipients to the last outcome, and its CPU from there."""
        file = self.bench.recipients(max(self.bench.options.messages, 2000))
        producer = start([*shlex.split(peer.producer), kind, file, str(count), mailing], stdout=subprocess.PIPE, text=True)
        began = producer.stdout.readline().split()
        if not began:
            raise CannotRun(f"the producer on {peer.name} did not begin{self.tail()}")
        ended = self.wait(sock, f"HLEN out:{mailing}", count, workers)
        _, status, usage = os.wait4(producer.pid, 0)
        producer.returncode = os.waitstatus_to_exitcode(status)
        if producer.returncode:
            raise CannotRun(f"the producer on {peer.name} ended with {producer.returncode}{self.tail()}")
        return ended - float(began[0]), usage.ru_utime + usage.ru_stime - float(began[1])

    def wait(self, sock, question, number, workers):
        """The moment at which Redis answers a question with so large a number."""
        with socket.socket(socket.AF_UNIX) as redis:
            redis.connect(str(sock))
            answers, end, found = redis.makefile("rb"), time.time() + 300, 0
            while found < number:
                if time.time() > end or any(p.poll() is not None for p in workers):
                    raise CannotRun(f"{question} is {found}, not {number}: " +
                             ("a worker has ended" if time.time() < end else "after 300 s") + self.tail())
                time.sleep(0.02)
                redis.sendall(question.encode() + b"\r\n")
                answer = answers.readline().strip()
                if answer.startswith(b"$") and answer != b"$-1":
                    answer = b":" + answers.readline().strip()
                found = int(answer[1:])
            return time.time()

    def tail(self):
        return "\n" + self.log.read_text(errors="replace")[-2000:]
