"""The pictures of lessons 00 and 01: what is given is what is drawn."""

import io

import matplotlib.pyplot as plt
import pandas as pd
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import imdb_tutorial as plotting
from imdb_tutorial import attention_shares, load_encoder, load_tokenizer

X, Y = (1, 2, 3, 4), (3, 4, 7, 8)
LADDER = pd.DataFrame(
    {"model": ["b", "a", "b"], "test_accuracy": [0.8, 0.5, 0.9], "seed": [0, 0, 1]}
)


def loss_of(weight: float) -> float:
    return sum((weight * x - y) ** 2 for x, y in zip(X, Y, strict=True)) / 4


FIGURES = {
    "tensors": lambda: plotting.plot_tensors({"a": torch.tensor(1.5), "b": torch.ones(2, 2, 3)}),
    "errors": lambda: plotting.plot_errors(X, Y, 1.0, "praise", "stars"),
    "descent": lambda: plotting.plot_descent(loss_of, [0.5, 1.0], 0, 4),
    "backward": lambda: plotting.plot_backward(3, 7, 1),
    "attention": lambda: plotting.plot_attention(["not", "good"], torch.tensor([0.25, 0.75]), 0),
    "gap": lambda: plotting.plot_gap("one of the", "films", {"worst": 5, "best": 3}),
    "who learns": lambda: plotting.plot_who_learns({"frozen": {"BERT": False, "layer": True}}),
    "ladder": lambda: plotting.plot_ladder(LADDER, {"a": "lesson 1"}),
    "softmax": lambda: plotting.plot_softmax({"good": 2.0, "awful": -99.0}),
    "truncation": lambda: plotting.plot_truncation([900, 100, 600], 512),
}


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize("name", FIGURES)
def test_every_picture_is_closed_and_can_be_saved(name):
    plt.close("all")
    figure = FIGURES[name]()
    assert plt.get_fignums() == []
    saved = io.BytesIO()
    figure.savefig(saved, format="png")
    assert saved.getvalue().startswith(b"\x89PNG")


def test_tensors_show_their_numbers_and_shapes():
    shown = texts(
        plotting.plot_tensors({"a list": torch.tensor([7, -1]), "one": torch.tensor(0.5)})
    )
    assert {"a list", "one", "shape [2]", "shape []", "7", "-1", "0.5"} == set(shown)


def test_of_a_stack_the_first_table_shows_its_numbers():
    figure = plotting.plot_tensors({"stack": torch.arange(12).reshape(2, 2, 3)})
    assert set("012345") < set(texts(figure))
    assert "6" not in texts(figure)
    assert len(figure.axes[0].patches) == 12


def test_tensors_of_four_dimensions_are_refused_with_their_name():
    with pytest.raises(ValueError, match=r"'deep' has 4 dimensions: expected at most 3"):
        plotting.plot_tensors({"deep": torch.ones(1, 1, 1, 1)})


def test_errors_draw_the_model_the_dots_and_the_loss():
    (axes,) = FIGURES["errors"]().axes
    line, dots = axes.lines
    assert list(line.get_ydata()) == pytest.approx([0, 4.4])
    assert (list(dots.get_xdata()), list(dots.get_ydata())) == ([*X], [*Y])
    assert axes.get_title() == "loss 10.00"
    assert len(axes.collections[0].get_segments()) == 4


def test_the_descent_marks_the_path_and_the_slope_at_its_end():
    (axes,) = FIGURES["descent"]().axes
    curve, dots, slope = axes.lines
    assert list(dots.get_xdata()) == [0.5, 1.0]
    assert list(dots.get_ydata()) == pytest.approx([loss_of(0.5), loss_of(1.0)])
    (left, right), (high, low) = slope.get_xdata(), slope.get_ydata()
    assert (low - high) / (right - left) == pytest.approx(-17, abs=1e-3)
    assert axes.get_xlim() == (0, 4)
    assert curve.get_ydata().min() == pytest.approx(loss_of(64 / 30), abs=0.01)


