"""The exercises of lesson 04: the pieces of a Trainer, and the whole class from memory."""

import functools
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from imdb_tutorial.exercises.exercise import Exercise, Mistake


class _Toy(nn.Module):
    """Three numbers in, two logits out; doubled in train mode, so that the mode can be seen.

    One of its parameters is frozen, and it writes down what happens to it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.frozen = nn.Parameter(torch.eye(3), requires_grad=False)
        self.weight = nn.Parameter(torch.tensor([[0.4, -0.2, 0.1], [-0.3, 0.5, 0.2]]))
        self.bias = nn.Parameter(torch.tensor([0.1, -0.1]))
        self.log: list[str] = []
        self.seen: list[tuple[bool, bool]] = []
        self.weight.register_hook(lambda _: self.log.append("backward"))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        self.seen.append((self.training, torch.is_grad_enabled()))
        logits = features @ self.frozen @ self.weight.T + self.bias  # [batch, 2]
        return 2 * logits if self.training else logits

    def learnt(self) -> list[float]:
        return self.weight.detach().flatten().tolist()


class _Loader:
    """Ten reviews in batches of four, four and two; counts how often it is gone through."""

    def __init__(self, first: int = 0) -> None:
        numbers = torch.arange(30.0).add(7 * first).mul(1.7).sin().view(10, 3)  # [10, 3]
        labels = (numbers[:, 1] > numbers[:, 0]).long()  # [10]
        labels[:2] = 1 - labels[:2]
        self.batches = [
            ({"features": numbers[rows]}, labels[rows])
            for rows in (slice(0, 4), slice(4, 8), slice(8, 10))
        ]
        self.passes = 0

    def __iter__(self) -> Any:
        self.passes += 1
        return iter(self.batches)

    def __len__(self) -> int:
        return len(self.batches)


def _logging_optimizer(model: _Toy) -> torch.optim.Optimizer:
    class LoggingOptimizer(torch.optim.SGD):
        def step(self, closure: Any = None) -> Any:
            model.log.append("step")
            return super().step(closure)

    return LoggingOptimizer([p for p in model.parameters() if p.requires_grad], lr=0.5)


def _import_optimizers() -> object:
    """Make an optimizer: torch's first one imports for a second or more."""
    return torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)


