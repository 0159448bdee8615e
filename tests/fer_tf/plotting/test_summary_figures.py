import pytest

from fer_tf.plotting import summary_figures


def value(mean, interval=None):
    return {"mean": mean, **({"interval": interval} if interval else {})}


def test_each_mean_and_interval_is_drawn_where_it_is():
    one = {"fear": value(0.2, (0.1, 0.4)), "anger": value(0.5)}
    other = {"fear": value(0.3, (0.2, 0.5)), "anger": value(-0.5, (-0.6, 0.0))}
    figure = summary_figures.dots({"a (n = 2)": one, "b (n = 3)": other}, "mean")
    (axes,) = figure.axes
    assert [list(line.get_xdata()) for line in axes.lines] == [[0.2, 0.5], [0.3, -0.5]]
    segments = axes.collections[1].get_segments()
    assert segments[1][:, 0] == pytest.approx([-0.6, 0.0])
    assert [t.get_text() for t in axes.get_yticklabels()] == ["fear", "anger"]
    legend = figure.legends[0].get_texts()
    assert [text.get_text() for text in legend] == ["a (n = 2)", "b (n = 3)"]
    figure.canvas.draw()


def test_a_course_has_a_line_a_group_in_each_readings_axes():
    spans = [{"time": t, "values": {n: value(t, (t - 1, t + 1)) for n in "abcd"}}
             for t in (0.25, 0.75)]  # fmt: skip
    groups = {"x": spans, "y": spans[:1]}
    figure = summary_figures.courses(groups, "abcd", "seconds", "mean")
    shown = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_title() for axes in shown] == list("abcd")
    assert [len(axes.lines) for axes in shown] == [2] * 4
    assert list(shown[3].lines[0].get_ydata()) == [0.25, 0.75]
    assert figure.get_supylabel() == "mean"
    figure.canvas.draw()
