r"""Exports a run's best weights as files that run without this package.

python -m trainers.export --workdir=runs/quick --output=saved_models/my_model \
    --formats=saved_model,litert,onnx --data=data/fer2013

`litert` is `litert_float32` and `litert_int8`; `keras` adds the whole model as a
`.keras` file; `float16` stores the folder's own weights in half the bytes. Each file is
run and compared with Keras on crops of --data, or on drawn faces without it, which then
set the ranges of `litert_int8` too; if one differs too much, nothing is written.
README.md in the folder is the model's card.
`trainers.catalog --add` gives an export a name.

--chain writes another folder: the networks that find faces and the one that reads them
as ONNX or LiteRT files, and chain.json, with all that decides a reading.
`fer_tf.chain.Reader` reads photographs by it, without TensorFlow
(fer_tf/chain/README.md). --page adds a page that does so in the browser and uploads
nothing.
"""

import contextlib
import dataclasses
import importlib.metadata
import os

from absl import flags

from data_pipelines.sources import dataset_facts
from fer_tf.export import score_tables
from fer_tf.model_io.protocol import Protocol
from fer_tf.utils import atomic
from fer_tf.utils.stderr import quiet_stderr
from trainers.common import cli

# By the names of `fer_tf.export.formats.FORMATS`, which takes TensorFlow to import.
_FORMAT_NAMES = {
    "saved_model": ("saved_model",),
    "litert": ("litert_float32", "litert_int8"),
    "litert_float32": ("litert_float32",),
    "litert_int8": ("litert_int8",),
    "onnx": ("onnx",),
    "keras": ("keras",),
    "float16": ("float16",),
}

# What a card keeps of the one that it comes from.
_CARRIED = (
    "protocol", "epoch", "step", "balance", "temperature", "dataset", "measured",
    "measured_elsewhere", "note", "training", "versions", "derived",
)  # fmt: skip

_WORKDIR = flags.DEFINE_string("workdir", None, "Workdir of a finished run.")
_OUTPUT = flags.DEFINE_string("output", None, "Folder to write; must not exist.")
_PROTOCOL = flags.DEFINE_enum(
    "protocol", Protocol.CLEAN, list(Protocol),
    "Weights chosen on validation data (clean) or on the test set (paper).",
)  # fmt: skip
_FORMATS = flags.DEFINE_list("formats", ["saved_model"], ", ".join(_FORMAT_NAMES))
_CHAIN = flags.DEFINE_bool(
    "chain",
    False,
    "Write all from the photograph to the readings; --formats: onnx, litert.",
)
_MIN_FACE_SCORE = flags.DEFINE_float(
    "min_face_score", None,
    "Least confidence of a face that the chain finds, between 0 and 1; 0.9 by default.",
)  # fmt: skip
_PAGE = flags.DEFINE_bool(
    "page", False, "Write a page beside the chain, which reads in the browser."
)
_ONNXRUNTIME_WEB = flags.DEFINE_string(
    "onnxruntime_web", None,
    "What `npm pack onnxruntime-web` wrote, for --page; without it, npm is asked.",
)  # fmt: skip
_DATA = flags.DEFINE_string(
    "data", None, "Prepared folder whose crops the files are checked on."
)
_SPLIT = flags.DEFINE_enum(
    "split", "test", ["train", "validation", "test"], "Split of --data to check on."
)
_EXAMPLES = flags.DEFINE_integer(
    "examples", 1000, "Crops to check on, spread over the split.", lower_bound=1
)
_ELSEWHERE = flags.DEFINE_multi_string(
    "elsewhere", [],
    "What trainers.evaluate --json measured on data that it never saw, TITLE=FILE.",
)  # fmt: skip
_NOTE = flags.DEFINE_string(
    "note", None, "What it cannot do, as measured: a sentence for its card."
)
_COMMAND = flags.DEFINE_string(
    "command", None, "Command that trained it, for its card."
)


# Flags of a model folder and its card, which a chain is not.
_NOT_OF_A_CHAIN = ("elsewhere", "note", "command")
# What a chain's networks may be written for.
_RUNTIMES = ("onnx", "litert")


def main() -> None:
    """Entry point of the command line."""
    _check_chain_flags()
    unknown = [name for name in _FORMATS.value if name not in _FORMAT_NAMES]
    if unknown or not _FORMATS.value:
        cli.fail(
            f"--formats: {', '.join(unknown) or 'none'} given, may be "
            f"{', '.join(_FORMAT_NAMES)}",
            code=2,
        )
    elsewhere = {}
    for title, path in map(_titled, _ELSEWHERE.value):
        if title in elsewhere:
            cli.fail(f"--elsewhere: {title!r} is given twice", code=2)
        elsewhere[title] = _evaluation(title, path)
    if os.path.lexists(_OUTPUT.value):
        raise ValueError(f"{_OUTPUT.value}: exists already; choose another --output")
    with cli.quiet_imports():
        from fer_tf.export import formats as export
        from fer_tf.model_io import model_folder
        from fer_tf.model_io.card import read_card
        from trainers.publishing import export_crops

    folder = model_folder.find(_WORKDIR.value, protocol=_PROTOCOL.value)
    model = model_folder.load(folder)
    checked = export_crops.for_check(
        model, _DATA.value, _SPLIT.value, _EXAMPLES.value, workdir=_WORKDIR.value
    )
    if _CHAIN.value:
        _write_chain(folder, model, checked)
        return
    formats = [part for name in _FORMATS.value for part in _FORMAT_NAMES[name]]
    if "litert_int8" in formats and checked["calibrated_on"] == export_crops.DRAWN:
        print(
            "litert_int8: its ranges are set by drawn faces, not by photographs; "
            "--data=DIR sets them by a prepared folder's",
            flush=True,
        )
    # Converters write pages of notices to stderr, whatever they are told.
    with quiet_stderr(shown_on_error=False):
        export.export_model(
            model,
            _OUTPUT.value,
            formats=formats,
            extra=_facts(read_card(folder), elsewhere),
            report=lambda line: print(line, flush=True),
            **checked,
        )
    print(f"written: {_OUTPUT.value}")


