"""The figure of the learning curves: legible for few arms and for many."""

from matplotlib.figure import Figure

from augstudy.pages.figures import levels

LEVELS = (25, 50, 100)


def lines(count):
    points = {level: (0.5 + level / 500, 0.45, 0.8) for level in LEVELS}
    return [levels.Line(f"arm {number}", "#123456", points) for number in range(count)]


def drawn(count):
    chart = Figure(figsize=(levels.WIDTH, levels.height(count)), layout="constrained")
    levels.draw(chart, "title", lines(count), "Accuracy, %")
    return [axes for axes in chart.axes if axes.axison]


def test_few_arms_share_a_panel():
    (axes,) = drawn(4)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        f"arm {number}" for number in range(4)
    ]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["25", "50", "100"]
    assert len(axes.collections) == 4  # the intervals


def test_of_many_arms_each_stands_beside_real_alone():
    panels = drawn(12)
    assert [axes.get_title(loc="left") or axes.get_title() for axes in panels] == [
        f"arm {number}" for number in range(1, 12)
    ]
    for axes in panels:
        assert axes.lines[0].get_label() == "arm 0" and len(axes.lines) == 2
        assert axes.get_ylim() == panels[0].get_ylim()
    assert levels.height(12) > levels.height(5)


def test_an_arm_may_lack_a_level():
    short = levels.Line("short", "#000000", {25: (0.5, 0.4, 0.6)})
    chart = Figure(layout="constrained")
    levels.draw(chart, "title", [*lines(1), short], "Accuracy, %")
    assert list(chart.axes[0].lines[1].get_xdata()) == [25]
