"""The exercises of lesson 05: fine-tuning."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np

from imdb_tutorial.exercises.exercise import Exercise, Mistake


def _as_it_is(prediction: float) -> float:
    return float(prediction)


def _try_freeze_lower(freeze_lower: Callable) -> object:
    from torch import nn

    learning = []
    for number in (1, 3):
        toy = nn.Module()
        toy.embeddings = nn.Embedding(5, 2)
        toy.encoder = nn.Module()
        toy.encoder.layer = nn.ModuleList([nn.Linear(2, 2) for _ in range(4)])
        toy.classifier = nn.Linear(2, 2)
        toy = freeze_lower(toy, number)
        parts = [toy.embeddings, *toy.encoder.layer, toy.classifier]
        names = ["embeddings", "layer 0", "layer 1", "layer 2", "layer 3", "classifier"]
        learns = [part.weight.requires_grad for part in parts]
        learning.append([name for name, free in zip(names, learns, strict=True) if free])
    return learning


def _try_compute_metrics(compute_metrics: Callable) -> object:
    # Logits [reviews, 2]; five of eight reviews are right, and both logits may be above 0 or below.
    logits = np.array(
        [[2, 1], [1, 3], [-2, -1], [-1, -3], [0.5, 2], [3, 1], [-4, -2], [2, 0.5]],
        dtype=np.float32,
    )
    labels = np.array([0, 1, 1, 1, 0, 0, 1, 1])
    found = compute_metrics(SimpleNamespace(predictions=logits, label_ids=labels))
    if not isinstance(found, dict):
        return found
    return {str(name): float(value) for name, value in found.items()}


def _try_learning_rate_at(learning_rate_at: Callable) -> object:
    return [learning_rate_at(step, 100, 10, 2.0) for step in (0, 5, 10, 55, 100)]


def _try_best_epoch(best_epoch: Callable) -> object:
    runs = ([0.80, 0.84, 0.83], [0.70, 0.80, 0.80, 0.75], [0.90, 0.80])
    return [best_epoch(list(run)) for run in runs]


EXERCISES = (
    Exercise(
        name="new_parameters",
        answer_name="prediction",
        expects="a whole number",
        hints=(
            "The new layer turns 384 numbers into 2 logits. Each logit needs one weight for each "
            "of the 384 numbers.",
            "A linear layer also adds one number, its bias, to each output.",
        ),
        solution="""
prediction = 2 * 384 + 2
""",
        trial=_as_it_is,
        mistakes=(
            Mistake("prediction = 2 * 384", "Nearly: a linear layer has more than its weights."),
            Mistake("prediction = 384", "That is enough for one output. The layer has two."),
            Mistake("prediction = 385", "That is enough for one output. The layer has two."),
            Mistake(
                "prediction = 384 + 2",
                "You added inputs and outputs. But every output has a weight for every input.",
            ),
            Mistake("prediction = 2", "Those are only the biases, one for each output."),
            Mistake(
                "prediction = 22_713_986",
                "Those are all numbers of the model. Most of them come from the pretraining.",
            ),
            Mistake(
                "prediction = 384 * 384 + 384",
                "That layer would turn 384 numbers into 384. The new one turns 384 into 2.",
            ),
        ),
    ),
    Exercise(
        name="compute_metrics",
        expects="a dictionary with accuracy and f1",
        hints=(
            "`prediction.predictions` are logits [reviews, 2]. The column with the larger logit is "
            "the predicted label: argmax over axis=1.",
            "Give the predicted labels and `prediction.label_ids` to `metrics.compute`, and return "
            "the dictionary that it makes.",
        ),
        solution="""
from imdb_tutorial import load_metrics

metrics = load_metrics("accuracy", "f1")


def compute_metrics(prediction):
    predicted = prediction.predictions.argmax(axis=1)  # logits [reviews, 2] -> labels [reviews]
    return metrics.compute(predictions=predicted, references=prediction.label_ids)
""",
        trial=_try_compute_metrics,
        mistakes=(
            Mistake(
                """
from imdb_tutorial import load_metrics

metrics = load_metrics("accuracy", "f1")


def compute_metrics(prediction):
    predicted = prediction.predictions.argmin(axis=1)
    return metrics.compute(predictions=predicted, references=prediction.label_ids)
""",
                "You took the smaller logit. The label with the larger logit wins.",
            ),
            Mistake(
                """
from imdb_tutorial import load_metrics

