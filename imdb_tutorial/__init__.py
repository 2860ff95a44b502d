"""Sentiment with BERT on the IMDb reviews, from a one-liner to a fine-tuned model.

Public names load when first used, so that ``import imdb_tutorial`` stays quick.
"""

from importlib import import_module

__version__ = "0.1.0"

_MODULE_OF = {
    "Preset": "presets",
    "load_preset": "presets",
    "load_raw_reviews": "dataset",
    "load_reviews": "dataset",
    "load_sentences": "dataset",
    "ReviewDataset": "dataset",
    "ReviewCollator": "collate",
    "cache_info": "cache",
    "clear_cache": "cache",
    "choose_device": "encoder",
    "choose_dtype": "encoder",
    "load_encoder": "encoder",
    "load_tokenizer": "encoder",
    "extract_features": "features",
    "FeatureLoader": "loaders",
    "FrozenBertClassifier": "probe",
    "LinearProbe": "probe",
    "load_probe": "probe",
    "save_probe": "probe",
    "History": "trainer",
    "Trainer": "trainer",
    "load_classifier": "classifier",
    "predict": "classifier",
    "finetune": "finetuning",
    "save_finetuned": "export",
    "attribute": "attributions",
    "SentimentExplorer": "widgets",
    "load_expected_accuracy": "records",
    "load_reference_run": "records",
    "load_metrics": "metrics",
    "Interval": "evaluation",
    "PairedDifference": "evaluation",
    "accuracy_interval": "evaluation",
    "by_slice": "evaluation",
    "calibration_error": "evaluation",
    "compare": "evaluation",
    "confusion": "evaluation",
    "fit_temperature": "evaluation",
    "hardest": "evaluation",
    "Spread": "evaluation",
    "spread": "evaluation",
    "is_right": "evaluation",
    "reliability": "evaluation",
    "review_slices": "evaluation",
    "Study": "study",
    "load_study": "study",
    "load_official_split": "records",
    "plot_history": "plotting",
    "doctor": "diagnosis",
}

__all__ = sorted(_MODULE_OF)


def __getattr__(name: str):
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
