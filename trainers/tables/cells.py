"""How a table's numbers are printed, in a run's own page and in the kept ones."""

from collections.abc import Mapping, Sequence

from fer_tf.scores import text

HOLDS, REVERSED, UNDECIDED = "holds", "reversed", "not decided"
EXPLAINED = (
    "A difference is that of the means over seeds, under the clean protocol. In "
    "brackets is its 95 % interval over other faces and other seeds together. `holds`: "
    "the interval lies on the paper's side of 0; `reversed`: on the other side; "
    "`higher`, `lower`: the same where the paper states no difference."
)


def by_row(entries: list[dict]) -> dict[str, dict]:
    """Entries of a table as `{row: {protocol: entry}}`, in their order."""
    rows = {}
    for entry in entries:
        rows.setdefault(entry["row"], {})[entry["protocol"]] = entry
    return rows


def tested_on(entries: list[dict]) -> str:
    """Name of the split that the entries were measured on."""
    sizes = [entry["split_sizes"] for entry in entries if entry["ours"]]
    if sizes and not any(size["test"] for size in sizes):
        return "the validation set that chose the weights, for want of a test set"
    return "the test set"


def stated(entry: dict, metric: str, percent: bool) -> str:
    """What the paper states of an entry, with the digits that papers print."""
    return text.number(entry["paper"].get(metric), **_form(percent))


def ours(entry: dict | None, metric: str, percent: bool) -> str:
    """What an entry measured: the mean, ± over runs, the 95 % interval."""
    if entry is None:
        return text.MISSING
    return text.reading(
        entry["ours"].get(metric),
        entry["intervals"].get(metric),
        deviation=(entry["std"] or {}).get(metric),
        **_form(percent),
    )


def plain(value: float | None, percent: bool) -> str:
    """A number in the digits of the table; `—` for None."""
    return text.number(value, **_form(percent))


def difference(entry: dict, percent: bool) -> tuple[str, str]:
    """The paper's and our difference of a row to its baseline, ours with its interval.

    >>> entry = {"paper": None, "ours": 0.05, "interval": [-0.01, 0.11]}
    >>> difference(entry, percent=False)
    ('—', '+0.050 [-0.010, 0.110]')
    """
    form = _form(percent)
    signed = lambda v: ("+" if v is not None and v > 0 else "") + text.number(v, **form)
    ours = signed(entry["ours"]) + text.interval(entry["interval"], **form)
    return signed(entry["paper"]), ours


def sentences(differences: Sequence[Mapping]) -> list[str]:
    """One sentence for each row that says which of its differences are decided.

    >>> entry = {"row": "A", "baseline": "B", "metric": "accuracy", "verdict": "holds"}
    >>> sentences([entry, {**entry, "metric": "macro_f1", "verdict": "not decided"}])
    ['A against B: holds in accuracy; not decided in macro_f1.']
    """
    pairs = {}
    for entry in differences:
        verdicts = pairs.setdefault((entry["row"], entry["baseline"]), {})
        verdicts.setdefault(entry["verdict"], []).append(entry["metric"])
    return [
        f"{row} against {baseline}: "
        + "; ".join(f"{verdict} in {', '.join(m)}" for verdict, m in verdicts.items())
        + "."
        for (row, baseline), verdicts in pairs.items()
    ]


def setting(result: dict) -> str:
    """Width, size, epochs, seeds and hours, for the end of a title.

    Empty for results that were kept before they were recorded, and without a number.

    >>> known = {"width": [0.5, 0.5], "size": [48, 48], "epochs": [10, 20],
    ...          "seeds": [2, 2], "hours": 3.25}
    >>> setting({"setting": known})
    '; width 0.5, 48 pixels, 10 to 20 epochs, seeds: 2, 3.2 hours'
    """
    known = result.get("setting", {})
    if "epochs" not in known:
        return ""
    shown = lambda ends: " to ".join(f"{end:g}" for end in dict.fromkeys(ends))
    width, size, epochs, seeds = (
        shown(known[name]) for name in ("width", "size", "epochs", "seeds")
    )
    return (
        f"; width {width}, {size} pixels, {epochs} epochs, seeds: {seeds}, "
        f"{known['hours']:.1f} hours"
    )


def _form(percent):
    return {"percent": percent, "digits": 2 if percent else 3}
