r"""Scores a finished run's best weights on a split, without touching the run.

python -m trainers.evaluate --workdir=runs/meen_vgg19 --data=data/fer2013 \
    --split=test --json=scores.json [--pictures=DIR]

Every metric but the calibration error comes with a 95 % interval (whole people, or
videos, are resampled where the data names them). Each group of people that the data
names has its first metric here, and the main ones in the JSON. Where expressions are
predicted, each has its recall and precision (in the JSON there is the whole confusion
matrix), a temperature is fitted on the validation split, and the accuracy is given of
the surest 100, 90, 80 and 70 % of the faces.

--outputs=FILE.npz keeps what is said of each face beside what is true, so that anyone
can compute every number again: `trainers.evaluation.predictions.Predictions.load`.

--predictions=FILE.csv in place of --workdir scores what another program says of the
pictures, by the same measures. `trainers/evaluation/foreign.py` says what is in it.
"""

import os

from absl import flags

from fer_tf.export import score_tables
from fer_tf.model_io.protocol import Protocol
from fer_tf.scores import confusion
from fer_tf.scores.calibration import temperature_text
from fer_tf.scores.text import number, reading
from fer_tf.utils import atomic
from trainers.common import cli

_WORKDIR = flags.DEFINE_string("workdir", None, "Workdir, or a model folder.")
_PREDICTIONS = flags.DEFINE_string(
    "predictions", None, "Or: a CSV of what another program says."
)
_DATA = flags.DEFINE_string("data", None, "Prepared folder.")
_SPLIT = flags.DEFINE_enum("split", "test", ["train", "validation", "test"], "Split.")
_PROTOCOL = flags.DEFINE_enum(
    "protocol", Protocol.CLEAN, list(Protocol),
    "Weights chosen on validation data (clean) or on the test set (paper).",
)  # fmt: skip
_JSON = flags.DEFINE_string("json", None, "File for the scores.")
_OUTPUTS = flags.DEFINE_string("outputs", None, "File (npz) for each face's outputs.")
_PICTURES = flags.DEFINE_string("pictures", None, "Folder for pictures of them.")
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 128, "Crops per batch.", lower_bound=1)


def main() -> None:
    """Entry point of the command line."""
    if bool(_WORKDIR.value) == bool(_PREDICTIONS.value):
        cli.fail("give either --workdir or --predictions", code=2)
    cli.require_no_folder(_JSON)
    cli.require_no_folder(_OUTPUTS)
    if _JSON.value:
        os.makedirs(os.path.dirname(os.path.abspath(_JSON.value)), exist_ok=True)
    read = _of_predictions if _PREDICTIONS.value else _of_model
    result, predictions = read()
    if _OUTPUTS.value:
        predictions.save(os.path.abspath(_OUTPUTS.value))
    if _JSON.value:
        atomic.write_json(_JSON.value, result)
    for line in _lines(result):
        print(line)


def _of_predictions():
    from data_pipelines.storage.prepared import open_prepared
    from trainers.evaluation import foreign, measure

    prepared = open_prepared(_DATA.value)
    predictions = foreign.predictions_of(_PREDICTIONS.value, prepared, _SPLIT.value)
    expressions = (*prepared.expressions, foreign.NO_FACE)
    scores = measure.measure_split(predictions, expressions=expressions)
    _draw(predictions, scores, prepared, os.path.basename(_PREDICTIONS.value))
    result = {
        "dataset": prepared.dataset,
        "split": _SPLIT.value,
        "predictions": os.path.basename(_PREDICTIONS.value),
        **scores,
    }
    return result, predictions


