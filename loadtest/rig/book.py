"""What happened in a run: events, findings, and the times for which the adversary itself is to blame."""
import time


class Book:
    """Prints each event with the time since the start and the progress, and keeps all of them."""

    def __init__(self, quiet=False):
        self.begun = time.time()
        self.events, self.findings, self.done, self.left_out = [], [], {}, {}
        self.quiet, self.progress = quiet, lambda: ""
        self.last_print = 0.0
        self._blame, self.outages = {}, []  # name -> since; (from, to, name), seconds since 1970

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

    def leave_out(self, kind, why):
        self.left_out[kind] = self.left_out.get(kind, 0) + 1
        self.say(f"{kind}: left out, {why}")

    def blame(self, name, on):
        """From now on (or no longer) the adversary is the reason when nothing is sent."""
        if on:
            self._blame.setdefault(name, time.time())
        elif name in self._blame:
            self.outages.append((self._blame.pop(name), time.time(), name))

    def end_blame(self):
        for name in list(self._blame):
            self.blame(name, False)
