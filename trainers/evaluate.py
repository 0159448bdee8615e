r"""Scores a finished run's best weights on a split, without touching the run.

python -m trainers.evaluate --workdir=runs/meen_vgg19 --data=data/fer2013 \
    --split=test --json=scores.json [--pictures=DIR]

Every metric but the calibration error comes with a 95 % interval (whole people, or
videos, are resampled where the data names them). Each group of people that the data
names has its first metric here, and the main ones in the JSON. Where expressions are
predicted, each has its recall and precision (in the JSON there is the whole confusion
matrix), a temperature is fitted on the validation split, and the accuracy is given of
the surest 100, 90, 80 and 70 % of the faces.
"""

import os

from absl import flags

from fer_tf.export import model_card
from fer_tf.scores import confusion
from trainers.common import cli

_WORKDIR = flags.DEFINE_string("workdir", None, "Workdir, or a model folder.")
_DATA = flags.DEFINE_string("data", None, "Prepared folder.")
_SPLIT = flags.DEFINE_enum("split", "test", ["train", "validation", "test"], "Split.")
_PROTOCOL = flags.DEFINE_enum(
    "protocol", "clean", ["clean", "paper"],
    "Weights chosen on validation data (clean) or on the test set (paper).",
)  # fmt: skip
_JSON = flags.DEFINE_string("json", None, "File for the scores.")
_PICTURES = flags.DEFINE_string("pictures", None, "Folder for pictures of them.")
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 128, "Crops a batch.", lower_bound=1)


def main() -> None:
    """Entry point of the command line."""
    if _JSON.value:
        if os.path.isdir(_JSON.value):
            cli.fail(f"--json: {_JSON.value} is a folder", code=2)
        os.makedirs(os.path.dirname(os.path.abspath(_JSON.value)), exist_ok=True)
    with cli.quiet_imports():
        from data_pipelines.batches import pipeline
        from fer_tf.model_io import model_folder, serving
        from fer_tf.model_io.card import read_card
        from fer_tf.utils import atomic
        from trainers.evaluation import measure

    folder = model_folder.find(_WORKDIR.value, protocol=_PROTOCOL.value)
    model = model_folder.load(folder)
    prepared = pipeline.open_prepared(_DATA.value)
    outputs = _evaluator(model, prepared)
    columns = outputs(_SPLIT.value)
    validation = columns if _SPLIT.value == "validation" else None
    if validation is None and prepared.count("validation"):
        if "expression" in columns:  # A temperature is fitted on it.
            validation = outputs("validation")
    measured = measure.measured(columns, validation, expressions=model.card.expressions)
    trained = serving.read_out(model.output, model.card)
    if not measured["metrics"]:
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
        **measured,
    }
    if untrained := sorted(model.output.keys() - trained.keys()):
        result["not_trained"] = untrained
    if _JSON.value:
        atomic.write_json(_JSON.value, result)
    if _PICTURES.value:
        _draw(columns, measured, prepared, model.card.model)
    for line in _lines(result):
        print(line)


def _evaluator(model, prepared):
    """Returns `outputs(split)`: what the model says of every example of a split.

    A head that nothing trained says nothing.

    Raises:
        ValueError: If the data was cropped by another recipe than the model's, or
            has labels of other names.
    """
    import keras
    import numpy as np

    from data_pipelines.batches import ops, pipeline
    from fer_tf.model_io import serving
    from fer_tf.model_io.views import make_inference_model
    from trainers.evaluation import agreement
    from trainers.evaluation import evaluator as evaluation

    card, spec = model.card, model.card.crop_spec
    agreement.require_crops(spec, prepared, workdir=_WORKDIR.value)
    inference = make_inference_model(
        model, spec, views=card.views, average=card.average
    )
    trained = keras.Model(inference.input, serving.read_out(inference.output, card))
    evaluator = evaluation.Evaluator(trained, prepared.action_units)

    def outputs(split):
        batches = pipeline.eval_batches(
            prepared,
            split,
            [ops.to_model_input()],
            size=spec.size,
            channels=spec.channels,
            batch_size=_BATCH_SIZE.value,
        )
        columns = evaluator.outputs(batches)
        if "expression" in columns:
            used = columns["true_expression"][columns["expression_weight"] > 0]
            agreement.require_names(card, prepared, "expressions", used)
        if "action_units" in columns:
            used = np.flatnonzero(columns["action_units_weight"].any(axis=0))
            agreement.require_names(card, prepared, "action_units", used)
        return columns

    return outputs


def _draw(columns, measured, prepared, name):
    from trainers.evaluation import plots

    os.makedirs(_PICTURES.value, exist_ok=True)
    plots.draw(
        columns,
        measured,
        _PICTURES.value,
        expressions=prepared.expressions,
        title=f"{name} on {prepared.dataset}, {_SPLIT.value}",
    )


def _lines(result):
    """The result for people."""
    yield (
        f"{result['dataset']}, {result['split']}, protocol {result['protocol']}: "
        f"{model_card.examples(result)}"
    )
    for name, value in result["metrics"].items():
        yield f"{name:22} {value:.4f}{_interval(result['intervals'].get(name))}"
    if note := model_card.absent_note(result):
        yield f"note: {note}"
    if "not_trained" in result:
        names = ", ".join(result["not_trained"])
        yield f"note: nothing trained these, so they are not measured: {names}"
    for row in confusion.of_each_expression(result.get("confusion")):
        precision = "" if row.precision is None else f", precision {row.precision:.4f}"
        yield (
            f"{row.name:22} recall {row.recall:.4f}{_interval(row.recall_ends)}"
            f"{precision}{_interval(row.precision_ends)}, {row.num_examples:,} examples"
        )
    if calibration := result.get("calibration"):
        yield from _calibration_lines(calibration)
    for attribute, values in result.get("groups", {}).items():
        for value, group in values.items():
            name = next(iter(group["metrics"]), None)
            shown = "" if name is None else f"{name} {group['metrics'][name]:.4f}"
            yield (
                f"{attribute + ' ' + value:22} {shown}"
                f"{_interval(group['intervals'].get(name))}, "
                f"{model_card.examples(group)}"
            )


def _calibration_lines(found):
    if found["temperature"] is None:
        yield "temperature            none: no validation examples to fit it on"
    else:
        effect = "fitted on these examples"
        if found["ece_after"] is not None:
            effect = f"ece {found['ece_before']:.4f} -> {found['ece_after']:.4f}"
        yield f"temperature            {found['temperature']:.4f}  ({effect})"
    for row in found["coverage"]:
        name = f"accuracy at {row['coverage']:.0%}"
        yield (
            f"{name:22} {row['accuracy']:.4f}{_interval(row.get('interval'))}  "
            f"(confidence from {row['confidence']:.3f})"
        )


def _interval(ends):
    return f"  [{ends[0]:.4f}, {ends[1]:.4f}]" if ends else ""


if __name__ == "__main__":
    cli.run(main, required=("workdir", "data"))
