"""What the figures share: titles of maps, axes, fonts, and how they are saved.

The functions of this package return a `matplotlib.figure.Figure`, made without
pyplot: nothing global is touched and no display is needed.
"""

import functools
import warnings

from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from fer_tf.utils import atomic

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


def font_file(text: str) -> str | None:
    """The file of a font of this machine that draws a text; None if there is none.

    Example:
        >>> from fer_tf.plotting.style import font_file
        >>> font_file("радость").endswith("DejaVuSans.ttf")
        True
    """
    if {ord(char) for char in text if char.isprintable()} <= _standard_characters():
        return font_manager.findfont("DejaVu Sans")
    names = _wide_fonts()
    return font_manager.findfont(names[0]) if names else None


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
