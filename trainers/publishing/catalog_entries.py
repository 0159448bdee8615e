"""What the catalog of models that ship says of each, and whether it still holds."""

import os

from data_pipelines.sources import dataset_facts
from fer_tf.dataset_facts import UNKNOWN
from fer_tf.model_io import model_folder
from fer_tf.model_io.card import CARD, read_card
from fer_tf.scores import leading
from fer_tf.scores.text import number
from fer_tf.utils.hashing import sha256
from fer_tf.utils.markdown import head, line


def entry(folder: str) -> dict:
    """What the catalog says of an export, all of it from its `model.json`.

    Raises:
        ValueError: If the folder is no export, or its model cannot be loaded.
    """
    model_folder.load(folder)
    described = read_card(folder)
    missing = [k for k in ("names", "formats", "files") if k not in described]
    if missing:
        raise ValueError(f"{folder}: not an export of trainers.export")
    dataset = described.get("dataset")
    facts = dataset_facts(dataset) if dataset else [UNKNOWN]
    return {
        "model": described["model"],
        "task": [name for name in described["names"] if name != "crop_spec"],
        "dataset": dataset,
        "terms": " ".join(fact.terms for fact in facts),
        "crop_spec": described["crop_spec"],
        "protocol": described.get("protocol"),
        "measured": _without_matrices(described.get("measured", {})),
        "command": described.get("training", {}).get("command"),
        "config": described.get("training", {}).get("config"),
        "formats": list(described["formats"]),
        "sha256": described["weights"]["sha256"],
        "card_sha256": sha256(os.path.join(folder, CARD)),
    }


def _without_matrices(measured):
    """The card's folder has them."""
    return {
        name: {k: v for k, v in scores.items() if k != "confusion"}
        if isinstance(scores, dict)
        else scores
        for name, scores in measured.items()
    }


def verify(root: str, name: str, known: dict) -> None:
    """Checks every file of a model that is in the catalog.

    Raises:
        ValueError: If one is missing or another than the catalog means.
    """
    folder = os.path.join(root, name)
    card = os.path.join(folder, CARD)
    if not os.path.isfile(card) or sha256(card) != known["card_sha256"]:
        raise ValueError(f"{card}: missing, or not the one in the catalog")
    described = read_card(folder)
    files = {model_folder.WEIGHTS: described["weights"], **described["files"]}
    for file, facts in files.items():
        path = os.path.join(folder, file)
        if not os.path.isfile(path) or sha256(path) != facts["sha256"]:
            raise ValueError(f"{path}: missing, or not the one in the catalog")


def render(listed: dict) -> str:
    """The catalog as Markdown."""
    lines = [
        "# Models that ship",
        "",
        "Written by `python -m trainers.catalog`. `fer_tf.load(name)` and",
        "`fer_tf.Predictor(name)` find them by name, `trainers.predict` takes",
        "`--model=name`; each folder's README.md is the model's card.",
        "",
        *head(
            ["name", "model", "reads", "data", "terms of the data", "crop", "protocol",
             "test", "sha256"]
        ),
    ]  # fmt: skip
    for name, known in sorted(listed["models"].items()):
        shown = f"[{name}]({name}/README.md)"
        if name == listed["default"]:
            shown += " (default)"
        spec = known["crop_spec"]
        cells = [
            shown, f"`{known['model']}`", ", ".join(known["task"]),
            known["dataset"] or "not stated", known["terms"],
            f"{spec['name']} {spec['size']} {spec['color']}",
            known["protocol"] or "not stated", _test_scores(known["measured"]),
            f"`{known['sha256'][:12]}`",
        ]  # fmt: skip
        lines.append(line(cells))
    commands = {n: k["command"] for n, k in listed["models"].items() if k["command"]}
    lines += [""] if commands else []
    lines += [f"- {name}: `{command}`" for name, command in sorted(commands.items())]
    return "\n".join(lines) + "\n"


def _test_scores(measured):
    """The metrics that a reader looks for first, on the test split."""
    metrics = measured.get("test", {}).get("metrics", {})
    shown = [f"{name} {number(metrics[name])}" for name in leading(metrics)]
    return ", ".join(shown) or "not measured"