def _of_model():
    with cli.quiet_imports():
        from data_pipelines.batches import pipeline
        from fer_tf.model_io import model_folder, serving
        from fer_tf.model_io.card import read_card
        from trainers.evaluation import measure, of_model

    folder = model_folder.find(_WORKDIR.value, protocol=_PROTOCOL.value)
    model = model_folder.load(folder)
    prepared = pipeline.open_prepared(_DATA.value)
    predict = of_model.predictor(
        model, prepared, workdir=_WORKDIR.value, batch_size=_BATCH_SIZE.value
    )
    predictions = predict(_SPLIT.value)
    validation = predictions if _SPLIT.value == "validation" else None
    if validation is None and prepared.count("validation"):
        if "expression" in predictions.outputs:  # A temperature is fitted on it.
            validation = predict("validation")
    scores = measure.measure_split(
        predictions,
        validation,
        expressions=model.card.expressions,
        derived=prepared.derived,
    )
    trained = serving.read_out(model.output, model.card)
    if not scores["metrics"]:
        raise ValueError(
            f"{_DATA.value}: no {_SPLIT.value} example has a label of what the model "
            f"predicts ({', '.join(trained)})"
        )
    described = read_card(folder)
    result = {
        "dataset": prepared.dataset,
        "split": _SPLIT.value,
        "protocol": described.get("protocol", _PROTOCOL.value),
        "checkpoint": f"step {described.get('step', 'unknown')}",
        **scores,
    }
    if "derived" in described:
        result["trained_on_derived"] = described["derived"]
    if untrained := sorted(model.output.keys() - trained.keys()):
        result["not_trained"] = untrained
    _draw(predictions, scores, prepared, model.card.model)
    return result, predictions


def _draw(predictions, scores, prepared, name):
    if not _PICTURES.value:
        return
    from trainers.evaluation import plots

    os.makedirs(_PICTURES.value, exist_ok=True)
    plots.draw(
        predictions,
        scores,
        _PICTURES.value,
        expressions=prepared.expressions,
        title=f"{name} on {prepared.dataset}, {_SPLIT.value}",
    )


def _lines(result):
    """The result for people."""
    yield (
        f"{result['dataset']}, {result['split']}, {_whose(result)}: "
        f"{score_tables.examples(result)}"
    )
    for name, value in result["metrics"].items():
        yield f"{name:22} {reading(value, result['intervals'].get(name))}"
    for note in score_tables.notes(result):
        yield f"note: {note}"
    if "not_trained" in result:
        names = ", ".join(result["not_trained"])
        yield f"note: nothing trained these, so they are not measured: {names}"
    for row in confusion.expression_rates(result.get("confusion")):
        precision = ""
        if row.precision is not None:
            precision = f", precision {reading(row.precision, row.precision_ends)}"
        yield (
            f"{row.name:22} recall {reading(row.recall, row.recall_ends)}"
            f"{precision}, {row.num_examples:,} examples"
        )
    if calibration := result.get("calibration"):
        yield from _calibration_lines(calibration)
    for attribute, values in result.get("groups", {}).items():
        for value, group in values.items():
            yield f"{attribute + ' ' + value:22} {_group_line(group)}"


def _whose(result):
    """The protocol, or whose predictions they are."""
    if "predictions" in result:
        return result["predictions"]
    return f"protocol {result['protocol']}"


def _group_line(group):
    examples = score_tables.examples(group)
    if not group["metrics"]:
        return examples
    name, value = next(iter(group["metrics"].items()))
    return f"{name} {reading(value, group['intervals'].get(name))}, {examples}"


def _calibration_lines(calibration):
    temperature = calibration["temperature"]
    if temperature is None:
        yield "temperature            none: no validation examples to fit it on"
    else:
        effect = "fitted on these examples"
        if calibration["ece_after"] is not None:
            before, after = calibration["ece_before"], calibration["ece_after"]
            effect = f"ece {number(before)} -> {number(after)}"
        yield f"temperature            {temperature_text(temperature)}  ({effect})"
    for row in calibration["coverage"]:
        name = f"accuracy at {row['coverage']:.0%}"
        yield (
            f"{name:22} {reading(row['accuracy'], row.get('interval'))}  "
            f"(confidence from {row['confidence']:.3f})"
        )


if __name__ == "__main__":
    cli.run(main, required=("data",))
