"""The recipe of a crop: everything that decides the pixels a model was given.

A spec is stored beside the records and beside the weights, and compared before
the two meet: a model must not be fed crops framed in another way. Nothing but
the standard library is imported here.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

# The version that this code writes, and the newest that it reads.
VERSION = 1

MAX_SIZE = 1024
"""Largest side of a crop; the papers' largest is 224."""

# Farthest that a template or a margin may reach from the crop, in sides of it; and
# the least root mean square distance of its points from the line that fits them best.
_FARTHEST = 10
_LEAST_SPREAD = 0.01

# The values of each field that has a fixed vocabulary.
_CHOICES = {
    "color": ("grey", "rgb"),
    "transform": ("similarity", "affine", "box", "none"),
    "interpolation": ("nearest", "linear", "cubic"),
    "channel_order": ("rgb", "bgr"),
}


def _tupled(value):
    """JSON gives lists where the spec holds tuples."""
    return tuple(map(_tupled, value)) if isinstance(value, list | tuple) else value


@dataclasses.dataclass(frozen=True, kw_only=True)
class CropSpec:
    """How a photograph becomes a square crop.

    A spec that differs in a detail is made with `dataclasses.replace`, for
    instance `replace(spec, size=48, color="grey")`.

    Attributes:
        name: Which recipe this is, or was derived from.
        size: Side of the stored crop in pixels.
        color: `"grey"` (one channel) or `"rgb"` (three).
        transform: `"similarity"` or `"affine"` to the template from five
            landmarks, `"box"` for the face's box, `"none"` for whole images.
        template: Where the landmarks go: left eye, right eye, nose, left and
            right mouth corner (left as seen in the image), each `(x, y)` as a
            fraction of the side. 0 and 1 are the outer edges of the crop, so
            pixel `i` has its centre at `(i + 0.5) / size`.
        margin: Added to each side of a box, as a fraction of its longer side.
        interpolation: `"nearest"`, `"linear"` or `"cubic"`; shrinking averages
            in any case.
        value_range: Least and greatest value of a stored crop.
        mean: Subtracted from the stored crop, a value per channel; empty where
            nothing is, as in all of ours: models do it themselves.
        channel_order: `"rgb"` or `"bgr"`; says nothing about a grey crop.
        version: Of the meaning of these fields.

    Raises:
        ValueError: If a field holds what it may not.

    >>> small = dataclasses.replace(CROP_SPECS["gan2020"], size=48, color="grey")
    >>> small.channels, small.difference(CROP_SPECS["gan2020"])
    (1, ['size', 'color'])
    >>> CropSpec.from_dict(small.to_dict()) == small
    True
    """

    name: str
    size: int
    color: str
    transform: str
    template: tuple[tuple[float, float], ...]
    margin: float = 0.1
    interpolation: str = "linear"
    value_range: tuple[float, float] = (0, 255)
    mean: tuple[float, ...] = ()
    channel_order: str = "rgb"
    version: int = VERSION

    def __post_init__(self):
        for field in ("template", "value_range", "mean"):
            object.__setattr__(self, field, _tupled(getattr(self, field)))
        for field, choices in _CHOICES.items():
            if getattr(self, field) not in choices:
                self._refuse(field, f"one of {', '.join(choices)}")
        if type(self.version) is not int or not 1 <= self.version <= VERSION:
            self._refuse("version", f"a whole number in 1..{VERSION}")
        name = self.name if isinstance(self.name, str) else ""
        if not (0 < len(name) <= 100 and name.isprintable()):
            self._refuse("name", "one line of text, not empty, of at most 100 letters")
        if type(self.size) is not int or not 1 <= self.size <= MAX_SIZE:
            self._refuse("size", f"a whole number in 1..{MAX_SIZE}")
        if not _shaped(self.template, (5, 2)):
            self._refuse("template", "five finite (x, y)")
        if max(abs(c) for point in self.template for c in point) > _FARTHEST:
            self._refuse("template", f"fractions of the side, within {_FARTHEST}")
        by_points = self.transform in ("similarity", "affine")
        if by_points and _spread(self.template) < _LEAST_SPREAD:
            self._refuse("template", "five points that do not lie on a line or a spot")
        if not _shaped(self.value_range, (2,)):
            self._refuse("value_range", "two finite numbers")
        count = len(self.mean) if isinstance(self.mean, tuple) else 0
        if not _shaped(self.mean, (count,)):
            self._refuse("mean", "finite numbers")
        if not _finite(self.margin) or not 0 <= self.margin <= _FARTHEST:
            self._refuse("margin", f"a number in 0..{_FARTHEST}")

    def _refuse(self, field, wanted):
        received = repr(getattr(self, field))[:200]
        raise ValueError(f"`{field}` must be {wanted}. Received: {field}={received}.")

    @property
    def channels(self) -> int:
        """Number of channels of a crop."""
        return 1 if self.color == "grey" else 3

    def to_dict(self) -> dict[str, Any]:
        """Plain values that JSON keeps exactly; `from_dict` takes them back."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "CropSpec":
        """Rebuilds a spec from what `to_dict` gave, before or after JSON.

        Raises:
            ValueError: If the version is newer than this code, a field is
                unknown or missing, or one holds what it may not.
        """
        if not isinstance(values, Mapping):
            raise ValueError(f"A crop spec must be a dict. Received: {values!r}.")
        version = values.get("version")
        if type(version) is int and version > VERSION:
            raise ValueError(
                f"The crop spec has version {version}, and this fer_tf reads up to "
                f"version {VERSION}: it was written by a newer one."
            )
        known = {field.name for field in dataclasses.fields(cls)}
        for problem, fields in (
            ("lacks", known - set(values)),
            ("has unknown fields", set(values) - known),
        ):
            if fields:
                raise ValueError(
                    f"The crop spec {problem}: {', '.join(sorted(fields))}."
                )
        return cls(**values)

    def difference(self, other: "CropSpec") -> list[str]:
        """Names of the fields in which the two differ, in order."""
        return [
            field.name
            for field in dataclasses.fields(self)
            if getattr(self, field.name) != getattr(other, field.name)
        ]

    def require_same_framing(self, other: "CropSpec", what: str) -> None:
        """Checks that crops of `other` become ours by a change of size and colour.

        Size and colour can be derived from records; framing cannot.

        Args:
            other: The crops' spec.
            what: What states `other`, for the message.

        Raises:
            ValueError: If `other` differs in more than size and colour.
        """
        derived = dataclasses.replace(other, size=self.size, color=self.color)
        self.require_same(derived, what)

    def require_same(self, other: "CropSpec", what: str) -> None:
        """Checks that `other`, the spec of `what`, is this one.

        Raises:
            ValueError: If any field differs; the message names it.
        """
        fields = self.difference(other)
        if fields:
            raise ValueError(
                f"The crops differ from those of {what}: "
                + "; ".join(
                    f"{field} is {getattr(self, field)!r}, "
                    f"there {getattr(other, field)!r}"
                    for field in fields
                )
                + "."
            )

    def require_fit(self, shape: tuple[int, int, int], what: str) -> None:
        """Checks that a model can be given these crops.

        Args:
            shape: `(height, width, channels)` of its input, which may be smaller
                than the crops: it sees windows of them then. Models take pixels
                in 0..255 and do the rest themselves.
            what: What states this spec, for the message.

        Raises:
            ValueError: If it cannot; the message names the field.
        """
        height, width, channels = shape
        model = f"the model takes {height}x{width} with {channels} channel(s)"
        for field, fits, wanted in (
            ("size", height == width <= self.size, model),
            ("color", channels == self.channels, model),
            ("value_range", self.value_range == (0, 255), "models take 0..255"),
            ("mean", not any(self.mean), "models subtract their means themselves"),
        ):
            if not fits:
                raise ValueError(
                    f"{what}: the crop spec {self.name!r} does not fit: {field} is "
                    f"{getattr(self, field)!r}, but {wanted}."
                )


def _finite(value) -> bool:
    """Whether this is a finite number (and not a bool), of a size that floats have."""
    return type(value) in (int, float) and abs(value) < 1e300


def _spread(points) -> float:
    """Root mean square distance of points from the line that fits them best."""
    n = len(points)
    x, y = (sum(axis) / n for axis in zip(*points))
    xx = sum((p[0] - x) ** 2 for p in points) / n
    yy = sum((p[1] - y) ** 2 for p in points) / n
    xy = sum((p[0] - x) * (p[1] - y) for p in points) / n
    # The smaller eigenvalue of their covariance.
    return math.sqrt(max(0.0, (xx + yy) / 2 - math.hypot((xx - yy) / 2, xy)))


def _shaped(value, shape) -> bool:
    """Whether nested tuples have a shape and hold finite numbers."""
    if not shape:
        return _finite(value)
    return (
        isinstance(value, tuple)
        and len(value) == shape[0]
        and all(_shaped(part, shape[1:]) for part in value)
    )


# The five points that ArcFace and most public aligners use, at 112 pixels. They
# are coordinates of pixels, whose centres are half a pixel inside.
_ARCFACE_112 = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)
_ARCFACE = tuple(((x + 0.5) / 112, (y + 0.5) / 112) for x, y in _ARCFACE_112)


def _scaled(template, factor, center=(0.5, 0.5), to=(0.5, 0.5)):
    """A template scaled about a point, which then moves to another."""
    return tuple(
        tuple(round(t + factor * (p - c), 6) for p, c, t in zip(point, center, to))
        for point in template
    )


def _arcface_eyes_apart(distance, eyes_at):
    """The usual five points at another scale, given where the eyes go."""
    (left, top), (right, _) = _ARCFACE[:2]
    eyes = ((left + right) / 2, top)
    return _scaled(_ARCFACE, distance / (right - left), eyes, eyes_at)


# Mean five points of FER2013, made symmetric: measured with MTCNN on 600 random
# training images, enlarged four times and padded. It found a face in 524; the
# mean is over the 463 with no point more than 0.2 from the median.
_FER2013 = (
    (0.3187, 0.3822),
    (0.6813, 0.3822),
    (0.5, 0.5932),
    (0.3472, 0.7807),
    (0.6528, 0.7807),
)

# Where the mean synthetic face has its points; the drawing code is not imported
# here, and a test holds the two together.
_SYNTHETIC = (
    (0.366113, 0.410665),
    (0.633887, 0.410665),
    (0.5, 0.55896),
    (0.39626, 0.69462),
    (0.60374, 0.69462),
)

# dlib's chip of 150 pixels with a padding of 0.25: its mean face of 68 points, in units
# of the face without padding. Here are the means of each eye's outline, the tip of the
# nose and the corners of the mouth, the points that a detector of five points gives.
_DLIB_FACE = (
    (0.225492, 0.215990),
    (0.754761, 0.215990),
    (0.490127, 0.515625),
    (0.254149, 0.780233),
    (0.726104, 0.780233),
)
_DLIB_FACE = tuple(
    tuple(round((0.25 + p) / 1.5 + 0.5 / 150, 6) for p in point) for point in _DLIB_FACE
)

# None of the four papers gives target coordinates; each entry says what it is.
CROP_SPECS: dict[str, CropSpec] = {
    spec.name: spec
    for spec in (
        # 56 grey, of which the model sees 48: the 48 have the usual framing.
        CropSpec(
            name="wang2018",
            size=56,
            color="grey",
            transform="similarity",
            template=_scaled(_ARCFACE, 48 / 56),
        ),
        # Aff-Wild2's own `cropped_aligned` frames are 112 and framed like this.
        CropSpec(
            name="zhang2020",
            size=112,
            color="rgb",
            transform="similarity",
            template=_ARCFACE,
        ),
        # FER2013 is cropped already; a photograph is framed as it is on average.
        CropSpec(
            name="meen",
            size=48,
            color="grey",
            transform="similarity",
            template=_FER2013,
        ),
        # "Affine transformation to align the images according to the
        # landmarks". Eyes 0.43 of the width apart as in RAF-DB's aligned
        # images, and high enough for the boxes of the eight regions.
        CropSpec(
            name="gan2020",
            size=224,
            color="rgb",
            transform="affine",
            template=_arcface_eyes_apart(0.43, (0.5, 0.34)),
        ),
        # What dlib's face-recognition network was trained on.
        CropSpec(
            name="dlib_face",
            size=150,
            color="rgb",
            transform="similarity",
            template=_DLIB_FACE,
        ),
        CropSpec(
            name="synthetic",
            size=96,
            color="rgb",
            transform="similarity",
            template=_SYNTHETIC,
        ),
    )
}