def _check_chain_flags():
    if _CHAIN.value:
        for name in _NOT_OF_A_CHAIN:
            if flags.FLAGS[name].present:
                cli.fail(f"--{name} is not for --chain", code=2)
        if not {*_runtimes()} <= {*_RUNTIMES}:
            cli.fail("--formats: of --chain may be onnx, litert", code=2)
        if _PAGE.value and "onnx" not in _runtimes():
            cli.fail("--page needs the format onnx", code=2)
    else:
        for flag in (_MIN_FACE_SCORE, _PAGE):
            if flag.present:
                cli.fail(f"--{flag.name} is for --chain alone", code=2)
    if _ONNXRUNTIME_WEB.present and not _PAGE.value:
        cli.fail("--onnxruntime_web is for --page alone", code=2)
    score = _MIN_FACE_SCORE.value
    if score is not None and not 0 < score < 1:
        cli.fail(f"--min_face_score={score}: must be between 0 and 1", code=2)


def _runtimes():
    """What the networks of a chain are written for."""
    return _FORMATS.value if _FORMATS.present else ["onnx"]


def _write_chain(folder, model, checked):
    from fer_tf import predictor
    from fer_tf.export import chain, static_page
    from fer_tf.model_io.card import read_card

    detector = predictor.face_detector(
        _MIN_FACE_SCORE.value or predictor.MIN_FACE_SCORE
    )
    with contextlib.ExitStack() as stack:
        runtime = None
        if _PAGE.value:
            fetched = static_page.runtime(_ONNXRUNTIME_WEB.value)
            runtime = stack.enter_context(fetched)
        stack.enter_context(quiet_stderr(shown_on_error=False))
        chain.export_chain(
            model,
            _OUTPUT.value,
            settings=detector.settings,
            crops=checked["crops"],
            source=checked["source"],
            name=os.path.basename(os.path.realpath(folder)),
            described=read_card(folder),
            runtimes=_runtimes(),
            runtime_of_page=runtime,
            report=lambda line: print(line, flush=True),
        )
    print(f"written: {_OUTPUT.value}")


def _facts(described, elsewhere):
    """What the run's files say of it, for the card; else what its own card says."""
    facts = {name: described[name] for name in _CARRIED if name in described}
    results = atomic.read_json(os.path.join(_WORKDIR.value, "results.json"))
    config = atomic.read_json(os.path.join(_WORKDIR.value, "config.json")).get("config")
    if elsewhere:
        facts["measured_elsewhere"] = {
            **facts.get("measured_elsewhere", {}), **elsewhere
        }  # fmt: skip
    if _NOTE.value:
        facts["note"] = _NOTE.value
    training = {"command": None, "config": None, **facts.get("training", {})}
    if _COMMAND.value:
        training["command"] = _COMMAND.value
    if results:
        facts["dataset"] = results["dataset"]
        facts["measured"] = results["protocols"].get(facts.get("protocol"), {})
        training["epochs"] = results["epochs"]
        training["num_train"] = results.get("num_train")
        training["minutes"] = round(results["seconds"] / 60, 1)
    if config:
        training["config"], training["seed"] = config, config["seed"]
    if "dataset" in facts:
        from trainers.training.build import published_facts

        known = dataset_facts(facts["dataset"])
        known += published_facts(training["config"] or {})
        facts["dataset_facts"] = [dataclasses.asdict(fact) for fact in known]
    names = ("fer-tf", "keras", "tensorflow")
    versions = {name: importlib.metadata.version(name) for name in names}
    return {"versions": versions, **facts, "training": training}


def _titled(text):
    title, equals, path = text.partition("=")
    if not title or not equals or not path:
        cli.fail(f"--elsewhere must be TITLE=FILE, is {text!r}", code=2)
    if not title.isprintable():
        cli.fail(f"--elsewhere: the title is no single line: {title!r}", code=2)
    return title, path


def _evaluation(title, path):
    """What the card says of an evaluation.

    Raises:
        ValueError: If the file is none.
    """
    if not os.path.exists(path):
        raise ValueError(f"{path}: no such file")
    scores = atomic.read_json(path)
    if "metrics" not in scores or "num_examples" not in scores:
        raise ValueError(f"{path}: not what trainers.evaluate --json writes")
    kept = (
        "num_examples", "labelled", "unknown_expressions", "absent_expressions",
        "confusion", "metrics", "intervals", "resampling", "groups",
    )  # fmt: skip
    scores = {name: scores[name] for name in kept if name in scores}
    try:
        score_tables.on_other_data(title, scores)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path}: not what trainers.evaluate --json writes ({error!r})"
        ) from error
    return scores


if __name__ == "__main__":
    cli.run(main, required=("workdir", "output"))
