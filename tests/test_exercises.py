"""Every exercise of the series: its solution, its typical mistakes, and hostile answers."""

import ast
import re
import threading
import time
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch

import imdb_tutorial
from imdb_tutorial import exercise
from imdb_tutorial.exercises import trial
from imdb_tutorial.exercises.exercise import STILL_OPEN, Exercise, Mistake
from imdb_tutorial.exercises.outcomes import alike, shown
from imdb_tutorial.exercises.series import exercises_by_lesson

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
LESSONS = {path.stem[:2]: path for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))}
EXERCISES = [
    pytest.param(each, id=f"lesson_{number}-{each.name}")
    for number, some in exercises_by_lesson().items()
    for each in some
]
MISTAKES = [
    pytest.param(each, mistake, id=f"lesson_{number}-{each.name}-{place}")
    for number, some in exercises_by_lesson().items()
    for each in some
    for place, mistake in enumerate(each.mistakes)
]


@pytest.mark.parametrize("each", EXERCISES)
def test_the_solution_is_right(each):
    verdict = each.check(each.answer_of(each.solution))
    assert (verdict.right, verdict.message) == (True, "Right.")
    assert "<details>" not in verdict._repr_html_()


@pytest.mark.parametrize(("each", "mistake"), MISTAKES)
def test_a_typical_mistake_is_recognised(each, mistake):
    verdict = each.check(each.answer_of(mistake.source))
    assert (verdict.right, verdict.message) == (False, f"Not yet. {mistake.message}")


@pytest.mark.parametrize("each", EXERCISES)
def test_has_hints_and_five_mistakes_with_different_sentences(each):
    assert len(each.hints) >= 2
    assert len({mistake.message for mistake in each.mistakes}) >= 5
    code = [line.strip() for line in each.solution.splitlines() if "return " in line]
    for text in [mistake.message for mistake in each.mistakes]:
        assert text[0].isupper() and text[-1] in ".?!", text
        assert not any(line.removeprefix("return ") in text for line in code if len(line) > 15)


@pytest.mark.parametrize("each", EXERCISES)
def test_the_three_dots_are_still_open(each):
    assert each.check(...).message == STILL_OPEN


def test_names_are_unique_in_the_series():
    names = [each.name for some in exercises_by_lesson().values() for each in some]
    assert len(names) == len(set(names))


def cells(path, tag):
    notebook = nbformat.read(path, as_version=4)
    return [cell.source for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


@pytest.mark.parametrize("number", LESSONS)
def test_a_lesson_asks_four_to_six_exercises_that_are_open(number):
    """Lesson 04 asks eight: each piece of the Trainer, and then the whole of it."""
    found = [
        re.findall(r"^exercise\([\"'](\w+)[\"']\)\.check\(", source, re.MULTILINE)
        for source in cells(LESSONS[number], "answer")
    ]
    assert all(len(names) == 1 for names in found)
    asked = [names[0] for names in found]
    assert asked == [each.name for each in exercises_by_lesson().get(number, ())]
    assert 4 <= len(asked) <= (8 if number == "04" else 6)
    assert all("..." in source for source in cells(LESSONS[number], "answer"))


@pytest.mark.parametrize("number", LESSONS)
def test_at_least_one_exercise_writes_code_and_one_predicts(number):
    answers = [each.answer_of(each.solution) for each in exercises_by_lesson().get(number, ())]
    assert any(callable(answer) for answer in answers)
    assert not all(callable(answer) for answer in answers)


@pytest.mark.parametrize("each", EXERCISES)
def test_the_notebooks_cell_accepts_the_solution(each):
    """In a fresh namespace: only the cells that the exercises need, then the answer's cell."""
    number = next(n for n, some in exercises_by_lesson().items() if each in some)
    namespace: dict = {}
    for source in cells(LESSONS[number], "exercise-setup"):
        exec(compile(source, "setup", "exec"), namespace)
    call = f'exercise("{each.name}").check('
    source = next(s for s in cells(LESSONS[number], "answer") if call in s)
    asked = ast.parse(source).body[-1]
    assert str(eval(compile(ast.Expression(asked.value), "cell", "eval"), namespace | {
        each.answer_name or each.name: ...
    })) == STILL_OPEN  # fmt: skip
    exec(compile(each.solution, "answer", "exec"), namespace)
    verdict = eval(compile(ast.Expression(asked.value), "cell", "eval"), namespace)
    assert verdict.right, verdict


TOY = Exercise(
    name="toy",
    hints=("Look at the logits.", "argmax says which is larger."),
    solution="""
def toy(logits, labels):
    return (logits.argmax(dim=1) == labels).float().mean().item()
""",
    trial=lambda answer: answer(torch.tensor([[1.0, 2], [3, 1], [0, 4]]), torch.tensor([1, 1, 1])),
    mistakes=(
        Mistake(
            "def toy(logits, labels):\n    return (logits.argmax(dim=1) == labels).sum().item()",
            "You count the reviews that are right.",
        ),
    ),
    expects="a number between 0 and 1",
)


def right_share(logits, labels):
    return torch.mean((torch.max(logits, dim=1).indices == labels).to(torch.float64))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (right_share, "Right."),
        (lambda logits, labels: 2, "You count the reviews"),
        (lambda logits, labels: 0.25, "it gives 0.25. Expected a number between 0 and 1."),
        (lambda logits, labels: ..., "Still open"),
        (lambda logits, labels: None, "returns nothing"),
        (lambda logits, labels: print(0.5), "prints its result"),
        (lambda logits, labels: logits[:, 9], "IndexError in line 1 of your answer"),
        (lambda logits: 1, "TypeError"),
        (lambda logits, labels: logits.zero_().sum().item() or 2 / 3, "changes what it is given"),
        (lambda logits, labels: [torch.manual_seed(0), 2 / 3][1], "global random numbers"),
        (lambda logits, labels: [np.random.seed(0), 2 / 3][1], "global random numbers"),
        (lambda logits, labels: exit(), "leave out exit()"),
        (lambda logits, labels: float("nan"), "gives nan"),
        (lambda logits, labels: "0.67", "gives '0.67'"),
        (lambda logits, labels: object(), "<object object>"),
        (0.67, "pass the function itself"),
        (None, "pass the function itself"),
        (print, "prints its result"),
        (int, "TypeError"),
    ],
)  # fmt: skip
def test_any_answer_gets_one_line_that_helps(answer, words, capsys):
    verdict = TOY.check(answer)
    assert words in str(verdict)
    assert "\n" not in str(verdict)
    assert verdict.right == (words == "Right.")
    assert capsys.readouterr().out == ""


