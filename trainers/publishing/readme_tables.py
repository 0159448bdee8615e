"""The generated tables of the README and of the papers' pages, as Markdown."""

import glob
import itertools
import json
import os

import numpy as np
from scipy import special

from fer_tf import scores
from fer_tf.model_io.protocol import Protocol
from fer_tf.scores.text import interval, number
from trainers.tables import cells
from trainers.tables.cells import by_row, line, tested_on

NONE = "Nothing yet."


def read_all(folder: str, paper: str = "") -> dict[str, dict]:
    """Reads the kept results whose name begins with a paper's, by name."""
    found = {}
    for path in sorted(glob.glob(os.path.join(folder, f"{paper}*.json"))):
        with open(path, encoding="utf-8") as file:
            found[os.path.splitext(os.path.basename(path))[0]] = json.load(file)
    return found


def runs_table(folder: str) -> str:
    """Paper, ours, budget and command of every single run that was kept."""
    lines = [
        "| run | model | data | paper | clean | paper's protocol | budget |",
        "|---|---|---|---|---|---|---|",
    ]
    commands = []
    for name, found in read_all(folder).items():
        if "protocols" not in found:
            continue  # A whole table, not one run.
        stated = found["paper"].get("accuracy")
        row = [
            name, f"`{found['model']}`", found["dataset"],
            "" if stated is None else number(stated, percent=True),
            *(_accuracy(found, protocol) for protocol in Protocol),
            f"{found['epochs']:g} epochs, {found['seconds'] / 60:.0f} min, "
            f"{found['machine']}",
        ]  # fmt: skip
        lines.append(line(row))
        note = f" {found['note']}" if found["note"] else ""
        commands.append(f"- {name}: `{found['command']}`{note}")
    return "\n".join([*lines, "", *commands])


def _accuracy(found, protocol):
    test = found["protocols"].get(protocol, {}).get("test")
    if test is None or "accuracy" not in test["intervals"]:
        return ""  # Not measured there, or a model without expressions.
    ends = interval(test["intervals"]["accuracy"], percent=True, digits=1)
    return number(test["metrics"]["accuracy"], percent=True) + ends


def papers_overview(folder: str) -> str:
    """The first numbers of every kept table: the paper's, ours, data and command."""
    lines = [
        "| table | on | row | metric | paper | ours, clean | runs | epochs |",
        "|---|---|---|---|---|---|---|---|",
    ]
    commands = []
    # Those on the paper's own data first.
    for name, found in sorted(_tables(folder).items(), key=lambda i: _elsewhere(i[1])):
        label, data = name, found["dataset"] + (" †" if _elsewhere(found) else "")
        rows = [e for e in _own_rows(found["rows"]) if e["protocol"] == Protocol.CLEAN]
        for entry in rows:
            metrics, own = scores.leading(entry["ours"]), {Protocol.CLEAN: entry}
            for row in _lines(entry["row"], own, metrics, found["percent"], own):
                lines.append(line([label, data, *row]))
                label = data = ""
        if rows:
            commands.append(f"- {name}: `{found['command']}`")
    return "\n".join([*lines, "", *commands]) if commands else NONE


def paper_tables(folder: str, paper: str) -> str:
    """Every kept table of a paper, whose names begin so: its values beside ours."""
    return "\n\n".join(map(paper_table, _tables(folder, paper).values())) or NONE


def _tables(folder, paper=""):
    """Kept results that are a whole table, not one run."""
    return {n: f for n, f in read_all(folder, paper).items() if "table" in f}


def _elsewhere(found):
    return found["dataset"] != found["paper_dataset"]


def paper_table(found: dict) -> str:
    """One table as `trainers.reproduce` measured it, rows without numbers left out."""
    rows = by_row(_own_rows(found["rows"]))
    if not rows:
        return f"**{found['title']}**: {NONE}"
    first = next(iter(next(iter(rows.values())).values()))
    metrics = list(first["ours"])
    lines = [
        f"**{found['title']}**, on {found['dataset']}{_paper_data(found)}",
        "",
        "| row | metric | paper | clean | paper's protocol | runs | epochs |",
        "|---|---|---|---|---|---|---|",
    ]
    for row, entries in rows.items():
        lines += map(line, _lines(row, entries, metrics, found["percent"]))
    spread = "one run [95 % interval]"
    if first["std"]:
        spread = "mean ± deviation over the runs [95 % interval over test faces]"
    # Rows are ordered by one number, not by valence and arousal apart.
    whole = [m for m in metrics if not m.endswith(("_valence", "_arousal"))]
    by = scores.leading(whole)[0]
    order = orderings(list(rows.values()), by, percent=found["percent"])
    lines += ["", order] if order else []
    where = tested_on(found["rows"])
    lines += ["", f"On {where}, {spread}; {_budget(found, first)}"]
    return "\n".join(lines)


def _own_rows(entries):
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
        Each row against those of the paper's next better value: `holds` or `reversed`
        where the difference lies outside its 95 % interval (Welch's t over runs;
        for single runs both bootstrap intervals), else `undecided`. Empty if fewer
        than two rows have both numbers.
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
        noise = _noise(worse, better, metric)
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


