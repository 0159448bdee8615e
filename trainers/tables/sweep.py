"""The settings of a sweep: their runs, what the validation faces say, which is best."""

import contextlib
import dataclasses
import io
import itertools
import os
import random
import re
from collections.abc import Mapping, Sequence

import keras
import numpy as np

from data_pipelines.batches.pipeline import open_prepared
from fer_tf import models, scores
from fer_tf.model_io.protocol import Protocol
from fer_tf.utils import atomic
from trainers.common.cli import UsageError
from trainers.evaluation.predictions import Predictions
from trainers.tables import differences
from trainers.tables.runs import Run
from trainers.training import assembly

# Keys that the sweep sets itself.
_OWN = ("seed", "reads_test")
# The longest name of a folder that a setting gives, and what none has.
_LONGEST = 120
_ODD = re.compile(r"[^A-Za-z0-9.=+-]+")


@dataclasses.dataclass(frozen=True)
class Setting:
    """One combination of values, and its runs, one for each seed."""

    values: Mapping[str, str]
    runs: tuple[Run, ...]

    @property
    def name(self) -> str:
        """How it is called: its values, as `KEY=VALUE`."""
        return ", ".join(f"{key}={value}" for key, value in self.values.items())

    @property
    def finished(self) -> list[Run]:
        """The runs that are trained."""
        return [run for run in self.runs if run.finished]


def parse(texts: Sequence[str], flag: str = "--over") -> dict[str, list[str]]:
    """Reads `KEY=VALUE,VALUE,...`; commas in brackets part no values.

    Args:
        texts: What the flag was given.
        flag: Its name, for errors.

    Raises:
        UsageError: If one is not of this form, or a key or value stands there twice.

    Example:
        >>> parse(["batch_size=32,64", "model.arguments.input_shape=(48,48,1)"])
        {'batch_size': ['32', '64'], 'model.arguments.input_shape': ['(48,48,1)']}
    """
    over = {}
    for text in texts:
        key, _, rest = text.partition("=")
        values = [part.strip() for part in re.split(r",(?![^([]*[)\]])", rest)]
        if not key or not all(values):
            raise UsageError(f"{flag} must be KEY=VALUE,VALUE,..., is {text!r}")
        if key in over or len({*values}) < len(values):
            raise UsageError(f"{flag}={text}: a key or a value stands there twice")
        if key in _OWN:
            raise UsageError(f"{flag}={text}: a sweep sets `{key}` itself")
        over[key] = values
    return over


def settings(
    over: Mapping[str, Sequence[str]],
    *,
    config: str,
    data: str,
    workdir: str,
    seeds: int,
    overrides: Mapping[str, str],
    trials: int = 0,
) -> list[Setting]:
    """Every combination of the values, in order.

    Args:
        over: Values by key.
        config: Path of the config's file.
        data: Prepared folders, as `trainers.train` takes them.
        workdir: Of the sweep.
        seeds: Runs of each setting, from seed 0.
        overrides: More changes of every run, by key.
        trials: Takes so many combinations alone, always the same ones; 0: all.

    Raises:
        UsageError: If a key or value is none of the config or of its network.
    """
    combined = [dict(zip(over, part)) for part in itertools.product(*over.values())]
    if 0 < trials < len(combined):
        chosen = sorted(random.Random(0).sample(range(len(combined)), trials))
        combined = [combined[number] for number in chosen]
    found = []
    for values in combined:
        runs = tuple(
            Run(config, data, _folder(workdir, values, seed),
                {**overrides, **values, "seed": str(seed), "reads_test": "false"})
            for seed in range(seeds)
        )  # fmt: skip
        _check_network(runs[0])
        found.append(Setting(values, runs))
    return found


def _folder(workdir, values, seed):
    text = "_".join(f"{key}={value}" for key, value in values.items())
    name = _ODD.sub("_", text)
    # Else values such as a/b and a_b would share a folder.
    if len(name) > _LONGEST or any(map(_ODD.search, values.values())):
        name = f"{name[:_LONGEST]}_{random.Random(text).getrandbits(32):08x}"
    return os.path.join(workdir, "runs", f"{name}_seed{seed}")


