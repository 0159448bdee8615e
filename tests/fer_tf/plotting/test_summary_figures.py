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


def test_probabilities_and_dimensions_have_an_axis_each():
    names = ("fear", "circumplex_valence", "unsure", "arousal")
    values = {name: value(0.25, (0.2, 0.3)) for name in names}
    first, second = summary_figures.dots({"a": values}, "mean").axes
    shown = [[t.get_text() for t in axes.get_yticklabels()] for axes in (first, second)]
    assert shown == [["fear", "unsure"], ["circumplex_valence (derived)", "arousal"]]
    assert first.get_xlim()[0] <= 0 and 1 <= first.get_xlim()[1] < 1.1
    assert second.get_xlim()[0] <= -1 and 1 <= second.get_xlim()[1] < 1.1
    labels = [axes.get_xlabel() for axes in (first, second)]
    assert labels == ["probability or share: mean", "valence, arousal: mean"]
    # Differences are as large as they are.
    (axes,) = summary_figures.dots({"a": {"fear": value(0.01)}}, "d", zero=True).axes
    assert axes.get_xlim()[1] < 0.1


def test_courses_of_a_kind_have_one_scale():
    means = {"fear": 0.1, "anger": 0.2, "valence": -0.9, "arousal": 0.3}
    spans = [{"time": t, "values": {n: value(t * m) for n, m in means.items()}}
             for t in (0.5, 1.0)]  # fmt: skip
    figure = summary_figures.courses({"x": spans}, list(means), "seconds", "mean")
    ends = [axes.get_ylim() for axes in figure.axes if axes.axison]
    assert ends[0] == ends[1] and ends[2] == ends[3] and ends[0] != ends[2]
    assert ends[0][0] > 0 and ends[2][0] < -0.9 < 0.3 < ends[2][1]


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


def test_bands_are_cut_where_no_change_could_be():
    """An interval of two people, by Student's t, is often many times the scale."""
    wide = {n: value(0.5, (-6.0, 7.0)) for n in ("fear", "valence")}
    spans = [{"time": t, "values": wide} for t in (0.5, 1.0)]
    figure = summary_figures.courses({"x": spans}, [*wide], "seconds", "mean")
    first, second = (axes.get_ylim() for axes in figure.axes if axes.axison)
    assert first == pytest.approx((-1.05, 1.05))  # Of 0 to 1.
    assert second == pytest.approx((-2.1, 2.1))  # Of -1 to 1.