def _noise(one, other, metric):
    """Half the 95 % interval of a difference."""
    runs = [entry["seeds"] for entry in (one, other)]
    if min(runs) < 2:
        widths = [np.ptp(entry["intervals"][metric]) / 2 for entry in (one, other)]
        return float(np.hypot(*widths))
    parts = [e["std"][metric] ** 2 / n for e, n in zip((one, other), runs)]
    if not sum(parts):
        return 0.0
    freedom = sum(parts) ** 2 / sum(v**2 / (n - 1) for v, n in zip(parts, runs))
    return float(special.stdtrit(freedom, 0.975) * np.sqrt(sum(parts)))


def _paper_data(found):
    if not _elsewhere(found):
        return ""
    return f"; the paper's numbers are of {found['paper_dataset']}"


def _lines(row, entries, metrics, percent, protocols=tuple(Protocol)):
    """Row, metric, the paper's, ours by protocol, runs, epochs: a metric a list."""
    first = next(iter(entries.values()))
    budget = [f"{first['seeds']}", f"{first['epochs']:g}"]
    for metric in metrics:
        yield [
            row, metric, cells.stated(first, metric, percent),
            *(cells.ours(entries.get(p), metric, percent) for p in protocols), *budget,
        ]  # fmt: skip
        row, budget = "", ["", ""]


def _budget(found, first):
    changed = "; ".join(f"{key} = {text}" for key, text in found["changed"].items())
    sizes = first["split_sizes"]
    faces = f"{sizes['train']:,} faces to train on, {first['num_examples']:,} to test"
    parts = [faces, found["machine"]]
    if changed:
        parts.append(f"not as in our recipe of the paper: {changed}")
    text = "; ".join(parts) + "."
    if found["note"]:
        text += f" {found['note']}"
    return f"{text}\n\n`{found['command']}`" if found["command"] else text


# The four systems, and ours, by one recipe on the same faces. The last three are
# Meen et al.'s network without attention and with the two best of theirs.
COMPARED = ("fer2013_quick", "fer2013_two_att_two_mt", "fer2013_mtanet_senet50",
            "fer2013_vgg19", "fer2013_meen_model3_facial",
            "fer2013_meen_model3_separately")  # fmt: skip
_COMPARED_BY = ("macro_f1", "mean_class_accuracy", "ece")


def comparison(folder: str) -> str:
    """Kept runs of `COMPARED` beside one another, with what they cost.

    Parameters, arithmetic and speed are those of `trainers.benchmark --what=faces`.
    """
    kept = read_all(folder)
    costs = kept.get("speed_faces", {"models": {}})
    runs = [kept[name] for name in COMPARED if name in kept]
    runs = [run for run in runs if run["model"] in costs["models"]]
    if not runs:
        return NONE
    lines = [
        "| network | clean | paper's protocol | macro F1 | mean-class | ECE | epochs "
        "| parameters | GFLOPs | faces/s |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for run in runs:
        cost, test = (
            costs["models"][run["model"]],
            run["protocols"][Protocol.CLEAN]["test"],
        )
        metrics = test["metrics"]
        row = [
            f"`{run['model']}`", *(_accuracy(run, protocol) for protocol in Protocol),
            *(number(metrics[name], percent=True) for name in _COMPARED_BY),
            f"{run['epochs']:g}",
            f"{cost['parameters']:,}", f"{cost['gflops_per_image']:.2f}",
            f"{cost['faces_per_second']:.0f}",
        ]  # fmt: skip
        lines.append(line(row))
    return "\n".join([*lines, "", f"Costs on {costs['device']}: `{costs['command']}`"])


def speed(folder: str) -> str:
    """What `trainers.benchmark --json` measured: every kept `speed*.json`."""
    parts = []
    for found in read_all(folder, "speed").values():
        if found.get("what") == "faces":
            continue  # In the comparison.
        parts.append(_models_speed(found) if "models" in found else _rates(found))
    return "\n\n".join(parts) or NONE


_RATES = ("_per_second", "_per_cpu_second", "_ratio", "_seconds", "_mib")


def _rates(found):
    """The rates of one measurement in a line, after its command."""
    values = [
        f"{name.replace('_', ' ')} {value:,.2f}"
        for name, value in found.items()
        if name.endswith(_RATES)
    ]
    return f"`{found['command']}` ({found['device']}): {', '.join(values)}"


def _models_speed(found):
    lines = [
        f"`{found['command']}`: the training step on {found['device']}; the ratio is "
        "against the same graph from stock Keras layers and optimizer, without weight "
        "decay (the papers' attention layers stay ours), MiB the peak of the process "
        "after two steps of ours, before the other graph is built.",
        "",
        "| model | parameters | GFLOPs an image | batch | images/s | ratio | MiB |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in found["models"].items():
        lines.append(
            f"| `{name}` | {row['parameters']:,} | {row['gflops_per_image']:.2f} | "
            f"{row['batch_size']} | {row['images_per_second']:.1f} | "
            f"{row['stock_keras_ratio']:.2f} | {row['peak_memory_mib']:,.0f} |"
        )
    return "\n".join(lines)


def variants(models) -> str:
    """Every name `create_model` takes, and the rows of the tables it is."""
    lines = ["| name | tables | differs in |", "|---|---|---|"]
    for name, variant in models.items():
        rows = "; ".join(f"{table}: {row}" for table, row in variant.tables)
        arguments = ", ".join(f"{k}={v!r}" for k, v in variant.arguments.items())
        shown = f"`{arguments}`" if arguments else ""
        lines.append(f"| `{name}` | {rows or 'ours'} | {shown} |")
    return "\n".join(lines)
