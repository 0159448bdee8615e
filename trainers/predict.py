r"""Reads the faces of photographs.

python -m trainers.predict --model=saved_models/NAME --input=photo.jpg --output=out
python -m trainers.predict --model=runs/quick --input=photos/ --output=out

Writes predictions.jsonl (a line a picture), predictions.csv (a line a face)
and an annotated picture each. A picture that cannot be read is a line with its
reason; the command then exits 1 after the rest is done.
"""

import os

from absl import flags

from trainers import cli

_MODEL = flags.DEFINE_string("model", None, "Model folder, workdir, or catalog name.")
_INPUT = flags.DEFINE_string("input", None, "A photograph, or a folder of them.")
_OUTPUT = flags.DEFINE_string("output", None, "Folder for what is written.")
_PICTURES = flags.DEFINE_bool("pictures", True, "Write annotated pictures too.")


def main() -> None:
    """Entry point of the command line."""
    if os.path.realpath(_INPUT.value) == os.path.realpath(_OUTPUT.value):
        cli.fail("--output must be another folder than --input", code=2)
    paths = list(_pictures(_INPUT.value))
    if not paths:
        raise ValueError(f"{_INPUT.value}: no file here")
    with cli.quiet_imports():
        from fer_tf import predictor as predictors
        from trainers import prediction

    predictor = predictors.Predictor(_MODEL.value)
    os.makedirs(_OUTPUT.value, exist_ok=True)
    records = prediction.run(
        predictor, paths, _OUTPUT.value, root=_INPUT.value, pictures=_PICTURES.value
    )
    for record in records:
        print(prediction.describe(record))
    print(f"written: {os.path.join(_OUTPUT.value, 'predictions.jsonl')}")
    failed = [record for record in records if record["error"]]
    # In a folder, a picture without a face is an answer, not a failure.
    unread = [record for record in failed if record["error"] != prediction.NO_FACE]
    if unread or len(failed) == len(records):
        first = (unread or failed)[0]
        cli.fail(f"{first['source']}: {first['error']}" + _and_more(unread))


def _is_output(folder, name):
    return os.path.realpath(os.path.join(folder, name)) == os.path.realpath(
        _OUTPUT.value
    )


def _and_more(failed):
    return f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""


def _pictures(path):
    if os.path.isdir(path):
        for folder, folders, names in os.walk(path):
            # What an earlier run wrote is not input.
            folders[:] = sorted(f for f in folders if not _is_output(folder, f))
            for name in sorted(names):
                if not name.startswith("."):
                    yield os.path.join(folder, name)
    elif os.path.exists(path):
        yield path
    else:
        raise ValueError(f"{path}: no such file or folder")


if __name__ == "__main__":
    cli.run(main, required=("model", "input", "output"))
