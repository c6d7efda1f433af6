"""A training whose loss is no finite number fails with advice, and nothing of it is kept."""

import numpy as np
import pytest
from builders import build_dataset

from augstudy.core import artifacts, cache
from augstudy.core.errors import InputError, TrainingError
from augstudy.models.gan_recipes import gan_recipe
from augstudy.models.recipes import classifier_recipe
from augstudy.settings.arms import Arm
from augstudy.settings.base import Settings, parse
from augstudy.settings.comparing import ComparisonSettings
from augstudy.settings.judging import CurationSettings
from augstudy.steps import train_cnn
from augstudy.training import callbacks

CHANGES = {"epochs": 3, "batch_size": 12, "early_stopping": None, "reduce_on_plateau": None}
TOO_HIGH = {"optimizer": {"name": "sgd", "learning_rate": 1e30}}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return build_dataset(tmp_path_factory.mktemp("data") / "dataset", ("cow", "zebra"))


def test_it_fails_with_advice_and_is_not_cached(dataset, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    recipe = classifier_recipe("baseline", CHANGES | TOO_HIGH)
    for out in (tmp_path / "first", tmp_path / "second"):  # and so it does again
        with pytest.raises(TrainingError, match=r"loss is no finite number.*learning_rate") as said:
            train_cnn.run(dataset.path, out, Arm(arm="real"), [0], recipe)
        assert said.value.exit_code == 5
        assert not out.exists()
    assert cache.Cache(tmp_path / "cache").measure().entries == 0
    mended = classifier_recipe("baseline", CHANGES)
    made = train_cnn.run(dataset.path, tmp_path / "first", Arm(arm="real"), [0], mended)
    assert artifacts.read(made.path, "classifier")


@pytest.mark.parametrize("name", ["loss", "accuracy", "val_loss"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_it_does_so_whichever_loss_it_is(name, value, monkeypatch) -> None:
    recorder = callbacks.Recorder(3, None)
    row = dict.fromkeys(callbacks.HISTORY_COLUMNS[1:-1], 0.5)
    recorder.on_epoch_end(0, row)
    with pytest.raises(TrainingError, match="epoch 2"):
        recorder.on_epoch_end(1, row | {name: value})
    assert len(recorder.rows) == 1


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_settings_are_finite(value: float) -> None:
    with pytest.raises(InputError, match="finite number"):
        classifier_recipe("baseline", {"optimizer": {"learning_rate": value}})
    with pytest.raises(InputError, match="finite number"):
        gan_recipe("compact", {"learning_rate": value})
    with pytest.raises(InputError):
        parse(Arm, {"arm": "add", "share": value}, "an arm")
    with pytest.raises(InputError):
        parse(CurationSettings, {"strictness": value}, "the curation settings")
    with pytest.raises(InputError):
        parse(ComparisonSettings, {"equivalence_margin": value}, "the comparison")


def test_all_settings_are_such() -> None:
    found, left = [], [Settings]
    while left:
        model = left.pop()
        left += model.__subclasses__()
        found.append(model)
    assert len(found) > 10
    assert {model.model_config["allow_inf_nan"] for model in found} == {False}