metrics = load_metrics("accuracy", "f1")


def compute_metrics(prediction):
    predicted = (prediction.predictions[:, 1] > 0).astype(int)
    return metrics.compute(predictions=predicted, references=prediction.label_ids)
""",
                "You compare the second logit with 0. Compare it with the other logit.",
            ),
            Mistake(
                """
def compute_metrics(prediction):
    predicted = prediction.predictions.argmax(axis=1)
    return float((predicted == prediction.label_ids).mean())
""",
                "The number is the accuracy, but the Trainer wants a dictionary with names, and F1 "
                "in it as well.",
            ),
            Mistake(
                """
def compute_metrics(prediction):
    predicted = prediction.predictions.argmax(axis=1)
    return {"accuracy": float((predicted == prediction.label_ids).mean())}
""",
                "The accuracy is there, F1 is missing. `metrics` computes both at once.",
            ),
            Mistake(
                """
def compute_metrics(prediction):
    predicted = prediction.predictions.argmax(axis=1)
    return {"accuracy": int((predicted == prediction.label_ids).sum())}
""",
                "You counted the reviews that are right. The accuracy is their share, and F1 is "
                "missing.",
            ),
            Mistake(
                """
from imdb_tutorial import load_metrics

metrics = load_metrics("accuracy", "f1")


def compute_metrics(prediction):
    labels = prediction.label_ids
    return metrics.compute(predictions=labels, references=labels)
""",
                "You compare the labels with themselves. Where are the model's logits?",
            ),
        ),
    ),
    Exercise(
        name="number_of_steps",
        answer_name="prediction",
        expects="a whole number",
        hints=(
            "How many batches of 16 are needed for 500 reviews? The last batch may be smaller, but "
            "it is a batch.",
            "One step a batch, and every epoch goes through all batches.",
        ),
        solution="""
prediction = 32 * 4
""",
        trial=_as_it_is,
        mistakes=(
            Mistake(
                "prediction = 500 / 16 * 4",
                "You count parts of a batch. What happens to the reviews that do not fill one?",
            ),
            Mistake(
                "prediction = 500 // 16 * 4",
                "The last reviews do not fill a batch, but they are not thrown away.",
            ),
            Mistake("prediction = 32", "That is one epoch."),
            Mistake(
                "prediction = 500 * 4",
                "The model sees so many reviews. But it takes one step a batch, not a review.",
            ),
            Mistake("prediction = 500", "These are the reviews. How many batches are they?"),
            Mistake(
                "prediction = 16 * 4", "How many reviews there are must play a part in the answer."
            ),
        ),
    ),
    Exercise(
        name="freeze_lower",
        expects="the parts of a toy model that still learn, for number 1 and for number 3",
        hints=(
            "The parts have names: `model.embeddings`, and `model.encoder.layer`, a list of "
            "layers, the lowest first.",
            "`part.requires_grad_(False)` freezes a part. Go through the first `number` layers in "
            "a loop, and do not forget what lies below them.",
        ),
        solution="""
def freeze_lower(model, number):
    model.embeddings.requires_grad_(False)
    for layer in model.encoder.layer[:number]:
        layer.requires_grad_(False)
    return model
""",
        trial=_try_freeze_lower,
        mistakes=(
            Mistake(
                """
def freeze_lower(model, number):
    for layer in model.encoder.layer[:number]:
        layer.requires_grad_(False)
    return model
""",
                "The layers are right. The embeddings lie below them, and still learn.",
            ),
            Mistake(
                """
def freeze_lower(model, number):
    model.embeddings.requires_grad_(False)
    for layer in model.encoder.layer:
        layer.requires_grad_(False)
    return model
""",
                "Every layer is frozen now. Only the lowest ones were asked for.",
            ),
            Mistake(
                """
def freeze_lower(model, number):
    model.embeddings.requires_grad_(False)
    for layer in model.encoder.layer[number:]:
        layer.requires_grad_(False)
    return model
""",
                "You froze the upper layers. The lower ones come first in the list.",
            ),
            Mistake(
                """
def freeze_lower(model, number):
    model.embeddings.requires_grad_(False)
    model.encoder.layer[number].requires_grad_(False)
    return model
""",
                "You froze one layer. All layers below it stay free.",
            ),
            Mistake(
                """
def freeze_lower(model, number):
    model.embeddings.requires_grad_(False)
    for layer in model.encoder.layer[: number + 1]:
        layer.requires_grad_(False)
    return model
