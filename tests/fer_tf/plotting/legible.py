"""Pictures that can be read: every word inside the picture, every value drawn."""

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from fer_tf.plotting.colors import luminance


def assert_legible(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(box.x0, box.y0) > -0.02, box
    assert box.x1 < width + 0.02 and box.y1 < height + 0.02, box
    words = [text for text in figure.findobj(Text) if text.get_text().strip()]
    assert min(text.get_fontsize() for text in words) >= 7


def contrast(one, other):
    """Of two colours such as "#e69f00", from 1 to 21: WCAG 2.2, "contrast ratio"."""
    dark, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dark + 0.05)
