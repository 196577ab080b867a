"""What the rigs' command lines share: the executable, signals, the folder of a run."""
import asyncio, pathlib, shutil, signal, tempfile

from . import executables

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def add_flotilla(parser):
    parser.add_argument("--flotilla", type=pathlib.Path, default=executables.flotilla(), help="the executable (.build/release or debug)")


def check_programs(parser, options):
    """Ends the command with advice where our executable or Redis is missing."""
    if not options.flotilla or not options.flotilla.exists():
        parser.error("no executable: deploy/build, or --flotilla PATH")
    options.flotilla = options.flotilla.resolve()
    if not shutil.which("redis-server"):
        parser.error("redis-server is missing: apt-get install redis-server")


def run_folder(name):
    """A new folder whose path is short enough for a Unix socket in it (108 bytes)."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"flotilla-{name}-"))
    if len(str(folder)) <= 80:
        return folder
    folder.rmdir()
    return pathlib.Path(tempfile.mkdtemp(prefix=f"flotilla-{name}-", dir="/tmp"))


async def guarded(work, seconds=None):
    """Awaits `work`, at most so long; a signal that asks us to end cancels it."""
    task = asyncio.ensure_future(work)
    for number in ENDING:
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await asyncio.wait_for(task, seconds)


def _interrupt(number, frame):
    raise KeyboardInterrupt


def interruptible():
    """From now on each signal that ends us is an exception, so that everything is cleaned up."""
    for number in ENDING:
        signal.signal(number, _interrupt)


def uninterruptible():
    """From now on no signal ends us: what is being cleaned up is finished."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
