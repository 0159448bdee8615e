"""The files of a run: config, logs, best weights, report.

`metrics.csv` and the checkpoints hold nothing that depends on the clock, so that two
runs of one config can be compared byte for byte. Times go to `timing.json`.
"""

import contextlib
import csv
import dataclasses
import io
import json
import os
import pathlib
import time
from collections.abc import Iterable

import tensorflow as tf
from ml_collections import ConfigDict

from data_pipelines.storage.prepared import Prepared
from fer_tf.faces.crop_spec import CropSpec
from fer_tf.model_io import model_folder
from fer_tf.model_io.card import CARD
from fer_tf.utils import atomic
from trainers.training import build, tensorboard

# What a run does beside its steps, as its clock names them.
PARTS = ("data", "evaluation", "checkpoint")


class Workdir:
    """Writes a run's files and reads them back.

    Args:
        path: The folder; made when it is opened.
        config: Of the run.
        prepared: Data of the run.
        spec: Of the crops that the model takes.
        writes: False in a process that writes nothing: not the first of several hosts.
    """

    def __init__(
        self,
        path: str,
        config: ConfigDict,
        prepared: Prepared,
        *,
        spec: CropSpec,
        writes: bool = True,
    ):
        self.path, self.config, self.prepared = path, config, prepared
        self.writes = writes
        self.card = build.card(config, prepared, spec)
        self.checkpoints = os.path.join(path, "checkpoints")
        self.rows = []
        self.clock = _Clock(os.path.join(path, "timing.json"))
        self._board = None

    @contextlib.contextmanager
    def opened(self):
        """Locks the folder for this process, and makes it if it is not there.

        Inside another such block this does nothing.

        Raises:
            ValueError: If it belongs to another config or other data.
            OSError: If another process holds it.
        """
        if not self.writes or self._board is not None:
            yield
            return
        require_same(self.path, self.config, self.prepared)
        os.makedirs(self.path, exist_ok=True)
        with atomic.locked(os.path.join(self.path, ".lock")):
            begin(self.path, self.config, self.prepared)
            # A killed run leaves unfinished files. An unfinished folder is an
            # export's, which the next export replaces.
            for part in pathlib.Path(self.path).rglob(".part-*"):
                if not part.is_dir():
                    part.unlink()
            events = os.path.join(self.path, "tensorboard")
            self._board = tf.summary.create_file_writer(events)
            try:
                yield
            finally:
                self._board.close()
                self._board = None

    def log(self, row: dict) -> None:
        """Adds a row to `metrics.csv` and to TensorBoard."""
        self.rows.append(row)
        if not self.writes:
            return
        atomic.write_text(os.path.join(self.path, "metrics.csv"), _to_csv(self.rows))
        with self._board.as_default(step=row["step"]):
            for name, value in row.items():
                if isinstance(value, float):
                    tf.summary.scalar(name, value)
        self._board.flush()
        self.clock.write()

    def show_crops(self, stage: str, batch: dict, step: int) -> None:
        """Puts a training batch on TensorBoard, as the model sees it."""
        if self.writes:
            title = f"{self.config.model.name}, stage {stage}: augmented crops"
            picture = tensorboard.crops(
                batch,
                self.card.expressions,
                action_units=self.card.action_units,
                title=title,
            )
            self._show(f"crops/{stage}", picture, step)

    def show_confusion(self, split: str, counts, step: int) -> None:
        """Puts a confusion matrix on TensorBoard."""
        if self.writes:
            title = f"{self.config.model.name}, {split}, step {step:,}"
            picture = tensorboard.confusion(counts, self.card.expressions, title=title)
            self._show(f"confusion/{split}", picture, step)

    def _show(self, name, picture, step):
        with self._board.as_default(step=step):
            tf.summary.image(name, picture[None])
        self._board.flush()

    def stop_clock(self) -> dict:
        """Writes and returns the seconds of all sessions of the run."""
        return self.clock.write()

    def rewind(self, step: int) -> None:
        """Reads the log back, up to a step."""
        try:
            with open(os.path.join(self.path, "metrics.csv"), newline="") as file:
                rows = [_typed(row) for row in csv.DictReader(file)]
        except FileNotFoundError:
            rows = []
        self.rows = [row for row in rows if row["step"] <= step]

    def require_best(self, protocols: Iterable[str]) -> None:
        """Checks that the best weights of protocols are here.

        Raises:
            ValueError: If they are gone. Later weights need not be as good.
        """
        for protocol in protocols:
            folder = self._best(protocol)
            if not os.path.isfile(os.path.join(folder, CARD)):
                raise ValueError(
                    f"{folder}: the best weights so far were here and are gone; put "
                    f"them back, or remove {self.path} to begin anew"
                )

    def _best(self, protocol):
        return os.path.join(self.path, "best", protocol)

    def save_best(self, model, protocol: str, row: dict) -> None:
        """Keeps the weights as the best of a protocol.

        A loss that was exactly 0 in every epoch had no labels and trained nothing.
        """
        folder = self._best(protocol)
        chosen = {"protocol": protocol, "epoch": row["epoch"], "step": row["step"]}
        if self.prepared.derived:
            chosen["derived"] = list(self.prepared.derived)
        rows = [*self.rows, row]
        trained = [t for t in self.card.trained if any(r.get(t) for r in rows)]
        card = dataclasses.replace(self.card, trained=tuple(trained))
        model_folder.save(folder, model, card, extra=chosen)


