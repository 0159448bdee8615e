"""What the figures share: colours, titles of maps, axes, and how they are saved.

The functions of this package return a `matplotlib.figure.Figure`, made without
pyplot: nothing global is touched and no display is needed.
"""

import functools
import itertools
import warnings
from collections.abc import Sequence

from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from fer_tf.utils import atomic

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

# Fonts of usual systems that draw Chinese, Japanese and Korean.
_WIDE_FONTS = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "PingFang SC",
    "Hiragino Sans", "Hiragino Sans GB", "Microsoft YaHei", "SimHei", "Yu Gothic",
    "MS Gothic", "Malgun Gothic", "Arial Unicode MS", "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei", "Droid Sans Fallback", "IPAGothic",
)  # fmt: skip

_MAP_TITLES = {
    "grad_cam": "Grad-CAM",
    "guided_grad_cam": "guided Grad-CAM",
    "guided_backpropagation": "guided backpropagation",
    "edges": "edges of the image",
}


def class_colors(names: Sequence[str]) -> list[str]:
    """A colour for each class: an expression's own, for others grey and what is left.

    Example:
        >>> from fer_tf.plotting.style import class_colors
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
        >>> from fer_tf.plotting.style import luminance
        >>> luminance("#000000"), round(luminance("#ffffff"), 6)
        (0.0, 1.0)
    """
    channels = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
              for c in channels]  # fmt: skip
    return sum(c * weight for c, weight in zip(linear, (0.2126, 0.7152, 0.0722)))


def ink_on(color: str) -> str:
    """Black or white, whichever is the easier to read on a colour.

    The better of the two has a contrast of at least 4.58 : 1 on any colour; WCAG 2.2
    asks for 4.5.

    Example:
        >>> from fer_tf.plotting.style import ink_on
        >>> ink_on("#e69f00"), ink_on("#0072b2")
        ('#000000', '#ffffff')
    """
    return "#000000" if luminance(color) > 0.05 * (21**0.5 - 1) else "#ffffff"


def map_title(name: str) -> str:
    """Title of a map of `fer_tf.explain` in a picture."""
    return _MAP_TITLES.get(name, name.replace("_", " "))


def tidy(axes: Axes) -> None:
    """Removes the frame's upper and right line, and makes the numbers legible."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=9)


def save_figure(figure: Figure, path: str, *, dpi: int = 110) -> None:
    """Writes a figure as the picture that the path's ending names.

    The file appears whole or not at all.

    Raises:
        OSError: If it cannot be written, with `path` as its file name.
    """
    _find_fonts(figure)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        _save(figure, path, dpi)


def _find_fonts(figure):
    """Lets another font of this machine draw what the standard one has not."""
    texts = figure.findobj(Text)
    used = {char for text in texts for char in text.get_text() if char.isprintable()}
    if {ord(char) for char in used} <= _standard_characters():
        return
    for text in texts:
        text.set_fontfamily([*text.get_fontfamily(), *_wide_fonts()])


@functools.cache
def _standard_characters():
    font = font_manager.get_font(font_manager.findfont("DejaVu Sans"))
    return frozenset(font.get_charmap())


@functools.cache
def _wide_fonts():
    """Names of those that are here; says once if none is."""
    here = {font.name for font in font_manager.fontManager.ttflist}
    found = [name for name in _WIDE_FONTS if name in here]
    if not found:
        warnings.warn("no font here has every character of the figures", stacklevel=2)
    return found


def _save(figure, path, dpi):
    # The layout gives each axis room for its numbers, and then may change them: 0.5 and
    # 1.0 become 0.25 and 0.50. The second layout has room for what is drawn. Pictures
    # of photographs, of which a folder has many, have no layout.
    if figure.get_layout_engine() is not None:
        figure.draw_without_rendering()
    # Level 6, the usual one, takes a third longer for a tenth fewer bytes.
    packed = {"pil_kwargs": {"compress_level": 3}} if path.endswith(".png") else {}
    with atomic.replacing(path) as temporary:
        figure.savefig(temporary, dpi=dpi, **packed)
