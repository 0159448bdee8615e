"""A model folder's README.md, written from what its `model.json` says."""

from collections.abc import Mapping
from typing import Any

from fer_tf import labels
from fer_tf.dataset_facts import UNKNOWN, DatasetFacts
from fer_tf.export import score_tables
from fer_tf.model_io.balance import BALANCE
from fer_tf.model_io.card import COVERAGE, unsure_below
from fer_tf.model_io.protocol import Protocol
from fer_tf.scores.text import number
from fer_tf.utils.markdown import head, line

_SHOWS = {
    "expressions": "which of these expressions a face shows, as probabilities",
    "valence_arousal": "valence and arousal, each in -1 to 1",
    "valence": "valence, in -1 to 1",
    "arousal": "arousal, in -1 to 1",
    "action_units": "which of these action units are active, as probabilities",
    "faces": "whether a crop shows a face, as probabilities",
}
_USES = {
    "saved_model": (
        "TensorFlow",
        "model = tf.saved_model.load(FOLDER)\n"
        'model.signatures["serving_default"](crops=uint8_crops)\n'
        'model.signatures["serve_bytes"](encoded=[jpeg_or_png_bytes])\n'
        'model.signatures["describe"]()  # names, crop spec, notes',
    ),
    "litert_float32": (
        "LiteRT (TFLite)",
        'Interpreter(model_path="model.tflite").get_signature_runner()'
        "(crops=one_crop[None])",
    ),
    "litert_int8": (
        "LiteRT (TFLite) in whole numbers",
        'Interpreter(model_path="model_int8.tflite").get_signature_runner()'
        "(crops=one_crop[None])\n# uint8 out: (value - zero_point) * scale",
    ),
    "onnx": (
        "ONNX",
        'InferenceSession("model.onnx").run(None, {"crops": uint8_crops})',
    ),
    "keras": ("Keras, with this package", 'fer_tf.load("FOLDER/model.keras")'),
}


def render(name: str, described: Mapping[str, Any]) -> str:
    """The card as Markdown.

    Args:
        name: Of the model.
        described: What `model.json` says. A part that it lacks is left out, or
            named as not known.
    """
    parts = [
        [f"# {name}", "", *_summary(described)],
        ["## Use", "", *_use(name, described)],
        ["## Intended use and limits", "", *_limits(described)],
        ["## Data", "", *_data(described)],
        ["## Measured", "", *_scores(described)],
        *_elsewhere(described),
        ["## Crops", "", *_crops(described)],
        ["## Files", "", *_files(described)],
        ["## How it was made", "", *_made(described)],
    ]
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


def _summary(described):
    size = described.get("parameters")
    size = f" with {size:,} parameters" if size else ""
    yield f"`{described['model']}`{size}. It says:"
    yield ""
    for key, what in _SHOWS.items():
        if names := described["names"].get(key):
            if key == "expressions" and labels.are_own(names):
                what = what.replace(key, "classes")
            yield f"- {what}: {', '.join(names)}"


def _use(name, described):
    yield "```python"
    yield "# By its name in the catalog, or by the path of this folder:"
    yield f'fer_tf.Predictor("{name}").predict("photo.jpg")'
    yield "```"
    yield ""
    for key in (key for key in described["formats"] if key in _USES):
        title, code = _USES[key]
        yield from (f"{title}:", "", "```python", code, "```", "")
    yield (
        "`crops` are faces aligned as below, uint8 from 0 to 255; scaling, windows and "
        "their mean are inside. A photograph's EXIF orientation must have been applied "
        "before: `fer_tf.Predictor` does so, the other formats do not."
    )


def _limits(described):
    yield (
        "For research, teaching and trying out. It names what a face shows as the "
        "labels of its data do; it does not know what a person feels. It was not "
        "tested for decisions about people, and is not meant for any."
    )
    yield ""
    yield (
        "It takes one face per crop, of the framing it was trained on. What it was not "
        "measured on, below, is not known: other data, other cameras, and, unless a "
        "table says so, how it differs between groups of people."
    )
    if described.get("note"):
        yield from ("", f"**{described['note']}**")


def _data(described):
    if "dataset" not in described:
        yield "The data it was trained on are not stated."
        return
    if tasks := described.get("derived"):
        yield f"**It was trained on {score_tables.derived_words(tasks)}.**"
        yield ""
    for place, facts in enumerate(_facts(described)):
        yield from ("",) * (place > 0)
        yield f"**{facts.title}.** {facts.pictures}"
        yield ""
        yield f"- Labels: {facts.labels}"
        yield f"- Who is in it, who is missing: {facts.people}"
        yield f"- Terms: {facts.terms}"
        if facts.flaws:
            yield f"- Known flaws: {facts.flaws}"


