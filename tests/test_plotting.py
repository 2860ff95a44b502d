"""The figures, and the classic run that is drawn behind them."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

import imdb_tutorial as plotting
from imdb_tutorial import load_reference_run
from imdb_tutorial.plotting.style import STYLE_OF
from imdb_tutorial.trainer.history import History

RUN = History([0.6, 0.5, 0.4], [0.7, 0.75, 0.8], [0.65, 0.6, 0.62])
OTHER = History([0.65, 0.55], [0.6, 0.65], [0.66, 0.64])
MASKS = {"fixed": np.array([[1, 1, 0, 0], [1, 0, 0, 0]]), "longest": np.array([[1, 1], [1, 0]])}
DEALS = {"one": ["train", "train", "test", "", "test"], "two": ["train"] * 5}
FILMS = ["a", "b", "b", "c", "c"]

POOLS_DRAWN = ("train", "validation", "validation")

FIGURES = {
    "history": lambda: plotting.plot_history(RUN),
    "lengths": lambda: plotting.plot_lengths({"pos": [9, 80], "neg": [7, 3]}, "words", cut=50),
    "padding": lambda: plotting.plot_padding(MASKS),
    "deals": lambda: plotting.plot_deals(DEALS, FILMS, range(1, 5)),
    "bars": lambda: plotting.plot_bars({"classic": 100.0, "cached": 4.0}, "seconds", log=True),
}


def drawn_values(axes) -> list[list[float]]:
    return [list(line.get_ydata()) for line in axes.lines]


def names(axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def look(line) -> tuple:
    return line.get_color(), line.get_linestyle(), line.get_marker()


def test_the_classic_run_is_the_one_that_was_printed():
    run = load_reference_run()
    assert len(run.losses) == len(run.accuracies) == 30
    for accuracy in run.accuracies:
        assert accuracy * 24_992 == pytest.approx(round(accuracy * 24_992), abs=24_992e-9)
    assert all(0.47 < loss < 0.56 for loss in run.losses)
    assert min(run.losses) > 0.3133
    assert run.losses == sorted(run.losses, reverse=True)
    assert run.seconds == 5 * 3600 + 12 * 60 + 51


def test_the_history_shows_the_run_and_the_classic_one_behind_its_accuracy():
    figure = plotting.plot_history(RUN, title="a title")
    losses, accuracies = figure.axes
    classic = load_reference_run()
    assert drawn_values(losses) == [RUN.train_losses, RUN.val_losses]
    assert drawn_values(accuracies) == [classic.accuracies, RUN.val_accuracy]
    assert list(losses.lines[1].get_xdata()) == [1, 2, 3]
    assert accuracies.lines[0].get_zorder() < accuracies.lines[1].get_zorder()
    assert "classic run" in names(accuracies)[0]
    assert names(losses) == ["this run: training", "this run: validation"]
    assert figure.get_suptitle() == "a title"


def test_the_classic_losses_are_another_quantity_and_never_drawn():
    classic = load_reference_run()
    for axes in plotting.plot_history({"[CLS]": RUN, "mean": OTHER}).axes:
        assert classic.losses not in drawn_values(axes)


def test_one_run_has_the_colours_of_its_pools():
    losses, accuracies = plotting.plot_history(RUN).axes
    for line, pool in zip([*losses.lines, accuracies.lines[1]], POOLS_DRAWN, strict=True):
        assert look(line) == tuple(STYLE_OF[pool].values())


def test_the_history_without_the_classic_run():
    figure = plotting.plot_history(RUN, reference=False)
    assert [drawn_values(axes) for axes in figure.axes] == [
        [RUN.train_losses, RUN.val_losses],
        [RUN.val_accuracy],
    ]


def test_a_history_without_validation_losses_is_drawn_without_them():
    figure = plotting.plot_history(History([0.6, 0.5], [0.7, 0.8]), reference=False)
    assert [drawn_values(axes) for axes in figure.axes] == [[[0.6, 0.5]], [[0.7, 0.8]]]


def test_several_runs_by_name_each_in_its_own_style():
    figure = plotting.plot_history({"[CLS]": RUN, "fine-tuned": OTHER}, reference=False)
    losses, accuracies = figure.axes
    assert drawn_values(accuracies) == [RUN.val_accuracy, OTHER.val_accuracy]
    assert names(accuracies) == ["[CLS]: validation", "fine-tuned: validation"]
    assert len({look(line)[:2] for line in losses.lines}) == 2
    assert len({(*look(line), line.get_linewidth()) for line in losses.lines}) == 4
    assert look(accuracies.lines[1]) == tuple(STYLE_OF["fine-tuned"].values())


def test_shares_are_written_as_short_as_they_are():
    figure = plotting.plot_history(RUN, reference=False)
    labels = [label.get_text() for label in figure.axes[1].get_yticklabels()]
    assert "72%" in labels and not any("." in label for label in labels)


def test_lengths_counts_every_review_and_draws_the_cut():
    lengths = {"positive": [10, 10, 400, 9_999], "negative": [20, 30]}
    figure = plotting.plot_lengths(lengths, "tokens", cut=500)
    (axes,) = figure.axes
    heights = [patch.get_xy()[:, 1].max() for patch in axes.patches]
    assert sorted(heights) == [1, 2]
    assert list(axes.lines[0].get_xdata()) == [500, 500]
    labels = {text.get_text() for text in axes.get_legend().get_texts()}
    assert labels == {"positive (median 205)", "negative (median 25)", "truncated at 500"}
    assert "tokens" in axes.get_xlabel()


def test_padding_says_how_much_is_text():
    figure = plotting.plot_padding(MASKS)
    assert [axes.get_title() for axes in figure.axes] == [
        "fixed: 38% is text",
        "longest: 75% is text",
    ]
    for axes, mask in zip(figure.axes, MASKS.values(), strict=True):
        assert np.array_equal(axes.images[0].get_array(), mask)
        assert axes.get_xlim() == (0, 4)


def test_deals_are_one_strip_a_way_with_a_line_where_a_film_begins():
    figure = plotting.plot_deals(DEALS, FILMS, range(1, 5))
    first, second = figure.axes
    assert [axes.get_ylabel() for axes in figure.axes] == list(DEALS)
    assert [bar.get_x() for bar in first.patches] == [1, 2, 4]
    colours = [bar.get_facecolor() for bar in first.patches]
    assert colours[0] != colours[1] == colours[2]
    assert {bar.get_facecolor() for bar in second.patches} == {colours[0]}
    (borders,) = first.collections
    assert [line[0][0] for line in borders.get_segments()] == [3]
    assert first.get_xlim() == (1, 5)
    assert {text.get_text() for text in figure.legends[0].get_texts()} == {"train", "test"}


def test_bars_are_drawn_from_top_to_bottom_with_their_values():
    figure = plotting.plot_bars({"classic": 100.0, "cached": 4.0}, "seconds", "{:.0f} s")
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cached", "classic"]
    assert [bar.get_width() for bar in axes.patches] == [4.0, 100.0]
    assert {"4 s", "100 s"} <= {text.get_text() for text in axes.texts}
    assert axes.get_xlabel() == "seconds"
    assert axes.get_xscale() == "linear"


def test_bars_on_a_logarithmic_axis():
    assert FIGURES["bars"]().axes[0].get_xscale() == "log"


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_named_axes_is_closed_and_can_be_saved(name):
    plt.close("all")
    figure = FIGURES[name]()
    assert isinstance(figure, Figure)
    assert len(figure.axes) == (2 if name in ("history", "padding", "deals") else 1)
    assert figure.axes[-1].get_xlabel()
    assert all(axes.get_ylabel() or axes.get_yticklabels() for axes in figure.axes)
    assert plt.get_fignums() == []
    saved = io.BytesIO()
    figure.savefig(saved, format="png")
    assert saved.getvalue().startswith(b"\x89PNG")


def test_the_style_stays_inside_the_figure():
    before = dict(plt.rcParams)
    plotting.plot_history(RUN)
    assert dict(plt.rcParams) == before


def test_the_flow_shows_every_step_with_its_note_and_joins_them():
    steps = {"text": "a review", "BERT": "frozen", "probe": "learns"}
    (axes,) = plotting.plot_flow(steps).axes
    boxes = [text for text in axes.texts if text.get_text() in steps]
    assert [box.get_text() for box in sorted(boxes, key=lambda b: b.get_position())] == list(steps)
    assert set(steps.values()) <= {text.get_text() for text in axes.texts}
    arrows = [text for text in axes.texts if getattr(text, "arrow_patch", None)]
    assert len(arrows) == 2
    assert plt.get_fignums() == []


def test_words_are_drawn_in_order_with_the_explorers_marks():
    words = ["the", "$5", "film", "is", "wonderful", "and", "dull"] * 6
    pushes = [0.1, 0.0, 0.2, -0.1, 3.0, 0.1, -1.5] * 6
    figure = plotting.plot_words(words, pushes, "POSITIVE")
    *pairs, meaning, title = figure.texts
    drawn, signs = pairs[::2], pairs[1::2]
    assert [text.get_text().replace("\\", "") for text in drawn] == words
    assert [text.get_text() for text in signs] == ["", "", "", "", "++", "", "−"] * 6
    assert "3.0 logits" in meaning.get_text()
    assert title.get_text() == "POSITIVE"
    places = [text.get_window_extent() for text in drawn]
    assert all(0 <= place.x0 and place.x1 <= 900 and place.y0 >= 0 for place in places)
    lines = [artist for artist in figure.artists if hasattr(artist, "get_xdata")]
    assert [line.get_linestyle() for line in lines] == ["-", ":"] * 6
    assert places[0].y0 > places[-1].y0
    assert plt.get_fignums() == []


def test_words_can_be_none_at_all():
    assert plotting.plot_words([], []).texts[0].get_text() == ""