def test_the_line_of_the_learners_own_code_is_named():
    def answer(logits, labels):
        total = 0
        return total / (logits.shape[0] - 3)

    assert "ZeroDivisionError in line 3 of your answer" in str(TOY.check(answer))


def endless(logits, labels):
    while True:
        pass


def endless_that_swallows_everything(logits, labels):
    while True:
        try:
            time.sleep(60)
        except:  # noqa: E722
            pass


@pytest.mark.parametrize("answer", [endless, endless_that_swallows_everything])
def test_an_answer_without_an_end_is_stopped_and_the_next_one_runs(answer, monkeypatch):
    monkeypatch.setattr(trial, "SECONDS", 0.3)
    assert "did not end within" in str(TOY.check(answer))
    assert TOY.check(right_share).right


def test_an_endless_answer_is_stopped_in_another_thread_too(monkeypatch):
    monkeypatch.setattr(trial, "SECONDS", 0.3)
    found = []
    thread = threading.Thread(target=lambda: found.append(TOY.check(endless)))
    thread.start()
    thread.join(timeout=60)
    assert "did not end within" in str(found[0])


def test_what_an_answer_does_to_random_numbers_is_put_back():
    torch.manual_seed(1)
    np.random.seed(1)
    expected = torch.rand(1), np.random.rand()
    torch.manual_seed(1)
    np.random.seed(1)
    TOY.check(lambda logits, labels: [torch.manual_seed(7), np.random.seed(7), torch.rand(3)][0])
    assert (torch.rand(1), np.random.rand()) == expected


def test_nothing_of_the_solution_shows_in_plain_text_or_unfolded():
    verdict = TOY.check(...)
    assert "argmax" not in repr(verdict)
    page = verdict._repr_html_()
    assert page.count("<details>") == 3
    assert "argmax" not in re.sub(r"<details>.*?</details>", "", page, flags=re.DOTALL)
    assert "argmax" not in repr(TOY.solve())


def test_what_a_learner_wrote_is_escaped():
    page = TOY.check(lambda logits, labels: "<script>alert(1)</script>")._repr_html_()
    assert "<script>" not in page


def test_hints_are_numbered_from_one():
    assert str(TOY.hint()) == "Look at the logits."
    assert str(TOY.hint(2)) == "argmax says which is larger."
    assert "has 2 hints" in str(TOY.hint(3))


def test_an_unknown_exercise_names_those_that_are_near():
    name = next(iter(exercises_by_lesson().values()))[0].name
    with pytest.raises(ValueError, match=name):
        exercise(name + "x")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1, 1.00001, True),
        (1, 1.01, False),
        (True, 1, False),
        ("a", "a", True),
        (torch.tensor([1.0, 2.0]), np.array([1, 2]), True),
        (torch.tensor([1.0, 2.0]), [1.0, 2.0], False),
        (torch.ones(2, 1), torch.ones(2), False),
        ((1, 2), [1, 2], True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        (float("nan"), float("nan"), True),
        (None, 0, False),
    ],
)
def test_outcomes_are_alike_within_a_tolerance(one, other, same):
    assert alike(one, other) is same
    assert alike(other, one) is same


def test_a_long_outcome_is_cut():
    assert len(shown(torch.zeros(1_000))) == 120


def test_the_public_name_is_the_one_the_lessons_use():
    assert "exercise" in imdb_tutorial.__all__