def _without_warnings(trial: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Keep back what torch says about schedulers: the check says it in plainer words."""

    @functools.wraps(trial)
    def quiet(answer: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return trial(answer)

    return quiet


def _keeps_its_graph(loss: Any) -> bool:
    return isinstance(loss, torch.Tensor) and loss.requires_grad


# Predict: how many parameters learn


def _try_count(answer: Any) -> str:
    number = int(answer)
    known = {
        770: "770",
        768: "no bias",
        384: "one label, no bias",
        385: "one label",
        386: "one label",
    }
    return known.get(number, "millions" if number > 100_000 else f"{number}")


LEARNING_PARAMETERS = Exercise(
    name="learning_parameters",
    answer_name="prediction",
    hints=(
        "The layer gives one number for each label. To do so it has one weight for each of the "
        "384 numbers of the vector.",
        "Each label has a bias of its own, one more number.",
    ),
    solution="prediction = 770",
    trial=_try_count,
    expects="a whole number",
    mistakes=(
        Mistake("prediction = 768", "The weights are right. Each label has one number more."),
        Mistake("prediction = 384", "That is enough for one label, and there are two."),
        Mistake("prediction = 385", "That is one label with its bias. There are two labels."),
        Mistake(
            "prediction = 22_000_000",
            "That is the size of BERT, and BERT is frozen: it learns not.",
        ),
        Mistake(
            "prediction = 2", "That is what comes out of the layer. How many weights are in it?"
        ),
    ),
)


# The mean over the real tokens


def _try_masked_mean(answer: Any) -> Any:
    hidden = torch.arange(24.0).mul(1.3).sin().view(2, 4, 3)  # [batch, tokens, hidden]
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])  # [batch, tokens]
    return answer(hidden, mask)


MASKED_MEAN = Exercise(
    name="masked_mean",
    hints=(
        "Multiply first: with the mask, the vectors of the padding become zero. Shapes must fit: "
        "mask.unsqueeze(-1) is [batch, tokens, 1].",
        "Then add up over the tokens, dim=1. Divide by the number of real tokens of each review, "
        "not by the number of all tokens.",
    ),
    solution="""
def masked_mean(hidden, mask):
    weights = mask.unsqueeze(-1).float()  # [batch, tokens, 1]
    total = (hidden * weights).sum(dim=1)  # [batch, hidden]
    return total / weights.sum(dim=1)  # [batch, hidden] / [batch, 1]
""",
    trial=_try_masked_mean,
    expects="a tensor [batch, hidden], here [2, 3]",
    mistakes=(
        Mistake(
            """
def masked_mean(hidden, mask):
    return hidden.mean(dim=1)
""",
            "Your mean counts the padding too: the mask plays no part in it.",
        ),
        Mistake(
            """
def masked_mean(hidden, mask):
    return (hidden * mask.unsqueeze(-1)).mean(dim=1)
""",
            "The padding is zero now, but you still divide by the number of all tokens. A short "
            "review would get a short vector.",
        ),
        Mistake(
            """
def masked_mean(hidden, mask):
    return (hidden * mask.unsqueeze(-1)).sum(dim=1)
""",
            "That is the sum over the real tokens. A mean divides the sum by something.",
        ),
        Mistake(
            """
def masked_mean(hidden, mask):
    return (hidden * mask.unsqueeze(-1)).sum(dim=1) / mask.sum()
""",
            "You divide by the real tokens of the whole batch. Each review has its own number.",
        ),
        Mistake(
            """
def masked_mean(hidden, mask):
    return hidden[:, 0]
""",
            "That is the vector of [CLS], the first token. We want the mean of all real tokens.",
        ),
        Mistake(
            """
def masked_mean(hidden, mask):
    return (hidden * mask.unsqueeze(-1)).sum(dim=2) / mask.sum(dim=1, keepdim=True)
""",
            "You add up over the wrong dimension: one number a token is left. The tokens are "
            "dimension 1.",
        ),
    ),
)


# What __init__ makes: optimizer and scheduler


@_without_warnings
def _try_make_optimizer(answer: Any) -> Any:
    model = _Toy()
    optimizer, scheduler = answer(model, 0.02, 0.5)
    if isinstance(scheduler, torch.optim.Optimizer):
        return "the scheduler comes first"
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    rates = []
    for _ in range(3):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return {
        "optimizer": type(optimizer).__name__,
        "frozen parameters": sum(p.numel() for p in parameters if not p.requires_grad),
        "learning parameters": sum(p.numel() for p in parameters if p.requires_grad),
        "learning rates": rates,
    }


MAKE_OPTIMIZER = Exercise(
    name="make_optimizer",
    hints=(
        "A list with a condition picks the parameters: [p for p in model.parameters() if ...]. "
        "Each p knows p.requires_grad.",
        "torch.optim.AdamW(parameters, lr=...) and "
        "torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=...).",
    ),
    solution="""
def make_optimizer(model, learning_rate, gamma):
    learning = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=learning_rate)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
    return optimizer, scheduler
""",
    trial=_try_make_optimizer,
    prepare=_import_optimizers,
    expects="a pair: an optimizer and a scheduler",
    mistakes=(
        Mistake(
            """
def make_optimizer(model, learning_rate, gamma):
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
    return optimizer, torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
""",
            "Your optimizer also holds the frozen parameters. They never get a gradient: leave "
            "them out.",
        ),
        Mistake(
            """
def make_optimizer(model, learning_rate, gamma):
    frozen = [p for p in model.parameters() if not p.requires_grad]
    optimizer = torch.optim.AdamW(frozen, lr=learning_rate)
    return optimizer, torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
