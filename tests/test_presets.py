import pytest

from imdb_tutorial import load_preset


def test_the_laptop_preset_is_small_packaged_and_otherwise_classic():
    preset = load_preset("laptop")
    assert (preset.reviews, preset.encoder) == ("packaged", "packaged")
    assert (preset.train_size, preset.validation_size, preset.test_size) == (2_000, 500, 1_000)
    assert (preset.pooling, preset.max_length, preset.batch_size) == ("cls", 500, 32)
    assert (preset.learning_rate, preset.gamma, preset.num_epochs) == (1e-3, 0.95, 30)
    assert preset.validation_from == "train"


def test_the_full_preset_takes_everything_from_the_hub_with_the_same_training_values():
    full, laptop = load_preset("full"), load_preset("laptop")
    assert (full.reviews, full.encoder) == ("stanfordnlp/imdb", "google-bert/bert-base-cased")
    assert (full.train_size, full.validation_size, full.test_size) == (None, None, None)
    for field in ("pooling", "max_length", "batch_size", "learning_rate", "gamma", "num_epochs"):
        assert getattr(full, field) == getattr(laptop, field)


def test_laptop_is_the_default():
    assert load_preset().name == "laptop"


def test_the_environment_variable_picks_the_preset(monkeypatch):
    monkeypatch.setenv("IMDB_TUTORIAL_PRESET", "full")
    assert load_preset().name == "full"


def test_a_name_given_in_code_goes_before_the_environment_variable(monkeypatch):
    monkeypatch.setenv("IMDB_TUTORIAL_PRESET", "full")
    assert load_preset("laptop").name == "laptop"


def test_an_empty_environment_variable_counts_as_unset(monkeypatch):
    monkeypatch.setenv("IMDB_TUTORIAL_PRESET", "")
    assert load_preset().name == "laptop"


def test_an_unknown_preset_names_the_choices():
    with pytest.raises(ValueError, match=r"'desktop'.*laptop, full"):
        load_preset("desktop")


def test_an_unknown_preset_in_the_environment_names_the_variable(monkeypatch):
    monkeypatch.setenv("IMDB_TUTORIAL_PRESET", "desktop")
    with pytest.raises(ValueError, match="IMDB_TUTORIAL_PRESET"):
        load_preset()


def test_replace_changes_a_copy_and_leaves_the_original():
    original = load_preset("laptop")
    changed = original.replace(train_size=10, pooling="mean")
    assert (changed.train_size, changed.pooling) == (10, "mean")
    assert (original.train_size, original.pooling) == (2_000, "cls")
    assert load_preset("laptop") == original
    assert changed.replace(train_size=2_000, pooling="cls") == original


def test_a_preset_cannot_be_changed_in_place():
    with pytest.raises(AttributeError):
        load_preset("laptop").train_size = 10


def test_replace_names_an_unknown_field_and_the_fields_there_are():
    with pytest.raises(ValueError, match=r"training_size.*train_size"):
        load_preset().replace(training_size=10)


@pytest.mark.parametrize("value", [0, -1, "many", True, 1.5])
@pytest.mark.parametrize(
    "field",
    ["train_size", "validation_size", "test_size", "max_length", "batch_size", "num_epochs"],
)
def test_a_size_that_no_lesson_can_work_with_is_refused_by_name(field, value):
    with pytest.raises(ValueError, match=f"{field} is {value!r}"):
        load_preset().replace(**{field: value})


@pytest.mark.parametrize("field", ["max_length", "batch_size", "num_epochs"])
def test_only_pool_sizes_may_be_none(field):
    assert load_preset().replace(train_size=None).train_size is None
    with pytest.raises(ValueError, match=field):
        load_preset().replace(**{field: None})


@pytest.mark.parametrize(
    ("field", "value", "choices"),
    [
        ("pooling", "max", "cls, mean, pooler"),
        ("validation_from", "validation", "train, test"),
        ("learning_rate", 0, "above 0"),
        ("learning_rate", -1e-3, "above 0"),
        ("gamma", float("nan"), "above 0"),
    ],
)
def test_other_bad_values_are_refused_with_what_is_expected(field, value, choices):
    with pytest.raises(ValueError, match=f"{field} is .*{choices}"):
        load_preset().replace(**{field: value})
