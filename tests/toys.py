"""Tiny encoders and toy reviews, for tests and for the fault suite."""

import csv
from pathlib import Path

WORDS = (
    "the a an and or of to is was it this that i we film movie story actor plot ending scene "
    "good great best love fine bad worst dull awful hate boring not very so but with for in on "
    "rent ##ed ##ing ##s ##ly ##er ##est . , ! ? ' - < > / br"
).split()
LETTERS = [*"abcdefghijklmnopqrstuvwxyz0123456789"]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def save_tiny_bert(folder: Path, hidden_size: int = 16) -> None:
    """Save a random BERT of two narrow layers and its tokenizer."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    single = [token for token in LETTERS if token not in WORDS]
    tokens = dict.fromkeys([*SPECIAL, *WORDS, *single, *(f"##{letter}" for letter in LETTERS)])
    vocabulary = {token: number for number, token in enumerate(tokens)}
    BertTokenizerFast(vocab=vocabulary, model_max_length=512).save_pretrained(folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = BertModel(
            BertConfig(
                vocab_size=len(vocabulary),
                hidden_size=hidden_size,
                num_hidden_layers=2,
                num_attention_heads=2,
                intermediate_size=32,
                max_position_embeddings=512,
            )
        )
    model.save_pretrained(folder)


def save_tiny_mpnet(folder: Path) -> None:
    """Save a random MPNet of 40 positions and its tokenizer, which names no longest input."""
    import torch
    from transformers import MPNetConfig, MPNetModel, MPNetTokenizer

    words = "a the not very good bad dull boring film plot ending scene ##s , . < > / s".split()
    tokens = ["<s>", "<pad>", "</s>", "<unk>", "[UNK]", "<mask>", *words]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    MPNetTokenizer(vocab=vocabulary, do_lower_case=True).save_pretrained(folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = MPNetModel(
            MPNetConfig(
                vocab_size=len(vocabulary),
                hidden_size=16,
                num_hidden_layers=2,
                num_attention_heads=2,
                intermediate_size=32,
                max_position_embeddings=40,
            )
        )
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.dim() == 2:
                    parameter *= 10
    model.save_pretrained(folder)


def toy_preset(tiny_bert: Path, reviews: Path):
    """Write 120 toy reviews to a csv file; return a preset that fine-tunes the tiny BERT on them.

    One toy review in five has the wrong label, so that no accuracy is perfect.
    """
    from imdb_tutorial import load_preset

    words = ("bad worst dull awful boring hate", "good great best love fine")
    with reviews.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow(("text", "label"))
        for label in (0, 1):
            for number in range(60):
                shown = label if number % 5 else 1 - label
                csv.writer(file).writerow((f"{words[label]} film {number}", shown))
    return load_preset("laptop").replace(
        reviews=str(reviews),
        encoder=str(tiny_bert),
        train_size=80,
        validation_size=12,
        test_size=16,
        max_length=16,
        batch_size=8,
        learning_rate=1.5e-2,
        num_epochs=3,
        seed=1,
    )
