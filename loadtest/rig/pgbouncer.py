"""Debian's pgbouncer in front of a PostgreSQL of the run's own."""
import asyncio, os, pathlib, shutil, tempfile

from .machine import CannotRun
from .postgres import DATABASE, USER, as_nobody, socket_file

SETTINGS = """[databases]
{database} = host={server} dbname={database} user={user}
[pgbouncer]
unix_socket_dir = {folder}
listen_port = 5432
listen_addr =
auth_type = any
pool_mode = {mode}
max_client_conn = 200
default_pool_size = 60
server_login_retry = 1
"""


def program():
    """Throws CannotRun."""
    found = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin")
    if not found:
        raise CannotRun("pgbouncer is missing: apt-get install pgbouncer")
    return found


class Pgbouncer:
    """It listens on a socket in its folder, as the server does in its own."""

    def __init__(self, spawn, server, mode="session"):
        self.spawn, self.program, self.user, self.process = spawn, program(), as_nobody(), None
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="flotilla-pgbouncer-", dir="/tmp"))
        if self.user:
            shutil.chown(self.dir, "nobody", "nogroup")
        self.settings = self.dir / "pgbouncer.ini"
        self.settings.write_text(SETTINGS.format(database=DATABASE, user=USER, server=server.dir, folder=self.dir, mode=mode))

    async def start(self):
        """Throws RuntimeError."""
        pathlib.Path(socket_file(self.dir)).unlink(missing_ok=True)
        self.process = self.spawn("pgbouncer", [*self.user, self.program, self.settings], cwd="/")
        for _ in range(200):
            if pathlib.Path(socket_file(self.dir)).exists():
                return
            if self.process.poll() is not None:
                raise RuntimeError(f"pgbouncer ended with {self.process.returncode}; see pgbouncer.log")
            await asyncio.sleep(0.05)
        raise RuntimeError("pgbouncer does not listen after 10 s")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)
