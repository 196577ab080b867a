"""A relay between our processes and a server: the place where connections are cut, refused and held up."""
import asyncio, socket, struct


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
            await self.relay.dial(lambda: Side(self.relay, peer=self))
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


class Relay:
    """Listens at a port of loopback or a Unix socket, and passes everything on to a server of the same kind."""

    def __init__(self, listen, target):
        self.listen, self.target = listen, target
        self.sides, self.held, self.server, self.bytes = set(), False, None, 0

    async def open(self):
        loop = asyncio.get_running_loop()
        if isinstance(self.listen, int):
            self.server = await loop.create_server(lambda: Side(self), "127.0.0.1", self.listen, backlog=512, reuse_address=True)
        else:
            self.server = await loop.create_unix_server(lambda: Side(self), self.listen, backlog=512)

    async def dial(self, factory):
        loop = asyncio.get_running_loop()
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
