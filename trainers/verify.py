r"""Checks a data set before anything is measured on it.

python -m trainers.verify --dataset=fer2013 --source=fer2013.csv --json=report.json
python -m trainers.verify --data=data/fer2013

Exits 1 on a finding that would falsify a result.
"""

from absl import flags

from data_pipelines.sources import SOURCES, OptionError, open_source, parse_options
from trainers import cli
from trainers.progress import Progress

_DATASET = flags.DEFINE_enum("dataset", None, sorted(SOURCES), "Which data set.")
_SOURCE = flags.DEFINE_string("source", "", "The untouched download.")
_OPTIONS = flags.DEFINE_string("options", "", "The source's own: fold=3, ...")
_DATA = flags.DEFINE_string("data", None, "Or: a prepared folder.")
_JSON = flags.DEFINE_string("json", None, "File for the report.")

_MEANING = {
    "count": "splits whose size is not the published one",
    "cross_split": "groups of identical pictures that reach across splits",
    "duplicate": "groups of identical pictures",
    "left_out": "rows that the owner's rules leave out",
    "label_conflict": "groups of identical pictures with conflicting labels",
    "shard": "damaged shards",
    "subject_leak": "people in more than one split",
    "unreadable": "pictures or rows that cannot be used",
}


def main() -> None:
    """Entry point of the command line."""
    if bool(_DATASET.value) == bool(_DATA.value):
        cli.fail("give either --dataset and --source, or --data", code=2)
    if _DATASET.value and not _SOURCE.value and _DATASET.value != "synthetic":
        cli.fail("--source is needed: where the download is", code=2)
    with cli.quiet_imports():
        from data_pipelines import atomic, verify

    if _DATA.value:
        report = verify.verify_prepared(_DATA.value)
    else:
        try:
            options = parse_options(_OPTIONS.value)
            source = open_source(_DATASET.value, _SOURCE.value, **options)
        except OptionError as error:
            cli.fail(str(error), code=2)
        total = sum((source.published or {}).values())
        bar = Progress("verify", total, unit="pictures") if total else None
        update = bar.update if bar else lambda done: None
        report = verify.verify_source(source, progress=update)
    print(describe(report))
    if _JSON.value:
        atomic.write_json(_JSON.value, report)
    if not report["ok"]:
        cli.fail("there are errors: numbers measured on this copy would not hold")


def describe(report: dict) -> str:
    """The report for people."""
    lines = [report["dataset"]]
    for split, counts in report["counts"].items():
        classes = ", ".join(f"{name} {n:,}" for name, n in counts.items())
        lines.append(f"  {split:10} {sum(counts.values()):7,}  ({classes})")
    for finding in report["findings"]:
        meaning = _MEANING[finding["kind"]]
        lines.append(f"  {finding['severity']}: {finding['count']:,} {meaning}")
        lines += [f"    {example}" for example in finding["examples"][:2]]
    if not report["findings"]:
        lines.append("  nothing found")
    return "\n".join(lines)


if __name__ == "__main__":
    cli.run(main)
