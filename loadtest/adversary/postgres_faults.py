"""The faults that are done to a ledger in PostgreSQL."""
import asyncio

from rig.ledger import LedgerUnavailable
from rig.machine import CannotRun, free_port
from rig.postgres import socket_file
from .relay import Relay


class PostgresFaults:
    async def postgres_kill(self, fault):
        await self.postgres_down(fault, self.run.postgres.kill, f"kill PostgreSQL, started again after {fault.seconds:.1f} s")

    async def postgres_restart(self, fault):
        await self.postgres_down(fault, self.run.postgres.stop, f"PostgreSQL ends, starts again after {fault.seconds:.1f} s")

    async def postgres_down(self, fault, end, text):
        if not self.take("PostgreSQL", fault):
            return
        self.begin(fault.kind, text)
        self.log.outage("PostgreSQL is unavailable", True)
        await end()
        await self.rest(fault.seconds)
        await self.run.postgres.start()
        self.log.outage("PostgreSQL is unavailable", False)
        self.log.say("  PostgreSQL is back")
        self.taken.discard("PostgreSQL")

    async def postgres_freeze(self, fault):
        if not self.take("PostgreSQL", fault):
            return
        self.begin("postgres-freeze", f"freeze PostgreSQL for {fault.seconds:.1f} s")
        self.log.outage("PostgreSQL is unavailable", True)
        self.run.postgres.freeze()
        await self.rest(fault.seconds)
        self.run.postgres.wake()
        self.log.outage("PostgreSQL is unavailable", False)
        self.log.say("  PostgreSQL is awake")
        self.taken.discard("PostgreSQL")

    async def postgres_cut(self, fault):
        role = self.fleet.roles[fault.target]
        if role.ledger_relay is None:
            self.log.skip("postgres-cut", f"{role.name} reaches the ledger without a relay")
            return
        if not self.take(f"the ledger of {role.name}", fault):
            return
        reset = fault.coin < 0.5
        self.begin("postgres-cut", f"cut {role.name} from PostgreSQL for {fault.seconds:.1f} s, then " + ("reset" if reset else "continue"))
        role.ledger_relay.hold()
        role.cut = True
        self.fleet.changed()
        await self.rest(fault.seconds)
        if reset:
            role.ledger_relay.drop()
        role.ledger_relay.release()
        role.cut = False
        self.fleet.changed()
        self.log.say(f"  {role.name} has its way to PostgreSQL again")
        self.taken.discard(f"the ledger of {role.name}")

    async def pgbouncer_kill(self, fault):
        if not self.take("pgbouncer", fault):
            return
        self.begin("pgbouncer-kill", f"kill pgbouncer, started again after {fault.seconds:.1f} s")
        self.log.outage("pgbouncer is unavailable", True)
        self.run.bouncer.kill()
        await self.rest(fault.seconds)
        await self.run.bouncer.start()
        self.log.outage("pgbouncer is unavailable", False)
        self.taken.discard("pgbouncer")

    # Its disks

    async def postgres_disk(self, fault):
        await self.postgres_full(fault, "tables")

    async def postgres_wal(self, fault):
        await self.postgres_full(fault, "write-ahead log")

    async def postgres_full(self, fault, what):
        if not self.take("PostgreSQL", fault):
            return
        server, disk = self.run.postgres, self.run.disks[fault.kind]
        if not str(server.data).startswith(str(disk.path.parent)):
            self.log.skip(fault.kind, "another server has taken the place of the one with a small disk")
        else:
            self.log.outage("PostgreSQL's disk is full", True)
            size = disk.fill()
            self.begin(fault.kind, f"no room for PostgreSQL's {what} for {fault.seconds:.1f} s ({size / 1e6:.0f} MB of ballast)")
            if fault.kind == "postgres-wal":
                await asyncio.to_thread(server.use_up_log)
            await self.rest(fault.seconds)
            disk.clear()
            await self.revive(server)
            self.log.outage("PostgreSQL's disk is full", False)
        self.taken.discard("PostgreSQL")

    async def revive(self, server):
        """What a service manager does: a server that found no room for its log while it started has ended."""
        for _ in range(40):
            if server.process.poll() is not None:
                await server.start()
                self.log.say("  PostgreSQL had ended, and has room again")
                return
            if await asyncio.to_thread(server.answers):
                break
            await asyncio.sleep(0.1)
        self.log.say("  PostgreSQL has room again")

    # A standby takes its place

    async def postgres_promote(self, fault):
        """What PostgreSQL wrote in the last moment is held on its way to the standby, and lost."""
        await self.fail_over(fault, f"a standby that lacks its last {fault.seconds:.2f} s takes its place", is_synchronous=False)

    async def plan_promote(self, fault):
        """The same from the moment on when part of the mailing is planned."""
        await self.fail_over(
            fault, f"a standby that lacks its last {fault.seconds:.2f} s takes its place, in which the mailing was planned",
            is_synchronous=False, ready=self.part_is_planned)

    async def part_is_planned(self):
        while not self.healing.is_set():
            try:
                (mailing,), = await asyncio.to_thread(
                    self.run.store.read, [f"SELECT rows_read, planning_done FROM mailing WHERE id = '{self.run.mailing}'"], 1)
            except (LedgerUnavailable, ValueError):
                continue
            if int(mailing[1]):
                self.log.find("harness", "the mailing was planned before a part of it was seen")
            if int(mailing[0]):
                return

    async def postgres_sync(self, fault):
        """Nothing reaches the standby in the last moment, and so nothing is committed."""
        await self.fail_over(fault, "a synchronous standby takes its place", is_synchronous=True)

    async def fail_over(self, fault, text, is_synchronous, ready=None):
        """`ready`: waits for the moment from which on the standby hears of nothing."""
        if not self.take("PostgreSQL", fault):
            return
        run, old = self.run, self.run.postgres
        link = Relay(free_port(), socket_file(old.dir))
        await link.open()
        try:
            new = await old.standby(run.other_folder, link.listen, f"postgres-{sum(self.log.done.values()) + 2}")
            if is_synchronous:
                await old.wait_for_standby()
            if ready:
                await ready()
            link.hold()
            await self.rest(fault.seconds)
            if ready:
                (planned, dispatched), = (await asyncio.to_thread(self.run.store.read, [
                    "SELECT rows_read, (SELECT count(*) FROM progress p WHERE p.mailing = m.id AND p.dispatch > 0) "
                    f"FROM mailing m WHERE id = '{self.run.mailing}'"]))[0]
                text += f" ({int(planned):,} rows by now, {int(dispatched):,} batches dispatched)"
            self.begin(fault.kind, f"PostgreSQL is killed, and {text}")
            self.log.outage("PostgreSQL is unavailable", True)
            await old.kill()
            link.drop()
            await new.promote()
            run.postgres, run.store, run.other_folder = new, new, old.dir
            old.remove()
            self.log.outage("PostgreSQL is unavailable", False)
            self.log.say("  the standby is promoted")
        except CannotRun as error:
            self.log.find("harness", f"{fault.kind}: {error}")
        finally:
            link.close()
        self.taken.discard("PostgreSQL")
