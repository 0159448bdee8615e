"""What a finished run says of itself: results.json, report.md, pictures."""

import os

import numpy as np

from data_pipelines import atomic
from fer_tf import labels, loading, plotting, scores
from trainers import evaluation, setup
from trainers.workdir import PROTOCOLS

_HEADLINE = (
    "accuracy",
    "mean_class_accuracy",
    "macro_f1",
    "ece",
    "ccc_valence",
    "ccc_arousal",
    "rmse_valence",
    "rmse_arousal",
    "au_f1",
    "face_accuracy",
)
_MEANING = {
    "clean": "chosen on validation, reported on test",
    "paper": "chosen on test, as a paper without a validation set may have done",
}


def finish(run) -> str:
    """Evaluates the best weights of each protocol and writes the report.

    `report.md` is written last: a workdir that has one is finished.
    """
    config, path = run.config, run.workdir.path
    results, columns = {}, {}
    for protocol in PROTOCOLS:
        folder = os.path.join(path, "best", protocol)
        if not os.path.isdir(folder):
            continue
        # Loaded as anybody will load it, so that the numbers are its own.
        model = loading.load(folder)
        evaluator = evaluation.Evaluator(
            setup.make_inference(config, model, run.spec, views=config.views)
        )
        chosen = loading.read_card(folder)
        results[protocol] = {"epoch": chosen["epoch"], "step": chosen["step"]}
        for split in ("validation", "test"):
            if run.prepared.count(split):
                stream = setup.eval_stream(config, run.prepared, split)
                found = evaluator.outputs(stream)
                results[protocol][split] = measured(found)
                if protocol == "clean":
                    columns[split] = found
    results = {
        "config": config.model.name,
        "dataset": run.prepared.dataset,
        "parameters": run.model.count_params(),
        "views": config.views,
        "paper": config.paper.to_dict(),
        "epochs": _epochs(run),
        "protocols": results,
        **run.workdir.stop_clock(),
    }
    atomic.write_json(os.path.join(path, "results.json"), results)
    pictures = _pictures(run, columns, path)
    text = _markdown(results, config, pictures)
    atomic.write_text(os.path.join(path, "report.md"), text)
    return text


def _epochs(run):
    """Epochs of all stages, as they were trained."""
    return round(
        sum(run.total_steps(stage) for stage in run.config.stages)
        * run.config.batch_size
        / run.num_train,
        2,
    )


def measured(columns) -> dict:
    """Metrics as single numbers, with bootstrap intervals of the main ones."""
    found = evaluation.scalars(evaluation.score(columns))
    intervals = {}
    if "expression" in columns:
        given = columns["expression_weight"] > 0
        right = (
            columns["expression"][given].argmax(-1)
            == (columns["true_expression"][given])
        )
        if right.size:
            intervals["accuracy"] = scores.bootstrap_interval(np.mean, right)
    return {
        "num_examples": len(columns["true_sample_id"]),
        "metrics": found,
        "intervals": {name: list(map(float, ends)) for name, ends in intervals.items()},
    }


def table(results: dict) -> str:
    """The protocols side by side, as Markdown."""
    lines = ["| metric | paper | " + " | ".join(results["protocols"]) + " |"]
    lines.append("|---" * (2 + len(results["protocols"])) + "|")
    for name in _HEADLINE:
        cells = []
        for found in results["protocols"].values():
            split = found.get("test") or found.get("validation") or {}
            value = split.get("metrics", {}).get(name)
            shown = "" if value is None else f"{value:.4f}{_interval(split, name)}"
            cells.append(shown)
        if any(cells):
            stated = results["paper"].get(name)
            stated = "" if stated is None else f"{stated:.4f}"
            lines.append(f"| {name} | {stated} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _interval(split, name):
    low_high = split.get("intervals", {}).get(name)
    return f" [{low_high[0]:.4f}, {low_high[1]:.4f}]" if low_high else ""


def _pictures(run, columns, path):
    pictures = []

    def keep(figure, name):
        plotting.save(figure, os.path.join(path, name))
        pictures.append(name)

    rows = run.workdir.rows
    keep(
        plotting.training_curves(
            rows, select=run.config.select, title=run.config.model.name
        ),
        "curves.png",
    )
    found = columns.get("test") or columns.get("validation")
    if found is not None and "expression" in found:
        given = found["expression_weight"] > 0
        logits, true = found["expression"][given], found["true_expression"][given]
        num_classes = logits.shape[-1]
        counts = scores.confusion_matrix(true, logits.argmax(-1), num_classes)
        names = list(labels.EXPRESSIONS[:num_classes])
        keep(plotting.confusion_matrix(counts, names, title="test"), "confusion.png")
    return pictures


def _markdown(results, config, pictures):
    split = lambda found: found.get("test") or found.get("validation")
    examples = [split(f)["num_examples"] for f in results["protocols"].values()]
    lines = [
        f"# {config.model.name} on {results['dataset']}",
        "",
        f"{results['parameters']:,} parameters; {examples[0]:,} test examples; views: "
        f"{results['views']}; seed {config.seed}; {results['epochs']:g} epochs in "
        f"{results['seconds'] / 60:.1f} minutes.",
        "",
        table(results),
        "",
        *(f"- {name}: {_MEANING[name]}" for name in results["protocols"]),
        "",
        *(f"![{name}]({name})" for name in pictures),
        "",
    ]
    return "\n".join(lines)


def describe(config, prepared) -> str:
    """What `--dry_run` prints: shapes, parameters, data, steps."""
    from fer_tf import flops

    model = setup.build_model(config)
    spec = setup.crop_spec(config, prepared)
    num_train = prepared.count("train")
    lines = [
        f"model {config.model.name}: {model.count_params():,} parameters, "
        f"{flops.flops_per_image(model) / 1e9:.2f} GFLOPs an image",
        f"image {model.inputs[0].shape[1:]} from crops {spec.name} {spec.size}x"
        f"{spec.size} {spec.color}",
        *(f"output {name} {value.shape[1:]}" for name, value in model.output.items()),
        f"data {prepared.dataset}: {num_train:,} train, "
        f"{prepared.count('validation'):,} validation, {prepared.count('test'):,} test",
    ]
    for stage in config.stages:
        steps = setup.total_steps(config, stage, num_train)
        lines.append(f"stage {stage.name}: {steps:,} steps of {config.batch_size}")
    return "\n".join(lines)
