r"""Trains the network of one config, such as a row of a paper's table.

A run that was stopped is resumed where it was.

python -m trainers.train --config=trainers/configs/meen_vgg19_fer2013.py \
    --data=data/fer2013 --workdir=runs/meen_vgg19 [--config.seed=1 ...]

`--init=NAME|FOLDER|WORKDIR` begins with trained weights, such as the model that ships:
with trainers/configs/finetune.py, on data of your own.

`--config.KEY=VALUE` sets a key of the config. `--config.model.arguments.NAME=VALUE`
sets any argument of the model's builder, for instance
`--config.model.arguments.skip=False`. A config is a Python file, which is executed.

Afterwards the workdir holds config.json, checkpoints/, best/ (weights by protocol),
metrics.csv, tensorboard/, results.json and report.md with its pictures.
"""

import os
import re
import sys
import time

from absl import flags
from ml_collections import config_flags

from trainers.common import cli
from trainers.training import overrides

_STARTED = time.monotonic()
_CONFIG = config_flags.DEFINE_config_file("config", None, "Config of the run.")
_DATA = flags.DEFINE_string("data", None, "Prepared folder, or several: DIR[,DIR...].")
_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the run.")
_INIT = flags.DEFINE_string(
    "init", None, "Catalog name, model folder or workdir to begin with."
)
_OVERRIDE = re.compile(r"--?config\.([^=]*)(?:=(.*))?", re.DOTALL)
_DRY_RUN = flags.DEFINE_bool("dry_run", False, "Describe the run; train nothing.")


def main(settings: list[tuple[str, str]]) -> None:
    """Entry point of the command line.

    Args:
        settings: Keys of the config and their new values, from `_take_overrides`.
    """
    config = _CONFIG.value
    try:
        config.to_dict()  # A file that failed to load says so only when it is used.
    except Exception as error:  # Whatever a config file may raise.
        file = config_flags.get_config_filename(flags.FLAGS["config"])
        cli.fail(f"--config: {file} cannot be loaded: {_reason(file, error)}", code=2)
    for key, text in settings:
        overrides.set_value(config, key, text)
    with cli.quiet_imports():
        import tensorflow as tf

        from data_pipelines.batches import pipeline
        from trainers.training import assembly, distribution, dry_run, workdir

    if config.deterministic:
        tf.config.experimental.enable_op_determinism()
    prepared = pipeline.open_prepared(_DATA.value)
    config.init = _INIT.value or config.init
    if not (config.init or config.model.name):
        raise cli.UsageError("the config names no network: give --init")
    assembly.complete(config, prepared, _WORKDIR.value)
    finished = os.path.join(_WORKDIR.value, "report.md")
    if not _DRY_RUN.value:
        workdir.require_same(_WORKDIR.value, config, prepared)
        if os.path.exists(finished):
            print(f"{_WORKDIR.value} is finished; see {finished}")
            return
    strategy = distribution.make_strategy(config)
    run = assembly.assemble(
        config, prepared, _WORKDIR.value, strategy=strategy, started=_STARTED
    )
    run.check()
    if config.mixed_crops and run.workdir.writes:
        first = prepared.folders[0]
        print(f"the model is given crops as in {first}, whatever the other folders'")
    if _DRY_RUN.value:
        print(dry_run.describe(run))
        return
    _run_or_restart(run, strategy)


def _run_or_restart(run, strategy):
    """Trains and reports; begins again if another worker was lost."""
    from trainers.training import distribution, report

    try:
        with run.workdir.opened():
            run.train()
            if run.workdir.writes:
                print(report.finish(run))
            distribution.meet(strategy)
    except Exception as error:
        if not distribution.several_hosts(strategy):
            raise
        if run.trained and distribution.is_lost_worker(error):
            print("a worker was lost; going on when it is back", file=sys.stderr)
            distribution.begin_again()
        cli.explain(error)
        # The other workers wait for this process, and an orderly exit waits for them.
        os._exit(1)


def _reason(file, error):
    if not os.path.isfile(file):
        return "no such file"
    return " ".join(str(error).split()) or type(error).__name__


def _take_overrides(argv):
    """Separates `--config.KEY=VALUE` from the other flags.

    `ml_collections` would refuse arguments of the builder that the config does not
    name, and would not suggest a key for a misspelt one.
    """
    rest, settings, argv = [], [], list(argv)
    while argv:
        flag = argv.pop(0)
        match = _OVERRIDE.fullmatch(flag)
        if not match:
            rest.append(flag)
            continue
        key, text = match.groups()
        if text is None:  # `--config.KEY VALUE`, or a switch that is turned on.
            text = argv.pop(0) if argv and not argv[0].startswith("--") else "true"
        settings.append((key, text))
    return rest, settings


if __name__ == "__main__":
    sys.argv, settings = _take_overrides(sys.argv)
    cli.run(lambda: main(settings), required=("config", "data", "workdir"))
