r"""Writes the tables of the results page and the models' pages from what was measured.

python -m trainers.readme
python -m trainers.readme --add=runs/quick --name=fer2013_quick \
    --machine="2 CPU cores" --command="python -m trainers.train ..."
python -m trainers.readme --add_table=runs/wang/wang_1.json --name=wang_1_synthetic \
    --machine="2 CPU cores" --command="python -m trainers.reproduce ..."
python -m trainers.readme --add_scores=fer2013=a.json,ferplus=b.json,london=c.json \
    --name=league_fer --title="fer 25.10.3" --bytes=93160 \
    --machine="2 CPU cores" --command="python -m trainers.evaluate ..."
python -m trainers.readme --add_summary=summary/summary.json \
    --machine="2 CPU cores" --command="python -m trainers.predict ... && ..."

Results are kept in saved_models/results/: a JSON and the curve of a run, or the JSON
of a whole table, under a name that begins with the paper's; what `trainers.evaluate
--json` wrote of a model on several sets, for the offline league; and what
`trainers.summarize` wrote, for the worked example of its page. What a run or a model
says of each test face is kept beside them, in predictions/: of a run from its workdir,
of a table from the workdirs of its runs, of --add_scores from the file that
`trainers.evaluate --outputs` wrote beside the JSON, a.npz beside a.json. Nothing in the
tables is typed by hand.
"""

import json
import os
import shlex
import shutil

from absl import flags

from fer_tf.model_io.protocol import Protocol
from fer_tf.utils import atomic
from trainers.common import cli
from trainers.publishing import (
    claims,
    league,
    paper_tables,
    readme_tables,
    speed_tables,
    worked_example,
)
from trainers.publishing.paper_pages import PAPERS

_ADD = flags.DEFINE_string("add", None, "Workdir of a finished run to add.")
_ADD_TABLE = flags.DEFINE_string("add_table", None, "JSON of a table to add.")
_ADD_SCORES = flags.DEFINE_list(
    "add_scores", [], "For the league: fer2013=FILE, ferplus=FILE, london=FILE."
)
_ADD_SUMMARY = flags.DEFINE_string(
    "add_summary", None, "summary.json of the London Set, for the worked example."
)
_TITLE = flags.DEFINE_string("title", "", "What the league calls the model.")
_BYTES = flags.DEFINE_integer("bytes", 0, "Size of the model's file.", lower_bound=0)
_RATIO = flags.DEFINE_float(
    "speed_ratio", None, "Its faces a second, as a multiple of fer2013_best's."
)
_NAME = flags.DEFINE_string("name", None, "Name of its row, or of the table.")
_COMMAND = flags.DEFINE_string("command", "", "Command that made it.")
_NOTE = flags.DEFINE_string("note", "", "What a reader must know of it.")
_MACHINE = flags.DEFINE_string("machine", "", "What it ran on: 2 CPU cores.")

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RESULTS = os.path.join(ROOT, "saved_models", "results")
MODELS_PAGE = "fer_tf/models/README.md"
RESULTS_PAGE = "saved_models/results/README.md"
CLAIMS_PAGE = "saved_models/results/claims.md"
TABLES_PAGE = "trainers/prediction/README.md"
PAGES = (RESULTS_PAGE, CLAIMS_PAGE, MODELS_PAGE, TABLES_PAGE,
         *(paper.path for paper in PAPERS.values()))  # fmt: skip


def main() -> None:
    """Entry point of the command line."""
    added = _ADD.value or _ADD_TABLE.value or _ADD_SCORES.value
    if added and not _NAME.value:
        cli.fail("--add, --add_table and --add_scores need --name", code=2)
    if (added or _ADD_SUMMARY.value) and not (_COMMAND.value and _MACHINE.value):
        cli.fail("a result is kept with --command and --machine that made it", code=2)
    facts = dict(command=_COMMAND.value, note=_NOTE.value, machine=_MACHINE.value)
    if _ADD.value:
        add(_ADD.value, _NAME.value, **facts)
    if _ADD_TABLE.value:
        add_table(_ADD_TABLE.value, _NAME.value, **facts)
    if _ADD_SUMMARY.value:
        add_summary(_ADD_SUMMARY.value, **facts)
    if _ADD_SCORES.value:
        facts |= dict(title=_TITLE.value, bytes=_BYTES.value, speed_ratio=_RATIO.value)
        add_scores(_ADD_SCORES.value, _NAME.value, **facts)
    for page in PAGES:
        path = os.path.join(ROOT, page)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        atomic.write_text(path, render(text, page))


def add(workdir: str, name: str, **facts) -> None:
    """Copies a finished run's results and curve, with its command, here."""
    _keep(_read(os.path.join(workdir, "results.json")), name, facts)
    curve = os.path.join(RESULTS, f"{name}.csv")
    with atomic.replacing(curve) as temporary:
        shutil.copyfile(os.path.join(workdir, "metrics.csv"), temporary)
    _keep_predictions(os.path.join(workdir, "outputs", f"{Protocol.CLEAN}.npz"), name)


def add_table(path: str, name: str, **facts) -> None:
    """Copies what `trainers.reproduce` wrote of a table here.

    A row that it has not trained keeps the numbers kept under this name, if they are
    of the same table, scale and changes: a table that takes days can grow row by row,
    on several machines. Command, machine and note are then to be those of all its rows.

    Raises:
        ValueError: If the name does not tell the paper, or what is kept under it was
            measured on other data.
    """
    if name.split("_")[0] not in PAPERS:
        raise ValueError(f"--name={name}: must begin with one of {', '.join(PAPERS)}")
    results = _read(path)
    kept = os.path.join(RESULTS, f"{name}.json")
    if os.path.exists(kept):
        old = _read(kept)
        rows = _grown(old, results)
        if rows is not results["rows"]:
            results["differences"] = _grown_differences(old, results)
        results["rows"] = rows
    for run in _clean_runs(results):
        outputs = os.path.join(os.path.dirname(path), "runs", run, "outputs")
        outputs = os.path.join(outputs, f"{Protocol.CLEAN}.npz")
        if os.path.exists(outputs):  # Not of a row that was kept earlier.
            _keep_predictions(outputs, os.path.join(name, run))
    _keep(results, name, facts)


