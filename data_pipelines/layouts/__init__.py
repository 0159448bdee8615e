"""The synthetic faces in each owner's layout, file for file.

With them every loader and every recipe can be tried without a licence:
`data_pipelines.sources` reads them as it reads the real download.
"""

from collections.abc import Callable

from data_pipelines.layouts import (
    affectnet,
    affwild2,
    ckplus,
    fer2013,
    folders,
    rafdb,
)
from data_pipelines.layouts.pictures import Drawn
from fer_tf.arguments import require
from fer_tf.utils import atomic

# The part before an underscore is the data set, as `--dataset` takes it.
LAYOUTS: dict[str, Callable[..., Drawn]] = {
    "fer2013": fer2013.write,
    "fer2013_folders": fer2013.write_folders,
    "ferplus": fer2013.write_ferplus,
    "affectnet": affectnet.write,
    "affectnet_npy": affectnet.write_npy,
    "affwild2": affwild2.write,
    "affwild2_2022": affwild2.write_2022,
    "rafdb": rafdb.write,
    "ckplus": ckplus.write,
    "facenonface": folders.write_face_nonface,
    "folder": folders.write_classes,
    "csv": folders.write_table,
}

__all__ = ["LAYOUTS", "write"]


def write(
    layout: str,
    output: str,
    *,
    examples: int,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Drawn:
    """Writes synthetic faces as a data set's owner ships them.

    Args:
        layout: One of `LAYOUTS`.
        output: Folder that will hold it; must be absent or empty. It appears
            whole or not at all.
        examples: Pictures to draw, about; sequences are not cut short.
        seed: Of the drawn faces.
        progress: Called with the number of pictures drawn, and of all.

    Returns:
        What each picture shows: its path in `output` (its row, for pictures in a
        CSV) -> `(index, intensity)` of `data_pipelines.synthetic.draw`.

    Raises:
        FileExistsError: If `output` is not absent or empty.
        ValueError: If `examples` is not positive.
    """
    require(examples >= 1, "be positive", examples=examples)
    with atomic.new_folder(output) as folder:
        return LAYOUTS[layout](folder, examples, seed, progress)
