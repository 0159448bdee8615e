"""A table as far as it was measured: JSON, Markdown and pictures.

Nothing is in it that was not measured in the workdir: what is missing is `—`.
"""

import hashlib
import json
import os
from collections.abc import Sequence

import numpy as np

from data_pipelines.batches.pipeline import open_prepared
from data_pipelines.preparation import folds
from fer_tf.plotting.confusion import confusion_matrix
from fer_tf.plotting.style import save_figure
from fer_tf.utils import atomic
from trainers.tables import plot
from trainers.tables.cells import MISSING, by_row, head, line, number, shown, tested_on
from trainers.tables.papers import OURS, Table
from trainers.tables.plan import Choices, PlannedRow, Sources
from trainers.tables.scores import row_scores

_MEANING = {
    "clean": "weights chosen on validation data, protocol `clean`",
    "paper": "weights chosen on the test set itself, as public code of the field "
    "does and papers may have done, protocol `paper`",
}
_COLUMNS = {"clean": "ours, clean", "paper": "ours, paper's protocol"}
SMOKE = (
    "SMOKE RUN: narrow networks and a few steps. It shows that the command works; its "
    "numbers say nothing of the models."
)


def write(
    name: str,
    table: Table,
    planned: Sequence[PlannedRow],
    sources: Sources,
    choices: Choices,
) -> str:
    """Writes `<workdir>/<name>.json`, `.md` and `.png`; returns the Markdown.

    A confusion matrix has `<name>_confusion_<protocol>.png`, too.
    """
    entries = [entry for row in planned for entry in _entries(row, table)]
    result = {
        "table": name,
        "title": table.title,
        "scale": choices.scale,
        "changed": _changed(choices),
        "dataset": sources.dataset,
        "paper_dataset": table.dataset,
        "note": table.note,
        "percent": table.percent,
        "rows": entries,
    }
    top = os.path.join(choices.workdir, name)
    pictures = _pictures(result, table, top)
    text = markdown(result, table, pictures)
    atomic.write_text(f"{top}.md", text)
    atomic.write_json(f"{top}.json", result)
    return text


def _entries(planned, table):
    """What the JSON says of a row: an entry a protocol, or one if it is not ours."""
    row = planned.row
    runs = planned.all_runs
    own = planned.runs[0][0] if planned.runs else ()
    entry = {
        "row": row.name,
        "model": " + ".join(run.load().model.name for run in own) or None,
        "configs": list(row.configs),
        "paper": dict(row.paper),
        "ours": {},
        "std": None,
        "intervals": {},
        "protocol": None,
        "epochs": None,
        "seeds": 0,
        "seconds": None,
        "command": own[0].command if own else None,
        "first_commands": [run.command for run in (*planned.before[:1], *own)],
        "commands": [run.command for run in runs],
        "note": "; ".join(filter(None, (row.note, planned.reason, planned.note))),
    }
    if not row.configs:
        return [entry]
    entries = []
    classes = table.classes if row.name == OURS else ()
    for protocol in _MEANING:
        scores = row_scores(planned, protocol, classes)
        found = {} if scores is None else _measured(planned, scores, table.metrics)
        entries.append({**entry, "protocol": protocol, **found})
    return entries


def _measured(planned, scores, metrics):
    names = [name for name in metrics if name in scores["mean"]]
    pick = lambda values: {name: values[name] for name in names if name in values}
    done = [run for run in planned.all_runs if run.finished]
    results = [_read(run, "results.json") for run in done]
    networks = [_read(run, "results.json") for run in planned.runs[0][0]]
    several = scores["seeds"] > 1
    confusion = {k: v for k, v in scores.items() if k.startswith("confusion")}
    return {
        "ours": pick(scores["mean"]),
        "std": pick(scores["std"]) if several else None,
        "intervals": pick(scores["intervals"]),
        "per_seed": pick(scores["per_seed"]),
        "epochs": networks[0]["epochs"],
        "seeds": scores["seeds"],
        "folds": len(planned.runs[0]),
        "seconds": round(sum(found["seconds"] for found in results), 1),
        "parameters": sum(found["parameters"] for found in networks),
        "num_examples": scores["num_examples"],
        "resampled": scores["resampled"],
        "weights": scores["weights"],
        **_data(planned),
        **confusion,
    }


