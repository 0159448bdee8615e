"""Progress of long work: a bar on a terminal, plain lines elsewhere."""

import sys
import time

# Time between two lines where there is no terminal.
_PLAIN_SECONDS = 30.0


class Progress:
    """Shows the count, the rate and the time that is left.

    Args:
        what: Name of the work ("prepare").
        total: Number of units; None if it is unknown.
        unit: Name of the units ("images").
    """

    def __init__(self, what, total, *, unit):
        self.what, self.total, self.unit = what, total, unit
        self.stream = sys.stderr
        self.terminal = self.stream.isatty()
        self.start = self.shown = time.monotonic()
        self.first, self.open = None, False

    def update(self, done: int, note: str = "") -> None:
        """Shows `done` of the total, and a `note` such as the losses.

        The rate counts from the first call, so that a resumed run does not count the
        work of an earlier one.
        """
        now = time.monotonic()
        if self.first is None:
            self.first, self.start = done, now
        last = done == self.total
        if not last and now - self.shown < (0.1 if self.terminal else _PLAIN_SECONDS):
            return
        self.shown = now
        rate = (done - self.first) / max(now - self.start, 1e-9)
        of_all = f"/{self.total:,}" if self.total else ""
        text = f"{self.what} {done:,}{of_all} {self.unit}"
        if rate and not last:
            text += f", {rate:,.{0 if rate >= 10 else 1}f}/s"
        if rate and (self.total or 0) > done:
            text += f", {_clock((self.total - done) / rate)} left"
        text += f", took {_clock(now - self.start)}" if last else ""
        text += f", {note}" if note else ""
        self.open = self.terminal and not last
        if self.terminal:
            filled = round(24 * min(done / self.total, 1)) if self.total else 0
            bar = "█" * filled + "░" * (24 - filled)
            print(f"\r\033[K{bar} {text}", end="\n" if last else "", file=self.stream)
        else:
            print(text, file=self.stream)
        self.stream.flush()

    def close(self) -> None:
        """Ends the line of an unfinished bar."""
        if self.open:
            print(file=self.stream)
        self.open = False


def _clock(seconds):
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{minutes:02d}:{seconds:02d}"
    return f"{hours}:{text}" if hours else text.removeprefix("0")
