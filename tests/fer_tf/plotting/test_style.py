import itertools
import types
import warnings

import pytest
from matplotlib import font_manager
from matplotlib.figure import Figure

from fer_tf.plotting import style
from fer_tf.plotting.colors import COLORS, ink_on, luminance
from tests.fer_tf.plotting.legible import contrast


def test_luminance_of_known_colours():
    """Of mid grey and of pure red, from the definition: 0.2158605 and 0.2126."""
    assert luminance("#808080") == pytest.approx(0.2158605, abs=1e-6)
    assert luminance("#ff0000") == pytest.approx(0.2126)


def test_ink_can_be_read_on_every_colour():
    channels = ("00", "33", "5f", "76", "8c", "b0", "ff")
    every = ["#" + "".join(c) for c in itertools.product(channels, repeat=3)]
    assert min(contrast(c, ink_on(c)) for c in [*every, *COLORS.values()]) >= 4.5


@pytest.mark.parametrize("fonts", [[], ["Noto Sans CJK SC"]])
def test_other_scripts_take_a_font_that_is_here_or_warn_once(
    fonts, tmp_path, monkeypatch
):
    here = font_manager.fontManager.ttflist
    shown = [font for font in here if font.name not in style._WIDE_FONTS]
    shown += [types.SimpleNamespace(name=name) for name in fonts]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", shown)
    monkeypatch.setattr(style, "_save", lambda *_: None)
    style._wide_fonts.cache_clear()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for text in ("é × – ok", "\u7b11\u9854", "\u7b11"):
            figure = Figure()
            written = figure.text(0, 0, text)
            style.save_figure(figure, str(tmp_path / "x.png"))
    style._wide_fonts.cache_clear()
    assert written.get_fontfamily() == ["sans-serif", *fonts]
    said = [str(warning.message) for warning in said]
    once = ["no font here has every character of the figures"]
    assert said == ([] if fonts else once)


def test_a_glyph_that_is_missing_is_no_warning(tmp_path):
    figure = Figure(figsize=(1, 1))
    figure.text(0, 0, "\u7b11")
    style._wide_fonts.cache_clear()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        style.save_figure(figure, str(tmp_path / "x.png"))
    assert len(said) <= 1 and (tmp_path / "x.png").exists()
