"""The kept tables of the papers, their numbers beside ours, as Markdown."""

import itertools

import numpy as np
from scipy import special

from fer_tf import scores
from fer_tf.export.score_tables import derived_words
from fer_tf.model_io.protocol import Protocol
from fer_tf.utils.markdown import head, line
from trainers.publishing.kept_results import NONE, command_block, read_all
from trainers.tables import cells
from trainers.tables.cells import EXPLAINED, by_row, sentences, tested_on


def papers_overview(folder: str) -> str:
    """The first numbers of every kept table: the paper's, ours, data and command."""
    lines = head(
        ["table", "on", "row", "metric", "paper", "ours, clean", "runs", "epochs"]
    )
    commands = []
    # Those on the paper's own data first.
    for name, kept in sorted(_tables(folder).items(), key=lambda i: _elsewhere(i[1])):
        marks = ", derived labels" * bool(kept.get("derived"))
        marks += " †" if _elsewhere(kept) else ""
        label, data = name, kept["dataset"] + marks
        rows = [e for e in own_rows(kept["rows"]) if e["protocol"] == Protocol.CLEAN]
        for entry in rows:
            metrics, own = scores.leading(entry["ours"]), {Protocol.CLEAN: entry}
            for row in _lines(entry["row"], own, metrics, kept["percent"], own):
                lines.append(line([label, data, *row]))
                label = data = ""
        if rows:
            commands += ["", command_block(f"{name}:", kept["command"])]
    return "\n".join([*lines, *commands]) if commands else NONE


def paper_tables(folder: str, paper: str) -> str:
    """Every kept table of a paper, whose names begin so: its values beside ours."""
    return "\n\n".join(map(paper_table, _tables(folder, paper).values())) or NONE


def _tables(folder, paper=""):
    """Kept results that are a whole table, not one run."""
    return {n: f for n, f in read_all(folder, paper).items() if "table" in f}


def _elsewhere(kept):
    return kept["dataset"] != kept["paper_dataset"]


def paper_table(kept: dict) -> str:
    """One table as `trainers.reproduce` measured it, rows without numbers left out."""
    rows = by_row(own_rows(kept["rows"]))
    if not rows:
        return f"**{kept['title']}**: {NONE}"
    first = next(iter(next(iter(rows.values())).values()))
    metrics = list(first["ours"])
    lines = [
        f"**{kept['title']}{cells.setting(kept)}**, on {kept['dataset']}"
        f"{_derived(kept)}{_paper_data(kept)}",
        "",
        *head(
            ["row", "metric", "paper", "clean", "paper's protocol", "runs", "epochs"]
        ),
    ]
    for row, entries in rows.items():
        lines += map(line, _lines(row, entries, metrics, kept["percent"]))
    spread = "one run [95 % interval]"
    if first["std"]:
        spread = "mean ± deviation over the runs [95 % interval over test faces]"
    # Rows are ordered by one number, not by valence and arousal apart.
    whole = [m for m in metrics if not m.endswith(("_valence", "_arousal"))]
    by = (scores.leading(whole) or metrics)[0]
    if kept.get("differences"):
        lines += ["", *differences(kept)]
    elif order := orderings(list(rows.values()), by, percent=kept["percent"]):
        lines += ["", order]
    where = tested_on(kept["rows"])
    lines += ["", f"On {where}, {spread}; {_budget(kept, first)}"]
    return "\n".join(lines)


def differences(kept: dict) -> list[str]:
    """Each row's main difference to its baseline, and what of the paper holds.

    A row whose runs another one stands for is left out, as `paper_table` does.
    """
    shown = {entry["row"] for entry in own_rows(kept["rows"])}
    entries = [entry for entry in kept["differences"] if entry["row"] in shown]
    lines = head(["row", "against", "metric", "paper", "ours"])
    for metric in scores.leading([entry["metric"] for entry in entries]):
        for entry in entries:
            if entry["metric"] == metric:
                cells_of = cells.difference(entry, kept["percent"])
                lines.append(line([entry["row"], entry["baseline"], metric, *cells_of]))
    said = [f"- {sentence}" for sentence in sentences(entries)]
    return [*lines, "", *said, "", EXPLAINED]


