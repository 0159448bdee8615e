"""A table as far as it was measured: JSON, Markdown and pictures.

Nothing is in it that was not measured in the workdir: what is missing is `—`.
"""

import hashlib
import os
from collections.abc import Sequence

import numpy as np

from data_pipelines.batches.pipeline import open_prepared
from fer_tf.model_io.protocol import Protocol
from fer_tf.plotting.confusion import confusion_matrix
from fer_tf.plotting.style import save_figure
from fer_tf.utils import atomic
from trainers.tables import differences, page, plot
from trainers.tables.papers import OURS, Table
from trainers.tables.plan import Choices, PlannedRow, Sources
from trainers.tables.scores import row_scores


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
        "derived": list(open_prepared(",".join(sources.main)).derived),
        "setting": _setting(planned, entries),
        "rows": entries,
        "differences": differences.of_table(planned, table),
    }
    top = os.path.join(choices.workdir, name)
    pictures = _pictures(result, table, top)
    text = page.markdown(result, table, pictures)
    atomic.write_text(f"{top}.md", text)
    atomic.write_json(f"{top}.json", result)
    return text


def _entries(planned, table):
    """Entries of a row in the JSON: one for each protocol, or one if not ours."""
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
    for protocol in Protocol:
        scores = row_scores(planned, protocol, classes)
        facts = {} if scores is None else _row_facts(planned, scores, table.metrics)
        entries.append({**entry, "protocol": protocol, **facts})
    return entries


def _row_facts(planned, scores, metrics):
    """What is known of a row whose runs are finished, with its scores."""
    names = [name for name in metrics if name in scores["mean"]]
    pick = lambda values: {name: values[name] for name in names if name in values}
    done = [run for run in planned.all_runs if run.finished]
    results = [_results(run) for run in done]
    networks = [_results(run) for run in planned.runs[0][0]]
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
        "seconds": round(sum(run["seconds"] for run in results), 1),
        "parameters": sum(network["parameters"] for network in networks),
        "num_examples": scores["num_examples"],
        "resampled": scores["resampled"],
        "weights": scores["weights"],
        **_data(planned),
        **confusion,
    }


def _setting(planned, entries):
    """What all numbers of the table were made with, each as the least and the most.

    `hours` are those of every run that is finished, each counted once.
    """
    runs = {run.path: run for row in planned for run in row.all_runs if run.finished}
    configs = [run.load() for row in planned for run in _own_finished(row)]
    measured = [entry for entry in entries if entry["ours"]]
    values = {
        "width": [config.model.arguments.get("width", 1.0) for config in configs],
        "size": [config.input.window for config in configs],
        "epochs": [entry["epochs"] for entry in measured],
        "seeds": [entry["seeds"] for entry in measured],
    }
    setting = {name: [min(v), max(v)] for name, v in values.items() if v}
    seconds = sum(_results(run)["seconds"] for run in runs.values())
    return {**setting, "hours": round(seconds / 3600, 2)}


def _own_finished(row):
    """The finished runs of a row, without those that others begin from."""
    return [r for seed in row.runs for fold in seed for r in fold if r.finished]


def _results(run):
    return atomic.read_json(os.path.join(run.path, "results.json"))


def _data(planned):
    """The data a row was trained on: its crops, and a hash of its splits.

    In a cross-validation, `test` counts everybody, `train` and `validation` the mean
    over folds.
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


def _changed(choices):
    """What is not as the paper had it, in words, by the user's choice."""
    changed = dict(choices.overrides)
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
            title = f"{entry['row']}, {entry['protocol']}" + page.smoke_mark(result)
            matrix = np.array(entry["confusion"])
            figure = confusion_matrix(
                matrix, list(table.classes), title=title, rates=True
            )
            save_figure(figure, path)
            pictures.append(os.path.basename(path))
    return pictures
