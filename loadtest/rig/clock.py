"""Processes whose time of day is wrong; their monotonic clocks are right."""
import pathlib, shutil, subprocess

from .machine import CannotRun


def wrong_clock(folder, seconds):
    """The environment of a process whose time of day is wrong by some seconds. Throws CannotRun."""
    library = pathlib.Path(folder) / "wrong-clock.so"
    if not library.exists():
        compiler = next(filter(None, map(shutil.which, ("cc", "clang", "gcc"))), None)
        if compiler is None:
            raise CannotRun("no C compiler for the wrong clock: apt-get install gcc libc6-dev")
        source = pathlib.Path(__file__).with_name("wrong-clock.c")
        done = subprocess.run([compiler, "-O2", "-Wall", "-shared", "-fPIC", "-o", library, source, "-ldl", "-lpthread"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise CannotRun(f"{source.name} does not compile: {done.stdout[-500:]}")
    return {"LD_PRELOAD": str(library), "WRONG_CLOCK": str(seconds)}
