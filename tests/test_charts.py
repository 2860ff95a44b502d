"""Charts with uncertainty: what is given is what is drawn."""

import numpy as np
import pytest

from imdb_tutorial import (
    accuracy_interval,
    plot_costs,
    plot_curves,
    plot_intervals,
    plot_parts,
    plot_reliability,
    plot_scaling,
    reliability,
    spread,
)


def test_curves_with_a_band_and_a_level():
    figure = plot_curves(
        {"a": ([1, 10], [0.5, 0.6], [0.4, 0.5], [0.6, 0.7]), "b": ([1, 10], [0.3, 0.4])},
        "reviews",
        "accuracy",
        level=("best", 0.9),
        log=True,
        percent=True,
    )
    (axes,) = figure.axes
    assert [line.get_label() for line in axes.lines] == ["a", "b", "best"]
    assert axes.lines[1].get_ydata().tolist() == [0.3, 0.4]
    assert len(axes.collections) == 1
    assert axes.get_xscale() == "log"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("reviews", "accuracy")


def test_intervals_stand_in_reading_order_and_in_percent():
    groups = {
        "first": {"one": accuracy_interval(80, 100), "two": accuracy_interval(60, 100)},
        "second": {"two": spread([0.5, 0.6])},
    }
    (axes,) = plot_intervals(groups, "accuracy (percent)", level=("half", 0.5)).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["two", "one"]
    drawn = [container.lines[0].get_xdata() for container in axes.containers]
    assert drawn[0].tolist() == pytest.approx([80, 60])
    assert drawn[1].tolist() == pytest.approx([55])
    segment = axes.containers[0].lines[2][0].get_segments()[0]
    assert segment[:, 0] == pytest.approx([100 * x for x in groups["first"]["one"][1:3]])


def test_a_group_alone_in_its_row_stands_on_it():
    one, other = accuracy_interval(80, 100), accuracy_interval(60, 100)
    groups = {"TF-IDF": {"a": one, "b": other}, "packaged": {"b": one, "c": other}}
    (axes,) = plot_intervals(groups, "accuracy (percent)").axes
    first, second = (container.lines[0].get_ydata() for container in axes.containers)
    assert (first[0], second[1]) == (2, 0)  # rows a and c, from the top
    assert first[1] > 1 > second[0]
    alone = plot_intervals({"a": {"a": one}, "b": {"b": other}}, "accuracy (percent)")
    assert not alone.legends  # the rows have the groups' names already


def test_reliability_draws_one_panel_a_model():
    random = np.random.default_rng(0)
    sure = random.random(500)
    labels = (random.random(500) < sure).astype(int)
    figure = plot_reliability(
        {
            "a": reliability(y_true=labels, y_proba=sure),
            "b": reliability(y_true=labels, y_proba=sure),
        }
    )
    assert [axes.get_title() for axes in figure.axes] == ["a", "b"]
    assert [len(axes.texts) for axes in figure.axes] == [2, 0]
    dots = figure.axes[0].collections[-1]
    assert np.all(np.abs(np.diff(dots.get_offsets(), axis=1)) < 0.3)


def test_parts_make_up_a_whole():
    figure = plot_parts({"needed": 1.0, "padding": 3.0}, "hours")
    (axes,) = figure.axes
    assert [(bar.get_x(), bar.get_width()) for bar in axes.patches] == [(0, 1), (1, 3)]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["needed: 1.00 (25%)", "padding: 3.00 (75%)"]
    with pytest.raises(ValueError, match="6 parts: expected 5 at most"):
        plot_parts(dict.fromkeys("abcdef", 1.0), "hours")


def test_scaling_is_drawn_on_two_logarithmic_axes():
    curves = {"shared": ([1, 10, 100], [50, 5, 0.5]), "with a start": ([1, 10, 100], [51, 6, 1.5])}
    (axes,) = plot_scaling(curves, "GPUs", "hours", {"a day": 24}).axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert axes.lines[1].get_ydata().tolist() == [51, 6, 1.5]
    assert axes.lines[2].get_ydata() == [24, 24]
    assert [text.get_text().strip() for text in axes.texts] == ["a day"]
    assert len(plot_scaling(curves, "GPUs", "hours").axes[0].lines) == 2


def test_costs_lie_on_a_logarithmic_axis():
    (axes,) = plot_costs({"a": (1, 0.9), "b": (100, 0.8)}, "ms", "accuracy").axes
    assert [tuple(line.get_xydata()[0]) for line in axes.lines] == [(1, 0.9), (100, 0.8)]
    assert axes.get_xscale() == "log"


def test_the_accuracies_on_the_axis_are_not_rounded_away():
    figure = plot_costs({"a": (1, 0.775), "b": (100, 0.945)}, "ms", "accuracy")
    figure.canvas.draw()
    axis = figure.axes[0].yaxis
    written = [float(label.get_text().rstrip("%")) for label in axis.get_ticklabels()]
    assert written == pytest.approx([100 * place for place in axis.get_majorticklocs()])


def test_a_cost_of_nothing_is_refused():
    with pytest.raises(ValueError, match=r"'free' costs 0: .* above 0, leave it out"):
        plot_costs({"free": (0, 0.5)}, "ms", "accuracy")
