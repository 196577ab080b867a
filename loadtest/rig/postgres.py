"""A PostgreSQL of the run's own: Debian's, on a socket in a temporary folder, with fsync on."""
import asyncio, csv, io, os, pathlib, re, secrets, shutil, signal, subprocess, tempfile

from .ledger import LedgerUnavailable
from .machine import CannotRun

csv.field_size_limit(1 << 28)
DATABASE, USER = "flotilla", "flotilla"


def binaries():
    """The folder of the newest server that Debian has put here. Throws CannotRun."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(p.parts[-3]))
    if not found:
        raise CannotRun("PostgreSQL is missing: apt-get install postgresql")
    return found[-1].parent


def socket_file(folder):
    """Where libpq looks for a server that is named by a folder."""
    return str(pathlib.Path(folder) / ".s.PGSQL.5432")


def url(*folders):
    """Of a server by the folder of its socket, or of the one of several that can be written to."""
    one = "&target_session_attrs=read-write" if len(folders) > 1 else ""
    return f"postgres://{USER}@/{DATABASE}?host={','.join(map(str, folders))}{one}"


def make_folder():
    """A folder for a server. Throws CannotRun where there is none."""
    binaries()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="flotilla-postgres-", dir="/tmp"))
    if os.getuid() == 0:
        shutil.chown(folder, "nobody", "nogroup")
    return folder


def as_nobody():
    """What a command begins with whose program refuses to run as root."""
    if os.getuid() != 0:
        return []
    return ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--pdeathsig", "KILL"]


class PostgresServer:
    """A server and one database. It refuses to run as root, and belongs to `nobody` then."""

    def __init__(self, spawn, listen=None, settings=(), folder=None, name="postgres", small=False):
        """`spawn` as that of Processes; `listen`: an address for TCP beside the socket; `settings`: further ones, as NAME=VALUE; `folder`:
        where it is, made by make_folder, its data in `base` and its log in `wal`, which may be mounts; `name`: that of its output's file;
        `small`: its log has small segments."""
        self.spawn, self.listen, self.bin, self.name = spawn, listen, binaries(), name
        self.settings = [word for setting in settings for word in ("-c", setting)]
        self.dir = pathlib.Path(folder) if folder else make_folder()
        self.data, self.wal = self.dir / "base" / "data", self.dir / "wal" / "segments"
        self.process, self.frozen, self.small = None, [], small
        self.user = as_nobody()

    @property
    def url(self):
        return url(self.dir)

    async def _do(self, *command):
        """Runs a command as the server's user. Throws CannotRun."""
        done = await asyncio.to_thread(
            subprocess.run, [*self.user, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/")
        if done.returncode != 0:
            raise CannotRun(f"{pathlib.Path(command[0]).name}: {done.stdout[-500:]}")

    async def make(self):
        """Makes the database, and starts the server. Throws CannotRun."""
        await self._do(
            self.bin / "initdb", "-D", self.data, "-X", self.wal, "-A", "trust", "-U", USER, "-E", "UTF8", "--locale", "C", "--no-sync",
            *(["--wal-segsize=1"] if self.small else []))
        if self.listen:
            with open(self.data / "pg_hba.conf", "a") as file:
                file.write("host all all samenet trust\n")
        await self.start()
        await asyncio.to_thread(self.psql, ["-d", "postgres", "-c", f"CREATE DATABASE {DATABASE}"])

    async def start(self):
        """Throws RuntimeError."""
        self.process = self.spawn(self.name, [
            *self.user, self.bin / "postgres", "-D", self.data, "-k", self.dir, "-c", f"listen_addresses={self.listen or ''}",
            "-c", "max_connections=100", "-c", "fsync=on", "-c", "log_min_messages=warning",
            *self.settings], cwd="/")
        for _ in range(600):
            try:
                await asyncio.to_thread(self.psql, ["-d", "postgres", "-c", "SELECT 1"], 2)
                return
            except LedgerUnavailable:
                pass
            if self.process.poll() is not None:
                raise RuntimeError(f"postgres ended with {self.process.returncode}; see {self.name}.log")
            await asyncio.sleep(0.05)
        raise RuntimeError("postgres does not answer after 30 s")

    def psql(self, words, timeout=10, text=None):
        """What psql prints. Throws LedgerUnavailable."""
        try:
            done = subprocess.run(
                ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", str(self.dir), "-U", USER, *words], input=text, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, env=os.environ | {"PGCONNECT_TIMEOUT": "5"})
        except subprocess.TimeoutExpired as error:
            raise LedgerUnavailable(f"no answer within {timeout} s") from error
        if done.returncode != 0:
            raise LedgerUnavailable(done.stderr.strip()[-500:])
        return done.stdout

    def read(self, queries, timeout=10):
        """The rows of each query as texts, None for null, in one transaction. Throws LedgerUnavailable."""
        mark, null = secrets.token_hex(8), secrets.token_hex(8)
        text = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;\n" + "".join(f"{q};\n\\echo {mark}\n" for q in queries)
        printed = self.psql(["-d", DATABASE, "--csv", "-t", "-P", f"null={null}"], timeout, text)
        parts = printed.split(f"{mark}\n")[:len(queries)]
        return [[tuple(None if v == null else v for v in row) for row in csv.reader(io.StringIO(part))] for part in parts]

    def size(self):
        """Bytes of the database, without what a vacuum gives back."""
        self.psql(["-d", DATABASE, "-c", "VACUUM ANALYZE"], timeout=600)
        return int(self.psql(["-d", DATABASE, "-At", "-c", f"SELECT pg_database_size('{DATABASE}')"]))

    def hot_share(self):
        """The share of updates that change no index."""
        return float(self.psql(["-d", DATABASE, "-At", "-c", "SELECT coalesce(sum(n_tup_hot_upd)::float8 / nullif(sum(n_tup_upd), 0), 1) "
                                "FROM pg_stat_user_tables WHERE relname LIKE 'progress%'"]))

    def pids(self):
        """The server's processes, its first one first."""
        children = []
        for file in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = file.read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[1]) == self.process.pid:
                children.append(int(file.parent.name))
        return [self.process.pid, *children]

    def _signal(self, pids, number):
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    async def kill(self):
        """SIGKILL to all of its processes at once, as a power cut of its machine does."""
        pids = self.pids()
        self._signal(pids[:1], signal.SIGSTOP)  # it starts no further ones
        pids = self.pids()
        self._signal(pids, signal.SIGKILL)
        self.process.wait()
        for pid in pids[1:]:
            for _ in range(500):
                if not re.search(r"postgres", self._name(pid)):
                    break
                await asyncio.sleep(0.01)

    @staticmethod
    def _name(pid):
        try:
            return pathlib.Path(f"/proc/{pid}/comm").read_text()
        except OSError:
            return ""

    async def stop(self):
        """A fast shutdown: what is under way is undone, and all connections end."""
        self.process.send_signal(signal.SIGINT)
        for _ in range(1500):
            if self.process.poll() is not None:
                return
            await asyncio.sleep(0.01)
        raise RuntimeError("postgres had not ended 15 s after SIGINT")

    async def standby(self, folder, port, name):
        """A standby of this server in another folder, up to date; it hears of changes by way of a port of loopback. Throws CannotRun."""
        other = PostgresServer(self.spawn, folder=folder, name=name)
        await self._do(
            self.bin / "pg_basebackup", "-h", "127.0.0.1", "-p", str(port), "-U", USER, "-D", other.data, "--waldir", other.wal,
            "-c", "fast", "-R", "--no-sync")
        await other.start()
        await self._until("the standby is up to date", "SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming'")
        return other

    async def wait_for_standby(self):
        """From now on a commit is done when the standby has it."""
        for words in ("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"):
            await asyncio.to_thread(self.psql, ["-d", "postgres", "-c", words])
        await self._until("the standby is a synchronous one", "SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'")

    async def promote(self):
        """A standby becomes a server that can be written to. Throws LedgerUnavailable, RuntimeError."""
        await asyncio.to_thread(self.psql, ["-d", "postgres", "-c", "SELECT pg_promote(true, 30)"], 40)
        await self._until("the standby is promoted", "SELECT NOT pg_is_in_recovery()")

    async def _until(self, what, query):
        for _ in range(600):
            if (await asyncio.to_thread(self.psql, ["-d", "postgres", "-At", "-c", query])).strip() == "t":
                return
            await asyncio.sleep(0.05)
        raise RuntimeError(f"not within 30 s: {what}")

    def answers(self):
        try:
            self.psql(["-d", "postgres", "-c", "SELECT 1"], 2)
            return True
        except LedgerUnavailable:
            return False

    def use_up_log(self):
        """Continues to further segments of the log until there is no room for one. Throws nothing: the server ends, or cannot."""
        for _ in range(100):
            try:
                self.psql(["-d", "postgres", "-c", "SELECT pg_logical_emit_message(false, 'x', 'x'), pg_switch_wal()"], 5)
            except LedgerUnavailable:
                return

    def freeze(self):
        self._signal([self.process.pid], signal.SIGSTOP)
        self.frozen = self.pids()
        self._signal(self.frozen, signal.SIGSTOP)

    def wake(self):
        self._signal(reversed(self.frozen), signal.SIGCONT)
        self.frozen = []

    def dump(self, file):
        subprocess.run(["pg_dump", "-h", str(self.dir), "-U", USER, "-f", str(file), DATABASE], check=False)

    def close(self):
        """Ends what is left of it, and removes its folder."""
        if self.process and self.process.poll() is None:
            self.wake()
            self._signal(self.pids(), signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def remove(self):
        """Removes what an ended server has left, and keeps its folder for another one."""
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.rmtree(self.wal, ignore_errors=True)
