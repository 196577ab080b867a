"""The job on arq; as a program, the producer: on_arq.py each|batch FILE COUNT MAILING."""
import asyncio, sys

import uvloop
from arq import create_pool
from arq.connections import RedisSettings

import common

asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
SETTINGS = RedisSettings.from_dsn(common.REDIS)


async def send(ctx, mailing, job):
    await ctx["redis"].hset("out:" + mailing, mapping=await ctx["sender"].outcomes(job))


async def startup(ctx):
    ctx["sender"] = common.Sender()
    await ctx["redis"].incr("ready")


class Worker:
    functions, on_startup, redis_settings = [send], startup, SETTINGS
    max_jobs, queue_read_limit = common.JOBS, common.JOBS * 5
    poll_delay, keep_result, log_results = 0.05, 0, False   # half a second is the default, and would be waited for


async def produce(kind, file, count, mailing):
    pool = await create_pool(SETTINGS)
    await common.concurrently(20, common.jobs(kind, file, count), lambda job: pool.enqueue_job("send", mailing, job))


if __name__ == "__main__":
    asyncio.run(produce(*sys.argv[1:]))
