"""Image folders: `<split>/<class>/<image>`, or `<class>/<image>`.

The layout of `keras.utils.image_dataset_from_directory`, except that every file
counts: a file that is no picture becomes a reject with its reason, where that function
skips it.
"""

import functools
import os
from collections.abc import Iterator

from data_pipelines.sources import fingerprints, paths
from data_pipelines.sources.errors import DataError
from data_pipelines.sources.sample import SPLIT_NAMES, Reject, Sample
from data_pipelines.sources.source import Source
from fer_tf import labels
from fer_tf.dataset_facts import UNKNOWN
from fer_tf.utils.names import one_line


class Folder(Source):
    """Source of a folder of pictures, sorted into folders by expression.

    Without folders for the splits each picture's split is drawn from its pixels;
    with `train` and `test` alone, a tenth of `train` becomes `validation`.

    Args:
        root: The folder.

    Raises:
        DataError: If it is not there, or a folder is named as no expression.
    """

    name = "folder"
    facts = UNKNOWN
    citation = ""
    default_crop = "meen"
    default_detector = "mtcnn"
    published = None

    def __init__(self, root: str):
        if not os.path.isdir(root):
            raise DataError(f"{root}: no such folder")
        self.root = self.folder = root
        tops = paths.folders(root)
        splits = {
            SPLIT_NAMES[top.lower()] for top in tops if top.lower() in SPLIT_NAMES
        }
        self._in_splits = bool(splits)
        classes = [(top, top) for top in tops]
        if self._in_splits:
            stray = [top for top in tops if top.lower() not in SPLIT_NAMES]
            if stray:
                raise DataError(f"{root}: {stray[0]}/ lies beside {sorted(splits)}")
            classes = [
                (f"{top}/{name}", name)
                for top in tops
                for name in paths.folders(os.path.join(root, top))
            ]
        if not classes:
            raise DataError(f"{root}: no folder named as an expression here")
        self._classes = {path: _expression(root, path, name) for path, name in classes}
        both = {"train", "test"} <= splits and "validation" not in splits
        self.holdout = "pixels" if both else None
        self.layout = "<split>/<class>" if self._in_splits else "<class>"

    @functools.cached_property
    def fingerprint(self) -> str:
        return fingerprints.of_files(self.root, listed=paths.list_files(self.root))

    def rows(self) -> Iterator[Sample | Reject]:
        """Lists every file in sorted order."""
        for path in paths.list_files(self.root):
            parts = path.split("/")
            depth = 2 if self._in_splits else 1
            if len(parts) <= depth:
                yield Reject(one_line(path), "lies in no class folder")
                continue
            try:
                paths.check_name(path)
            except DataError as error:
                yield Reject.of(path, error)
                continue
            split = SPLIT_NAMES[parts[0].lower()] if self._in_splits else None
            expression = self._classes["/".join(parts[:depth])]
            yield Sample(path, split=split, path=path, expression=expression)


def _expression(root, path, name):
    try:
        return labels.expression_of(name)
    except ValueError as error:
        known = ", ".join(labels.EXPRESSIONS)
        raise DataError(
            f"{root}: the folder {path}/ is not named as an expression: {known}, or "
            "Happy, angry and the like; rename it, or list the pictures with their "
            "expressions in a CSV (--dataset=csv); of folders face/ and nonface/ "
            "make --dataset=facenonface"
        ) from error
