r"""Trains every row of a paper's table, and writes it beside what was measured.

python -m trainers.reproduce --table=wang_2 --data=data/affectnet --workdir=runs/wang
python -m trainers.reproduce --table=meen_1 --data=data/fer2013,data/facenonface \
    --workdir=runs/meen --seeds=3
python -m trainers.reproduce --table=gan_5 --data=data/ckplus --workdir=runs/gan \
    --vgg_face=rcmalli_vggface_tf_notop_vgg16.h5

The workdir then holds <table>.json, <table>.md and its pictures, and in runs/ a
workdir of trainers.train for each run. Killed anywhere, the same command goes on;
tables that share runs share them in one workdir. CK+ is prepared once, with any
fold: its ten folds are dealt from it. --scale=smoke takes minutes, with narrow
networks and a few steps, and says so wherever a number stands.
"""

import os
import re
import sys

from absl import flags

from trainers.common import cli
from trainers.tables import papers

_TABLE = flags.DEFINE_enum("table", None, list(papers.TABLES), "Which table.")
_DATA = flags.DEFINE_string(
    "data", None, "Prepared folders, DIR[,DIR...], or a folder that holds some."
)
_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the runs and the tables.")
_SCALE = flags.DEFINE_enum(
    "scale", "full", ["full", "smoke"], "The paper's budget, or minutes."
)
_SEEDS = flags.DEFINE_integer(
    "seeds", None, "Runs per row, seeds 0, 1, ...; by default as many as the paper's.",
    lower_bound=1,
)  # fmt: skip
_ROWS = flags.DEFINE_string("rows", "", "Train some rows only, by name or config: A,B.")
_EPOCHS = flags.DEFINE_integer(
    "epochs", 0, "Epochs of a run in place of the paper's; recorded.", lower_bound=0
)
_OVERRIDE = flags.DEFINE_multi_string(
    "override",
    [],
    "Another value in every config, KEY=VALUE; recorded. stages[-1] is the last one.",
)
_VGG_FACE = flags.DEFINE_string("vgg_face", "", "File of VGG-Face's weights.")
_VGGFACE2 = flags.DEFINE_string("vggface2", "", "File of VGGFace2's SE-ResNet-50.")
_FROM_SCRATCH = flags.DEFINE_bool(
    "from_scratch", False, "Do without published weights where the paper has them."
)


def main() -> None:
    """Entry point of the command line."""
    table = papers.TABLES[_TABLE.value]
    chosen = _chosen_rows(table)
    if "," in _WORKDIR.value:
        cli.fail("--workdir: a comma would part the folders of its folds", code=2)
    overrides = dict(_key_and_value(text) for text in _OVERRIDE.value)
    if "seed" in overrides:
        cli.fail("--override: the seeds are those of --seeds", code=2)
    with cli.quiet_imports():
        import tensorflow as tf

        from fer_tf.utils import atomic
        from trainers.tables import plan, runs

    # The runs' processes have the accelerators to themselves.
    tf.config.set_visible_devices([], "GPU")
    smoke = _SCALE.value == "smoke"
    choices = plan.Choices(
        workdir=_WORKDIR.value,
        scale=_SCALE.value,
        seeds=_SEEDS.value or (1 if smoke else table.runs),
        epochs=_EPOCHS.value,
        overrides=overrides,
        published={"vgg_face": _VGG_FACE.value, "vggface2": _VGGFACE2.value},
        from_scratch=_FROM_SCRATCH.value,
    )
    sources = plan.find_sources(_DATA.value, table)
    if sources.unused:
        print(f"not used by this table: {', '.join(sources.unused)}", flush=True)
    os.makedirs(_WORKDIR.value, exist_ok=True)
    with atomic.locked(os.path.join(_WORKDIR.value, ".lock")):
        planned = plan.plan(table, table.rows, sources, choices)
        every = {run.path: run for row in planned for run in row.all_runs}
        runs.check(every.values())
        _train(table, planned, chosen, sources, choices)


def _train(table, planned, chosen, sources, choices):
    """Trains the chosen rows, and writes the table after each."""
    from trainers.tables import report

    wanted = [row for row in planned if row.row.name in chosen]
    for row in wanted:
        if row.reason:
            print(f"{row.row.name}: not trained: {row.reason}", flush=True)
    paths = dict.fromkeys(run.path for row in wanted for run in row.all_runs)
    numbers = {path: number for number, path in enumerate(paths, 1)}
    if not numbers:
        raise ValueError("no row can be trained; see above for what is missing")
    write = lambda: report.write(_TABLE.value, table, planned, sources, choices)
    text = write()
    for row in wanted:
        for run in row.all_runs:
            state = "trained already" if run.finished else "training"
            shown = f"[{numbers[run.path]}/{len(numbers)}] {run.name}: {state}"
            print(shown, flush=True)
            if not run.finished and (code := run.train()):
                sys.exit(code)  # What is wrong, the run has said itself.
        if row.runs:
            text = write()
    print(text)
    print(f"written to {os.path.join(choices.workdir, _TABLE.value)}.md, .json, .png")


def _chosen_rows(table):
    """Names of the rows that `--rows` names, or of all that are ours."""
    # Names such as "(256,128)" hold commas themselves.
    wanted = [part.strip() for part in re.split(r",(?![^(]*\))", _ROWS.value) if part]
    ours = {row.name: {row.name, *row.configs} for row in table.rows if row.configs}
    for name in wanted:
        if not any(name in known for known in ours.values()):
            cli.fail(
                f"--rows: no row {name!r} to train; there are {', '.join(ours)}", code=2
            )
    return {row for row, known in ours.items() if not wanted or known & set(wanted)}


def _key_and_value(text):
    key, equals, value = text.partition("=")
    if not key or not equals:
        cli.fail(f"--override must be KEY=VALUE, is {text!r}", code=2)
    return key, value


if __name__ == "__main__":
    cli.run(main, required=("table", "data", "workdir"))
