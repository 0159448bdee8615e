"""FER2013 (Goodfellow et al., 2013) in both public layouts.

- `fer2013.csv`: header `emotion,pixels,Usage`; 48 * 48 grey values a row.
- image folders: `train/<class>/Training_<id>.jpg` and
  `test/<class>/{PublicTest,PrivateTest}_<id>.jpg`.

PublicTest is `validation`, PrivateTest is `test`, as in the challenge. The
file ids of the folders are not row numbers of the CSV, so the two layouts
give different sample ids.
"""

import functools
import os
from collections.abc import Iterator

import numpy as np

from data_pipelines.sources import fingerprints, paths
from data_pipelines.sources.errors import DataError, clip
from data_pipelines.sources.sample import Reject, Sample
from data_pipelines.sources.source import Source, class_counts
from fer_tf import labels
from fer_tf.dataset_facts import PEOPLE_UNRECORDED, DatasetFacts
from fer_tf.faces.images import read_image
from fer_tf.utils.hashing import sha256
from fer_tf.utils.names import one_line

SIZE = 48
PUBLISHED = class_counts(
    ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"),
    {
        "train": (3995, 436, 4097, 7215, 4830, 3171, 4965),  # 28,709
        "validation": (467, 56, 496, 895, 653, 415, 607),  # 3,589
        "test": (491, 55, 528, 879, 594, 416, 626),  # 3,589
    },
)
# FER+ relabels the same pictures.
PICTURES = (
    "35,887 grey pictures of 48x48 pixels, gathered from the web for a challenge of "
    "ICML 2013."
)
TERMS = "The pictures may be measured and trained on, not passed on."
FLAWS = (
    "1,516 groups of identical pictures; 557 of them reach across the splits and 57 "
    "carry conflicting labels (`trainers.verify` counts them)."
)
SPLITS = {"Training": "train", "PublicTest": "validation", "PrivateTest": "test"}
_HEADER = ["emotion", "pixels", "usage"]
# No row of 48 * 48 numbers is longer.
_LONGEST_LINE = 2**16
CSV_NAMES = ("fer2013.csv", "icml_face_data.csv")


class Fer2013(Source):
    """Source of FER2013 in either layout.

    Args:
        root: The CSV, or a folder that holds it, or the folder with `train`
            and `test`.

    Raises:
        DataError: If neither layout is there.
    """

    name = "fer2013"
    facts = DatasetFacts(
        title="FER2013",
        pictures=PICTURES,
        labels="One of seven expressions a picture.",
        people=PEOPLE_UNRECORDED,
        terms=TERMS,
        flaws=FLAWS,
    )
    citation = (
        "Goodfellow et al., Challenges in Representation Learning, 2013; counts of "
        "the owner's fer2013.csv"
    )
    class_ids = dict(enumerate(PUBLISHED["train"]))
    default_crop = "meen"
    default_detector = "none"
    published_tables = {"FER2013": PUBLISHED}
    published = PUBLISHED
    strict = True

    def __init__(self, root: str):
        self.csv = _find_csv(root)
        self.root = os.path.dirname(self.csv) if self.csv else root
        self.folder = root if os.path.isdir(root) else None
        self.layout = "csv" if self.csv else "folders"
        if not self.csv and not os.path.isdir(os.path.join(root, "train")):
            raise DataError(
                f"{root}: no fer2013.csv and no train/<class>/Training_*.jpg here"
            )

    @functools.cached_property
    def fingerprint(self) -> str:
        if self.csv:
            return sha256(self.csv)
        return fingerprints.of_files(self.root, listed=self._folder_files())

    def rows(self) -> Iterator[Sample | Reject]:
        """Lists the rows of the CSV, or the images in sorted order."""
        yield from self._csv_rows() if self.csv else self._folder_rows()

    def load(self, sample: Sample) -> tuple[Sample, np.ndarray]:
        """Reads one 48x48 grey picture."""
        if sample.span is None:
            image = read_image(paths.resolve_inside(self.root, sample.path))
            if image.shape[:2] != (SIZE, SIZE):
                raise DataError(
                    f"FER2013 pictures are {SIZE}x{SIZE}, this one is "
                    f"{image.shape[1]}x{image.shape[0]}"
                )
            # The public JPEGs are grey, so the three channels are equal.
            return sample, image[..., 0]
        offset, length = sample.span
        with open(os.path.join(self.root, sample.path), "rb") as file:
            file.seek(offset)
            return sample, _parse_pixels(file.read(length))

    def _csv_rows(self):
        name = os.path.basename(self.csv)
        with open(self.csv, "rb") as file:
            header = file.readline(_LONGEST_LINE)
            text = header.decode("utf-8-sig", errors="replace")
            columns = [c.strip(' "\r\n').lower() for c in text.split(",")]
            if sorted(columns) != sorted(_HEADER):
                raise DataError(
                    f"{name}: the header must be emotion,pixels,Usage. "
                    f"Received: {header[:80]!r}"
                )
            where = {column: columns.index(column) for column in _HEADER}
            offset, number = len(header), 0
            while line := file.readline(_LONGEST_LINE):
                if line.strip():
                    yield _csv_sample(name, number, line, offset, where)
                offset, number = offset + len(line), number + 1
        if not number:
            raise DataError(f"{name}: no rows below the header")

    def _folder_rows(self):
        path = None
        for path in self._folder_files():
            parts = path.split("/")
            if path != one_line(path):
                raise DataError(f"{one_line(path)}: the name is no plain UTF-8")
            if len(parts) != 3:
                raise DataError(f"{path}: expected <split>/<class>/<image> here")
            usage = parts[2].split("_")[0]
            if usage not in SPLITS or (parts[0] == "train") != (usage == "Training"):
                raise DataError(
                    f"{path}: a file below {parts[0]}/ must be named "
                    + ("Training_*" if parts[0] == "train" else "P*Test_*")
                )
            try:
                expression = labels.expression_of(parts[1])
            except ValueError as error:
                raise DataError(f"{path}: {error}") from error
            # Two file names come twice, in two classes: the path is the id.
            yield Sample(path, SPLITS[usage], path, expression=expression)
        if path is None:
            raise DataError(f"{self.root}: train/ and test/ hold no picture")

    def _folder_files(self):
        for top in ("train", "test"):
            if os.path.isdir(os.path.join(self.root, top)):
                yield from paths.list_files(self.root, top)