""",
            "Your optimizer holds the frozen parameters and not the ones that learn.",
        ),
        Mistake(
            """
def make_optimizer(model, learning_rate, gamma):
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad])
    return optimizer, torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
""",
            "The learning rate that was asked for plays no part: AdamW took its own, 0.001.",
        ),
        Mistake(
            """
def make_optimizer(model, learning_rate, gamma):
    learning = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(learning, lr=learning_rate)
    return optimizer, torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
""",
            "That is SGD, another optimizer. Here we want AdamW.",
        ),
        Mistake(
            """
def make_optimizer(model, learning_rate, gamma):
    learning = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(learning, lr=learning_rate)
    return optimizer, torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
""",
            "That is Adam. AdamW, with a W, also pulls the weights towards zero a little.",
        ),
        Mistake(
            """
def make_optimizer(model, learning_rate, gamma):
    learning = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=learning_rate)
    return optimizer, torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.95)
""",
            "The learning rate falls, but not by the gamma that was asked for.",
        ),
        Mistake(
            """
def make_optimizer(model, learning_rate, gamma):
    learning = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=learning_rate)
    return torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma), optimizer
""",
            "Both are there, in the wrong order: first the optimizer, then the scheduler.",
        ),
    ),
)


# One step


def _try_training_step(answer: Any) -> Any:
    model, loader = _Toy(), _Loader()
    optimizer = _logging_optimizer(model)
    losses = [answer(model, optimizer, *batch) for batch in loader.batches[:2]]
    if model.log != ["backward", "step"] * 2:
        return f"the calls in two steps: {', '.join(model.log) or 'none'}"
    if _keeps_its_graph(losses[-1]):
        return "the loss keeps its graph"
    return {
        "losses of two steps": [float(loss) for loss in losses],
        "weights after them": model.learnt(),
    }


STEP = """
def training_step(model, optimizer, inputs, labels):
    optimizer.zero_grad()
    logits = model(**inputs)  # [batch, 2]
    loss = torch.nn.functional.cross_entropy(logits, labels)  # []
    loss.backward()
    optimizer.step()
    return loss.item()
"""

TRAINING_STEP = Exercise(
    name="training_step",
    hints=(
        "Five things in this order: forget the old gradients, compute the logits, compute the "
        "loss, compute the new gradients, change the weights.",
        "In code: optimizer.zero_grad(), model(**inputs), "
        "torch.nn.functional.cross_entropy(logits, labels), loss.backward(), optimizer.step(). "
        "loss.item() is the loss as a plain number.",
    ),
    solution=STEP,
    trial=_try_training_step,
    prepare=_import_optimizers,
    expects="a number, the loss of the batch",
    mistakes=(
        Mistake(
            STEP.replace("    optimizer.zero_grad()\n", ""),
            "Nobody forgets the old gradients: in the second step those of the first are still "
            "there and are added to the new ones.",
        ),
        Mistake(
            STEP.replace("    optimizer.zero_grad()\n", "").replace(
                "    optimizer.step()", "    optimizer.zero_grad()\n    optimizer.step()"
            ),
            "You forget the gradients after they were computed and before they were used: the "
            "weights never change.",
        ),
        Mistake(
            STEP.replace("    loss.backward()\n", ""),
            "Nobody computes the gradients. Without them the optimizer has nothing to do.",
        ),
        Mistake(
            STEP.replace("    optimizer.step()\n", ""),
            "The gradients are there, but nobody changes the weights.",
        ),
        Mistake(
            STEP.replace("    optimizer.step()\n", "").replace(
                "    loss.backward()", "    optimizer.step()\n    loss.backward()"
            ),
            "You change the weights before the new gradients are there.",
        ),
        Mistake(
            STEP.replace("(logits, labels)", "(logits.softmax(dim=1), labels)"),
            "Your loss is another one: cross-entropy wants the logits as they are. It applies "
            "softmax itself.",
        ),
        Mistake(
            STEP.replace("loss.item()", "loss"),
            "The loss is right, but it holds on to everything it was computed from. Kept in a "
            "list, it fills the memory: return a plain number.",
        ),
        Mistake(
            STEP.replace("(logits, labels)", '(logits, labels, reduction="sum")'),
            "Your loss is the sum over the batch. We want the mean: a larger batch should not "
            "make larger steps.",
        ),
    ),
)


# One epoch


def _try_train_epoch(answer: Any) -> Any:
    model, loader = _Toy().eval(), _Loader()
    losses, modes = iter([0.9, 0.5, 0.2] * 9), []

    def step(inputs: dict[str, torch.Tensor], labels: torch.Tensor) -> float:
        modes.append("train" if model.training else "eval")
        return next(losses)

    loss = float(answer(model, loader, step))
    if "eval" in modes:
        return "a step in eval mode"
    return {"steps": len(modes), "mean loss": loss}


EPOCH = """
def train_epoch(model, batches, step):
    model.train()
    total_loss, count = 0.0, 0
    for inputs, labels in batches:
        total_loss += step(inputs, labels) * len(labels)
        count += len(labels)
    return total_loss / count
