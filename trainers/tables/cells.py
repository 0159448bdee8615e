"""How a table's numbers are printed, in a run's own page and in the kept ones."""

from fer_tf.scores import text


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


def _form(percent):
    return {"percent": percent, "digits": 2 if percent else 3}