def add_scores(files: list[str], name: str, **facts) -> None:
    """Keeps what `trainers.evaluate --json` measured of a model on several sets.

    Raises:
        ValueError: If the name or a file is not one of the league's.
    """
    if not name.startswith(league.PREFIX):
        raise ValueError(f"--name={name}: must begin with {league.PREFIX}")
    sets = {}
    for text in files:
        data, _, path = text.partition("=")
        if data not in league.SETS or not path:
            raise ValueError(
                f"--add_scores={text}: must be one of {', '.join(league.SETS)}, "
                "then = and a file"
            )
        scores = _read(path)
        sets[data] = {key: scores[key] for key in league.KEPT if key in scores}
        outputs = f"{os.path.splitext(path)[0]}.npz"
        if os.path.exists(outputs):
            _keep_predictions(outputs, f"{name}_{data}")
    _keep({"sets": sets}, name, facts)


def add_summary(path: str, **facts) -> None:
    """Keeps what `trainers.summarize` wrote of two conditions, for the worked example.

    Raises:
        ValueError: If it is not of one model and one paired difference.
    """
    summary = _read(path)
    if len(summary["models"]) != 1 or len(summary["differences"]) != 1:
        raise ValueError(f"{path}: must be of one model and one paired difference")
    _keep(summary, worked_example.NAME, facts)


def _clean_runs(results):
    """Names of the workdirs behind a table's clean numbers."""
    for entry in results["rows"]:
        if entry["ours"] and entry["protocol"] == Protocol.CLEAN:
            for command in entry["commands"]:
                (workdir,) = (
                    word.removeprefix("--workdir=")
                    for word in shlex.split(command)
                    if word.startswith("--workdir=")
                )
                yield os.path.basename(workdir)


def _grown(kept, new):
    """The new rows; of one that is not trained, what was kept of it."""
    if any(kept[key] != new[key] for key in ("table", "scale", "changed", "dataset")):
        return new["rows"]
    name = lambda entry: (entry["row"], entry["protocol"])
    measured = {name(entry): entry for entry in kept["rows"] if entry["ours"]}
    again = {name(entry): entry["split_hash"] for entry in new["rows"] if entry["ours"]}
    for key, entry in measured.items():
        if key not in again and not set(again.values()) <= {entry["split_hash"]}:
            raise ValueError(
                f"the row {entry['row']} is kept of other data (of other splits); "
                "choose another --name"
            )
    return [
        entry if entry["ours"] else measured.get(name(entry), entry)
        for entry in new["rows"]
    ]


def _grown_differences(kept, new):
    """The new differences, and the kept ones of rows that were not trained again."""
    again = {entry["row"] for entry in new["rows"] if entry["ours"]}
    return new.get("differences", []) + [
        entry
        for entry in kept.get("differences", ())
        if again.isdisjoint((entry["row"], entry["baseline"]))
    ]


def _read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def _keep_predictions(path, name):
    kept = os.path.join(RESULTS, "predictions", f"{name}.npz")
    os.makedirs(os.path.dirname(kept), exist_ok=True)
    with atomic.replacing(kept) as temporary:
        shutil.copyfile(path, temporary)


def _keep(results, name, facts):
    # A table has its own note, which stays.
    facts["note"] = "; ".join(filter(None, (results.get("note"), facts["note"])))
    os.makedirs(RESULTS, exist_ok=True)
    atomic.write_json(os.path.join(RESULTS, f"{name}.json"), {**results, **facts})


def render(text: str, page: str) -> str:
    """Returns a page's text with its generated parts as they should be.

    Args:
        text: The page, as Markdown with markers.
        page: Its path within the checkout.

    Raises:
        ValueError: If a marker is not there once.
    """
    for name, write in _parts(page).items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise ValueError(f"{page}: the markers of {name!r} are not there once")
        head, rest = text.split(begin)
        text = f"{head}{begin}\n{write()}\n{end}{rest.split(end)[1]}"
    return text


def _parts(page):
    """Marker -> what writes its part."""
    if page == MODELS_PAGE:
        return {"variants": _variants}
    if page == RESULTS_PAGE:
        return {
            "league": lambda: league.table(RESULTS),
            "results": lambda: readme_tables.runs_table(RESULTS),
            "comparison": lambda: readme_tables.comparison(RESULTS),
            "tables": lambda: paper_tables.papers_overview(RESULTS),
            "speed": lambda: speed_tables.speed(RESULTS),
        }
    if page == CLAIMS_PAGE:
        return {"claims": lambda: claims.page(RESULTS)}
    if page == TABLES_PAGE:
        return {"example": lambda: worked_example.table(RESULTS)}
    (paper,) = (name for name, known in PAPERS.items() if known.path == page)
    return {
        "claims": lambda: claims.of_paper(RESULTS, paper),
        "measured": lambda: paper_tables.paper_tables(RESULTS, paper),
    }


def _variants():
    with cli.quiet_imports():
        from fer_tf.models import MODELS
    return readme_tables.variants(MODELS)


if __name__ == "__main__":
    cli.run(main)
