"""What a finished run says of itself: results.json, report.md, pictures."""

import os

from fer_tf.export import model_card
from fer_tf.model_io import model_folder
from fer_tf.plotting.curves import training_curves
from fer_tf.plotting.style import save_figure
from fer_tf.scores import calibration
from fer_tf.utils import atomic
from trainers.evaluation import evaluator as evaluation
from trainers.evaluation import measure, plots
from trainers.training import build
from trainers.training.workdir import PROTOCOLS

_HEADLINE = (
    "accuracy", "mean_class_accuracy", "macro_f1", "ece", "ccc_valence",
    "ccc_arousal", "ccc_mean", "rmse_valence", "rmse_arousal", "au_f1",
    "au_accuracy", "face_accuracy",
)  # fmt: skip
_MEANING = {
    "clean": "chosen on validation, reported on test",
    "paper": "chosen on test, as public code does and papers may have done",
}
_WITHOUT_TEST = "chosen on validation and reported on it, for want of a test split"


def finish(run) -> str:
    """Evaluates the best weights of each protocol and writes the report.

    `report.md` is written last: a workdir that has one is finished.
    """
    config, path = run.config, run.workdir.path
    results, drawn, known = {}, [], {}
    for protocol in PROTOCOLS:
        folder = os.path.join(path, "best", protocol)
        if not os.path.isdir(folder):
            continue
        chosen = model_folder.read_card(folder)
        # By the bytes: after a kill, weights of one step need not be the same.
        weights = chosen["weights"]["sha256"]
        if weights not in known:
            known[weights] = _measured(run, folder)
        outputs, scores = known[weights]
        results[protocol] = {
            "epoch": chosen["epoch"],
            "step": chosen["step"],
            **scores,
        }
        # Of each picture that the reported numbers are of.
        evaluation.save_outputs(
            os.path.join(path, "outputs", f"{protocol}.npz"), _reported(outputs)
        )
        if not drawn:  # Of the first protocol, which is the clean one.
            split = "test" if "test" in outputs else "validation"
            title = f"{config.model.name} on {run.prepared.dataset}, {split}"
            drawn = plots.draw(
                outputs[split],
                results[protocol][split],
                path,
                expressions=run.prepared.expressions,
                title=title,
            )
    results = {
        "model": config.model.name,
        "dataset": run.prepared.dataset,
        "parameters": run.model.count_params(),
        "views": config.views,
        "paper": config.paper.to_dict(),
        "epochs": _epochs(run),
        "num_train": build.order(config, run.prepared).num_examples,
        "protocols": results,
        **run.workdir.stop_clock(),
    }
    atomic.write_json(os.path.join(path, "results.json"), results)
    curves = training_curves(
        run.workdir.rows, select=config.select, title=config.model.name
    )
    save_figure(curves, os.path.join(path, "curves.png"))
    text = _markdown(results, config, ["curves.png", *drawn])
    atomic.write_text(os.path.join(path, "report.md"), text)
    return text


def _measured(run, folder):
    """Outputs of the weights, and scores and intervals of them, by split."""
    outputs = _outputs(run, folder)
    return outputs, {
        split: measure.measured(
            columns, outputs.get("validation"), expressions=run.prepared.expressions
        )
        for split, columns in outputs.items()
    }


def _outputs(run, folder):
    """What the weights say of every example, by split."""
    # Loaded as anybody will load it, so that the numbers are its own.
    model = model_folder.load(folder)
    evaluator = evaluation.Evaluator(
        build.make_inference(run.config, model, run.spec, views=run.config.views),
        model.card.action_units,
    )
    return {
        split: evaluator.outputs(build.eval_stream(run.config, run.prepared, split))
        for split in ("validation", "test")
        if run.prepared.count(split)
    }


def _epochs(run):
    """Epochs of all stages, as they were trained."""
    return round(
        sum(run.total_steps(stage) for stage in run.config.stages)
        * run.config.batch_size
        / run.num_train,
        2,
    )


def table(results: dict) -> str:
    """The protocols side by side, as Markdown."""
    ours = [f"ours, {protocol}" for protocol in results["protocols"]]
    lines = ["| metric | stated by the paper | " + " | ".join(ours) + " |"]
    lines.append("|---" * (2 + len(results["protocols"])) + "|")
    for name in _HEADLINE:
        cells = []
        for found in results["protocols"].values():
            value = _reported(found)["metrics"].get(name)
            shown = "" if value is None else f"{value:.4f}"
            ends = _reported(found)["intervals"].get(name)
            cells.append(shown + model_card.interval(ends))
        if any(cells):
            stated = results["paper"].get(name)
            stated = "" if stated is None else f"{stated:.4f}"
            lines.append(f"| {name} | {stated} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _reported(found):
    """The split whose numbers count."""
    return found["test"] if "test" in found else found["validation"]


def _markdown(results, config, drawn):
    protocol, first = next(iter(results["protocols"].items()))
    split = "test" if "test" in first else "validation"
    found = first[split]
    resampled, note = found["resampling"], model_card.absent_note(found)
    lines = [
        f"# {config.model.name} on {results['dataset']}",
        "",
        f"{results['parameters']:,} parameters; {split}: {model_card.examples(found)}; "
        f"views: {results['views']}; seed {config.seed}; "
        f"{results['epochs']:g} epochs in {results['seconds'] / 60:.1f} minutes.",
        "",
        table(results),
        "",
        *(
            f"- {name}: {_MEANING[name] if split == 'test' else _WITHOUT_TEST}"
            for name in results["protocols"]
        ),
        f"- in brackets: {resampled['level']:.0%} of {resampled['num_resamples']:,} "
        f"bootstrap resamples of {resampled['num_units']:,} "
        f"{resampled['unit'].replace(' or ', 's or ')}s"
        + (
            ""
            if model_card.all_labelled(found)
            else ", of each metric those with its label"
        ),
        *([f"- {note}"] if note else []),
        *_calibration_lines(found.get("calibration"), protocol),
        "",
        *(f"![{name}]({name})" for name in drawn),
        "",
    ]
    return "\n".join(lines)


def _calibration_lines(found, protocol):
    """What the confidence is worth, in two lines."""
    if found is None:
        return
    if found["temperature"] is not None:
        end = " (the end of its range: none is best)"
        end = end if calibration.is_bound(found["temperature"]) else ""
        effect = "which are those reported"
        if found["ece_after"] is not None:
            effect = (
                f"takes the calibration error from {found['ece_before']:.4f} to "
                f"{found['ece_after']:.4f}"
            )
        yield (
            f"- calibration ({protocol}): temperature {found['temperature']:.3f}{end}, "
            f"fitted on {found['num_fitted']:,} validation examples, {effect}"
        )
    answers = ", ".join(
        f"{row['accuracy']:.4f} at {row['coverage']:.0%}" for row in found["coverage"]
    )
    yield f"- accuracy ({protocol}) where only the surest faces are answered: {answers}"
