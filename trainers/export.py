r"""Exports a run's best weights as a SavedModel that runs without this package.

python -m trainers.export --workdir=runs/quick --output=saved_models/my_model
"""

import json
import os

from absl import flags

from trainers import cli

_WORKDIR = flags.DEFINE_string("workdir", None, "Workdir of a finished run.")
_OUTPUT = flags.DEFINE_string("output", None, "Folder to write; must not exist.")
_PROTOCOL = flags.DEFINE_enum(
    "protocol", "clean", ["clean", "paper"],
    "Weights chosen on validation data (clean) or on the test set (paper).",
)  # fmt: skip
_FORMATS = flags.DEFINE_list("formats", ["saved_model"], "saved_model.")


def main() -> None:
    """Entry point of the command line."""
    unknown = set(_FORMATS.value) - {"saved_model"}
    if unknown:
        cli.fail(f"--formats: unknown {', '.join(sorted(unknown))}", code=2)
    with cli.quiet_imports():
        from fer_tf import export, loading

    folder = loading.find(_WORKDIR.value, protocol=_PROTOCOL.value)
    model = loading.load(folder)
    described = loading.read_card(folder)
    kept = ("protocol", "epoch", "step")
    extra = {name: described[name] for name in kept if name in described}
    results = os.path.join(_WORKDIR.value, "results.json")
    if os.path.exists(results):
        with open(results, encoding="utf-8") as file:
            measured = json.load(file)
        extra |= {
            "dataset": measured["dataset"],
            "measured": measured["protocols"].get(extra.get("protocol"), {}),
        }
    print(f"written: {export.export_saved_model(model, _OUTPUT.value, extra=extra)}")


if __name__ == "__main__":
    cli.run(main, required=("workdir", "output"))
