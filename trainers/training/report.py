"""What a finished run says of itself: results.json, report.md, pictures."""

import os

from fer_tf.export import score_tables
from fer_tf.model_io import model_folder
from fer_tf.model_io.protocol import Protocol
from fer_tf.plotting import figures
from fer_tf.scores import calibration, metric_of, text
from fer_tf.utils import atomic
from trainers.evaluation import measure, plots
from trainers.evaluation.evaluator import Evaluator
from trainers.training import build


def finish(run) -> str:
    """Evaluates the best weights of each protocol and writes the report.

    `report.md` is written last: a workdir that has one is finished.
    """
    config, path = run.config, run.workdir.path
    results, drawn, known = {}, [], {}
    for protocol in Protocol:
        folder = os.path.join(path, "best", protocol)
        if not os.path.isdir(folder):
            continue
        chosen = model_folder.read_card(folder)
        # By the bytes: after a kill, weights of one step need not be the same.
        weights = chosen["weights"]["sha256"]
        if weights not in known:
            known[weights] = _evaluated(run, folder)
        predictions, scores = known[weights]
        results[protocol] = {
            "epoch": chosen["epoch"],
            "step": chosen["step"],
            **scores,
        }
        # Of each picture that the reported numbers are of.
        _reported(predictions).save(os.path.join(path, "outputs", f"{protocol}.npz"))
        if not drawn:  # Of the first protocol, which is the clean one.
            split = "test" if "test" in predictions else "validation"
            title = f"{config.model.name} on {run.prepared.dataset}, {split}"
            drawn = plots.draw(
                predictions[split],
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
    curves = figures.training_curves(
        run.workdir.rows, select=config.select, title=config.model.name
    )
    figures.save(curves, os.path.join(path, "curves.png"))
    page = _markdown(results, config, ["curves.png", *drawn])
    atomic.write_text(os.path.join(path, "report.md"), page)
    return page


def _evaluated(run, folder):
    """Predictions of the weights, and what is measured of them, by split."""
    predictions = _predictions(run, folder)
    return predictions, {
        split: measure.measure_split(
            found,
            predictions.get("validation"),
            expressions=run.prepared.expressions,
        )
        for split, found in predictions.items()
    }


def _predictions(run, folder):
    """What the weights say of every example, by split."""
    # Loaded as anybody will load it, so that the numbers are its own.
    model = model_folder.load(folder)
    evaluator = Evaluator(
        build.make_inference(run.config, model, run.spec, views=run.config.views),
        model.card.action_units,
    )
    return {
        split: evaluator.predictions(build.eval_stream(run.config, run.prepared, split))
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
    splits = [_reported(found) for found in results["protocols"].values()]
    for name in dict.fromkeys(name for split in splits for name in split["metrics"]):
        if metric_of(name).headline:
            cells = [name, _number_or_blank(results["paper"].get(name))]
            for split in splits:
                value = _number_or_blank(split["metrics"].get(name))
                cells.append(value + text.interval(split["intervals"].get(name)))
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _number_or_blank(value):
    return "" if value is None else text.number(value)


def _reported(found):
    """The split whose numbers count."""
    return found["test"] if "test" in found else found["validation"]


def _markdown(results, config, drawn):
    protocol, first = next(iter(results["protocols"].items()))
    split = "test" if "test" in first else "validation"
    found = first[split]
    resampled, note = found["resampling"], score_tables.absent_note(found)
    lines = [
        f"# {config.model.name} on {results['dataset']}",
        "",
        f"{results['parameters']:,} parameters; {split}: "
        f"{score_tables.examples(found)}; views: {results['views']}; "
        f"seed {config.seed}; {results['epochs']:g} epochs in "
        f"{results['seconds'] / 60:.1f} minutes.",
        "",
        table(results),
        "",
        *(
            f"- {name}: {Protocol(name).meaning(reported_on=split)}"
            for name in results["protocols"]
        ),
        f"- in brackets: {resampled['level']:.0%} of {resampled['num_resamples']:,} "
        f"bootstrap resamples of {resampled['num_units']:,} "
        f"{resampled['unit'].replace(' or ', 's or ')}s"
        + (
            ""
            if score_tables.all_labelled(found)
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
                "takes the calibration error from "
                f"{text.number(found['ece_before'])} to "
                f"{text.number(found['ece_after'])}"
            )
        yield (
            f"- calibration ({protocol}): temperature {found['temperature']:.3f}{end}, "
            f"fitted on {found['num_fitted']:,} validation examples, {effect}"
        )
    answers = ", ".join(
        f"{text.number(row['accuracy'])} at {row['coverage']:.0%}"
        for row in found["coverage"]
    )
    yield f"- accuracy ({protocol}) where only the surest faces are answered: {answers}"
