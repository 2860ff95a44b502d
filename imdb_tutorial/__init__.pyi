# The public names and the rooms that they come from; __init__.py reads this file.
from .classifier.load import (
    load_classifier as load_classifier,
)
from .classifier.predict import (
    predict_proba as predict_proba,
)
from .collate import (
    ReviewCollator as ReviewCollator,
)
from .dataset.labels import (
    LABELS as LABELS,
)
from .dataset.pools import (
    cut_pools as cut_pools,
)
from .dataset.pools import (
    normalise as normalise,
)
from .dataset.reviews import (
    ReviewDataset as ReviewDataset,
)
from .dataset.reviews import (
    load_raw_reviews as load_raw_reviews,
)
from .dataset.reviews import (
    load_reviews as load_reviews,
)
from .dataset.reviews import (
    load_sentences as load_sentences,
)
from .encoder.features import (
    extract_features as extract_features,
)
from .encoder.load import (
    load_encoder as load_encoder,
)
from .encoder.load import (
    load_tokenizer as load_tokenizer,
)
from .encoder.load import (
    quiet_transformers as quiet_transformers,
)
from .encoder.loaders import (
    FeatureLoader as FeatureLoader,
)
from .encoder.pooling import (
    pool as pool,
)
from .encoder.tokens import (
    tokenize as tokenize,
)
from .evaluation.calibration import (
    calibration_error as calibration_error,
)
from .evaluation.calibration import (
    fit_temperature as fit_temperature,
)
from .evaluation.calibration import (
    reliability as reliability,
)
from .evaluation.error_analysis import (
    by_slice as by_slice,
)
from .evaluation.error_analysis import (
    confusion_matrix as confusion_matrix,
)
from .evaluation.error_analysis import (
    hardest as hardest,
)
from .evaluation.error_analysis import (
    is_right as is_right,
)
from .evaluation.error_analysis import (
    review_slices as review_slices,
)
from .evaluation.intervals import (
    Interval as Interval,
)
from .evaluation.intervals import (
    PairedDifference as PairedDifference,
)
from .evaluation.intervals import (
    Spread as Spread,
)
from .evaluation.intervals import (
    accuracy_interval as accuracy_interval,
)
from .evaluation.intervals import (
    compare as compare,
)
from .evaluation.intervals import (
    spread as spread,
)
from .evaluation.metrics import (
    load_metrics as load_metrics,
)
from .evaluation.recorded_study import (
    Study as Study,
)
from .evaluation.recorded_study import (
    load_study as load_study,
)
from .evaluation.records import (
    load_expected_accuracy as load_expected_accuracy,
)
from .evaluation.records import (
    load_official_split as load_official_split,
)
from .evaluation.records import (
    load_reference_run as load_reference_run,
)
from .explorer.attributions import (
    attribute as attribute,
)
from .explorer.models import (
    available_models as available_models,
)
from .explorer.widget import (
    SentimentExplorer as SentimentExplorer,
)
from .finetuning.log import (
    history_of as history_of,
)
from .finetuning.progress import (
    ProgressPrinter as ProgressPrinter,
)
from .finetuning.run import (
    finetune as finetune,
)
from .finetuning.run import (
    load_model_for_classification as load_model_for_classification,
)
from .finetuning.run import (
    tokenize_reviews as tokenize_reviews,
)
from .finetuning.save import (
    save_finetuned as save_finetuned,
)
from .machine.cache import (
    cache_info as cache_info,
)
from .machine.cache import (
    clear_cache as clear_cache,
)
from .machine.device import (
    best_device as best_device,
)
from .machine.device import (
    choose_device as choose_device,
)
from .machine.device import (
    choose_dtype as choose_dtype,
)
from .machine.diagnosis.doctor import (
    doctor as doctor,
)
from .machine.progress import (
    progress_bar as progress_bar,
)
from .machine.sources import (
    model_source as model_source,
)
from .plotting.charts import (
    plot_bars as plot_bars,
)
from .plotting.charts import (
    plot_curves as plot_curves,
)
from .plotting.charts import (
    plot_lengths as plot_lengths,
)
from .plotting.history import (
    plot_history as plot_history,
)
from .plotting.intervals import (
    plot_intervals as plot_intervals,
)
from .plotting.intervals import (
    plot_reliability as plot_reliability,
)
from .plotting.pictures import (
    plot_blocks as plot_blocks,
)
from .plotting.pictures import (
    plot_flow as plot_flow,
)
from .plotting.pictures import (
    plot_padding as plot_padding,
)
from .plotting.words import (
    plot_words as plot_words,
)
from .presets import (
    MAX_LENGTH as MAX_LENGTH,
)
from .presets import (
    POOLINGS as POOLINGS,
)
from .presets import (
    Preset as Preset,
)
from .presets import (
    load_preset as load_preset,
)
from .probe import (
    FrozenBertClassifier as FrozenBertClassifier,
)
from .probe import (
    LinearProbe as LinearProbe,
)
from .probe import (
    load_probe as load_probe,
)
from .probe import (
    save_probe as save_probe,
)
from .trainer.callbacks import (
    Callback as Callback,
)
from .trainer.callbacks import (
    Checkpoint as Checkpoint,
)
from .trainer.history import (
    History as History,
)
from .trainer.loop import (
    Trainer as Trainer,
)

__version__: str
