r"""Trains one row of a paper's table, or goes on with it where it was stopped.

python -m trainers.train --config=trainers/configs/meen_vgg19_fer2013.py \
    --data=data/fer2013 --workdir=runs/meen_vgg19 [--config.seed=1 ...]

`--config.KEY=VALUE` sets a key of the config, `--config.model.arguments.NAME=VALUE`
any argument of the model's builder, for instance
`--config.model.arguments.skip=False`. A config is a Python file, and is run.

The workdir then holds config.json, checkpoints/, best/ (weights by protocol),
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
_OVERRIDE = re.compile(r"--?config\.([^=]*)(?:=(.*))?", re.DOTALL)
_DRY_RUN = flags.DEFINE_bool("dry_run", False, "Describe the run; train nothing.")


def main(given: list[tuple[str, str]]) -> None:
    """Entry point of the command line.

    Args:
        given: Keys and values of the config, as `_take_overrides` found them.
    """
    config = _CONFIG.value
    try:
        config.to_dict()  # A file that failed to load says so only when it is used.
    except Exception as error:  # Whatever a config file may raise.
        file = config_flags.get_config_filename(flags.FLAGS["config"])
        cli.fail(f"--config: {file} cannot be loaded: {_reason(file, error)}", code=2)
    for key, text in given:
        overrides.set_value(config, key, text)
    with cli.quiet_imports():
        import tensorflow as tf

        from data_pipelines.batches import pipeline
        from trainers.training import (
            assembly,
            distribution,
            dry_run,
            precision,
            report,
            workdir,
        )

    if config.deterministic:
        tf.config.experimental.enable_op_determinism()
    precision.settle(config, _WORKDIR.value)
    prepared = pipeline.open_prepared(_DATA.value)
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
        # The others wait until this process is gone, and an orderly end for them.
        os._exit(1)


def _reason(file, error):
    if not os.path.isfile(file):
        return "no such file"
    return " ".join(str(error).split()) or type(error).__name__


def _take_overrides(argv):
    """Parts `--config.KEY=VALUE` from the other flags.

    A config's own flags know neither the arguments of a builder that it does not name
    nor which key was meant by one that is not there.
    """
    rest, found, argv = [], [], list(argv)
    while argv:
        flag = argv.pop(0)
        match = _OVERRIDE.fullmatch(flag)
        if not match:
            rest.append(flag)
            continue
        key, text = match.groups()
        if text is None:  # `--config.KEY VALUE`, or a switch that is turned on.
            text = argv.pop(0) if argv and not argv[0].startswith("--") else "true"
        found.append((key, text))
    return rest, found


if __name__ == "__main__":
    sys.argv, overridden = _take_overrides(sys.argv)
    cli.run(lambda: main(overridden), required=("config", "data", "workdir"))
