"""The generated tables of the results page and the models page."""

import importlib

from fer_tf.model_io.protocol import Protocol
from fer_tf.scores.text import interval, number
from fer_tf.utils.markdown import head, line
from trainers.publishing.kept_results import NONE, command_block, read_all
from trainers.tables import papers


def runs_table(folder: str) -> str:
    """Paper, ours, budget and command of every single run that was kept."""
    lines = head(
        ["run", "model", "data", "paper", "clean", "paper's protocol", "budget"]
    )
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
        text = f"{name}: {results['note']}".rstrip()
        commands += ["", command_block(text, results["command"])]
    return "\n".join([*lines, *commands])


def _accuracy(results, protocol):
    test = results["protocols"].get(protocol, {}).get("test")
    if test is None or "accuracy" not in test["intervals"]:
        return ""  # Not measured there, or a model without expressions.
    ends = interval(test["intervals"]["accuracy"], percent=True, digits=1)
    return number(test["metrics"]["accuracy"], percent=True) + ends


# Ours and the four systems, by nearly one recipe. The last three are Meen et al.'s
# network without attention and with the two best of theirs.
COMPARED = ("fer2013_quick", "fer2013_two_att_two_mt", "fer2013_mtanet_senet50",
            "fer2013_gan_man", "fer2013_vgg19", "fer2013_meen_model3_facial",
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
    columns = ["network", "clean", "paper's protocol", "macro F1", "mean-class", "ECE",
               "epochs", "parameters", "GFLOPs", "faces/s"]  # fmt: skip
    lines = head(columns)
    for run in runs:
        cost = costs["models"][run["model"]]
        metrics = run["protocols"][Protocol.CLEAN]["test"]["metrics"]
        row = [
            f"`{run['model']}`", *(_accuracy(run, protocol) for protocol in Protocol),
            *(number(metrics[name], percent=True) for name in _COMPARED_BY),
            f"{run['epochs']:g}",
            f"{cost['parameters']:,}", f"{cost['gflops_per_image']:.2f}",
            f"{cost['faces_per_second']:.0f}",
        ]  # fmt: skip
        lines.append(line(row))
    measured = command_block(f"Costs on {costs['device']}:", costs["command"])
    return "\n".join([*lines, "", measured])


def variants(models) -> str:
    """Every name `create_model` takes, and the rows of the tables it is."""
    rows_of = {}
    for table in papers.TABLES:
        for row in papers.TABLES[table].rows:
            for config in row.configs:
                module = importlib.import_module(f"trainers.configs.{config}")
                name = module.get_config().model.name
                rows_of.setdefault(name, []).append(f"{table}: {row.name}")
    lines = head(["name", "tables", "differs in"])
    for name, variant in models.items():
        rows = "; ".join(rows_of.get(name, ()))
        arguments = ", ".join(f"{k}={v!r}" for k, v in variant.arguments.items())
        shown = f"`{arguments}`" if arguments else ""
        lines.append(line([f"`{name}`", rows or "ours", shown]))
    return "\n".join(lines)
