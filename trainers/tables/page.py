"""A table as Markdown: the paper's numbers beside ours, and how ours were made."""

import textwrap
from collections.abc import Sequence

from data_pipelines.preparation import folds
from fer_tf.export.score_tables import derived_words
from fer_tf.model_io.protocol import Protocol
from fer_tf.scores.text import MISSING, number
from fer_tf.utils.markdown import head, line
from trainers.tables import cells
from trainers.tables.cells import EXPLAINED, by_row, sentences, tested_on
from trainers.tables.papers import Table

_COLUMNS = {Protocol.CLEAN: "ours, clean", Protocol.PAPER: "ours, paper's protocol"}
SMOKE = (
    "SMOKE RUN: narrow networks and a few steps. It shows that the command works; its "
    "numbers say nothing of the models."
)


def smoke_mark(result: dict) -> str:
    """The end of a smoke run's titles; empty for a full run."""
    return " (SMOKE RUN)" if result["scale"] == "smoke" else ""


def markdown(result: dict, table: Table, pictures: Sequence[str]) -> str:
    """The table as a page."""
    lines = [f"# {result['title']}{cells.setting(result)}{smoke_mark(result)}", ""]
    if result["scale"] == "smoke":
        lines += [f"**{SMOKE}**", ""]
    if result["changed"]:
        changed = ", ".join(
            f"{key} = {text}" for key, text in result["changed"].items()
        )
        lines += [f"**Not as in our recipe of the paper: {changed}.**", ""]
    if result["dataset"] != table.dataset:
        lines += [
            f"**Trained and tested on {result['dataset']}; the paper's numbers are of "
            f"{table.dataset} and cannot be compared.**",
            "",
        ]
    if result["derived"]:
        lines += [f"**The data has {derived_words(result['derived'])}.**", ""]
    lines += _numbers(result, table)
    unit = "percent" if table.percent else "as the paper has them"
    lines += [
        "",
        f"Numbers on {tested_on(result['rows'])}, {unit}: mean over seeds ± their "
        f"deviation [95 % bootstrap interval]; {MISSING}: not stated, or not measured "
        "here.",
        "",
        *(f"- {title}: {protocol.meaning()}" for protocol, title in _COLUMNS.items()),
        "",
    ]
    notes = {e["row"]: e["note"] for e in result["rows"] if e["note"]}
    lines += [f"- {row}: {note}" for row, note in notes.items()]
    lines += [f"- {table.note}"] if table.note else []
    lines += ["", *_differences(result), *_confusions(result, table), *_facts(result)]
    lines += [f"![{name}]({name})" for name in pictures]
    return "\n".join(lines) + "\n"


def _numbers(result, table):
    lines = head(["row", "metric", "paper", *_COLUMNS.values()])
    for row, entries in by_row(result["rows"]).items():
        name = row
        for metric in table.metrics:
            stated = cells.stated(next(iter(entries.values())), metric, table.percent)
            ours = [cells.ours(e, metric, table.percent) for e in entries.values()]
            if {stated, *ours} == {MISSING}:
                continue
            ours = ours if None not in entries else [MISSING] * len(_COLUMNS)
            lines.append(line([name, metric, stated, *ours]))
            name = ""
    return lines


def _differences(result):
    """Each row against its baseline, and what of the paper holds."""
    if not result["differences"]:
        return []
    percent = result["percent"]
    lines = ["## Differences", ""]
    lines += head(
        ["row", "against", "metric", "paper", "ours", "± faces", "± seeds", "verdict"]
    )
    for entry in result["differences"]:
        faces = (entry["faces"][1] - entry["faces"][0]) / 2
        row = [entry["row"], entry["baseline"], entry["metric"]]
        row += cells.difference(entry, percent)
        row += [cells.plain(half, percent) for half in (faces, entry["seeds"])]
        lines.append(line([*row, entry["verdict"]]))
    return [*lines, "", *map("- {}".format, sentences(result["differences"])), "",
            *textwrap.wrap(EXPLAINED, 88), ""]  # fmt: skip


def _confusions(result, table):
    if not table.classes:
        return []
    matrices = [("the paper", table.confusion)] if table.confusion else []
    for entry in result["rows"]:
        for kind in ("confusion", "confusion_pooled"):
            if kind in entry:
                how = {"confusion": "", "confusion_pooled": ", folds pooled"}[kind]
                if table.folds and not how:
                    how = ", mean of the folds' matrices"
                matrices.append((f"ours, {entry['protocol']}{how}", entry[kind]))
    lines = []
    for title, matrix in matrices:
        short = [name[:2].upper() for name in table.classes]
        lines += [f"Confusion, {title} (percent of the true class, rows true):", ""]
        lines += head(["", *short])
        for name, row in zip(short, matrix):
            lines.append(line([name, *(number(cell, percent=True) for cell in row)]))
        lines.append("")
    return lines


def _facts(result):
    """How each number was made."""
    columns = ["row", "protocol", "model", "parameters", "runs", "epochs", "seconds",
               "test faces", "weights", "splits"]  # fmt: skip
    lines = head(columns)
    measured = [entry for entry in result["rows"] if entry["ours"]]
    for e in measured:
        runs = f"{e['seeds']}" + (
            f" x {e['folds']} of {folds.FOLDS} folds" if e["folds"] > 1 else ""
        )
        facts = [
            e["row"], e["protocol"], f"`{e['model']}`", f"{e['parameters']:,}", runs,
            f"{e['epochs']:g}", f"{e['seconds']:.0f}", f"{e['num_examples']:,}",
            e["weights"][0][:8], e["split_hash"][:8],
        ]  # fmt: skip
        lines.append(line(facts))
    if not measured:
        return ["Nothing is measured yet.", ""]
    spec = measured[0]["crop_spec"]
    return [
        *lines,
        "",
        f"Data: {result['dataset']}, crops {spec['name']} of {spec['size']} pixels, "
        f"{spec['color']}. Seconds are of all runs of a row; of the hashes (sha256) "
        "the first eight digits, of the first run's weights.",
        "",
        "Made by (seed and fold of the first; the JSON lists all):",
        "",
        *(f"    {command}" for command in _first_commands(result)),
        "",
    ]


def _first_commands(result):
    """Commands of the first seed and fold, each once."""
    measured = [entry for entry in result["rows"] if entry["ours"]]
    commands = (command for entry in measured for command in entry["first_commands"])
    return dict.fromkeys(commands)
