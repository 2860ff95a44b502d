"""Two Trainers, one truth: the tutorial's own and the Hugging Face one take the same steps."""

import pytest
import torch
import transformers
from torch import nn

from imdb_tutorial import ReviewCollator, ReviewDataset, Trainer, load_preset, load_reviews
from imdb_tutorial.encoder.load import load_tokenizer
from imdb_tutorial.finetuning.run import load_model_for_classification, tokenize_reviews

BATCH_SIZE = 4
EPOCHS = 2
GAMMA = 0.9
CLIP = 1.0
DECAY = 0.02


class Logits(nn.Module):
    """Gives a transformers model's logits alone, as the own Trainer expects them."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, **inputs):
        return self.model(**inputs).logits


class Recorder(nn.CrossEntropyLoss):
    """Cross-entropy that remembers the loss of each batch that is learnt from."""

    def __init__(self):
        super().__init__()
        self.losses = []

    def forward(self, logits, labels):
        loss = super().forward(logits, labels)
        if loss.requires_grad:
            self.losses.append(loss.item())
        return loss


@pytest.fixture(autouse=True)
def one_thread():
    """Beside other work, threads that wait for one another take a hundred times as long."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def setting():
    preset = load_preset("laptop").for_fine_tuning()
    preset = preset.replace(train_size=208, validation_size=8, test_size=1, max_length=32)
    return preset, load_reviews(preset), load_tokenizer()


def new_model(preset):
    torch.manual_seed(1)
    model = load_model_for_classification(preset.encoder).to("cpu")
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return model


def own_losses(preset, reviews, tokenizer):
    model = new_model(preset)
    collate = ReviewCollator(tokenizer, preset.max_length, padding="longest")
    train, valid = (
        torch.utils.data.DataLoader(ReviewDataset(reviews[pool]), BATCH_SIZE, collate_fn=collate)
        for pool in ("train", "validation")
    )
    trainer = Trainer(Logits(model), train, valid, 1e-4, GAMMA, verbose=False)
    trainer.criterion = Recorder()
    trainer.optimizer.param_groups[0]["weight_decay"] = DECAY

    def clip(*_):
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)

    trainer.optimizer.register_step_pre_hook(clip)
    trainer.train(EPOCHS)
    return trainer.criterion.losses, trainer.val_accuracy


def hugging_face_losses(preset, reviews, tokenizer, folder):
    model = new_model(preset)
    steps = len(reviews["train"]) // BATCH_SIZE
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=DECAY, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: GAMMA ** (n // steps))
    recorder = Recorder()
    trainer = transformers.Trainer(
        model=model,
        args=transformers.TrainingArguments(
            output_dir=str(folder),
            num_train_epochs=EPOCHS,
            per_device_train_batch_size=BATCH_SIZE,
            max_grad_norm=CLIP,
            train_sampling_strategy="sequential",
            eval_strategy="epoch",
            save_strategy="no",
            use_cpu=True,
            disable_tqdm=True,
            report_to="none",
        ),
        train_dataset=tokenize_reviews(reviews["train"], tokenizer, preset.max_length),
        eval_dataset=tokenize_reviews(reviews["validation"], tokenizer, preset.max_length),
        processing_class=tokenizer,
        optimizers=(optimizer, schedule),
        compute_loss_func=lambda outputs, labels, **_: (
            recorder(outputs.logits, labels) if model.training else outputs.logits.mean()
        ),
        compute_metrics=lambda p: {"accuracy": (p.predictions.argmax(1) == p.label_ids).mean()},
    )
    trainer.train()
    accuracies = [e["eval_accuracy"] for e in trainer.state.log_history if "eval_accuracy" in e]
    return recorder.losses, accuracies


@pytest.mark.slow
def test_both_trainers_give_the_same_losses_step_by_step(setting, tmp_path):
    own, own_accuracy = own_losses(*setting)
    other, other_accuracy = hugging_face_losses(*setting, tmp_path)
    assert len(own) == len(other) == 104
    assert own == pytest.approx(other, abs=1e-5)
    assert own_accuracy == other_accuracy
    assert sum(own[-20:]) < sum(own[:20])
