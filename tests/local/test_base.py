"""What a run differs in from what its preset would have done."""

from program import FAKES

from augstudy.local.parameters import Wanted
from augstudy.runs.record import changed_text, difference_of


def changed(*settings: str, preset: str = "quick", **more: str) -> dict:
    wanted = Wanted("augmentation_study", preset, settings=settings, **more)
    return difference_of(wanted.values(), wanted.base())


def test_only_what_differs_from_the_preset() -> None:
    assert changed() == {}
    found = changed(
        "classifier_settings.epochs=5", "classifier_settings.mirror=false", "gan_seed=0"
    )
    assert found == {"classifier_settings.epochs": 5, "classifier_settings.mirror": False}
    found = changed(arms="real,add:0.5", seeds="0-1")
    assert changed_text(found) == "arms=real+add:0.5, seeds=0+1"


def test_without_a_preset_the_defaults_are_the_base() -> None:
    assert changed("classifier=baseline", preset="") == {"classifier": "baseline"}


def test_a_pipeline_that_needs_a_value_has_a_base_without_it() -> None:
    wanted = Wanted("retrain", settings=["champion=file:///data/champions"])
    assert difference_of(wanted.values(), wanted.base()) == {"champion": "file:///data/champions"}


def test_a_pipeline_of_ones_own() -> None:
    assert Wanted(str(FAKES / "tiny.py")).base()["seconds"] == 0
