"""A model folder's README.md, written from what its `model.json` says."""

from collections.abc import Mapping, Sequence
from typing import Any

from fer_tf.export.dataset_facts import UNKNOWN, DatasetFacts
from fer_tf.scores import confusion

_PROTOCOLS = {
    "clean": "weights chosen on validation data, reported on test data",
    "paper": (
        "weights chosen on the test data themselves, as a paper without a validation "
        "set may have done: the test numbers flatter the model"
    ),
}
_WITHOUT_TEST = (
    "weights chosen on the very data that is reported, for want of a test split: "
    "the numbers flatter the model"
)
_SHOWS = {
    "expressions": "which of these expressions a face shows, as probabilities",
    "valence_arousal": "valence and arousal, each in -1 to 1",
    "valence": "valence, in -1 to 1",
    "arousal": "arousal, in -1 to 1",
    "action_units": "which of these action units are active, as probabilities",
    "faces": "whether a crop shows a face, as probabilities",
}
# What short names of metrics mean, where the words do not say it.
_TERMS = {
    "macro_f1": "the mean of the classes' F1",
    "expression_score": "0.67 macro_f1 + 0.33 accuracy, as in the ABAW challenge",
    "ece": "how far confidence and accuracy are apart on average, 0 at best",
    "nll": "cross-entropy in nats, 0 at best",
    "ccc_mean": "agreement of numbers (concordance correlation), 1 at best",
    "au_f1": "the mean of the action units' F1",
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
        ["## Measured", "", *_measured(described)],
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
        if key in described["names"]:
            yield f"- {what}: {', '.join(described['names'][key])}"


def _use(name, described):
    yield "```python"
    yield "# By its name in the catalog, or by the path of this folder:"
    yield f'fer_tf.Predictor("{name}").predict("photo.jpg")'
    yield "```"
    yield ""
    for key in described["formats"]:
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
        "It takes one face a crop, of the framing it was trained on. What it was not "
        "measured on, below, is not known: other data, other cameras, and, unless a "
        "table says so, how it differs between groups of people."
    )
    if described.get("note"):
        yield from ("", f"**{described['note']}**")


def _data(described):
    if "dataset" not in described:
        yield "The data it was trained on are not stated."
        return
    for facts in _facts(described):
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


def _measured(described):
    protocol = described.get("protocol")
    measured = described.get("measured") or {}
    splits = [s for s in ("validation", "test") if measured.get(s, {}).get("metrics")]
    if not splits:
        yield "Nothing measured came with the weights."
        return
    if protocol in _PROTOCOLS:
        meaning = _PROTOCOLS[protocol] if "test" in splits else _WITHOUT_TEST
        yield f"Protocol `{protocol}`: {meaning}."
        yield ""
    yield f"| metric ({described['dataset']}) | " + " | ".join(splits) + " |"
    yield "|---" * (1 + len(splits)) + "|"
    counts = [examples(measured[split]) for split in splits]
    yield f"| measured on | {' | '.join(counts)} |"
    for metric in dict.fromkeys(m for s in splits for m in measured[s]["metrics"]):
        cells = [_cell(measured[split], metric) for split in splits]
        yield f"| {metric} | {' | '.join(cells)} |"
    yield ""
    yield (
        "Fractions; in brackets 95 % bootstrap intervals, of a share of exactly 0 or 1 "
        "Clopper and Pearson's, of a single person none."
    )
    yield from _explained(m for split in splits for m in measured[split]["metrics"])
    last = measured[splits[-1]]
    if note := absent_note(last):
        yield f"On {splits[-1]}, {note}."
    yield from _expressions(last.get("confusion"), splits[-1])
    if last.get("calibration", {}).get("ece_after") is not None:
        yield from ("", *_calibration(last["calibration"], splits[-1]))
    if last.get("groups"):
        yield from ("", *_groups(last["groups"], splits[-1]))


def _expressions(found, split):
    rows = list(confusion.of_each_expression(found))
    if not rows:
        return
    yield ""
    yield (
        f"Each expression that occurs on {split}: the share of its faces that is found "
        "(recall); of the faces said to show it, the share that does (precision, which "
        "depends on how often each occurs there); and what it is most often taken for, "
        "with the share of all its faces."
    )
    yield ""
    yield "| expression | examples | recall | precision | most often taken for |"
    yield "|---|---|---|---|---|"
    for row in rows:
        taken = f"{row.taken_for} ({row.share_taken:.4f})" if row.taken_for else ""
        precision = "" if row.precision is None else f"{row.precision:.4f}"
        yield (
            f"| {row.name} | {row.num_examples:,} "
            f"| {row.recall:.4f}{interval(row.recall_ends)} "
            f"| {precision}{interval(row.precision_ends)} | {taken} |"
        )


def _explained(metrics):
    """A sentence of what the metrics' short names mean."""
    present = dict.fromkeys(metrics)
    terms = [f"`{name}`: {what}" for name, what in _TERMS.items() if name in present]
    if terms:
        yield f"{'; '.join(terms)}."


def examples(found: Mapping[str, Any]) -> str:
    """How many examples were measured, and how many of them each metric is of.

    Args:
        found: What `trainers.evaluate` measured of a split.
    """
    return f"{found['num_examples']:,} examples{_labelled(found)}"


