"""The generated tables of the README, as Markdown."""

from fer_tf.model_io.protocol import Protocol
from fer_tf.scores.text import interval, number
from trainers.publishing.kept_results import NONE, read_all
from trainers.tables.cells import line


def runs_table(folder: str) -> str:
    """Paper, ours, budget and command of every single run that was kept."""
    lines = [
        "| run | model | data | paper | clean | paper's protocol | budget |",
        "|---|---|---|---|---|---|---|",
    ]
    commands = []
    for name, results in read_all(folder).items():
        if "protocols" not in results:
            continue  # A whole table, not one run.
        stated = results["paper"].get("accuracy")
        row = [
            name, f"`{results['model']}`", results["dataset"],
            "" if stated is None else number(stated, percent=True),
            *(_accuracy(results, protocol) for protocol in Protocol),
            f"{results['epochs']:g} epochs, {results['seconds'] / 60:.0f} min, "
            f"{results['machine']}",
        ]  # fmt: skip
        lines.append(line(row))
        note = f" {results['note']}" if results["note"] else ""
        commands.append(f"- {name}: `{results['command']}`{note}")
    return "\n".join([*lines, "", *commands])


def _accuracy(results, protocol):
    test = results["protocols"].get(protocol, {}).get("test")
    if test is None or "accuracy" not in test["intervals"]:
        return ""  # Not measured there, or a model without expressions.
    ends = interval(test["intervals"]["accuracy"], percent=True, digits=1)
    return number(test["metrics"]["accuracy"], percent=True) + ends


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
    for results in read_all(folder, "speed").values():
        if results.get("what") == "faces":
            continue  # In the comparison.
        parts.append(_models_speed(results) if "models" in results else _rates(results))
    return "\n\n".join(parts) or NONE


_RATES = ("_per_second", "_per_cpu_second", "_ratio", "_seconds", "_mib")


def _rates(results):
    """The rates of one measurement in a line, after its command."""
    values = [
        f"{name.replace('_', ' ')} {value:,.2f}"
        for name, value in results.items()
        if name.endswith(_RATES)
    ]
    return f"`{results['command']}` ({results['device']}): {', '.join(values)}"


def _models_speed(results):
    lines = [
        f"`{results['command']}`: the training step on {results['device']}; the ratio "
        "is against the same graph from stock Keras layers and optimizer, without "
        "weight decay (the papers' attention layers stay ours), MiB the peak of the "
        "process after two steps of ours, before the other graph is built.",
        "",
        "| model | parameters | GFLOPs an image | batch | images/s | ratio | MiB |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in results["models"].items():
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