"""

TRAIN_EPOCH = Exercise(
    name="train_epoch",
    hints=(
        "step(inputs, labels) is the mean of one batch. Times len(labels) it is the batch's sum.",
        "Add up these sums and the numbers of reviews; divide once, after the loop. Before the "
        "loop the model must be in train mode: model.train().",
    ),
    solution=EPOCH,
    trial=_try_train_epoch,
    expects="a number, the mean loss of a review",
    mistakes=(
        Mistake(
            EPOCH.replace(" * len(labels)", "").replace("+= len(labels)", "+= 1"),
            "That is the mean of the batches. The last batch has only two reviews, and counts as "
            "much as one with four.",
        ),
        Mistake(
            EPOCH.replace(" * len(labels)", "").replace("total_loss / count", "total_loss"),
            "That is the sum of the batches' losses, as the classic tutorial prints it. It grows "
            "with the number of batches.",
        ),
        Mistake(
            EPOCH.replace("total_loss / count", "total_loss"),
            "That is the sum over all reviews. Divide it by their number.",
        ),
        Mistake(
            EPOCH.replace(" * len(labels)", ""),
            "You add up means of batches and divide by the number of reviews: the result is far "
            "too small.",
        ),
        Mistake(
            EPOCH.replace("    model.train()\n", ""),
            "The mean is right. But the model is still in eval mode, as the validation before "
            "left it.",
        ),
        Mistake(
            EPOCH.replace("    return", "        return"),
            "Your function returns inside the loop, after the first batch.",
        ),
        Mistake(
            EPOCH.replace(
                "total_loss += step(inputs, labels) * len(labels)", "loss = step(inputs, labels)"
            ).replace("total_loss / count", "loss"),
            "That is the loss of the last batch alone.",
        ),
    ),
)


# Validation


def _try_validate(answer: Any) -> Any:
    model, loader = _Toy().train(), _Loader(first=1)
    loss, accuracy = (float(number) for number in answer(model, loader))
    if any(training for training, _ in model.seen):
        return "validation in train mode"
    if any(gradients for _, gradients in model.seen):
        return "validation with gradients"
    return {"loss": loss, "share right": accuracy}


VALIDATION = """
def validate(model, batches):
    model.eval()
    total_loss, correct, count = 0.0, 0, 0
    with torch.no_grad():
        for inputs, labels in batches:
            logits = model(**inputs)  # [batch, 2]
            loss = torch.nn.functional.cross_entropy(logits, labels)  # []
            total_loss += loss.item() * len(labels)
            correct += (logits.argmax(dim=1) == labels).sum().item()
            count += len(labels)
    return total_loss / count, correct / count
