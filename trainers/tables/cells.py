"""How a table's numbers are printed, in a run's own page and in the kept ones."""

MISSING = "—"


def by_row(entries: list[dict]) -> dict[str, dict]:
    """Entries of a table as `{row: {protocol: entry}}`, in their order."""
    rows = {}
    for entry in entries:
        rows.setdefault(entry["row"], {})[entry["protocol"]] = entry
    return rows


def tested_on(entries: list[dict]) -> str:
    """What the numbers of a table's entries are of."""
    sizes = [entry["split_sizes"] for entry in entries if entry["ours"]]
    if sizes and not any(each["test"] for each in sizes):
        return "the validation set that chose the weights, for want of a test set"
    return "the test set"


def shown(value: float | None, percent: bool) -> str:
    """A number as its paper prints it."""
    if value is None:
        return MISSING
    return f"{100 * value:.2f}" if percent else f"{value:.3f}"


def number(entry: dict | None, metric: str, percent: bool) -> str:
    """What an entry measured: the mean, ± over runs, the 95 % interval."""
    if entry is None or metric not in entry["ours"]:
        return MISSING
    text = shown(entry["ours"][metric], percent)
    if entry["std"]:
        text += f" ± {shown(entry['std'][metric], percent)}"
    if metric in entry["intervals"]:
        low, high = entry["intervals"][metric]
        text += f" [{shown(low, percent)}, {shown(high, percent)}]"
    return text


def line(cells: list[str]) -> str:
    """A row of Markdown."""
    return "| " + " | ".join(cells) + " |"


def head(columns: list[str]) -> list[str]:
    """The first two lines of a table in Markdown."""
    return [line(columns), "|---" * len(columns) + "|"]
