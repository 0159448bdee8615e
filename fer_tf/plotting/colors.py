"""Colours of the expressions, the same in every picture, and inks to read on them."""

import itertools
from collections.abc import Sequence

# One colour an expression, the same in every picture; chosen to stay apart for
# colour-blind readers (after Okabe and Ito).
COLORS = {
    "neutral": "#8c8c8c",
    "happiness": "#e69f00",
    "sadness": "#0072b2",
    "surprise": "#56b4e9",
    "fear": "#9467bd",
    "disgust": "#009e73",
    "anger": "#d55e00",
    "contempt": "#cc79a7",
}
INK = "#222222"


def class_colors(names: Sequence[str]) -> list[str]:
    """A colour for each class: an expression's own, for others grey and what is left.

    Example:
        >>> from fer_tf.plotting.colors import class_colors
        >>> class_colors(["neutral", "other", "tense"])
        ['#8c8c8c', '#bbbbbb', '#e69f00']
    """
    left = itertools.cycle(
        ["#bbbbbb", *(COLORS[name] for name in COLORS if name not in names)]
    )
    return [COLORS[name] if name in COLORS else next(left) for name in names]


def luminance(color: str) -> float:
    """Relative luminance of a colour in [0, 1], as WCAG 2.2 defines it.

    Example:
        >>> from fer_tf.plotting.colors import luminance
        >>> luminance("#000000"), round(luminance("#ffffff"), 6)
        (0.0, 1.0)
    """
    channels = (value / 255 for value in rgb(color))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
              for c in channels]  # fmt: skip
    return sum(c * weight for c, weight in zip(linear, (0.2126, 0.7152, 0.0722)))


def ink_on(color: str) -> str:
    """Black or white, whichever is the easier to read on a colour.

    The better of the two has a contrast of at least 4.58 : 1 on any colour; WCAG 2.2
    asks for 4.5.

    Example:
        >>> from fer_tf.plotting.colors import ink_on
        >>> ink_on("#e69f00"), ink_on("#0072b2")
        ('#000000', '#ffffff')
    """
    return "#000000" if luminance(color) > 0.05 * (21**0.5 - 1) else "#ffffff"


def rgb(color: str) -> tuple[int, int, int]:
    """Red, green and blue of a colour, 0 to 255.

    Example:
        >>> from fer_tf.plotting.colors import rgb
        >>> rgb("#ff8000")
        (255, 128, 0)
    """
    return tuple(int(color[i : i + 2], 16) for i in (1, 3, 5))
