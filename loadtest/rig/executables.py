"""Where our executables lie."""
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]


def flotilla():
    """The release build, else the debug build; None where there is neither."""
    return next((p for kind in ("release", "debug") if (p := ROOT / ".build" / kind / "flotilla").exists()), None)


def laboratory(flotilla):
    """The `flotilla-lab` beside a `flotilla`. A build from before it was split off has its commands itself."""
    beside = pathlib.Path(flotilla).with_name("flotilla-lab")
    return str(beside if beside.exists() else flotilla)
