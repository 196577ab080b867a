"""The job on streaQ; as a program, the producer: on_streaq.py each|batch FILE COUNT MAILING."""
import itertools, sys
from contextlib import asynccontextmanager

import anyio
from streaq import Worker

import common


@asynccontextmanager
async def lifespan():
    await worker.redis.incr("ready")
    yield common.Sender()


worker = Worker(redis_url=common.REDIS, concurrency=common.JOBS, lifespan=lifespan, anyio_kwargs={"use_uvloop": True})


@worker.task(ttl=0)
async def send(mailing, job):
    await worker.redis.hset("out:" + mailing, await worker.context.outcomes(job))


async def produce(kind, file, count, mailing):
    async with worker:
        jobs = common.jobs(kind, file, count)
        while some := list(itertools.islice(jobs, 1000 if kind == "each" else 2)):
            await worker.enqueue_many([send.enqueue(mailing, job) for job in some])


if __name__ == "__main__":
    import on_streaq   # the module that the worker knows, not __main__
    anyio.run(on_streaq.produce, *sys.argv[1:], backend_options={"use_uvloop": True})