"""

VALIDATE = Exercise(
    name="validate",
    hints=(
        "It is the epoch again, without the step: the loss is counted in the same way. New are "
        "model.eval() before the loop and with torch.no_grad(): around it.",
        "logits.argmax(dim=1) is the prediction of each review. (predictions == labels).sum() "
        "counts the right ones.",
    ),
    solution=VALIDATION,
    trial=_try_validate,
    expects="a pair: the mean loss, and the share of right reviews, 0 to 1",
    mistakes=(
        Mistake(
            VALIDATION.replace("    model.eval()\n", ""),
            "The model is still in train mode. Some layers behave differently there: the same "
            "review may get another answer each time.",
        ),
        Mistake(
            VALIDATION.replace("torch.no_grad()", "torch.enable_grad()"),
            "The numbers are right. But torch remembers everything for gradients that nobody "
            "wants: this costs time and memory.",
        ),
        Mistake(
            VALIDATION.replace(".sum().item()", ".float().mean().item()").replace(
                "correct / count", "correct / len(batches)"
            ),
            "Your share is the mean over the batches. Count right reviews instead: the last batch "
            "is smaller.",
        ),
        Mistake(
            VALIDATION.replace("correct / count", "correct"),
            "That is how many are right. We want the share, a number between 0 and 1.",
        ),
        Mistake(
            VALIDATION.replace("loss.item() * len(labels)", "loss.item()").replace(
                "total_loss / count", "total_loss / len(batches)"
            ),
            "The share is right. The loss is a mean of the batches: weight each with its number "
            "of reviews.",
        ),
        Mistake(
            VALIDATION.replace("(logits, labels)", "(logits.softmax(dim=1), labels)"),
            "The share is right. The loss is another one: cross-entropy wants the logits as they "
            "are.",
        ),
        Mistake(
            VALIDATION.replace(
                "total_loss / count, correct / count", "correct / count, total_loss / count"
            ),
            "Both numbers are right, in the wrong order: first the loss, then the share.",
        ),
        Mistake(
            VALIDATION.replace("argmax(dim=1)", "argmin(dim=1)"),
            "Your share is one minus the right one: the larger logit wins, not the smaller.",
        ),
    ),
)


# The loop


def _try_run_epochs(answer: Any) -> Any:
    log: list[str] = []

    class Scheduler:
        rate = 100

        def step(self) -> None:
            self.rate //= 2

    scheduler = Scheduler()

    def train_epoch() -> float:
        log.append(f"train at rate {scheduler.rate}")
        return 1.0 / len(log)

    def validate() -> tuple[float, float]:
        log.append("validate")
        return 2.0 / len(log), 0.5 + len(log) / 100

    kept = answer(3, train_epoch, validate, scheduler)
    if not isinstance(kept, (tuple, list)) or len(kept) != 3:
        return "not three things"
    if not all(isinstance(numbers, list) for numbers in kept):
        return {"calls": log, "kept": "no three lists"}
    numbers = [n for one in kept for n in one]
    if not all(isinstance(number, float) for number in numbers):
        return {"calls": log, "kept": f"a {type(numbers[-1]).__name__} among the numbers"}
    return {"calls": log, "rate at the end": scheduler.rate, "kept": [list(one) for one in kept]}


LOOP = """
def run_epochs(num_epochs, train_epoch, validate, scheduler):
    train_losses, val_losses, val_accuracy = [], [], []
    for epoch in range(num_epochs):
        train_losses.append(train_epoch())
        val_loss, accuracy = validate()
        val_losses.append(val_loss)
        val_accuracy.append(accuracy)
        scheduler.step()
    return train_losses, val_losses, val_accuracy
