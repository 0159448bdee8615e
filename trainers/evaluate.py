r"""Scores a finished run's best weights on a split, without touching the run.

python -m trainers.evaluate --workdir=runs/meen_vgg19 --data=data/fer2013 \
    --split=test --json=scores.json
"""

import dataclasses

from absl import flags

from trainers import cli

_WORKDIR = flags.DEFINE_string("workdir", None, "Workdir, or a model folder.")
_DATA = flags.DEFINE_string("data", None, "Prepared folder.")
_SPLIT = flags.DEFINE_enum("split", "test", ["train", "validation", "test"], "Split.")
_PROTOCOL = flags.DEFINE_enum(
    "protocol", "clean", ["clean", "paper"],
    "Weights chosen on validation data (clean) or on the test set (paper).",
)  # fmt: skip
_JSON = flags.DEFINE_string("json", None, "File for the scores.")
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 128, "Crops a batch.", lower_bound=1)


def main() -> None:
    """Entry point of the command line."""
    with cli.quiet_imports():
        from data_pipelines import atomic, ops, pipeline
        from fer_tf import loading
        from fer_tf.inference import make_inference_model
        from trainers import evaluation, reporting

    folder = loading.find(_WORKDIR.value, protocol=_PROTOCOL.value)
    model = loading.load(folder)
    card, spec = model.card, model.card.crop_spec
    prepared = pipeline.open_prepared(_DATA.value)
    for found in prepared.crop_specs:
        # Size and colour are derived from the records; framing cannot be.
        derived = dataclasses.replace(found, size=spec.size, color=spec.color)
        spec.require_same(derived, f"the data in {_DATA.value}")
    stream = pipeline.eval_batches(
        prepared,
        _SPLIT.value,
        [ops.to_model_input()],
        size=spec.size,
        channels=spec.channels,
        batch_size=_BATCH_SIZE.value,
    )
    inference = make_inference_model(
        model, spec, views=card.views, average=card.average
    )
    columns = evaluation.Evaluator(inference).outputs(stream)
    described = loading.read_card(folder)
    measured = reporting.measured(columns)
    if not measured["metrics"]:
        raise ValueError(
            f"{_DATA.value}: no {_SPLIT.value} example has a label of what the model "
            f"predicts ({', '.join(model.output)})"
        )
    result = {
        "dataset": prepared.dataset,
        "split": _SPLIT.value,
        "protocol": described.get("protocol", _PROTOCOL.value),
        "checkpoint": f"step {described.get('step', 'unknown')}",
        **measured,
    }
    if _JSON.value:
        atomic.write_json(_JSON.value, result)
    for name, value in result["metrics"].items():
        interval = result["intervals"].get(name)
        shown = f"  [{interval[0]:.4f}, {interval[1]:.4f}]" if interval else ""
        print(f"{name:22} {value:.4f}{shown}")


if __name__ == "__main__":
    cli.run(main, required=("workdir", "data"))
