r"""Checks a data set before anything is measured on it.

python -m trainers.verify --dataset=fer2013 --source=fer2013.csv --json=report.json
python -m trainers.verify --data=data/fer2013

Exits 1 on a finding that would falsify a result.
"""

import functools
import os
import time

from absl import flags

from data_pipelines.sources import SOURCES, open_source, parse_options
from data_pipelines.sources.source import require_outside
from trainers.common import cli
from trainers.common.progress import Progress

_DATASET = flags.DEFINE_enum("dataset", None, sorted(SOURCES), "Which data set.")
_SOURCE = flags.DEFINE_string("source", "", "The untouched download.")
_OPTIONS = flags.DEFINE_string("options", "", "Of the data set: fold=3, ...")
_CLASSES = flags.DEFINE_string(
    "classes", "",
    "Of folder or csv: the classes in order, such as calm:still+at ease,tense.",
)  # fmt: skip
_DATA = flags.DEFINE_string("data", None, "Or: a prepared folder.")
_FACES = flags.DEFINE_bool(
    "faces",
    False,
    "Search every picture for a face by MTCNN, some a second.",
)
_WORKERS = flags.DEFINE_integer(
    "workers", os.cpu_count() or 1, "Threads that read pictures.", lower_bound=1
)
_EXCLUDE_TO = flags.DEFINE_string(
    "exclude_to", None,
    "File for a list of the training pictures that are copies of others or have two "
    "labels, for trainers.prepare --exclude.",
)  # fmt: skip
_JSON = flags.DEFINE_string("json", None, "File for the report.")

# Examples of a finding that are printed; the file has all that are kept.
_SHOWN = {"error": 5, "warning": 2}


def main() -> None:
    """Entry point of the command line."""
    if bool(_DATASET.value) == bool(_DATA.value):
        cli.fail("give either --dataset and --source, or --data", code=2)
    if _EXCLUDE_TO.value and _DATA.value:
        cli.fail("--exclude_to goes with --dataset and --source", code=2)
    if _DATASET.value and not _SOURCE.value and _DATASET.value != "synthetic":
        cli.fail("--source is needed: where the download is", code=2)
    for path in filter(None, (_JSON.value, _EXCLUDE_TO.value)):
        folder = os.path.dirname(os.path.abspath(path))
        if not os.path.isdir(folder):  # Before the long work, not after it.
            cli.fail(f"{folder}: no such folder")
    with cli.quiet_imports():
        from fer_tf.utils import atomic

    report, seconds = _verify_prepared() if _DATA.value else _verify_source()
    print(describe(report))
    rate = report["num_pictures"] / max(seconds, 1e-9)
    print(f"  {report['num_pictures']:,} pictures in {seconds:.1f} s ({rate:,.0f}/s)")
    if _JSON.value:
        atomic.write_json(_JSON.value, report)
    if not report["ok"]:
        cli.fail("there are errors: numbers measured on this copy would not hold")


def _verify_source():
    with cli.quiet_imports():
        from data_pipelines.checks import verification
        from data_pipelines.sources.filters import write_exclusions

    options = parse_options(_OPTIONS.value)
    if _CLASSES.value:
        options["classes"] = _CLASSES.value
    source = open_source(_DATASET.value, _SOURCE.value, **options)
    for path in filter(None, (_JSON.value, _EXCLUDE_TO.value)):
        require_outside(source, path)
    total = sum(sum(classes.values()) for classes in (source.published or {}).values())
    surplus = [] if _EXCLUDE_TO.value else None
    run = functools.partial(
        verification.verify_source, source, workers=_WORKERS.value, surplus=surplus
    )
    timed_report = _timed(run, total or None, "rows")
    if surplus is not None:
        count = write_exclusions(_EXCLUDE_TO.value, surplus)
        print(f"{_EXCLUDE_TO.value}: {count:,} training pictures to leave out")
    return timed_report


def _verify_prepared():
    with cli.quiet_imports():
        from data_pipelines.checks import verification
        from data_pipelines.storage import manifests

    total = manifests.read(_DATA.value)["num_examples"]
    return _timed(
        functools.partial(verification.verify_prepared, _DATA.value), total, "examples"
    )


def _timed(run, total, unit):
    """The report, and the seconds since the first picture was read."""
    bar = Progress("verify", total, unit=unit)
    report = run(faces=_FACES.value, progress=bar.update)
    bar.close()
    return report, time.monotonic() - bar.start


def describe(report: dict) -> str:
    """The report as text for people."""
    from data_pipelines.checks.findings import KINDS

    lines = [f"{report['dataset']} ({report['layout']})"]
    for split, counts in report["counts"].items():
        classes = ", ".join(f"{name} {n:,}" for name, n in counts.items())
        lines.append(f"  {split:10} {sum(counts.values()):7,}  ({classes})")
    for finding in report["findings"]:
        meaning = KINDS[finding["kind"]][1]
        lines.append(f"  {finding['severity']}: {finding['count']:,} {meaning}")
        lines += [
            f"    {example}"
            for example in finding["examples"][: _SHOWN[finding["severity"]]]
        ]
    if not report["findings"]:
        lines.append("  nothing found")
    return "\n".join(lines)


if __name__ == "__main__":
    cli.run(main)
