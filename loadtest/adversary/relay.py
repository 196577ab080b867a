"""A relay between our processes and a server: the place where connections are cut, refused, delayed and slowed down.

    python3 relay.py 0.1 127.0.0.1:6379=10.77.0.254:6379 ...        listens, and passes everything on 0.1 s later, until it is ended
"""
import asyncio, collections, socket, struct, sys


class Side(asyncio.Protocol):
    """One end of a relayed connection: what comes in here goes out at the other."""

    def __init__(self, relay, peer=None):
        self.relay, self.peer, self.transport = relay, peer, None
        self.early = []

    def connection_made(self, transport):
        self.transport = transport
        self.relay.sides.add(self)
        if self.relay.held:
            transport.pause_reading()
        if self.peer is None:
            asyncio.get_running_loop().create_task(self.reach())
        else:
            self.peer.peer = self
            for data in self.peer.early:
                transport.write(data)

    async def reach(self):
        """Connects onwards, for a connection that somebody opened to the relay."""
        try:
            await self.relay.dial(lambda: self.relay.side(self.relay, peer=self))
        except OSError:
            self.cut()
            return
        if self.transport.is_closing() and self.peer:
            self.peer.transport.close()

    def data_received(self, data):
        self.relay.bytes += len(data)
        if self.peer:
            self.peer.transport.write(data)
        else:
            self.early.append(data)

    def pause_writing(self):
        if self.peer:
            self.peer.transport.pause_reading()

    def resume_writing(self):
        if self.peer and not self.relay.held and not self.peer.transport.is_closing():
            self.peer.transport.resume_reading()

    def connection_lost(self, error):
        self.relay.sides.discard(self)
        if self.peer and not self.peer.transport.is_closing():
            # Closed with what was already taken from this side still written, as a network would.
            self.peer.transport.close()

    def cut(self):
        """Ends the connection with a reset: bytes on their way in either direction are lost."""
        handle = self.transport.get_extra_info("socket")
        if handle is not None and handle.family == socket.AF_INET:
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


class SlowSide(Side):
    """What comes in here goes out at the other end some seconds later, its end too; nothing overtakes anything."""

    def connection_made(self, transport):
        self.line = collections.deque()
        super().connection_made(transport)

    def data_received(self, data):
        self.later(lambda: super(SlowSide, self).data_received(data))

    def connection_lost(self, error):
        self.later(lambda: super(SlowSide, self).connection_lost(error))

    def later(self, act):
        self.line.append(act)
        asyncio.get_running_loop().call_later(self.relay.delay, lambda: self.line.popleft()())


class Relay:
    """Listens at a port of loopback or a Unix socket, and passes everything on to a server of the same kind, or at a host and port."""

    def __init__(self, listen, target, delay=0.0):
        self.listen, self.target, self.delay = listen, target, delay
        self.side = SlowSide if delay else Side
        self.sides, self.held, self.server, self.bytes = set(), False, None, 0

    async def open(self):
        loop = asyncio.get_running_loop()
        if isinstance(self.listen, int):
            self.server = await loop.create_server(lambda: self.side(self), "127.0.0.1", self.listen, backlog=512, reuse_address=True)
        else:
            self.server = await loop.create_unix_server(lambda: self.side(self), self.listen, backlog=512)

    async def dial(self, factory):
        loop = asyncio.get_running_loop()
        if isinstance(self.target, tuple):
            return await loop.create_connection(factory, *self.target)
        if isinstance(self.target, int):
            return await loop.create_connection(factory, "127.0.0.1", self.target)
        return await loop.create_unix_connection(factory, self.target)

    def drop(self):
        """Cuts all connections; new ones are taken. Returns how many there were."""
        sides = list(self.sides)
        for side in sides:
            side.cut()
        return len(sides) // 2

    def refuse(self):
        """Cuts all connections and takes none until `open`."""
        if self.server:
            self.server.close()
            self.server = None
        return self.drop()

    def hold(self):
        """Nothing passes in either direction until `release`; nobody is told, as when a cable is pulled."""
        self.held = True
        for side in self.sides:
            side.transport.pause_reading()

    def release(self):
        self.held = False
        for side in self.sides:
            if not side.transport.is_closing():
                side.transport.resume_reading()

    def close(self):
        self.refuse()


async def slow_down(delay, links):
    for link in links:
        (_, listen), target = (end.rsplit(":", 1) for end in link.split("="))
        await Relay(int(listen), (target[0], int(target[1])), delay).open()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(slow_down(float(sys.argv[1]), sys.argv[2:]))