def _data(planned):
    """The data a row was trained on: its crops, and a hash of its splits.

    Of a cross-validation, in which everybody is tested once, the mean fold is trained
    and validated on.
    """
    where = dict.fromkeys(run.data for fold in planned.runs[0] for run in fold)
    opened = [open_prepared(data) for data in where]
    shards = [s for p in opened for m in p.manifests for s in m["shards"]]
    listed = "\n".join(f"{s['name']} {s['sha256']}" for s in shards)
    spec = opened[0].crop_specs[0]
    total = lambda split: sum(prepared.count(split) for prepared in opened)
    return {
        "data": list(where),
        "crop_spec": spec.to_dict(),
        "split_hash": hashlib.sha256(listed.encode()).hexdigest(),
        "split_sizes": {
            "train": round(total("train") / len(opened)),
            "validation": round(total("validation") / len(opened)),
            "test": total("test"),
        },
    }


def _read(run, name):
    with open(os.path.join(run.path, name), encoding="utf-8") as file:
        return json.load(file)


def _changed(choices):
    """What is not as the paper had it, in words, by the user's choice."""
    changed = {key: text for key, text in choices.overrides.items()}
    if choices.epochs:
        changed["epochs"] = str(choices.epochs)
    if choices.from_scratch:
        changed["published weights"] = "none"
    return changed


def _pictures(result, table, top):
    save_figure(plot.draw(result, table), f"{top}.png")
    pictures = [f"{os.path.basename(top)}.png"]
    for entry in result["rows"]:
        if "confusion" in entry:
            path = f"{top}_confusion_{entry['protocol']}.png"
            title = f"{entry['row']}, {entry['protocol']}" + smoke_mark(result)
            matrix = np.array(entry["confusion"])
            figure = confusion_matrix(
                matrix, list(table.classes), title=title, rates=True
            )
            save_figure(figure, path)
            pictures.append(os.path.basename(path))
    return pictures


def smoke_mark(result: dict) -> str:
    """What every title of a smoke run ends with."""
    return " (SMOKE RUN)" if result["scale"] == "smoke" else ""


def markdown(result: dict, table: Table, pictures: Sequence[str]) -> str:
    """The table as a page."""
    lines = [f"# {result['title']}{smoke_mark(result)}", ""]
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
    lines += _numbers(result, table)
    unit = "percent" if table.percent else "as the paper has them"
    lines += [
        "",
        f"Numbers on {tested_on(result['rows'])}, {unit}: mean over seeds ± their "
        f"deviation [95 % bootstrap interval]; {MISSING}: not stated, or not measured "
        "here.",
        "",
        *(f"- {_COLUMNS[name]}: {meaning}" for name, meaning in _MEANING.items()),
        "",
    ]
    notes = {e["row"]: e["note"] for e in result["rows"] if e["note"]}
    lines += [f"- {row}: {note}" for row, note in notes.items()]
    lines += [f"- {table.note}"] if table.note else []
    lines += ["", *_confusions(result, table), *_facts(result)]
    lines += [f"![{name}]({name})" for name in pictures]
    return "\n".join(lines) + "\n"


def _numbers(result, table):
    lines = head(["row", "metric", "paper", *_COLUMNS.values()])
    for row, entries in by_row(result["rows"]).items():
        name = row
        for metric in table.metrics:
            cells = [number(e, metric, table.percent) for e in entries.values()]
            stated = next(iter(entries.values()))["paper"].get(metric)
            if stated is None and set(cells) <= {MISSING}:
                continue
            cells = cells if None not in entries else [MISSING] * len(_MEANING)
            lines.append(line([name, metric, shown(stated, table.percent), *cells]))
            name = ""
    return lines


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
            lines.append(line([name, *(f"{100 * cell:.2f}" for cell in row)]))
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
        cells = [
            e["row"], e["protocol"], f"`{e['model']}`", f"{e['parameters']:,}", runs,
            f"{e['epochs']:g}", f"{e['seconds']:.0f}", f"{e['num_examples']:,}",
            e["weights"][0][:8], e["split_hash"][:8],
        ]  # fmt: skip
        lines.append(line(cells))
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
    each = [command for entry in measured for command in entry["first_commands"]]
    return dict.fromkeys(each)
