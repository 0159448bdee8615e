r"""Writes the tables of the README from what was measured.

python -m trainers.readme
python -m trainers.readme --add=runs/quick --name=fer2013_quick \
    --command="python -m trainers.train ..."

Results are kept in saved_models/results/, one JSON a run, copied from the
workdir's results.json. Nothing in the tables is typed by hand.
"""

import glob
import json
import os

from absl import flags

from data_pipelines import atomic
from trainers import cli

_ADD = flags.DEFINE_string("add", None, "Workdir of a finished run to add.")
_NAME = flags.DEFINE_string("name", None, "Name of its row.")
_COMMAND = flags.DEFINE_string("command", "", "Command that made it.")
_NOTE = flags.DEFINE_string("note", "", "What a reader must know of it.")
_MACHINE = flags.DEFINE_string("machine", "2 CPU cores", "What it ran on.")

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RESULTS = os.path.join(ROOT, "saved_models", "results")


def main() -> None:
    """Entry point of the command line."""
    if _ADD.value:
        if not _NAME.value:
            cli.fail("--add needs --name", code=2)
        add(_ADD.value, _NAME.value, command=_COMMAND.value, note=_NOTE.value,
            machine=_MACHINE.value)  # fmt: skip
    path = os.path.join(ROOT, "README.md")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    atomic.write_text(path, render(text))


def add(workdir: str, name: str, **facts) -> None:
    """Copies a finished run's results, with its command, into the repository."""
    with open(os.path.join(workdir, "results.json"), encoding="utf-8") as file:
        results = json.load(file)
    os.makedirs(RESULTS, exist_ok=True)
    atomic.write_json(os.path.join(RESULTS, f"{name}.json"), {**results, **facts})


def render(text: str) -> str:
    """The README with its generated tables as they should be now."""
    with cli.quiet_imports():
        from fer_tf.models import MODELS
    tables = {
        "results": results_table(),
        "variants": variants(MODELS),
        "speed": speed_table(),
    }
    for name, table in tables.items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise ValueError(f"README.md: the markers of {name!r} are not there once")
        head, rest = text.split(begin)
        text = f"{head}{begin}\n{table}\n{end}{rest.split(end)[1]}"
    return text


def results_table() -> str:
    """Paper, ours, budget and command of every run that was kept."""
    lines = [
        "| run | model | data | paper | clean | paper's protocol | budget |",
        "|---|---|---|---|---|---|---|",
    ]
    commands = []
    for path in sorted(glob.glob(os.path.join(RESULTS, "*.json"))):
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
        if "protocols" not in found:
            continue  # A whole table of its own, not one run.
        name = os.path.splitext(os.path.basename(path))[0]
        stated = found["paper"].get("accuracy")
        cells = [
            name, f"`{found['config']}`", found["dataset"],
            "" if stated is None else f"{100 * stated:.2f}",
            _accuracy(found, "clean"), _accuracy(found, "paper"),
            f"{found['epochs']:g} epochs, {found['seconds'] / 60:.0f} min, "
            f"{found['machine']}",
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
        note = f" {found['note']}" if found["note"] else ""
        commands.append(f"- {name}: `{found['command']}`{note}")
    return "\n".join([*lines, "", *commands])


def _accuracy(found, protocol):
    test = found["protocols"].get(protocol, {}).get("test")
    if test is None:
        return ""
    low, high = test["intervals"]["accuracy"]
    value = test["metrics"]["accuracy"]
    return f"{100 * value:.2f} [{100 * low:.1f}, {100 * high:.1f}]"


def speed_table() -> str:
    """Training speed of the models, as `trainers.benchmark --json` measured it."""
    path = os.path.join(RESULTS, "speed.json")
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    lines = [
        f"Training step on {found['device']}; the ratio is against the same graph "
        "from stock Keras layers.",
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


if __name__ == "__main__":
    cli.run(main)
