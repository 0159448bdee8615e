"""Models that read faces offline, ours and other people's, on the same pictures."""

from fer_tf.scores import confusion
from fer_tf.scores.text import MISSING, interval, number
from fer_tf.utils.markdown import head, line
from trainers.publishing.kept_results import NONE, command_block, read_all

PREFIX = "league_"
"""What the names of its kept files begin with."""

SETS = ("fer2013", "ferplus", "london")
"""FER2013's PrivateTest, FER+'s test set by its rule `majority`, the London Set."""

KEPT = (
    "dataset", "split", "num_examples", "labelled", "metrics", "intervals",
    "resampling", "confusion", "groups",
)  # fmt: skip
"""What is kept of a file of `trainers.evaluate --json`."""


def table(folder: str) -> str:
    """A row for each kept `league_*.json`, the best on FER+ first."""
    kept = list(read_all(folder, PREFIX).values())
    if not kept:
        return NONE
    columns = ["model", "FER2013", "FER+", "smiles", "neutral", "women", "men", "ECE",
               "MB", "speed"]  # fmt: skip
    lines = head(columns)
    commands = []
    order = lambda model: -(_accuracy(model["sets"].get("ferplus"))[0] or 0)
    for model in sorted(kept, key=order):
        lines.append(line(_cells(model)))
        text = f"{model['title']}: {model['note']}".rstrip()
        commands += ["", command_block(text, model["command"])]
    return "\n".join([*lines, *commands])


def _cells(model):
    sets = model["sets"]
    fer2013, ferplus, london = map(sets.get, SETS)
    ratio = model["speed_ratio"]
    return [
        model["title"], *(_share(*_accuracy(s)) for s in (fer2013, ferplus)),
        *(_recall(london, name) for name in ("happiness", "neutral")),
        *(_group(london, gender) for gender in ("female", "male")),
        number(fer2013["metrics"]["ece"], digits=3) if fer2013 else MISSING,
        f"{model['bytes'] / 1e6:.2f}",
        MISSING if ratio is None else f"{ratio:.2f}",
    ]  # fmt: skip


def _accuracy(scores):
    """Accuracy and interval; a face that the model has no word for is wrong."""
    if not scores:
        return None, None
    known = scores["labelled"]["expression"] / scores["num_examples"]
    ends = [known * end for end in scores["intervals"]["accuracy"]]
    return known * scores["metrics"]["accuracy"], ends


def _share(value, ends):
    return number(value, percent=True) + interval(ends, percent=True, digits=1)


def _recall(scores, name):
    rates = confusion.expression_rates(scores["confusion"]) if scores else []
    found = {row.name: row for row in rates}
    if name not in found:
        return MISSING
    return _share(found[name].recall, found[name].recall_ends)


def _group(scores, gender):
    """Accuracy over the smiling and neutral faces of women, or of men."""
    groups = (scores or {}).get("groups", {}).get("gender", {})
    if gender not in groups:
        return MISSING
    group = groups[gender]
    return _share(group["metrics"]["accuracy"], group["intervals"].get("accuracy"))