def _check_network(run):
    model = run.load().model
    if model.name:  # Else it is that of --init.
        try:
            models.check_arguments(model.name, model.arguments)
        except ValueError as error:
            raise UsageError(str(error)) from error


def check(tried: Sequence[Setting], metric: str) -> None:
    """Refuses what would fail in its turn, before any run is trained.

    A run of each setting is assembled as `trainers.train` does it, and scores a batch.

    Args:
        tried: Settings; those that are trained are passed over.
        metric: Name of a metric, which every run must have.

    Raises:
        UsageError: If a value is out of range, or a run has no such metric.
        ValueError: If the data or the weights to begin with cannot be used.
    """
    smaller = scores.metric_of(metric).smaller_is_better
    for setting in tried:
        run = setting.runs[0]
        if run.finished:
            continue
        # What a run prints belongs into its own log.
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                assembled = _assembled(run)
                assembled.check()
            except UsageError as error:
                raise UsageError(f"{setting.name}: {error}") from error
            try:
                assembled.check_select(f"-{metric}" if smaller else metric)
            except UsageError as error:
                raise UsageError(f"--metric={metric}: {error}") from error
        keras.utils.clear_session()


def _assembled(run):
    config, prepared = run.load(), open_prepared(run.data)
    assembly.complete(config, prepared, run.path)
    # Takes the whole training set, and refuses nothing.
    config.published.statistics = False
    return assembly.assemble(config, prepared, run.path)


def measure(tried: Sequence[Setting], metric: str) -> list[dict]:
    """What the finished settings score on the validation faces, the best first.

    Args:
        tried: Settings; those without a finished run are left out.
        metric: Name of a metric.

    Returns:
        Each `{"values", "name", "mean", "std", "per_seed", "hours", "less_best"}`.
        `std` is None of one seed. `less_best` is None for the best, and where the two
        did not see the same faces; else `{"difference", "faces", "interval",
        "decided"}`: the mean less that of the best, its 95 % intervals over other
        faces alone and over other faces and seeds, and whether zero lies outside the
        latter. Of one seed each there is no such interval, and nothing is decided.

    Raises:
        UsageError: If the runs have no such metric.
    """
    measured = []
    for setting in tried:
        results = [_results(run) for run in setting.finished]
        if not results:
            continue
        values = [_value(result, metric) for result in results]
        measured.append({
            "values": dict(setting.values),
            "name": setting.name,
            "mean": float(np.mean(values)),
            "std": float(np.std(values, ddof=1)) if len(values) > 1 else None,
            "per_seed": values,
            "hours": sum(result["seconds"] for result in results) / 3600,
            "runs": [run.path for run in setting.finished],
        })  # fmt: skip
    sign = 1 if scores.metric_of(metric).smaller_is_better else -1
    measured.sort(key=lambda row: sign * row["mean"])
    said = [_said(row) for row in measured]
    for row, own in zip(measured, said):
        row["less_best"] = None if own is said[0] else _less(own, said[0], metric)
    return measured


def _results(run):
    return atomic.read_json(os.path.join(run.path, "results.json"))


def _value(results, metric):
    found = results["protocols"][Protocol.CLEAN]["validation"]["metrics"]
    if metric not in found:
        raise UsageError(f"--metric={metric}: the runs have {', '.join(found)}")
    return found[metric]


def _said(row):
    file = os.path.join("outputs", f"{Protocol.CLEAN}.npz")
    return [[Predictions.load(os.path.join(path, file))] for path in row["runs"]]


def _less(own, best, metric):
    found = differences.between(own, best).get(metric)
    if found is None:
        return None
    ends = found["interval"]
    return {
        "difference": found["ours"],
        "faces": found["faces"],
        "interval": found["interval"],
        "decided": ends is not None and not ends[0] <= 0 <= ends[1],
    }
