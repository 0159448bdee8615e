"""The worked example of `trainers.summarize`: what was measured, as a table."""

from fer_tf.scores.text import reading
from fer_tf.utils.markdown import head, line
from trainers.publishing.kept_results import NONE, read_all
from trainers.summary.page import PAIRED, paired_cells

NAME = "summary_london"
"""Name of the kept summary, which has one pair of conditions."""


def table(folder: str) -> str:
    """Means of both conditions and their paired difference, and the commands."""
    kept = read_all(folder, NAME).get(NAME)
    if kept is None:
        return NONE
    (pair,) = kept["differences"]
    groups = [kept["groups"][pair[end]] for end in ("from", "to")]
    columns = [f"{pair[end]} (n = {group['people']:,})"
               for end, group in zip(("from", "to"), groups)]  # fmt: skip
    columns += [f"paired difference (n = {pair['people']:,})", *PAIRED[2:]]
    lines = head(["reading", *columns])
    for name, value in pair["values"].items():
        cells = [_cell(group["values"][name]) for group in groups]
        cells += paired_cells(value, pair["people"])
        lines.append(line([name, *cells]))
    (model,) = kept["models"]
    calibrated = "calibrated" if model["calibrated"] else "uncalibrated"
    text = (
        f"Read by the weights `{model['weights'][:12]}`, with {calibrated} "
        "probabilities:"
    )
    commands = kept["command"].split(" && ")
    return "\n".join([*lines, "", text, "", "```bash", *commands, "```"])


def _cell(value):
    return reading(value["mean"], value["interval"], digits=3)
