import pytest

from imdb_tutorial import load_preset

SIZES = ["train_size", "validation_size", "test_size", "max_length", "batch_size", "num_epochs"]


def test_the_laptop_preset_trains_as_the_classic_run_did():
    preset = load_preset("laptop")
    assert (preset.pooling, preset.max_length, preset.batch_size) == ("cls", 500, 32)
    assert (preset.learning_rate, preset.gamma, preset.num_epochs) == (1e-3, 0.95, 30)


def test_the_full_preset_trains_with_the_values_of_the_laptop():
    full, laptop = load_preset("full"), load_preset("laptop")
    assert (full.train_size, full.validation_size, full.test_size) == (None, None, None)
    for field in ("pooling", "max_length", "batch_size", "learning_rate", "gamma", "num_epochs"):
        assert getattr(full, field) == getattr(laptop, field)


@pytest.mark.parametrize(
    ("variable", "name", "chosen"),
    [
        (None, None, "laptop"),
        ("", None, "laptop"),
        ("full", None, "full"),
        ("full", "laptop", "laptop"),
    ],
)
def test_a_name_in_code_goes_before_the_variable_which_goes_before_the_default(
    monkeypatch, variable, name, chosen
):
    if variable is not None:
        monkeypatch.setenv("IMDB_TUTORIAL_PRESET", variable)
    assert load_preset(name).name == chosen


def test_an_unknown_preset_names_the_choices_and_where_it_was_said(monkeypatch):
    with pytest.raises(ValueError, match=r"'desktop'.*laptop, full"):
        load_preset("desktop")
    monkeypatch.setenv("IMDB_TUTORIAL_PRESET", "desktop")
    with pytest.raises(ValueError, match="IMDB_TUTORIAL_PRESET"):
        load_preset()


def test_replace_changes_a_copy_and_leaves_the_original():
    original = load_preset("laptop")
    changed = original.replace(train_size=10, pooling="mean")
    assert (changed.train_size, changed.pooling) == (10, "mean")
    assert load_preset("laptop") == original != changed
    with pytest.raises(AttributeError):
        original.train_size = 10


def test_replace_names_an_unknown_field_and_the_fields_there_are():
    with pytest.raises(ValueError, match=r"training_size.*train_size"):
        load_preset().replace(training_size=10)


@pytest.mark.parametrize("field", SIZES)
def test_a_size_that_no_lesson_can_work_with_is_refused_by_name(field):
    for value in (0, -1, "many", True, 1.5):
        with pytest.raises(ValueError, match=f"{field} is {value!r}"):
            load_preset().replace(**{field: value})


@pytest.mark.parametrize("field", SIZES)
def test_only_pool_sizes_may_be_none(field):
    if field in SIZES[:3]:
        assert getattr(load_preset().replace(**{field: None}), field) is None
    else:
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
        ("learning_rate", float("inf"), "above 0"),
    ],
)
def test_other_bad_values_are_refused_with_what_is_expected(field, value, choices):
    with pytest.raises(ValueError, match=f"{field} is .*{choices}"):
        load_preset().replace(**{field: value})
