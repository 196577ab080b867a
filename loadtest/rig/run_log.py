"""What happened in a run: events, findings, and the outages that the rig itself caused."""
import time


class RunLog:
    """Prints each event with the time since the start and the progress, and keeps all of them."""

    def __init__(self, quiet=False):
        self.begun = time.time()
        self.events, self.findings, self.done, self.skipped = [], [], {}, {}
        self.quiet, self.progress = quiet, lambda: ""
        self.last_print = 0.0
        self._current, self.outages = {}, []  # name -> since; (from, to, name), seconds since 1970

    @property
    def now(self):
        return time.time() - self.begun

    def say(self, text, kind="note"):
        self.events.append({"at": round(self.now, 2), "kind": kind, "text": text})
        self.last_print = time.time()
        if not self.quiet:
            print(f"{self.now:7.1f} s  {text:<74}  {self.progress()}".rstrip())

    def find(self, kind, text):
        """Something that must not be, beside what the judge finds: it fails the run."""
        self.findings.append({"at": round(self.now, 2), "kind": kind, "text": text})
        self.say(f"FOUND: {text}", "finding")

    def count(self, kind):
        self.done[kind] = self.done.get(kind, 0) + 1

    def skip(self, kind, why):
        self.skipped[kind] = self.skipped.get(kind, 0) + 1
        self.say(f"{kind}: skipped, {why}")

    def outage(self, name, begins):
        """An outage that the rig caused begins, or ends: while it lasts it is the reason when nothing is sent."""
        if begins:
            self._current.setdefault(name, time.time())
        elif name in self._current:
            self.outages.append((self._current.pop(name), time.time(), name))

    def end_outages(self):
        for name in list(self._current):
            self.outage(name, False)
