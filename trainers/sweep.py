r"""Trains every combination of some values of a config, and says which is best.

python -m trainers.sweep --config=trainers/configs/fer2013_quick.py \
    --data=data/fer2013 --workdir=runs/sweep --over='stages[0].learning_rate=0.1,0.03' \
    --over=model.arguments.width=0.5,1 --seeds=2

The settings are ranked by validation faces. The test set is not read; the command that
is printed at the end trains the best setting as a run of its own, which reads it once.

The workdir then holds sweep.json, sweep.md and sweep.png, and in runs/ a workdir of
trainers.train for each run. They are written after each run. Killed anywhere, the same
command goes on; with more values or seeds, it trains what is new. A setting whose
training fails, as with too large a rate, is left out, and named at the end.
"""

import dataclasses
import os

from absl import flags

from trainers.common import cli

_CONFIG = flags.DEFINE_string("config", None, "File of the config.")
_DATA = flags.DEFINE_string("data", None, "Prepared folder, or several: DIR[,DIR...].")
_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the runs and the table.")
_OVER = flags.DEFINE_multi_string(
    "over", [], "A key of the config and its values, KEY=VALUE,VALUE,...; repeatable."
)
_SEEDS = flags.DEFINE_integer(
    "seeds", 1, "Runs of each setting, seeds 0, 1, ...", lower_bound=1
)
_METRIC = flags.DEFINE_string(
    "metric", None, "What ranks the settings; by default what the config selects by."
)
_TRIALS = flags.DEFINE_integer(
    "trials", 0, "Train so many combinations, drawn at random; 0: all.", lower_bound=0
)
_OVERRIDE = flags.DEFINE_multi_string(
    "override", [], "Another value in every run, KEY=VALUE; repeatable."
)


def main() -> None:
    """Entry point of the command line."""
    if not os.path.isfile(_CONFIG.value):
        cli.fail(f"--config: {_CONFIG.value}: no such file", code=2)
    if "," in _WORKDIR.value:
        cli.fail("--workdir: a comma would part several folders", code=2)
    with cli.quiet_imports():
        import tensorflow as tf

        from data_pipelines.batches import pipeline
        from fer_tf import scores
        from fer_tf.utils import atomic
        from trainers.tables import runs, sweep

    # The runs' processes have the accelerators to themselves.
    tf.config.set_visible_devices([], "GPU")
    over = sweep.parse(_OVER.value)
    if not over:
        cli.fail("--over is missing: a key and its values", code=2)
    overrides = _overrides(sweep.parse(_OVERRIDE.value, flag="--override"), over)
    metric = _METRIC.value or runs.load_config(_CONFIG.value).select.removeprefix("-")
    try:
        scores.metric_of(metric)
    except ValueError as error:
        cli.fail(f"--metric: {error}", code=2)
    prepared = pipeline.open_prepared(_DATA.value)
    if not prepared.count("validation"):
        cli.fail(f"{_DATA.value}: no validation examples to rank settings by")
    tried = sweep.settings(
        over, config=_CONFIG.value, data=_DATA.value, workdir=_WORKDIR.value,
        seeds=_SEEDS.value, overrides=overrides, trials=_TRIALS.value,
    )  # fmt: skip
    runs.check(run for setting in tried for run in setting.runs)
    sweep.check(tried, metric)
    os.makedirs(_WORKDIR.value, exist_ok=True)
    with atomic.locked(os.path.join(_WORKDIR.value, ".lock")):
        _train(tried, over, metric)


def _overrides(values, over):
    for key, several in values.items():
        if len(several) > 1:
            cli.fail(f"--override={key}: several values; --over tries them", code=2)
        if key in over:
            cli.fail(f"--override={key}: --over tries values of it", code=2)
    return {key: value for key, (value,) in values.items()}


def _train(tried, over, metric):
    """Trains what is not finished, seed by seed, and writes the table after each."""
    order = [run for seed in zip(*(setting.runs for setting in tried)) for run in seed]
    failed = []
    for number, run in enumerate(order, 1):
        state = "trained already" if run.finished else "training"
        print(f"[{number}/{len(order)}] {run.name}: {state}", flush=True)
        if run.finished:
            continue
        code = run.train()
        if code > 1:  # Ended by a signal, or refused before it began: so will the rest.
            raise SystemExit(code)
        if code:  # As where a rate is too large. What is wrong, the run has said.
            failed.append(f"{run.name}: its training failed; the reason stands above")
        else:
            _write(tried, over, metric)
    if not any(setting.finished for setting in tried):
        cli.fail_if_any(failed)
    result = _write(tried, over, metric)
    best = next(s for s in tried if s.values == result["settings"][0]["values"])
    with open(os.path.join(_WORKDIR.value, "sweep.md"), encoding="utf-8") as file:
        print(file.read())
    print(f"best: {best.name}\nA run of its own, which reads the test set once:")
    print(_command(best))
    cli.fail_if_any(failed)


def _write(tried, over, metric):
    from fer_tf.plotting.style import save_figure
    from fer_tf.utils import atomic
    from trainers.tables import sweep, sweep_page

    result = {
        "config": _CONFIG.value,
        "data": _DATA.value,
        "over": over,
        "override": _OVERRIDE.value,
        "metric": metric,
        "seeds": _SEEDS.value,
        "num_settings": len(tried),
        "settings": sweep.measure(tried, metric),
    }
    path = lambda ending: os.path.join(_WORKDIR.value, f"sweep.{ending}")
    save_figure(sweep_page.draw(result), path("png"))
    atomic.write_text(path("md"), sweep_page.markdown(result))
    atomic.write_json(path("json"), result)
    return result


def _command(best):
    """What trains the best setting anew, with the test set."""
    changes = {k: v for k, v in best.runs[0].changes.items() if k != "reads_test"}
    path = os.path.join(_WORKDIR.value, "best")
    return dataclasses.replace(best.runs[0], path=path, changes=changes).command


if __name__ == "__main__":
    cli.run(main, required=("config", "data", "workdir"))
