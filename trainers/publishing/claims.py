"""What the papers claim, and what our runs say of each claim, as Markdown."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from fer_tf.model_io.protocol import Protocol
from fer_tf.utils.markdown import head, line
from trainers.publishing.kept_results import read_all
from trainers.publishing.paper_pages import PAPERS
from trainers.publishing.paper_tables import half_interval, own_rows
from trainers.tables import cells
from trainers.tables.cells import HOLDS, REVERSED, UNDECIDED
from trainers.tables.papers import TABLES

NOT_RUN = "not run"


@dataclasses.dataclass(frozen=True)
class Claim:
    """That one row of a table is better than another.

    Attributes:
        text: The claim, as a sentence.
        table: Name of the table.
        row: Row that is said to be better.
        baseline: Row that it is set against.
        metric: By which it is better; larger is better.
        runs: Single kept runs of the two, outside the table.
    """

    text: str
    table: str
    row: str
    baseline: str
    metric: str
    runs: tuple[str, str] | tuple[()] = ()


def _wang(number, text, row, baseline):
    return Claim(text, f"wang_{number}", row, baseline, "ccc_mean")


def _meen(text, row, *runs):
    return Claim(text, "meen_1", row, "VGG19", "accuracy", runs)


def _gan(number, text, row, baseline):
    return Claim(text, f"gan_{number}", row, baseline, "accuracy")


_VGG19 = "fer2013_vgg19"
# By the beginning of the names of a paper's tables.
CLAIMS = {
    "wang": (
        _wang(1, "Attention within a level reads valence and arousal better than a "
              "plain network.", "1st-level", "MultitaskCNN"),
        _wang(1, "So does attention over the levels as well.", "2nd-level",
              "MultitaskCNN"),
        _wang(1, "The second attention adds to the first.", "2nd-level", "1st-level"),
        _wang(2, "Two residual attention blocks are better than one.", "2-Block",
              "1-Block"),
        _wang(2, "Two are also better than three.", "2-Block", "3-Block"),
        _wang(3, "One network for valence and arousal is better than one for each.",
              "2Att-Mt", "2Att-CNN"),
        _wang(3, "Learning the expression beside them, in a second stage, helps.",
              "2Att-2Mt", "2Att-Mt"),
        _wang(4, "256 and 128 hidden units are better than 128 and 128.", "(256,128)",
              "(128,128)"),
        _wang(5, "Tukey's biweight loss is better than squared errors.",
              "Tukey's biweight", "MSE"),
    ),
    "zhang": (
        Claim("Squeeze-and-excitation is the better backbone: SENet-50 over "
              "ResNeXt-50, in action units.", "zhang_1", "SENet-50", "ResNext-50",
              "au_f1"),
        Claim("Losses weighted by learned uncertainty are better than their sum, in "
              "valence.", "zhang_1", "SENet-50", "SENet-50, sum of losses",
              "ccc_valence"),
        Claim("Likewise, in expressions.", "zhang_1", "SENet-50",
              "SENet-50, sum of losses", "macro_f1"),
    ),
    "meen": (
        _meen("Averaged face features as attention (Model 1) improve on VGG19.",
              "Model 1: Averaging"),
        _meen("So do features of both networks (Model 2).", "Model 2: All features"),
        _meen("So do facial features alone (Model 3).", "Model 3: Facial features",
              "fer2013_meen_model3_facial", _VGG19),
        _meen("Best are both, each on its own (Model 3: Separately).",
              "Model 3: Separately", "fer2013_meen_model3_separately", _VGG19),
    ),
    "gan": (
        _gan(3, "Attention to eight regions improves on VGG16, from scratch.", "Ours*",
             "VGG fine-tuning*"),
        _gan(3, "So it does from VGG-Face's weights.", "Ours", "VGG fine-tuning"),
        _gan(3, "It is better than squeeze-and-excitation, from scratch.", "Ours*",
             "VGG+SE*"),
        _gan(5, "On CK+ it improves on VGG16, from VGG-Face's weights.", "Ours",
             "VGG fine-tuning"),
    ),
}  # fmt: skip


def page(folder: str) -> str:
    """The claims of all papers, each under its paper's title."""
    parts = (f"## {p.title}\n\n{of_paper(folder, name)}" for name, p in PAPERS.items())
    return "\n\n".join(parts)