def own_rows(entries):
    """Rows with numbers of their own.

    Without published weights a row is the same runs as the one that the paper itself
    has from scratch, which stands for both.
    """
    measured = [entry for entry in entries if entry["ours"]]
    own = lambda e: any(f"/{name}.py" in e["command"] for name in e["configs"])
    shown = {tuple(entry["commands"]) for entry in measured if own(entry)}
    return [e for e in measured if own(e) or tuple(e["commands"]) not in shown]


def orderings(rows, metric: str, *, percent: bool = False) -> str:
    """Says which of a paper's orderings our numbers repeat.

    Args:
        rows: `{protocol: entry}` of each row; the clean one's numbers count.
        metric: By which rows are ordered; larger is better.
        percent: Whether the table gives it so.

    Returns:
        One verdict for each pair of neighbours in the paper's order: `holds` or
        `reversed` if the difference lies outside its 95 % interval (Welch's t over
        runs, or both bootstrap intervals for single runs), else `undecided`. Empty if
        fewer than two rows have both numbers.
    """
    entries = [row[Protocol.CLEAN] for row in rows if Protocol.CLEAN in row]
    entries = [e for e in entries if metric in e["paper"] and metric in e["ours"]]
    entries.sort(key=lambda entry: entry["paper"][metric])
    # Rows that the paper itself finds equal are not set against each other.
    level = [
        list(g) for _, g in itertools.groupby(entries, lambda e: e["paper"][metric])
    ]
    verdicts = []
    pairs = (itertools.product(*levels) for levels in zip(level, level[1:]))
    for worse, better in itertools.chain.from_iterable(pairs):
        gap = better["ours"][metric] - worse["ours"][metric]
        noise = half_interval(worse, better, metric)
        verdict = "undecided" if abs(gap) <= noise else "holds"
        verdict = "reversed" if gap < -noise else verdict
        pair = f"{better['row']} above {worse['row']}"
        sizes = f"{gap:+.3f} ± {noise:.3f}"
        if percent:
            sizes = f"{100 * gap:+.2f} ± {100 * noise:.2f}"
        verdicts.append(f"{pair}: {verdict} ({sizes})")
    if not verdicts:
        return ""
    return (
        f"The paper's order by {metric}, on our numbers (difference ± half its 95 % "
        f"interval): {'; '.join(verdicts)}."
    )


def half_interval(worse, better, metric):
    """Half the 95 % interval of a difference."""
    runs = [entry["seeds"] for entry in (worse, better)]
    if min(runs) < 2:
        widths = [np.ptp(entry["intervals"][metric]) / 2 for entry in (worse, better)]
        return float(np.hypot(*widths))
    parts = [e["std"][metric] ** 2 / n for e, n in zip((worse, better), runs)]
    if not sum(parts):
        return 0.0
    freedom = sum(parts) ** 2 / sum(v**2 / (n - 1) for v, n in zip(parts, runs))
    return float(special.stdtrit(freedom, 0.975) * np.sqrt(sum(parts)))


def _derived(kept):
    tasks = kept.get("derived")
    return f", with {derived_words(tasks)}" if tasks else ""


def _paper_data(kept):
    if not _elsewhere(kept):
        return ""
    return f"; the paper's numbers are of {kept['paper_dataset']}"


def _lines(row, entries, metrics, percent, protocols=tuple(Protocol)):
    """Yields row, metric, the paper's, ours by protocol, runs, epochs."""
    first = next(iter(entries.values()))
    budget = [f"{first['seeds']}", f"{first['epochs']:g}"]
    for metric in metrics:
        yield [
            row, metric, cells.stated(first, metric, percent),
            *(cells.ours(entries.get(p), metric, percent) for p in protocols), *budget,
        ]  # fmt: skip
        row, budget = "", ["", ""]


def _budget(kept, first):
    changed = "; ".join(f"{key} = {text}" for key, text in kept["changed"].items())
    sizes = first["split_sizes"]
    faces = f"{sizes['train']:,} faces to train on, {first['num_examples']:,} to test"
    parts = [faces, kept["machine"]]
    if changed:
        parts.append(f"not as in our recipe of the paper: {changed}")
    text = "; ".join(parts) + "."
    if kept["note"]:
        text += f" {kept['note']}"
    return command_block(text, kept["command"]) if kept["command"] else text
