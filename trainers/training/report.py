"""What a finished run says of itself: results.json, report.md, pictures."""

import os

from fer_tf.export import score_tables
from fer_tf.model_io import model_folder
from fer_tf.model_io.balance import BALANCE, take_out_frequencies
from fer_tf.model_io.card import read_card
from fer_tf.model_io.protocol import Protocol
from fer_tf.model_io.temperature import TEMPERATURE, divide_logits
from fer_tf.plotting.curves import training_curves
from fer_tf.plotting.style import save_figure
from fer_tf.scores import calibration, metric_of, text
from fer_tf.utils import atomic
from fer_tf.utils.markdown import head, line
from trainers.evaluation import measure, plots
from trainers.evaluation.evaluator import Evaluator
from trainers.training import build, optimizers, streams


def finish(run) -> str:
    """Evaluates the best weights of each protocol and writes the report.

    `report.md` is written last: a workdir that has one is finished.

    Args:
        run: A `trainers.training.run.Run` that is trained.

    Returns:
        The text of `report.md`.
    """
    config, path = run.config, run.workdir.path
    protocols, pictures = _protocols(run)
    results = {
        "model": config.model.name,
        "dataset": run.prepared.dataset,
        "parameters": run.model.count_params(),
        "views": config.views,
        "paper": config.paper.to_dict(),
        "epochs": _epochs(run),
        "num_train": streams.order(config, run.prepared).num_examples,
        "protocols": protocols,
        **run.workdir.stop_clock(),
    }
    atomic.write_json(os.path.join(path, "results.json"), results)
    curves = training_curves(
        run.workdir.rows, select=config.select, title=config.model.name,
        rates=optimizers.rates(config, run.num_train),
    )  # fmt: skip
    save_figure(curves, os.path.join(path, "curves.png"))
    page = _markdown(results, config, ["curves.png", *pictures])
    atomic.write_text(os.path.join(path, "report.md"), page)
    return page


def _protocols(run):
    """The results of each protocol, and the pictures of the first, the clean one."""
    path, results, pictures, evaluated = run.workdir.path, {}, [], {}
    for protocol in Protocol:
        folder = os.path.join(path, "best", protocol)
        if not os.path.isdir(folder):
            continue
        calibrate(run, folder)
        card = read_card(folder)
        # By the bytes: after a kill, weights of one step need not be the same.
        weights = card["weights"]["sha256"]
        if weights not in evaluated:
            evaluated[weights] = _evaluated(run, folder)
        predictions, scores = evaluated[weights]
        results[protocol] = {
            **{name: card[name] for name in ("epoch", "step", TEMPERATURE)},
            **scores,
        }
        # Of each picture that the reported numbers are of.
        reported = predictions[_reported_split(predictions)]
        reported.save(os.path.join(path, "outputs", f"{protocol}.npz"))
        pictures = pictures or _draw(run, predictions, scores)
    return results, pictures


def calibrate(run, folder: str) -> None:
    """Puts the config's balance and a fitted temperature into a folder's weights.

    The temperature is fitted on validation data. Averaged probabilities have no logits
    to divide, and get none. The card says so: a folder that is calibrated stays as it
    is.

    Args:
        run: A `trainers.training.run.Run` that is trained.
        folder: Model folder of its best weights.
    """
    described = read_card(folder)
    if TEMPERATURE in described:
        return
    model, fitted = model_folder.load(folder), None
    if share := run.config.balance:
        take_out_frequencies(model, run.prepared.class_counts("train"), share)
        described[BALANCE] = share
    sums = model.card.average == "logits" or model.card.views == "center"
    if sums and "expression" in model.output and run.prepared.count("validation"):
        fitted = _fitted(_predictions(run, model, ["validation"])["validation"])
        if fitted:
            divide_logits(model, fitted["value"])
    del described["weights"]  # All else that is known of the folder stays.
    model_folder.save(
        folder, model, model.card, extra={**described, TEMPERATURE: fitted}
    )


def _fitted(predictions):
    """The temperature for a card; None where no face or none in its range is best."""
    temperature, number = measure.fit_temperature(predictions)
    if temperature is None or calibration.is_bound(temperature):
        return None
    return {"value": temperature, "num_fitted": number}