def _facts(described):
    """What the card's data sets state of themselves."""
    return [DatasetFacts(**f) for f in described.get("dataset_facts", ())] or [UNKNOWN]


def _scores(described):
    measured = described.get("measured") or {}
    splits = {
        split: measured[split]
        for split in ("validation", "test")
        if measured.get(split, {}).get("metrics")
    }
    if not splits:
        yield "Nothing measured came with the weights."
        return
    last, scores = list(splits.items())[-1]
    if described.get("protocol") in list(Protocol):
        protocol = Protocol(described["protocol"])
        yield f"Protocol `{protocol}`: {protocol.meaning(reported_on=last)}."
        yield ""
    yield from score_tables.metrics(f"metric ({described['dataset']})", splits)
    yield from ("", score_tables.NOTE, score_tables.meanings(splits))
    for note in score_tables.notes(scores):
        yield f"On {last}, {note}."
    yield from score_tables.expressions(scores.get("confusion"), last)
    if scores.get("calibration", {}).get("ece_after") is not None:
        inside = described.get("temperature")
        yield from ("", *score_tables.calibration(scores["calibration"], last, inside))
    if share := described.get(BALANCE):
        yield from ("", score_tables.balance(share))
    level = unsure_below(described)
    if level is not None:
        yield from ("", _unsure(level))
    if scores.get("groups"):
        yield from ("", *score_tables.groups(scores["groups"], last))


def _unsure(level):
    return (
        "`trainers.predict` and `fer_tf.Predictor` call a face `unsure` where its most "
        f"probable expression has less than {level:.3f}. That bounds the surest "
        f"{COVERAGE:.0%} of these faces; of other pictures, another share is unsure."
    )


def _elsewhere(described):
    for title, scores in (described.get("measured_elsewhere") or {}).items():
        yield score_tables.on_other_data(title, scores)


def _crops(described):
    spec = described["crop_spec"]
    points = "; ".join(f"({x:.4f}, {y:.4f})" for x, y in spec["template"])
    yield (
        f"Spec `{spec['name']}`, version {spec['version']}: {spec['size']}x"
        f"{spec['size']}, {spec['color']}, by a {spec['transform']} transform of five "
        f"landmarks (eyes, nose, corners of the mouth) to {points} of the side, "
        f"{spec['interpolation']}. The model sees its views `{described['views']}` and "
        f"averages {described['average']}."
    )


def _files(described):
    yield from head(["file", "bytes", "sha256"])
    weights = described["weights"]
    for path, facts in {weights["file"]: weights, **described["files"]}.items():
        yield line([path, f"{facts['bytes']:,}", f"`{facts['sha256']}`"])
    if described["formats"]:
        yield from ("", *_checks(described))


def _checks(described):
    """How far the formats are from Keras."""
    checked, formats = described["checked_on"], described["formats"]
    yield (
        f"Each format against Keras on {checked['crops']:,} crops "
        f"({checked['source']}), largest and mean absolute difference of any output:"
    )
    yield ""
    yield from head(
        ["format", "largest", "mean", "same expression", "accuracy",
         "accuracy in Keras"]
    )  # fmt: skip
    for name, check in formats.items():
        cells = [
            name,
            f"{max(check['largest_difference'].values()):.2g}",
            f"{max(check['mean_difference'].values()):.2g}",
            *(_percent(check, k) for k in ("agreement", "accuracy", "keras_accuracy")),
        ]
        yield line(cells)
    if encoded := formats.get("saved_model", {}).get("encoded"):
        yield ""
        yield (
            f"`serve_bytes`, on {encoded['crops']} pictures made of them, PNG and "
            "JPEG, grey and colour, against Keras on the pixels that `Predictor` "
            f"reads: at most {max(encoded['largest_difference'].values()):.2g}."
        )
    if "litert_int8" in formats and described.get("calibrated_on"):
        yield ""
        yield f"The ranges of `litert_int8` were set by: {described['calibrated_on']}."


def _percent(check, key):
    return f"{number(check[key], percent=True)} %" if key in check else ""


def _made(described):
    training = described.get("training") or {}
    if training.get("command"):
        yield from ("```bash", training["command"], "```", "")
    examples = training.get("num_train")
    facts = [
        ("Examples trained on", None if examples is None else f"{examples:,}"),
        ("Epochs", training.get("epochs")),
        ("Seed", training.get("seed")),
        ("Minutes", training.get("minutes")),
        ("Chosen at epoch", described.get("epoch")),
    ]
    yield from (f"- {title}: {value}" for title, value in facts if value is not None)
    for package, version in (described.get("versions") or {}).items():
        yield f"- {package} {version}"
    yield "- The whole config is in `model.json`." if training.get("config") else ""
