import types
import warnings

import pytest
from matplotlib import font_manager
from matplotlib.figure import Figure

from fer_tf.plotting import fonts, letters, style


@pytest.fixture
def installed(monkeypatch):
    """Makes this machine have such wide fonts, and no others."""

    def install(names):
        here = font_manager.fontManager.ttflist
        shown = [font for font in here if font.name not in fonts.WIDE_FONTS]
        file = fonts.standard_font()
        shown += [types.SimpleNamespace(name=name, fname=file) for name in names]
        monkeypatch.setattr(font_manager.fontManager, "ttflist", shown)

    caches = fonts.wide_fonts, letters._font, letters._mask
    for cache in caches:
        cache.cache_clear()
    yield install
    for cache in caches:
        cache.cache_clear()


@pytest.mark.parametrize("names", [[], ["Noto Sans CJK SC"]])
def test_other_scripts_take_a_font_that_is_here_or_warn_once(
    names, tmp_path, monkeypatch, installed
):
    installed(names)
    monkeypatch.setattr(style, "_save", lambda *_: None)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for text in ("é × – ok", "\u7b11\u9854", "\u7b11"):
            figure = Figure()
            written = figure.text(0, 0, text)
            style.save_figure(figure, str(tmp_path / "x.png"))
            letters.extent(text, 12)  # On pixels too.
    assert written.get_fontfamily() == ["sans-serif", *names]
    said = [str(warning.message) for warning in said]
    once = ["no font here has every character of a picture"]
    assert said == ([] if names else once)


def test_a_glyph_that_is_missing_is_no_warning(tmp_path, installed):
    installed([])
    figure = Figure(figsize=(1, 1))
    figure.text(0, 0, "\u7b11")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        style.save_figure(figure, str(tmp_path / "x.png"))
    assert len(said) <= 1 and (tmp_path / "x.png").exists()