def of_paper(folder: str, paper: str) -> str:
    """A paper's claims, what was run for them, and what they come to."""
    kept = read_all(folder)
    lines = head(["claim", "metric", "paper", "run", "on", "ours", "verdict", "hours"])
    for claim in CLAIMS.get(paper, ()):
        lines += map(line, _lines(claim, kept))
    return "\n".join(lines)


def _lines(claim, kept):
    """A line for each run that bears on a claim; one that says so where none does."""
    table = TABLES[claim.table]
    stated = _stated(claim, table)
    begin = [claim.text, claim.metric, cells.plain(stated, table.percent)]
    for found in evidence(claim, kept):
        entry = {"paper": None, "ours": found["ours"], "interval": found["interval"]}
        ours = cells.difference(entry, table.percent)[1]
        hours = f"{found['seconds'] / 3600:.1f}"
        yield [*begin, f"`{found['name']}`", found["on"], ours, found["verdict"], hours]
        begin = ["", "", ""]
    if begin[0]:
        yield [*begin, "", "", "", NOT_RUN, ""]


def _stated(claim, table):
    by_name = {row.name: row.paper.get(claim.metric) for row in table.rows}
    ends = by_name[claim.row], by_name[claim.baseline]
    return None if None in ends else ends[0] - ends[1]


def evidence(claim: Claim, kept: dict[str, dict]) -> Iterator[dict]:
    """What each kept result says of a claim.

    Args:
        claim: The claim.
        kept: From `kept_results.read_all`.

    Yields:
        Dicts of these keys:

        - `name`: of the kept result;
        - `on`: its data, with † for others than the paper's;
        - `ours`: the row's mean less the baseline's;
        - `interval`: its 95 % interval, or None for single runs;
        - `verdict`: `holds`, `reversed` or `not decided`;
        - `seconds`: that both rows took, all seeds together.
    """
    for name, result in kept.items():
        if result.get("table") == claim.table and (pair := _pair(claim, result)):
            elsewhere = result["dataset"] != result["paper_dataset"]
            on = result["dataset"] + ", derived labels" * bool(result.get("derived"))
            ours, interval = _of_table(claim, result, pair)
            seconds = sum(entry["seconds"] for entry in pair)
            yield _found(name, on + " †" * elsewhere, ours, interval, seconds)
    if claim.runs and all(name in kept for name in claim.runs):
        one, other = (kept[name] for name in claim.runs)
        value = lambda run: run["protocols"][Protocol.CLEAN]["test"]["metrics"]
        ours = value(one)[claim.metric] - value(other)[claim.metric]
        seconds = one["seconds"] + other["seconds"]
        yield _found(claim.runs[0], one["dataset"], ours, None, seconds)


def _pair(claim, result):
    """The entries of both rows; None unless both were measured."""
    clean = [e for e in own_rows(result["rows"]) if e["protocol"] == Protocol.CLEAN]
    rows = {entry["row"]: entry for entry in clean if claim.metric in entry["ours"]}
    pair = rows.get(claim.row), rows.get(claim.baseline)
    return None if None in pair else pair


def _of_table(claim, result, pair):
    """The difference and its interval, over faces too where they were kept."""
    names, metric = {claim.row, claim.baseline}, claim.metric
    for entry in result.get("differences", ()):
        if {entry["row"], entry["baseline"]} == names and entry["metric"] == metric:
            sign = 1 if entry["row"] == claim.row else -1
            ends = entry["interval"] and sorted(sign * end for end in entry["interval"])
            return sign * entry["ours"], ends
    one, other = pair
    gap = one["ours"][metric] - other["ours"][metric]
    if min(entry["seeds"] for entry in pair) < 2:
        return gap, None
    half = half_interval(*pair, metric)
    return gap, [gap - half, gap + half]


def _found(name, on, ours, interval, seconds):
    verdict = UNDECIDED
    if interval and np.prod(interval) > 0:
        verdict = HOLDS if ours > 0 else REVERSED
    return {"name": name, "on": on, "ours": ours, "interval": interval,
            "verdict": verdict, "seconds": seconds}  # fmt: skip