def test_the_descent_shows_a_path_that_leaves_the_axis():
    assert plotting.plot_descent(loss_of, [-1, 6], 0, 4).axes[0].get_xlim() == (-1, 6)


@pytest.mark.parametrize("weight", [1.0, 2.5])
def test_backward_shows_the_gradients_that_torch_computes(weight):
    w = torch.tensor(weight, requires_grad=True)
    prediction = w * 3
    prediction.retain_grad()
    loss = (prediction - 7) ** 2
    loss.backward()
    shown = texts(plotting.plot_backward(3, 7, weight))
    assert f"gradient {w.grad.item():g}" in shown
    assert f"gradient {prediction.grad.item():g}" in shown
    assert f"{loss.item():g}" in shown


def test_attention_is_thickest_where_the_share_is_largest():
    figure = FIGURES["attention"]()
    assert texts(figure) == ["not", "25%", "good", "75%", "not"]
    thin, thick = (line.get_linewidth() for line in figure.axes[0].lines)
    assert thin < thick


def test_the_gap_shows_the_counts_from_top_to_bottom():
    (axes,) = FIGURES["gap"]().axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["best", "worst"]
    assert [bar.get_width() for bar in axes.patches] == [3, 5]
    assert axes.get_title() == "… one of the [    ?    ] films …"
    assert plotting.plot_gap("waste of", "", {"time": 1}).axes[0].get_title().endswith("] …")


def test_who_learns_is_said_in_words_and_shown_by_the_edge():
    figure = FIGURES["who learns"]()
    assert texts(figure) == ["BERT\nfrozen", "layer\nlearns", "frozen"]
    frozen, learns = figure.axes[0].patches
    assert (frozen.get_linestyle(), learns.get_linestyle()) == ("--", "-")


def test_the_ladder_is_sorted_and_takes_the_mean_of_a_models_rows():
    shown = texts(FIGURES["ladder"]())
    assert shown == ["50%", "a", "lesson 1", "85%", "b", ""]


def test_softmax_puts_texts_on_the_curve_and_keeps_far_ones_inside():
    (axes,) = FIGURES["softmax"]().axes
    good, awful = (line for line in axes.lines if line.get_marker() == "o")
    assert good.get_ydata()[0] == pytest.approx(torch.tensor(2.0).sigmoid().item())
    assert awful.get_xdata()[0] == -8
    assert texts(axes.figure) == ["1", "2"]


def test_truncation_draws_what_is_read_and_what_is_not():
    (axes,) = FIGURES["truncation"]().axes
    widths = [bar.get_width() for bar in axes.patches]
    assert widths == [100, 512, 512, 0, 88, 388]


def test_attention_shares_add_up_to_one_and_leave_the_encoder_as_it_was():
    encoder, tokenizer = load_encoder(device="cpu"), load_tokenizer()
    way = encoder.config._attn_implementation
    words, shares = attention_shares("The film was not good.", encoder, tokenizer)
    assert words == ["the", "film", "was", "not", "good", "."]
    assert shares.shape == (6, 6)
    assert torch.allclose(shares.sum(dim=1), torch.ones(6), atol=1e-5)
    assert shares[words.index("not")].argmax() == words.index("good")
    assert encoder.config._attn_implementation == way
    with pytest.raises(ValueError, match="layer is 7: expected 1 to 6"):
        attention_shares("a", encoder, tokenizer, layer=7)
    with pytest.raises(ValueError, match="has no tokens"):
        attention_shares("", encoder, tokenizer)


def test_numbers_of_close_dots_stand_apart():
    figure = plotting.plot_softmax({"fine": -2.8, "slow": -2.9, "good": 4.0, "great": 4.1})
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [text.get_window_extent(renderer) for text in figure.axes[0].texts]
    assert len(boxes) == 4
    assert not any(one.overlaps(other) for n, one in enumerate(boxes) for other in boxes[n + 1 :])