def _find_csv(root):
    if os.path.isfile(root):
        return root
    if not os.path.isdir(root):
        raise DataError(f"{root}: no such file or folder")
    for name in CSV_NAMES:
        if os.path.isfile(os.path.join(root, name)):
            return paths.resolve_inside(root, name)
    return None


def _csv_sample(name, number, line, offset, where):
    """One CSV row as a sample; a broken row stops everything, by line."""
    place = f"{name}, line {number + 2}"
    fields = line.split(b",")
    if len(fields) != len(_HEADER):
        raise DataError(
            f"{place}: {len(fields)} fields where there must be {len(_HEADER)}; "
            "is the file truncated?"
        )
    emotion = fields[where["emotion"]].strip().decode("latin-1")
    usage = fields[where["usage"]].strip().decode("latin-1")
    if usage not in SPLITS:
        name = clip(usage)
        raise DataError(f"{place}: unknown Usage {name!r}; is the file truncated?")
    try:
        expression = Fer2013.class_name(int(emotion))
    except ValueError as error:
        raise DataError(f"{place}: emotion {clip(emotion)!r} must be 0..6") from error
    pixels = fields[where["pixels"]]
    values = len(pixels.strip(b' "\r\n').split(b" "))
    if values != SIZE * SIZE:
        raise DataError(f"{place}: {values} pixels where there must be {SIZE * SIZE}")
    start = offset + sum(len(field) + 1 for field in fields[: where["pixels"]])
    return Sample(
        sample_id=f"{usage}_{number:05d}",
        split=SPLITS[usage],
        path=name,
        span=(start, len(pixels)),
        expression=expression,
    )


def _parse_pixels(text):
    try:
        values = np.array(text.strip(b' "\r\n').split(), dtype=np.int64)
    except ValueError as error:
        raise DataError("the pixels are not all whole numbers") from error
    if values.size != SIZE * SIZE:
        raise DataError(f"{values.size} pixels where there must be {SIZE * SIZE}")
    if values.min() < 0 or values.max() > 255:
        raise DataError("a pixel lies outside 0..255")
    return values.astype(np.uint8).reshape(SIZE, SIZE)
