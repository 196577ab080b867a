"""The faults that are done to Redis."""
import signal, time

from rig.machine import free_port
from rig.redis import RedisError
from .relay import Relay


class RedisFaults:
    async def redis_down(self, fault, how, text, between=lambda: "", empty=False):
        if not self.take("Redis", fault):
            return
        self.begin(fault.kind, text)
        self.log.outage("Redis is unavailable", True)
        await self.run.redis.stop(how)
        self.run.redis_lost()
        more = between()
        await self.rest(fault.seconds)
        await self.run.redis.start(empty=empty)
        self.log.outage("Redis is unavailable", False)
        self.log.say(f"  Redis is back{more}")
        self.taken.discard("Redis")

    async def redis_restart(self, fault):
        await self.redis_down(fault, signal.SIGTERM, f"Redis ends, starts again after {fault.seconds:.1f} s")

    async def redis_kill(self, fault):
        await self.redis_down(fault, signal.SIGKILL, f"kill Redis, started again after {fault.seconds:.1f} s")

    async def redis_rewind(self, fault):
        moment = time.time() - fault.coin
        await self.redis_down(
            fault, signal.SIGKILL, f"power cut of Redis: its last {fault.coin:.2f} s are gone, back after {fault.seconds:.1f} s",
            between=lambda: f", without {self.run.redis.rewind(moment):,} bytes of its append-only file")

    async def redis_freeze(self, fault):
        if not self.take("Redis", fault):
            return
        self.begin("redis-freeze", f"freeze Redis for {fault.seconds:.1f} s")
        self.log.outage("Redis is unavailable", True)
        self.run.redis.freeze()
        await self.rest(fault.seconds)
        self.run.redis.wake()
        self.log.outage("Redis is unavailable", False)
        self.log.say("  Redis is awake")
        self.taken.discard("Redis")

    async def redis_empty(self, fault):
        if fault.coin < 0.5:
            await self.redis_down(
                fault, signal.SIGKILL, f"a new, empty Redis in the place of the old one after {fault.seconds:.1f} s", empty=True)
            return
        if not self.take("Redis", fault):
            return
        self.begin("redis-empty", "FLUSHALL")
        try:
            await self.run.redis.ask("FLUSHALL", timeout=10)
            self.run.redis_lost()
        except (RedisError, OSError) as error:
            self.log.find("harness", f"FLUSHALL: {error}")
        self.taken.discard("Redis")

    async def redis_promote(self, fault):
        """What Redis wrote in the last moment is held on its way to the replica, and lost."""
        if not self.take("Redis", fault):
            return
        link = Relay(free_port(), self.run.redis.port)
        await link.open()
        try:
            await self.run.redis.follow(link.listen, free_port())
            link.hold()
            await self.rest(fault.seconds)
            self.begin("redis-promote", f"Redis is killed, and a replica that lacks its last {fault.seconds:.2f} s takes its place")
            self.log.outage("Redis is unavailable", True)
            link.drop()
            await self.run.redis.promote()
            self.run.redis_lost()
            self.log.outage("Redis is unavailable", False)
        finally:
            link.close()
        self.taken.discard("Redis")
