"""A PostgreSQL of its own: Debian's, on a Unix socket in a folder, with what it writes on the disk (fsync on)."""
import os, pathlib, pwd, subprocess, time

from rig.machine import CannotRun
from rig.processes import die_with_parent

ROOT = pathlib.Path("/usr/lib/postgresql")


def binaries():
    versions = sorted((int(path.name) for path in ROOT.glob("*") if path.name.isdigit()), reverse=True)
    if not versions:
        raise CannotRun("there is no PostgreSQL: apt-get install postgresql")
    return ROOT / str(versions[0]) / "bin"


class PostgresServer:
    """Settings that a person would set on a machine of this size, and none that gives up what was committed."""

    SETTINGS = {"listen_addresses": "", "fsync": "on", "synchronous_commit": "on", "shared_buffers": "1GB", "max_wal_size": "4GB",
                "checkpoint_timeout": "15min", "wal_compression": "on"}

    def __init__(self, folder, spawn):
        self.folder, self.spawn, self.process = pathlib.Path(folder), spawn, None
        self.folder.chmod(0o777)
        for parent in self.folder.parents:
            if parent.stat().st_uid == os.getuid() and parent.stat().st_mode & 0o011 == 0:
                parent.chmod(parent.stat().st_mode | 0o011)
        # It refuses to run as root.
        self.user = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"] if os.getuid() == 0 else []

    def start(self):
        subprocess.run([*self.user, binaries() / "initdb", "-D", self.folder / "data", "-A", "trust", "-U", "flotilla", "-E", "UTF8",
                        "--locale", "C"], check=True, stdout=subprocess.DEVNULL, cwd="/")
        settings = [word for name, value in self.SETTINGS.items() for word in ("-c", f"{name}={value}")]
        self.process = self.spawn("postgres", [*self.user, binaries() / "postgres", "-D", self.folder / "data", "-k", self.folder,
                                               *settings], cwd="/")
        deadline = time.time() + 60
        while self.psql("postgres", "SELECT 1", check=False) != "1":
            if time.time() > deadline or self.process.poll() is not None:
                raise CannotRun("PostgreSQL does not start")
            time.sleep(0.05)
        self.psql("postgres", "CREATE DATABASE ledger")

    @property
    def url(self):
        return f"postgres://flotilla@/ledger?host={self.folder}"

    def psql(self, database, query, check=True):
        done = subprocess.run(["psql", "-h", self.folder, "-U", "flotilla", "-d", database, "-XAtqc", query], stdout=subprocess.PIPE,
                              stderr=None if check else subprocess.DEVNULL, text=True, check=check, preexec_fn=die_with_parent)
        return done.stdout.strip()

    def size(self):
        """Bytes of the ledger's tables and indexes, what a vacuum gives back left out."""
        self.psql("ledger", "VACUUM ANALYZE")
        return int(self.psql("ledger", "SELECT pg_database_size('ledger')"))

    def hot_share(self):
        """The share of updates of which no index had to hear."""
        return float(self.psql("ledger", "SELECT coalesce(sum(n_tup_hot_upd)::float8 / nullif(sum(n_tup_upd), 0), 1) "
                                         "FROM pg_stat_user_tables WHERE relname LIKE 'progress%'"))
