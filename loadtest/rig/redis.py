"""The fleet's Redis, started and ended by us, and a client of it."""
import asyncio, os, pathlib, shutil, signal


class RedisError(Exception):
    pass


class Client:
    """Commands over a Unix socket (RESP2), a connection a command: it must work right after Redis came back."""

    def __init__(self, path, decode=lambda text: text.decode("utf-8", "replace")):
        """`decode`: of the bytes of a value; `bytes` leaves them as they are."""
        self.path, self.decode = path, decode

    async def __call__(self, *words, timeout=2):
        return await asyncio.wait_for(self._ask(words), timeout)

    async def _ask(self, words):
        reader, writer = await asyncio.open_unix_connection(self.path, limit=1 << 24)
        try:
            out = [b"*%d\r\n" % len(words)]
            for word in words:
                word = word if isinstance(word, bytes) else str(word).encode()
                out.append(b"$%d\r\n%s\r\n" % (len(word), word))
            writer.write(b"".join(out))
            return await self._read(reader)
        finally:
            writer.close()

    async def _read(self, reader):
        line = await reader.readline()
        if not line.endswith(b"\r\n"):
            raise RedisError("connection closed")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            raise RedisError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            if rest == b"-1":
                return None
            return self.decode((await reader.readexactly(int(rest) + 2))[:-2])
        if kind == b"*":
            return None if rest == b"-1" else [await self._read(reader) for _ in range(int(rest))]
        raise RedisError(f"unknown reply {line!r}")


class RedisServer:
    """redis-server on a Unix socket; it evicts nothing. `durable`: with an append-only file, flushed each second."""

    def __init__(self, folder, spawn, durable=True, port=0, bind="127.0.0.1"):
        """`port`: TCP beside the socket, which a replica needs."""
        self.dir = pathlib.Path(folder) / "redis"
        self.dir.mkdir()
        self.socket = str(pathlib.Path(folder) / "redis.sock")
        self.ask = Client(self.socket)
        self.spawn, self.process, self.durable, self.port, self.bind = spawn, None, durable, port, bind
        self.promotions = 0
        self.sizes = []  # of the append-only file, the last ones, with their times

    async def start(self, empty=False):
        if empty:
            shutil.rmtree(self.dir)
            self.dir.mkdir()
        pathlib.Path(self.socket).unlink(missing_ok=True)
        self.sizes.clear()
        self.process = self._spawn(self.socket, self.dir)
        await self._answers(self.ask, self.process)

    def _spawn(self, socket, folder, port=None, *more):
        return self.spawn("redis", [
            "redis-server", "--port", str(self.port if port is None else port), "--bind", self.bind, "--protected-mode", "no",
            "--unixsocket", socket, "--dir", str(folder), "--save", "",
            "--appendonly", "yes" if self.durable else "no", "--appendfsync", "everysec", "--auto-aof-rewrite-percentage", "0",
            "--maxmemory", "512mb", "--maxmemory-policy", "noeviction", "--repl-diskless-sync-delay", "0", *more])

    async def _answers(self, ask, process):
        for _ in range(1000):
            try:
                if await ask("PING") == "PONG":
                    return
            except (OSError, RedisError, asyncio.TimeoutError):
                pass
            if process.poll() is not None:
                raise RuntimeError(f"redis-server ended with {process.returncode}; see redis.log")
            await asyncio.sleep(0.02)
        raise RuntimeError("redis-server does not answer after 20 s")

    async def follow(self, link, port):
        """Starts a replica that listens at `port` and replicates by way of `link`, a port of loopback. Throws RuntimeError."""
        self.promotions += 1
        folder = self.dir.with_name(f"redis-{self.promotions}")
        folder.mkdir()
        self.replica = (f"{self.socket}.{self.promotions}", folder, port)
        ask = Client(self.replica[0])
        self.follower = self._spawn(*self.replica, "--replicaof", f"127.0.0.1 {link}")
        await self._answers(ask, self.follower)
        for _ in range(500):
            if "master_link_status:up" in await ask("INFO", "replication"):
                return
            await asyncio.sleep(0.02)
        raise RuntimeError("the replica of Redis does not follow it after 10 s")

    async def promote(self):
        """The server is killed, and its replica takes its place at the socket."""
        await self.stop(signal.SIGKILL)
        socket, self.dir, self.port = self.replica
        await Client(socket)("REPLICAOF", "NO", "ONE")
        os.replace(socket, self.socket)
        self.process = self.follower
        self.sizes.clear()

    async def stop(self, how):
        self.process.send_signal(how)
        for _ in range(1500):
            if self.process.poll() is not None:
                return
            await asyncio.sleep(0.01)
        self.process.kill()
        self.process.wait()
        raise RuntimeError(f"redis-server had not ended 15 s after signal {how}; it was killed")

    def _file(self):
        files = sorted((self.dir / "appendonlydir").glob("*.incr.aof"))
        return files[-1] if files else None

    def note_size(self, now):
        """Remembers how long the append-only file is now, for `rewind`."""
        file = self._file()
        if file:
            self.sizes = [(t, s, f) for t, s, f in self.sizes if now - t < 3] + [(now, file.stat().st_size, file)]

    def rewind(self, to):
        """Cuts the append-only file of the stopped server to what it was at the time `to`, as a power cut does with
        `appendfsync everysec`. Returns how many bytes are lost."""
        file = self._file()
        older = [s for t, s, f in self.sizes if t <= to and f == file]
        if not older:
            return 0
        now = file.stat().st_size
        os.truncate(file, min(now, older[-1]))
        return max(0, now - older[-1])

    async def memory(self):
        """used_memory and its peak since the start, in bytes."""
        text = await self.ask("INFO", "memory", timeout=1)
        rows = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        return int(rows["used_memory"]), int(rows["used_memory_peak"])

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def wake(self):
        self.process.send_signal(signal.SIGCONT)