""",
                "This is one layer too many. A slice ends before its second number.",
            ),
            Mistake(
                """
def freeze_lower(model, number):
    model.embeddings.requires_grad = False
    for layer in model.encoder.layer[:number]:
        layer.requires_grad = False
    return model
""",
                "Nothing is frozen. On a layer, `requires_grad = False` only stores a new "
                "attribute; call the method that ends with an underscore.",
            ),
            Mistake(
                """
def freeze_lower(model, number):
    model.requires_grad_(False)
    return model
""",
                "The whole model is frozen, with its classification layer. Nothing can learn.",
            ),
        ),
    ),
    Exercise(
        name="learning_rate_at",
        expects="a number for each step",
        hints=(
            "Two parts: as long as `step` is below `warm_up`, the rate grows from 0 to `highest`. "
            "Which share of the way is done at `step`?",
            "After that, `steps - step` steps are left, out of `steps - warm_up`.",
        ),
        solution="""
def learning_rate_at(step, steps, warm_up, highest):
    if step < warm_up:
        return highest * step / warm_up
    return highest * (steps - step) / (steps - warm_up)
""",
        trial=_try_learning_rate_at,
        mistakes=(
            Mistake(
                """
def learning_rate_at(step, steps, warm_up, highest):
    return highest * (steps - step) / steps
""",
                "It falls from the first step on. During the warm-up it must grow.",
            ),
            Mistake(
                """
def learning_rate_at(step, steps, warm_up, highest):
    return highest * (steps - step) / (steps - warm_up)
""",
                "The second part is right. During the warm-up the rate must grow from 0.",
            ),
            Mistake(
                """
def learning_rate_at(step, steps, warm_up, highest):
    return highest * min(1, step / warm_up)
""",
                "The warm-up is right. After it the rate must fall, to 0 at the last step.",
            ),
            Mistake(
                """
def learning_rate_at(step, steps, warm_up, highest):
    if step < warm_up:
        return highest * step / warm_up
    return highest * (steps - step) / steps
""",
                "After the warm-up the rate jumps down a little. How many steps does it have to "
                "fall?",
            ),
            Mistake(
                """
def learning_rate_at(step, steps, warm_up, highest):
    if step < warm_up:
        return highest * (warm_up - step) / warm_up
    return highest * (steps - step) / (steps - warm_up)
""",
                "During the warm-up your rate falls from `highest` to 0. It must be the other way.",
            ),
            Mistake(
                """
def learning_rate_at(step, steps, warm_up, highest):
    if step < warm_up:
        return highest * step / warm_up
    return highest * 0.95 ** (step - warm_up)
""",
                "The warm-up is right. But then it should fall in a straight line, not by a factor "
                "as in lesson 04.",
            ),
            Mistake(
                """
def learning_rate_at(step, steps, warm_up, highest):
    return highest * step / steps
""",
                "Your rate grows until the end. It should grow during the warm-up only.",
            ),
        ),
    ),
    Exercise(
        name="best_epoch",
        expects="the number of an epoch",
        hints=(
            "`max(accuracies)` is the best accuracy. At which place of the list does it stand?",
            "`accuracies.index(...)` gives the first place where something stands. Lists count "
            "from 0, epochs from 1.",
        ),
        solution="""
def best_epoch(accuracies):
    return accuracies.index(max(accuracies)) + 1
""",
        trial=_try_best_epoch,
        mistakes=(
            Mistake(
                """
def best_epoch(accuracies):
    return accuracies.index(max(accuracies))
""",
                "The right place, counted from 0. Epochs are counted from 1.",
            ),
            Mistake(
                """
def best_epoch(accuracies):
    return max(range(1, len(accuracies) + 1), key=lambda n: (accuracies[n - 1], n))
""",
                "Two epochs can be equally good. Then take the earlier one.",
            ),
            Mistake(
                """
def best_epoch(accuracies):
    return max(accuracies)
""",
                "That is the best accuracy. The question is in which epoch it was.",
            ),
            Mistake(
                """
def best_epoch(accuracies):
    return len(accuracies)
""",
                "That is the last epoch, which need not be the best.",
            ),
            Mistake(
                """
def best_epoch(accuracies):
    return accuracies.index(min(accuracies)) + 1
""",
                "That is the worst epoch. With a loss the smallest is best, with an accuracy the "
                "largest.",
            ),
        ),
    ),
)
