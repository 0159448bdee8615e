"""Image folders: `<split>/<class>/<image>`, or `<class>/<image>`.

The layout of `keras.utils.image_dataset_from_directory`, except that every file
counts: a file that is no picture becomes a reject with its reason, where that function
skips it.
"""

import functools
import os
from collections.abc import Iterator

from data_pipelines.sources import classes, fingerprints, paths
from data_pipelines.sources.errors import DataError
from data_pipelines.sources.sample import SPLIT_NAMES, Reject, Sample
from data_pipelines.sources.source import Source
from fer_tf.dataset_facts import UNKNOWN
from fer_tf.utils.names import one_line


class Folder(Source):
    """Source of a folder of pictures, sorted into folders by class.

    Without folders for the splits each picture's split is drawn from its pixels;
    with `train` and `test` alone, a tenth of `train` becomes `validation`.

    Args:
        root: The folder.
        classes: Order of the classes, as `data_pipelines.sources.classes` reads it;
            empty: expressions, or else the names of the folders, sorted.

    Raises:
        DataError: If it is not there, or its folders make no classes.
    """

    name = "folder"
    facts = UNKNOWN
    citation = ""
    default_crop = "meen"
    default_detector = "mtcnn"
    options = {"classes": ()}
    published = None

    def __init__(self, root: str, classes: str = ""):
        if not os.path.isdir(root):
            raise DataError(f"{root}: no such folder")
        self.root, self.folder, self._wanted = root, root, classes
        tops = paths.folders(root)
        splits = {
            SPLIT_NAMES[top.lower()] for top in tops if top.lower() in SPLIT_NAMES
        }
        self._in_splits = bool(splits)
        named = [(top, top) for top in tops]
        if self._in_splits:
            stray = [top for top in tops if top.lower() not in SPLIT_NAMES]
            if stray:
                raise DataError(f"{root}: {stray[0]}/ lies beside {sorted(splits)}")
            named = [
                (f"{top}/{name}", name)
                for top in tops
                for name in paths.folders(os.path.join(root, top))
            ]
        if not named:
            raise DataError(f"{root}: no folder of a class here")
        self.expressions, self._classes = _classes(root, named, classes)
        both = {"train", "test"} <= splits and "validation" not in splits
        self.holdout = "pixels" if both else None
        self.layout = "<split>/<class>" if self._in_splits else "<class>"
        self.layout += f", classes={classes}" if classes else ""

    @functools.cached_property
    def fingerprint(self) -> str:
        listed, text = paths.list_files(self.root), self._wanted
        return fingerprints.of_files(self.root, listed=listed, text=text)

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


def _classes(root, named, wanted):
    """The vocabulary, and the class of each folder."""
    vocabulary, own = classes.vocabulary(
        [name for _, name in named], wanted, where=root
    )
    # A folder above the classes is soon taken for a class.
    for path, name in () if wanted else named:
        inside = filter(classes.is_expression, paths.folders(os.path.join(root, path)))
        below = None if classes.is_expression(name) else next(inside, None)
        if below:
            raise DataError(
                f"{root}: {path}/ holds the folder {below}/; if it is a split, call it "
                "train, validation or test; if it is the data, give it as --source; "
                "if it is a class, name all classes by --classes"
            )
    return vocabulary, {path: own[name] for path, name in named}
