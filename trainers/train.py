r"""Trains one row of a paper's table, or goes on with it where it was stopped.

python -m trainers.train --config=trainers/configs/meen_vgg19_fer2013.py \
    --data=data/fer2013 --workdir=runs/meen_vgg19 [--config.seed=1 ...]

The workdir then holds config.json, checkpoints/, best/ (weights by protocol),
metrics.csv, tensorboard/, results.json and report.md with its pictures.
"""

import os

from absl import flags
from ml_collections import config_flags

from trainers import cli

_CONFIG = config_flags.DEFINE_config_file("config", None, "Config of the run.")
_DATA = flags.DEFINE_string("data", None, "Prepared folder, or several: DIR[,DIR...].")
_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the run.")
_DRY_RUN = flags.DEFINE_bool("dry_run", False, "Describe the run; train nothing.")


def main() -> None:
    """Entry point of the command line."""
    config = _CONFIG.value
    try:
        config.to_dict()  # A file that failed to load says so only when it is used.
    except Exception:  # Whatever a config file may raise.
        file = config_flags.get_config_filename(flags.FLAGS["config"])
        cli.fail(f"--config: {file} cannot be loaded", code=2)
    with cli.quiet_imports():
        import tensorflow as tf

        from data_pipelines import pipeline
        from trainers import loop, reporting, workdir

    if config.deterministic:
        tf.config.experimental.enable_op_determinism()
    prepared = pipeline.open_prepared(_DATA.value)
    if _DRY_RUN.value:
        print(reporting.describe(config, prepared))
        return
    workdir.require_same(_WORKDIR.value, config, prepared)
    report = os.path.join(_WORKDIR.value, "report.md")
    if os.path.exists(report):
        print(f"{_WORKDIR.value} is finished; see {report}")
        return
    run = loop.Run(config, prepared, _WORKDIR.value)
    run.train()
    print(reporting.finish(run))


if __name__ == "__main__":
    cli.run(main, required=("config", "data", "workdir"))
