# The public names and the rooms that they come from; __init__.py reads this file.
from .classifier.answer_settings import (
    save_answer_settings as save_answer_settings,
)
from .classifier.in_memory import (
    classifier_of as classifier_of,
)
from .classifier.load import (
    load_classifier as load_classifier,
)
from .classifier.predict import (
    predict_proba as predict_proba,
)
from .collate import (
    ReviewCollator as ReviewCollator,
)
from .cost.bill import (
    Cost as Cost,
)
from .cost.estimate import (
    estimate_cost as estimate_cost,
)
from .cost.reference import (
    explain_reference_run as explain_reference_run,
)
from .cost.scale import (
    scale_table as scale_table,
    scale_up as scale_up,
)
from .dataset.labels import (
    LABELS as LABELS,
)
from .dataset.packaged import (
    load_sentences as load_sentences,
)
from .dataset.pools import (
    cut_pools as cut_pools,
    normalise as normalise,
)
from .dataset.reviews import (
    ReviewDataset as ReviewDataset,
    load_raw_reviews as load_raw_reviews,
    load_reviews as load_reviews,
)
from .encoder.attention import (
    attention_shares as attention_shares,
)
from .encoder.features import (
    extract_features as extract_features,
)
from .encoder.load import (
    load_encoder as load_encoder,
    load_tokenizer as load_tokenizer,
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
    fit_temperature as fit_temperature,
    reliability as reliability,
)
from .evaluation.clusters import (
    GroupedDifference as GroupedDifference,
    GroupedInterval as GroupedInterval,
    compare_grouped as compare_grouped,
    grouped_interval as grouped_interval,
)
from .evaluation.cost_at_use import (
    load_citations as load_citations,
    load_cost_at_use as load_cost_at_use,
)
from .evaluation.error_analysis import (
    by_slice as by_slice,
    confusion_matrix as confusion_matrix,
    hardest as hardest,
    is_right as is_right,
    review_slices as review_slices,
)
from .evaluation.evidence import (
    Evidence as Evidence,
    load_evidence as load_evidence,
)
from .evaluation.intervals import (
    Interval as Interval,
    PairedDifference as PairedDifference,
    Spread as Spread,
    accuracy_interval as accuracy_interval,
    compare as compare,
    spread as spread,
)
from .evaluation.label_noise import (
    LabelNoise as LabelNoise,
    accuracy_by_stars as accuracy_by_stars,
    load_label_noise as load_label_noise,
    stratified_share as stratified_share,
)
from .evaluation.metrics import (
    load_metrics as load_metrics,
)
from .evaluation.real_size import (
    load_base_run as load_base_run,
    load_both_ways as load_both_ways,
    load_estimate_error as load_estimate_error,
)
from .evaluation.recorded_study import (
    Study as Study,
    load_study as load_study,
)
from .evaluation.records import (
    load_expected_accuracy as load_expected_accuracy,
    load_official_split as load_official_split,
    load_reference_run as load_reference_run,
)
from .evaluation.several_comparisons import (
    holm as holm,
)
from .evaluation.written_ratings import (
    without_ratings as without_ratings,
    written_rating as written_rating,
)
from .exercises.series import (
    exercise as exercise,
)
from .explorer.attributions import (
    attribute as attribute,
)
from .explorer.models import (
    available_models as available_models,
)
from .explorer.reasons import (
    check_reason as check_reason,
    without_words as without_words,
)
from .explorer.widget import (
    SentimentExplorer as SentimentExplorer,
)
from .finetuning.log import (
    epoch_table as epoch_table,
    history_of as history_of,
)
from .finetuning.progress import (
    ProgressPrinter as ProgressPrinter,
)
from .finetuning.run import (
    finetune as finetune,
    load_model_for_classification as load_model_for_classification,
    tokenize_reviews as tokenize_reviews,
)
from .finetuning.save import (
    save_finetuned as save_finetuned,
)
from .machine.cache import (
    cache_info as cache_info,
    clear_cache as clear_cache,
)
from .machine.device import (
    best_device as best_device,
    choose_device as choose_device,
    choose_dtype as choose_dtype,
)
from .machine.diagnosis.doctor import (
    doctor as doctor,
)
from .machine.launch import (
    run_on_processes as run_on_processes,
)
from .machine.progress import (
    progress_bar as progress_bar,
)
from .machine.sources import (
    model_source as model_source,
)
from .plotting.charts import (
    plot_bars as plot_bars,
    plot_curves as plot_curves,
    plot_lengths as plot_lengths,
)
from .plotting.costs import (
    plot_costs as plot_costs,
)
from .plotting.history import (
    plot_history as plot_history,
)
from .plotting.intervals import (
    plot_intervals as plot_intervals,
    plot_reliability as plot_reliability,
)
from .plotting.pictures import (
    plot_deals as plot_deals,
    plot_flow as plot_flow,
    plot_padding as plot_padding,
)
from .plotting.scaling import (
    plot_parts as plot_parts,
    plot_scaling as plot_scaling,
)
from .plotting.steps import (
    plot_ladder as plot_ladder,
    plot_softmax as plot_softmax,
    plot_truncation as plot_truncation,
)
from .plotting.words import (
    plot_words as plot_words,
)
from .plotting.words_in_pictures import (
    plot_attention as plot_attention,
    plot_backward as plot_backward,
    plot_descent as plot_descent,
    plot_errors as plot_errors,
    plot_gap as plot_gap,
    plot_tensors as plot_tensors,
    plot_who_learns as plot_who_learns,
)
from .presets import (
    MAX_LENGTH as MAX_LENGTH,
    POOLINGS as POOLINGS,
    Preset as Preset,
    load_preset as load_preset,
)
from .probe import (
    FrozenBertClassifier as FrozenBertClassifier,
    LinearProbe as LinearProbe,
    load_probe as load_probe,
    save_probe as save_probe,
)
from .trainer.callbacks import (
    Callback as Callback,
    Checkpoint as Checkpoint,
)
from .trainer.history import (
    History as History,
)
from .trainer.loop import (
    Trainer as Trainer,
)

__version__: str
