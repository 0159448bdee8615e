"""Progress of long work: a bar on a terminal, plain lines elsewhere."""

import sys
import time


class Progress:
    """Shows how far, how fast, and how long still.

    Args:
        what: What is being done ("prepare").
        total: Units in all.
        unit: What is counted ("images").
        every: Seconds between two plain lines where there is no terminal.
        stream: Where to write.
    """

    def __init__(self, what, total, *, unit, every=30.0, stream=None):
        self.what, self.total, self.unit, self.every = what, total, unit, every
        self.stream = stream or sys.stderr
        self.terminal = self.stream.isatty()
        self.start = self.shown = time.monotonic()
        self.first = None

    def update(self, done: int, note: str = "") -> None:
        """Shows `done` of the total; `note` holds losses or the like.

        The rate counts from the first call, so that work resumed in the
        middle is not credited with what an earlier run did.
        """
        now = time.monotonic()
        if self.first is None:
            self.first, self.start = done, now
        last = done >= self.total
        if not last and now - self.shown < (0.1 if self.terminal else self.every):
            return
        self.shown = now
        rate = (done - self.first) / max(now - self.start, 1e-9)
        text = f"{self.what} {done:,}/{self.total:,} {self.unit}"
        if rate and not last:
            left = _clock((self.total - done) / rate)
            text += f", {rate:,.{0 if rate >= 10 else 1}f}/s, {left} left"
        text += f", took {_clock(now - self.start)}" if last else ""
        text += f", {note}" if note else ""
        if self.terminal:
            filled = round(24 * done / max(self.total, 1))
            bar = "█" * filled + "░" * (24 - filled)
            print(f"\r\033[K{bar} {text}", end="\n" if last else "", file=self.stream)
        else:
            print(text, file=self.stream)
        self.stream.flush()


def _clock(seconds):
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{minutes:02d}:{seconds:02d}"
    return f"{hours}:{text}" if hours else text.removeprefix("0")
