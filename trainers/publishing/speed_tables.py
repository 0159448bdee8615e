"""The generated part of the results page that says how fast things are."""

from fer_tf.utils.markdown import head, line
from trainers.publishing.kept_results import NONE, command_block, read_all

_COLUMNS = ["what", "ours", "peer", "ratio", "aim", "machine", "measured by"]


def speed(folder: str) -> str:
    """What `trainers.benchmark --json` measured: every kept `speed*.json`.

    First one table of all jobs, then each measurement with its command.
    """
    kept = read_all(folder, "speed")
    if not kept:
        return NONE
    rows, parts = [], []
    for results in kept.values():
        what = results["what"]
        own = _ROWS[what](results)
        by = f"`--what={what}`"
        rows += [line([*row, results["device"], by]) for row in own]
        # Those of trained models stand in the comparison.
        parts += [] if what == "faces" else [_details(results)]
    return "\n\n".join(["\n".join([*head(_COLUMNS), *rows]), *parts])


def _row(what, ours, peer="", ratio="", aim=""):
    return [what, ours, peer, ratio, aim]


def _against(what, results, rate, peer, ratio, *, unit, of, aim=""):
    """A row of a rate, set against a peer's."""
    return _row(
        what,
        f"{results[rate]:,.1f} {unit}/s",
        f"{of}: {results[peer]:,.1f}",
        f"{results[ratio]:.2f}",
        aim,
    )


def _detect(results):
    row = lambda what, rate, ratio: _against(
        what, results, f"{rate}_per_second", "stock_per_second", ratio,
        unit="photographs", of="stock `mtcnn`", aim="10",
    )  # fmt: skip
    rows = [
        row("detection, one by one", "images", "stock_ratio"),
        row("detection, 16 together", "batched", "batched_ratio"),
    ]
    if "larger_ratio" in results:
        what = "detection, 16 together, no face below 40 pixels"
        rows.append(row(what, "larger", "larger_ratio"))
    return rows


def _predict(results):
    read = _against(
        "photographs read", results, "images_per_second", "stock_per_second",
        "stock_ratio", unit="photographs", of="stock `mtcnn` and `model.predict`",
    )  # fmt: skip
    faces = _row("faces read", f"{results['faces_per_second']:,.0f} faces/s")
    begun = _row(
        "first photograph of a process",
        f"{results['cold_start_seconds']:.1f} s",
        aim="3 s",
    )
    return [read, faces, begun]


def _train(results):
    if "models" not in results:
        return [_step(results)]
    ratios = {n: row["stock_keras_ratio"] for n, row in results["models"].items()}
    least = min(ratios, key=ratios.get)
    step = _step(results["models"][least])
    step[0] += f", the least ratio of {len(ratios)} networks"
    return [step]


def _step(row):
    step = _against(
        f"training step, `{row['model']}`, {row['dtype_policy']}", row,
        "images_per_second", "stock_keras_per_second", "stock_keras_ratio",
        unit="images", of="stock Keras", aim="1",
    )  # fmt: skip
    if "gflops_per_second" in row:
        done, most = row["gflops_per_second"], row["product_gflops_per_second"]
        step[1] += f"; {done:,.0f} GFLOP/s, where a product of matrices has {most:,.0f}"
    return step


def _input(results):
    return [_row("input pipeline", f"{results['images_per_second']:,.0f} images/s")]


def _precision(results):
    models = results["models"]
    least = min(models, key=lambda name: models[name]["auto_ratio"])
    rate = lambda policy: models[least].get(f"{policy}_per_second")
    other = "float32" if results["auto"] != "float32" else "mixed_bfloat16"
    peer = f"{other}: {rate(other):,.1f}" if rate(other) else f"{other}: not run"
    what = f"`auto` takes {results['auto']}; `{least}`, its worst of {len(models)}"
    ours = f"{rate(results['auto']):,.1f} images/s"
    ratio = f"{models[least]['auto_ratio']:.2f} of the better"
    return [_row(what, ours, peer, ratio, "0.97")]


def _growth(results):
    return [
        _row(
            f"growth: {job} against {found['of']}",
            f"slope {found['slope']:.2f}",
            f"{found['sizes'][0]:,} to {found['sizes'][-1]:,}",
            aim="1",
        )
        for job, found in results["jobs"].items()
    ]


_ROWS = {
    "detect": _detect,
    "faces": lambda results: [],
    "growth": _growth,
    "input": _input,
    "precision": _precision,
    "predict": _predict,
    "train": _train,
}

_RATES = ("_per_second", "_per_cpu_second", "_ratio", "_seconds", "_mib")


def _details(results):
    """One measurement in full, and its command."""
    if results["what"] == "precision":
        return _policies(results)
    if results["what"] == "growth":
        return _sizes(results)
    return _networks(results) if "models" in results else _rates(results)


def _rates(results):
    values = [
        f"{name.replace('_', ' ')} {value:,.2f}"
        for name, value in results.items()
        if name.endswith(_RATES)
    ]
    text = f"On {results['device']}: {', '.join(values)}."
    return command_block(text, results["command"])


def _policies(results):
    text = (
        f"The training step in both policies on {results['device']}, images/s. "
        f"`auto` takes {results['auto']} there."
    )
    columns = ["model", "batch", "float32", "mixed_bfloat16"]
    lines = [command_block(text, results["command"]), "", *head(columns)]
    for name, row in results["models"].items():
        rates = (row.get(f"{policy}_per_second") for policy in columns[2:])
        shown = ("not run" if rate is None else f"{rate:.1f}" for rate in rates)
        lines.append(line([f"`{name}`", str(row["batch_size"]), *shown]))
    return "\n".join(lines)


def _sizes(results):
    text = (
        f"How the time grows with the size, on {results['device']}. The slope is that "
        "of the logarithms: at 1, twice the size takes twice the time. Below 1, a part "
        "of the time is the same at every size. Preparation draws its faces here."
    )
    columns = ["job", "sizes", "seconds", "slope"]
    lines = [command_block(text, results["command"]), "", *head(columns)]
    for job, found in results["jobs"].items():
        sizes = " · ".join(f"{size:,}" for size in found["sizes"])
        seconds = " · ".join(f"{s:.3f}" for s in found["seconds"])
        slope = f"{found['slope']:.2f}"
        lines.append(line([job, f"{sizes} {found['of']}", seconds, slope]))
    return "\n".join(lines)


def _networks(results):
    text = (
        f"The training step on {results['device']}. The ratio is against the same "
        "graph from stock Keras layers and optimizer, without weight decay (the "
        "papers' attention layers stay ours). MiB is the peak of the process after "
        "two steps of ours, before the other graph is built."
    )
    columns = ["model", "parameters", "GFLOPs per image", "batch", "images/s", "ratio",
               "MiB"]  # fmt: skip
    lines = [command_block(text, results["command"]), "", *head(columns)]
    for name, row in results["models"].items():
        cells = [
            f"`{name}`", f"{row['parameters']:,}", f"{row['gflops_per_image']:.2f}",
            f"{row['batch_size']}", f"{row['images_per_second']:.1f}",
            f"{row['stock_keras_ratio']:.2f}", f"{row['peak_memory_mib']:,.0f}",
        ]  # fmt: skip
        lines.append(line(cells))
    return "\n".join(lines)
