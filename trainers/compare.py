r"""Compares two networks on the same faces.

python -m trainers.compare runs/first runs/second --json=comparison.json \
    --picture=comparison.png [--data=data/fer2013 --split=test]

Each is a workdir, or several with a comma between them: the seeds of one network.
Without --data, what the finished runs said of their test set is compared; a file of
`trainers.evaluate --outputs`, such as those of saved_models/results/predictions/, can
stand for a run. With --data, both read a split anew, and model folders and names of the
catalog can be compared too.

The difference of each metric, and of each expression's recall, has a 95 % interval
over other faces: people, else videos or faces, are resampled, the same for both. With
several seeds a metric's also covers other seeds, a recall's does not. Without, it is
about these very weights.
"""

import os

from absl import flags

from fer_tf.model_io.protocol import Protocol
from fer_tf.scores.text import interval, number
from fer_tf.utils import atomic
from trainers.common import cli

_DATA = flags.DEFINE_string("data", None, "Prepared folder that both read anew.")
_SPLIT = flags.DEFINE_enum(
    "split", "test", ["train", "validation", "test"], "Split of --data."
)
_PROTOCOL = flags.DEFINE_enum(
    "protocol", Protocol.CLEAN, list(Protocol),
    "Weights chosen on validation data (clean) or on the test set (paper).",
)  # fmt: skip
_JSON = flags.DEFINE_string("json", None, "File for the comparison.")
_PICTURE = flags.DEFINE_string("picture", None, "File for its picture, .png.")
_FILE = ".npz"
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 128, "Crops per batch.", lower_bound=1)


def main(first: str, second: str) -> None:
    """Entry point of the command line.

    Args:
        first: Workdirs or files of predictions, with commas between them.
        second: As `first`.
    """
    files = [flag for flag in (_JSON, _PICTURE) if flag.value]
    for flag in files:
        cli.require_no_folder(flag)
    with cli.quiet_imports():
        from trainers.tables import comparison

    predictions = _reader()
    sides = [text.split(",") for text in (first, second)]
    read = [[predictions(path) for path in side] for side in sides]
    expressions = _expressions(sides)
    result = {
        "first": sides[0],
        "second": sides[1],
        "protocol": _PROTOCOL.value,
        "data": _DATA.value,
        "split": _SPLIT.value if _DATA.value else "test",
        **comparison.compare(*read, expressions),
    }
    for flag in files:
        os.makedirs(os.path.dirname(os.path.abspath(flag.value)), exist_ok=True)
    if _JSON.value:
        atomic.write_json(_JSON.value, result)
    if _PICTURE.value:
        from fer_tf.plotting.style import save_figure
        from trainers.tables import comparison_plot

        save_figure(comparison_plot.draw(result), _PICTURE.value)
    for line in _lines(result):
        print(line)


def _reader():
    """Returns what gives the predictions of a workdir."""
    if not _DATA.value:
        return _kept
    from data_pipelines.storage.prepared import open_prepared
    from fer_tf.model_io import model_folder
    from trainers.evaluation import of_model

    prepared = open_prepared(_DATA.value)

    def anew(path):
        model = model_folder.load(path, protocol=_PROTOCOL.value)
        predict = of_model.predictor(
            model, prepared, workdir=path, batch_size=_BATCH_SIZE.value
        )
        return predict(_SPLIT.value)

    return anew


def _kept(path):
    """What a finished run said of its test set."""
    from trainers.evaluation.predictions import Predictions

    file = os.path.join(path, "outputs", f"{_PROTOCOL.value}.npz")
    if path.endswith(_FILE):
        return Predictions.load(path)
    if not os.path.isdir(path):
        raise ValueError(f"{path}: no such folder")
    if not os.path.isfile(file):
        raise ValueError(
            f"{path}: no finished run that kept what it said ({file}); --data=DIR has "
            "it read a prepared folder"
        )
    return Predictions.load(file)


def _expressions(sides):
    """Names of the expressions of both; empty if they are not the same."""
    from fer_tf.model_io import model_folder
    from fer_tf.model_io.card import card_from, read_card

    names = set()
    for path in (path for side in sides for path in side):
        if path.endswith(_FILE):
            return ()  # It holds numbers of classes, and no names.
        folder = model_folder.find(path, protocol=_PROTOCOL.value)
        names.add(tuple(card_from(read_card(folder)).expressions))
    return names.pop() if len(names) == 1 else ()


def _lines(result):
    """The result for people."""
    yield f"{'':22} {'first':>8} {'second':>8}  first less second"
    for name, row in (*result["metrics"].items(), *result.get("recall", {}).items()):
        ends = row.get("interval") or row["faces"]
        verdict = f"{row['better']} is better" if row["better"] else "not decided"
        yield (
            f"{name:22} {number(row['first']):>8} {number(row['second']):>8}  "
            f"{number(row['difference'])}{interval(ends)}, {verdict}"
        )
    if test := result.get("mcnemar"):
        yield (
            f"only the first is right on {test['first']:,} faces, only the second on "
            f"{test['second']:,}: McNemar's exact test, p = {test['p']:.2g}"
        )
    yield sentence(result)


def sentence(result: dict) -> str:
    """The comparison in a sentence, by its first metric."""
    name, row = next(iter(result["metrics"].items()))
    faces, seeds = f"{result['num_examples']:,} faces", result["seeds"]
    if row["better"] is None:
        found = f"{name} does not decide between them"
    else:
        found = f"by {name} the {row['better']} is better"
    if row["interval"]:
        scope = f"over other faces and seeds ({seeds[0]} and {seeds[1]} runs)"
    elif max(seeds) > 1:
        scope = f"over other faces ({seeds[0]} and {seeds[1]} runs)"
    else:
        scope = "over other faces, of these weights; other seeds may differ"
    ends = interval(row["interval"] or row["faces"])
    return f"On {faces} {found}: {number(row['difference'])}{ends} {scope}."


if __name__ == "__main__":
    cli.run(main, takes=("WORKDIR", "WORKDIR"))