def _labelled(found):
    """In brackets, where not all are: how many have a label of each task."""
    if all_labelled(found):
        return ""
    parts = [f"{task} {count:,}" for task, count in found["labelled"].items()]
    if unknown := found.get("unknown_expressions"):
        parts.append(f"{unknown:,} of an expression that the model lacks")
    return f" (labelled: {', '.join(parts)})"


def all_labelled(found: Mapping[str, Any]) -> bool:
    """Whether every example that was measured has a label of every task."""
    return set(found.get("labelled", {}).values()) <= {found["num_examples"]}


def absent_note(found: Mapping[str, Any]) -> str:
    """What the macro F1 means where the model has classes without an example."""
    absent = found.get("absent_expressions")
    if not absent or "macro_f1" not in found["metrics"]:
        return ""
    return (
        "expressions of the model that have no example count as 0 in macro_f1 and "
        f"expression_score: {absent}"
    )


def _calibration(found, split):
    yield (
        f"Calibration on {split}: divided by the temperature "
        f"{found['temperature']:.3f} (fitted on {found['num_fitted']:,} validation "
        f"examples), the logits' calibration error is {found['ece_after']:.4f} instead "
        f"of {found['ece_before']:.4f}. The temperature is not in the files."
    )
    yield ""
    yield "| surest part of the faces | accuracy | where the model says at least |"
    yield "|---|---|---|"
    for row in found["coverage"]:
        # One person, or one video, has no interval.
        yield (
            f"| {row['coverage']:.0%} | {row['accuracy']:.4f}"
            f"{interval(row.get('interval'))} | {row['confidence']:.3f} |"
        )


def _groups(groups, split):
    yield f"By group on {split}, as the data set names them:"
    yield ""
    there = {
        m for values in groups.values() for f in values.values() for m in f["metrics"]
    }
    metrics = [name for name in ("accuracy", "ccc_mean", "au_f1") if name in there]
    yield f"| group | examples | {' | '.join(metrics)} |"
    yield "|---" * (2 + len(metrics)) + "|"
    for attribute, values in groups.items():
        for value, found in values.items():
            cells = " | ".join(_cell(found, metric) for metric in metrics)
            count = f"{found['num_examples']:,}{_labelled(found)}"
            yield f"| {attribute}: {value} | {count} | {cells} |"


# An expression that other data lack would count as always missed.
_OF_ALL_CLASSES = ("macro_f1", "expression_score")


def _elsewhere(described):
    for title, found in (described.get("measured_elsewhere") or {}).items():
        yield on_other_data(title, found)


def on_other_data(title: str, found: Mapping[str, Any]) -> list[str]:
    """The card's lines of a data set that the model never saw.

    Args:
        title: Of the data set.
        found: What `trainers.evaluate` measured of it.
    """
    lines = [
        f"## On data it never saw: {title}",
        "",
        f"| metric | {examples(found)} |",
        "|---|---|",
        *(
            f"| {metric} | {_cell(found, metric)} |"
            for metric in found["metrics"]
            if metric not in _OF_ALL_CLASSES
        ),
    ]
    lines += _expressions(found.get("confusion"), title)
    if found.get("groups"):
        lines += ["", *_groups(found["groups"], title)]
    return lines


def _cell(found, metric):
    value = found["metrics"].get(metric)
    if value is None:
        return ""
    return f"{value:.4f}{interval(found.get('intervals', {}).get(metric))}"


def interval(ends: Sequence[float] | None) -> str:
    """The ends of an interval behind a number; nothing where there is none."""
    return f" [{ends[0]:.4f}, {ends[1]:.4f}]" if ends else ""


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
    yield "| file | bytes | sha256 |"
    yield "|---|---|---|"
    weights = described["weights"]
    yield f"| {weights['file']} | {weights['bytes']:,} | `{weights['sha256']}` |"
    for path, facts in described["files"].items():
        yield f"| {path} | {facts['bytes']:,} | `{facts['sha256']}` |"
    if not described["formats"]:
        return
    checked = described["checked_on"]
    yield ""
    yield (
        f"Each format against Keras on {checked['crops']:,} crops "
        f"({checked['source']}), largest and mean absolute difference of any output:"
    )
    yield ""
    yield "| format | largest | mean | same expression | accuracy | accuracy in Keras |"
    yield "|---|---|---|---|---|---|"
    for name, check in described["formats"].items():
        cells = [
            f"{max(check['largest_difference'].values()):.2g}",
            f"{max(check['mean_difference'].values()):.2g}",
            *(_percent(check, k) for k in ("agreement", "accuracy", "keras_accuracy")),
        ]
        yield f"| {name} | {' | '.join(cells)} |"

    if encoded := described["formats"].get("saved_model", {}).get("encoded"):
        yield ""
        yield (
            f"`serve_bytes`, on {encoded['crops']} pictures made of them, PNG and "
            "JPEG, grey and colour, against Keras on the pixels that `Predictor` "
            f"reads: at most {max(encoded['largest_difference'].values()):.2g}."
        )
    if "litert_int8" in described["formats"] and described.get("calibrated_on"):
        yield ""
        yield f"The ranges of `litert_int8` were set by: {described['calibrated_on']}."


def _percent(check, key):
    return f"{100 * check[key]:.2f} %" if key in check else ""


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
