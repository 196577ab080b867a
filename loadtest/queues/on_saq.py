"""The job on SAQ; as a program, the producer: on_saq.py each|batch FILE COUNT MAILING."""
import asyncio, sys

import redis.asyncio, uvloop
from saq.queue.redis import RedisQueue

import common

asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
queue = RedisQueue(redis.asyncio.from_url(common.REDIS))


async def send(ctx, *, mailing, job):
    await queue.redis.hset("out:" + mailing, mapping=await ctx["sender"].outcomes(job))


async def startup(ctx):
    ctx["sender"] = common.Sender()
    await queue.redis.incr("ready")


settings = {"queue": queue, "functions": [send], "startup": startup, "concurrency": common.JOBS}


async def produce(kind, file, count, mailing):
    await queue.connect()
    await common.concurrently(20, common.jobs(kind, file, count),
                       lambda job: queue.enqueue("send", mailing=mailing, job=job, ttl=-1, timeout=300))
    await queue.disconnect()


if __name__ == "__main__":
    asyncio.run(produce(*sys.argv[1:]))