"""

RUN_EPOCHS = Exercise(
    name="run_epochs",
    hints=(
        "for epoch in range(num_epochs): in each round train_epoch(), then validate(), then "
        "scheduler.step().",
        "train_epoch() returns one number and validate() two. Append each to its list.",
    ),
    solution=LOOP,
    trial=_try_run_epochs,
    expects="three lists, with one number an epoch in each",
    mistakes=(
        Mistake(
            LOOP.replace("        scheduler.step()\n", ""),
            "The learning rate never falls: nobody calls the scheduler.",
        ),
        Mistake(
            LOOP.replace("        scheduler.step()\n", "    scheduler.step()\n"),
            "The scheduler is called once, at the end. It belongs to every epoch.",
        ),
        Mistake(
            LOOP.replace("        scheduler.step()\n", "").replace(
                "        train_losses", "        scheduler.step()\n        train_losses"
            ),
            "The scheduler is called before the epoch: the first epoch learns at a rate that has "
            "already fallen.",
        ),
        Mistake(
            LOOP.replace("        train_losses.append(train_epoch())\n", "").replace(
                "        scheduler", "        train_losses.append(train_epoch())\n        scheduler"
            ),
            "You validate before you train: each accuracy is that of the epoch before.",
        ),
        Mistake(
            LOOP.replace("train_epoch())", "train_epoch)"),
            "Your list holds the function train_epoch, not what it returns. Call it: ().",
        ),
        Mistake(
            LOOP.replace(
                "        val_losses.append(val_loss)\n", "        val_losses.append(accuracy)\n"
            ),
            "The validation loss got lost: two lists hold the accuracy.",
        ),
        Mistake(
            LOOP.replace("range(num_epochs)", "range(1, num_epochs)"),
            "There is one epoch too few.",
        ),
    ),
)


# The whole class


@_without_warnings
def _try_trainer(answer: Any) -> Any:
    model, train, valid = _Toy(), _Loader(), _Loader(first=1)
    trainer = answer(model, train, valid, learning_rate=0.1, gamma=0.5)
    trainer.train(3)
    if not vars(trainer):
        return ...  # nobody wrote anything yet
    if train.passes == 0:
        return "the training loader is never read"
    kept = (trainer.train_losses, trainer.val_losses, trainer.val_accuracy)
    if any(len(numbers) != 3 for numbers in kept):
        return {"numbers kept": [len(numbers) for numbers in kept]}
    if model.seen[-1][0]:
        return "validation in train mode"
    if not all(training for training, gradients in model.seen if gradients):
        return "learns in eval mode" if not model.seen[-1][1] else "validation with gradients"
    if _keeps_its_graph(trainer.train_losses[-1]):
        return "the loss keeps its graph"
    return {
        "training losses": [float(loss) for loss in kept[0]],
        "validation losses": [float(loss) for loss in kept[1]],
        "accuracies": [float(share) for share in kept[2]],
        "weights": model.learnt(),
    }


TRAINER = """
class MyTrainer:
    def __init__(self, model, train_loader, valid_loader, learning_rate=1e-3, gamma=0.95):
        self.model = model
        self.train_loader = train_loader
        self.valid_loader = valid_loader
        learning = [p for p in model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(learning, lr=learning_rate)
        self.scheduler = torch.optim.lr_scheduler.ExponentialLR(self.optimizer, gamma=gamma)
        self.criterion = torch.nn.CrossEntropyLoss()
        self.train_losses, self.val_losses, self.val_accuracy = [], [], []

    def train(self, num_epochs):
        for epoch in range(num_epochs):
            self.train_losses.append(self.train_epoch())
            val_loss, accuracy = self.validate()
            self.val_losses.append(val_loss)
            self.val_accuracy.append(accuracy)
            self.scheduler.step()

    def train_epoch(self):
        self.model.train()
        total_loss, count = 0.0, 0
        for inputs, labels in self.train_loader:
            self.optimizer.zero_grad()
            loss = self.criterion(self.model(**inputs), labels)
            loss.backward()
            self.optimizer.step()
            total_loss += loss.item() * len(labels)
            count += len(labels)
        return total_loss / count

    def validate(self):
        self.model.eval()
        total_loss, correct, count = 0.0, 0, 0
        with torch.no_grad():
            for inputs, labels in self.valid_loader:
                logits = self.model(**inputs)
                total_loss += self.criterion(logits, labels).item() * len(labels)
                correct += (logits.argmax(dim=1) == labels).sum().item()
                count += len(labels)
        return total_loss / count, correct / count
"""

WRITE_TRAINER = Exercise(
    name="write_trainer",
    answer_name="MyTrainer",
    hints=(
        "Four methods: __init__ keeps what it is given and makes the optimizer, the scheduler and "
        "three empty lists; train is the loop; train_epoch and validate do the work.",
        "train_epoch: train mode; for each batch zero_grad, loss, backward, step; add up "
        "loss.item() * len(labels).",
        "validate: eval mode; no_grad; add up the losses and the right reviews; divide both by the "
        "number of reviews.",
    ),
    solution=TRAINER,
    trial=_try_trainer,
    prepare=_import_optimizers,
    expects="a class whose train(3) leaves three numbers in each of its three lists",
    mistakes=(
        Mistake(
            TRAINER.replace("            self.optimizer.zero_grad()\n", ""),
            "Your losses begin well and then go astray: the gradients of all batches so far are "
            "added up.",
        ),
        Mistake(
            TRAINER.replace("            self.optimizer.step()\n", ""),
            "The weights never change: look at the end of the training step.",
        ),
        Mistake(
            TRAINER.replace("            self.scheduler.step()\n", "").replace(
                "            self.optimizer.step()\n",
                "            self.optimizer.step()\n            self.scheduler.step()\n",
            ),
            "The learning rate falls after every batch, so it is near zero soon. It should fall "
            "after every epoch.",
        ),
        Mistake(
            TRAINER.replace("            self.scheduler.step()\n", ""),
            "The learning rate stays the same in all epochs: nobody calls the scheduler.",
        ),
        Mistake(
            TRAINER.replace("        self.model.eval()\n", ""),
            "Validation runs in train mode.",
        ),
        Mistake(
            TRAINER.replace("        self.model.train()\n", ""),
            "From the second epoch on your model learns in eval mode: validation switched it, and "
            "nobody switches it back.",
        ),
        Mistake(
            TRAINER.replace("torch.no_grad()", "torch.enable_grad()"),
            "All numbers are right. But validation remembers everything for gradients that nobody "
            "wants.",
        ),
        Mistake(
            TRAINER.replace(
                "loss.item() * len(labels)\n            count += len(labels)",
                "loss.item()\n            count += 1",
            ),
            "The training loss is a mean of the batches: the small last batch counts too much.",
        ),
        Mistake(
            TRAINER.replace(
                "loss.item() * len(labels)\n            count",
                "loss * len(labels)\n            count",
            ),
            "Your training losses hold on to everything they were computed from, epoch after "
            "epoch: the memory fills. Keep plain numbers.",
        ),
        Mistake(
            TRAINER.replace(
                "self.criterion(self.model(**inputs), labels)",
                "self.criterion(self.model(**inputs).softmax(dim=1), labels)",
            ),
            "The training loss is another one: cross-entropy wants the logits, without softmax.",
        ),
        Mistake(
            "train_loader = [({'features': torch.zeros(1, 3)}, torch.tensor([0]))]\n"
            + TRAINER.replace("in self.train_loader", "in train_loader"),
            "Your Trainer never reads the training loader that it was given. It reads a global "
            "variable, as the classic one does.",
        ),
        Mistake(
            TRAINER.replace("lr=learning_rate", "lr=1e-3"),
            "The learning rate that was asked for plays no part.",
        ),
        Mistake(
            TRAINER.replace("gamma=gamma", "gamma=0.95"),
            "The gamma that was asked for plays no part.",
        ),
    ),
)

EXERCISES = (
    LEARNING_PARAMETERS,
    MASKED_MEAN,
    MAKE_OPTIMIZER,
    TRAINING_STEP,
    TRAIN_EPOCH,
    VALIDATE,
    RUN_EPOCHS,
    WRITE_TRAINER,
)