def _draw(run, predictions, scores):
    split = _reported_split(predictions)
    return plots.draw(
        predictions[split],
        scores[split],
        run.workdir.path,
        expressions=run.prepared.expressions,
        title=f"{run.config.model.name} on {run.prepared.dataset}, {split}",
    )


def _evaluated(run, folder):
    """Predictions of the weights, and what is measured of them, by split."""
    # Loaded as anybody will load it, so that the numbers are its own.
    names = ("validation", "test") if run.config.reads_test else ("validation",)
    splits = [name for name in names if run.prepared.count(name)]
    predictions = _predictions(run, model_folder.load(folder), splits)
    return predictions, {
        split: measure.measure_split(
            predictions[split],
            predictions.get("validation"),
            expressions=run.prepared.expressions,
            derived=run.prepared.derived,
        )
        for split in predictions
    }


def _predictions(run, model, splits):
    """What a model says of every example, by split."""
    evaluator = Evaluator(
        build.make_inference(run.config, model, run.spec, views=run.config.views),
        model.card.action_units,
    )
    return {
        split: evaluator.predictions(
            streams.eval_stream(run.config, run.prepared, split)
        )
        for split in splits
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
    stated = ["stated by the paper"] if results["paper"] else []
    lines = head(["metric", *stated, *ours])
    splits = [s[_reported_split(s)] for s in results["protocols"].values()]
    for name in dict.fromkeys(name for split in splits for name in split["metrics"]):
        if metric_of(name).headline:
            row = [name]
            if stated:
                row.append(_number_or_blank(results["paper"].get(name)))
            for split in splits:
                value = _number_or_blank(split["metrics"].get(name))
                row.append(value + text.interval(split["intervals"].get(name)))
            lines.append(line(row))
    return "\n".join(lines)


def _number_or_blank(value):
    return "" if value is None else text.number(value)


def _reported_split(by_split):
    """Name of the split whose numbers count."""
    return "test" if "test" in by_split else "validation"


def _markdown(results, config, drawn):
    protocol, first = next(iter(results["protocols"].items()))
    split = _reported_split(first)
    scores = first[split]
    resampled = scores["resampling"]
    lines = [
        f"# {config.model.name} on {results['dataset']}",
        "",
        f"{results['parameters']:,} parameters; {split}: "
        f"{score_tables.examples(scores)}; views: {results['views']}; "
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
            if score_tables.all_labelled(scores)
            else ", of each metric those with its label"
        ),
        *(f"- {note}" for note in score_tables.notes(scores)),
        *_calibration_lines(scores, protocol, first[TEMPERATURE]),
        *([f"- {score_tables.balance(config.balance)}"] if config.balance else []),
        _time_line(results),
        "",
        *(f"![{name}]({name})" for name in drawn),
        "",
    ]
    return "\n".join(lines)


def _time_line(results):
    """What the run did beside its steps."""
    share = lambda part: results[f"{part}_seconds"] / max(results["seconds"], 0.1)
    return (
        f"- of the time, {share('data'):.1%} went to waiting for data, "
        f"{share('evaluation'):.1%} to evaluation after epochs and "
        f"{share('checkpoint'):.1%} to checkpoints"
    )


def _calibration_lines(scores, protocol, inside):
    """What the confidence is worth, in two lines."""
    if "calibration" not in scores:
        return
    fitted = scores["calibration"]
    temperature, number = fitted["temperature"], fitted["num_fitted"]
    if inside:
        temperature, number = inside["value"], inside["num_fitted"]
        error = text.number(scores["metrics"]["ece"])
        effect = f"is inside the weights; the calibration error is {error}"
    elif fitted["ece_after"] is not None:
        before, after = map(text.number, (fitted["ece_before"], fitted["ece_after"]))
        effect = f"takes the calibration error from {before} to {after}"
    else:
        effect = "which are those reported"
    if temperature is not None:
        yield (
            f"- calibration ({protocol}): temperature "
            f"{calibration.temperature_text(temperature)}, fitted on {number:,} "
            f"validation examples, {effect}"
        )
    answers = ", ".join(
        f"{text.number(row['accuracy'])} at {row['coverage']:.0%}"
        for row in fitted["coverage"]
    )
    yield f"- accuracy ({protocol}) where only the surest faces are answered: {answers}"