class _Clock:
    """Wall and CPU seconds of a run, summed over its sessions.

    Also the wall seconds of what is not a step, and the seconds from the start of the
    latest process to the end of its first step.
    """

    def __init__(self, path):
        self.path = path
        self.before = {"seconds": 0.0, "cpu_seconds": 0.0}
        self.before |= {f"{part}_seconds": 0.0 for part in PARTS}
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                self.before |= json.load(file)
        self.start = time.monotonic(), time.process_time()

    def first_step(self, seconds):
        """Notes the seconds until the first step was done."""
        self.before["first_step_seconds"] = round(seconds, 1)

    @contextlib.contextmanager
    def part(self, name):
        """Counts what is done inside as one of `PARTS`."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self.before[f"{name}_seconds"] += time.monotonic() - begun

    def write(self):
        """Writes and returns the times."""
        now = time.monotonic(), time.process_time()
        total = dict(self.before)
        for name, begun, ended in zip(("seconds", "cpu_seconds"), self.start, now):
            total[name] += ended - begun
        total = {name: round(seconds, 1) for name, seconds in total.items()}
        atomic.write_json(self.path, total)
        return total


def require_same(path: str, config, prepared) -> None:
    """Checks that a workdir, if there is one, belongs to this config and data.

    Raises:
        ValueError: If it was started with another config or other data, or if the
            folder holds something else.
    """
    file = os.path.join(path, "config.json")
    if not os.path.exists(file):
        # A run that was killed at its very start leaves hidden files.
        if os.path.isdir(path) and any(n[0] != "." for n in os.listdir(path)):
            raise ValueError(f"{path}: not empty, and not a workdir of a run")
        return
    old, new = atomic.read_json(file), _identity(config, prepared)
    for part in new:
        if old.get(part) != new[part]:
            raise ValueError(
                f"{path}: begun with another {part}{_first_difference(old, new)};"
                " choose another --workdir, or remove this one"
            )


def begin(path: str, config, prepared) -> None:
    """Makes the workdir, or checks that it belongs to this config and data."""
    require_same(path, config, prepared)
    os.makedirs(path, exist_ok=True)
    file = os.path.join(path, "config.json")
    if not os.path.exists(file):
        atomic.write_json(file, _identity(config, prepared))


def _identity(config, prepared):
    """What a run is: its config and the bytes of its data."""
    return {
        "config": json.loads(config.to_json()),
        "data": [
            {
                "dataset": m["dataset"],
                "num_examples": m["num_examples"],
                "shards": [shard["sha256"] for shard in m["shards"]],
            }
            for m in prepared.manifests
        ],
    }


def _first_difference(old_run, new_run):
    old, new, name = old_run.get("config", {}), new_run["config"], ""
    while isinstance(old, dict) and isinstance(new, dict) and old != new:
        key = min(k for k in {*old, *new} if old.get(k) != new.get(k))
        old, new, name = old.get(key), new.get(key), f"{name}.{key}".lstrip(".")
    return f" ({name} was {old!r}, now {new!r})" if name else ""


def _to_csv(rows):
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _typed(row):
    """A CSV row with its numbers as numbers."""
    return {
        name: value
        if name == "stage"
        else int(value)
        if name in ("epoch", "step")
        else float(value)
        for name, value in row.items()
        if value != ""
    }
