r"""Writes the synthetic faces exactly as a data set's owner ships that data set.

python -m trainers.synthesize --layout=rafdb --output=downloads/rafdb
python -m trainers.prepare --dataset=rafdb --source=downloads/rafdb --output=data/rafdb

The faces are drawn, so no licence is needed. The output appears whole or not at all.
Where an owner ships several layouts, the part before the underscore is the data set:
`fer2013_folders`, `affectnet_npy`, `affwild2_2022`. A small copy has fewer pictures
than the owner's, which `trainers.verify` calls an error.
"""

from absl import flags

from data_pipelines import layouts
from trainers.common import cli
from trainers.common.progress import Progress

_LAYOUT = flags.DEFINE_enum(
    "layout", None, sorted(layouts.LAYOUTS), "Which data set's layout."
)
_OUTPUT = flags.DEFINE_string("output", None, "Folder to write; absent or empty.")
_EXAMPLES = flags.DEFINE_integer("examples", 600, "Pictures, about.", lower_bound=1)
_SEED = flags.DEFINE_integer("seed", 0, "Another seed, other people.", lower_bound=0)


def main() -> None:
    """Entry point of the command line."""
    bar = None

    def progress(done, total):
        nonlocal bar
        bar = bar or Progress("synthesize", total, unit="pictures")
        bar.update(done)

    drawn = layouts.write(
        _LAYOUT.value,
        _OUTPUT.value,
        examples=_EXAMPLES.value,
        seed=_SEED.value,
        progress=progress,
    )
    print(f"{_OUTPUT.value}: {len(drawn):,} pictures in the layout of {_LAYOUT.value}")


if __name__ == "__main__":
    cli.run(main, required=("layout", "output"))
