import pytest

from augstudy.core.errors import InputError
from augstudy.models.classifiers import ARCHITECTURES
from augstudy.models.gan_recipes import GANS, gan_recipe
from augstudy.models.recipes import classifier_recipe
from augstudy.settings.arms import Arm, spelled
from augstudy.settings.augmentation import Augmentation
from augstudy.settings.base import parse
from augstudy.settings.classifier import ClassifierSettings
from augstudy.settings.data import DataSettings
from augstudy.settings.parsing import parse_arms


@pytest.mark.parametrize(
    ("model", "values", "message"),
    [
        (DataSettings, {"clases": ["a", "b"]}, "the data settings has no setting 'clases'"),
        (
            DataSettings,
            {"train_per_class": 60, "level": 61},
            "level 61 is more than train_per_class 60",
        ),
        (DataSettings, {"classes": ["cat"]}, "at least two classes"),
        (DataSettings, {"classes": ["cat", "cat"]}, "named twice"),
        (DataSettings, {"val_per_class": -1}, "val_per_class: Input should be greater"),
        (DataSettings, {"image_settings": {"size": 7}}, "image_settings.size"),
        (DataSettings, {"image_settings": {"groups": "p("}}, "no regular expression"),
        (DataSettings, {"image_settings": {"groups": "p"}}, "exactly one group in parentheses"),
        (DataSettings, {"image_settings": {"shares": [0.5, 0.5, 0.5]}}, "a sum of 1"),
        (Arm, {"arm": "replace"}, "'replace' needs a share"),
        (Arm, {"arm": "real", "share": 0.5}, "'real' takes no share"),
        (Arm, {"arm": "replace", "share": 1.5}, "share of at most 1"),
        (Arm, {"arm": "gan"}, "arm: there is no such kind of arm; there are: real, "),
        (Arm, {"arm": "same_steps"}, "'same_steps' needs a share"),
        (Arm, {"arm": "real_filtered", "share": 0.5}, "'real_filtered' takes no share"),
        (Arm, {"arm": "add", "share": 1, "name": "../add"}, "name: String should match"),
        (Arm, {"arm": "add", "share": 1, "name": "real"}, "cannot be named 'real'"),
        (Arm, {"arm": "real", "augmentation": {}}, "needs a name of its own"),
        (Arm, {"arm": "real", "name": "x", "augmentation": {"blur": 1}}, "has no setting"),
        (
            ClassifierSettings,
            {"early_stopping": {"patience": 7}, "reduce_on_plateau": {"patience": 3}},
            "must be a multiple",
        ),
    ],
)
def test_a_wrong_setting_is_named_in_one_sentence(model, values, message):
    with pytest.raises(InputError) as caught:
        parse(model, values, "the data settings")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_whole_floats_are_integers_as_pipelines_carry_them():
    assert parse(DataSettings, {"level": 50.0}, "data").level == 50


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_classifier_recipe_is_valid(name):
    assert classifier_recipe(name).architecture == name


@pytest.mark.parametrize("name", GANS)
def test_every_gan_recipe_is_valid(name):
    assert gan_recipe(name).architecture == GANS[name]["architecture"]


def test_overrides_reach_nested_settings_and_leave_their_neighbours():
    changed = classifier_recipe("modern", {"epochs": 3, "optimizer": {"learning_rate": 0.1}})
    assert changed.epochs == 3
    assert changed.optimizer.learning_rate == 0.1
    assert changed.optimizer.name == "adamw"


def test_an_unknown_recipe_suggests_the_nearest():
    with pytest.raises(InputError, match="no classifier 'modren'; did you mean 'modern'"):
        classifier_recipe("modren")


def test_arm_labels_tell_shares_apart():
    labels = {Arm(arm="add", share=share).label for share in (0.3, 0.5, 1, 2)}
    assert labels == {"add:0.3", "add:0.5", "add:1", "add:2"}


def test_an_arm_with_a_name_is_called_by_it_and_may_bring_its_augmentation():
    plain = parse(Arm, {"arm": "real", "name": "unaugmented", "augmentation": {}}, "an arm")
    assert plain.label == "unaugmented"
    settings = ClassifierSettings(augmentation=Augmentation(rotation=5))
    assert plain.augmentation_in(settings) == Augmentation()
    turned = Arm(arm="classic", name="turned", augmentation=Augmentation(rotation=90))
    assert turned.augmentation_in(settings) == Augmentation(rotation=90)


def test_classic_add_is_augmented_like_classic():
    settings = ClassifierSettings(augmentation=Augmentation(rotation=5))
    both = [Arm(arm="classic"), Arm(arm="classic_add", share=1)]
    assert len({arm.augmentation_in(settings) for arm in both}) == 1
    assert both[0].augmentation_in(settings) != settings.augmentation


def test_what_an_arm_is_made_of_does_not_hang_on_whether_it_may_be_left_out():
    needed, optional = (Arm(arm="extra_real", share=1, optional=item) for item in (False, True))
    assert needed.record() == optional.record()


def test_the_classic_arm_strengthens_the_recipes_augmentation():
    settings = ClassifierSettings(
        augmentation=Augmentation(shift=0.2, rotation=5),
        classic=Augmentation(horizontal_flip=True, rotation=15, shift=0.1),
    )
    assert Arm(arm="real").augmentation_in(settings) == settings.augmentation
    assert Arm(arm="classic").augmentation_in(settings) == Augmentation(
        horizontal_flip=True, rotation=15, shift=0.2
    )


def test_an_arm_has_one_spelling_and_the_old_one_is_understood() -> None:
    for text in ("real", "replace:0.3", "add_filtered:1", "extra_real:0.125", "add:1e-05"):
        (found,) = (Arm(**item) for item in parse_arms(text))
        assert found.label == text == spelled(text)
        old = found.arm if found.share is None else f"{found.arm}_{100 * found.share:g}"
        assert spelled(old) == text
        assert parse_arms(old) == parse_arms(text)
    assert parse_arms("add:50%,replace:30 %@sd") == parse_arms("add:0.5,replace:0.3@sd")
    for name in ("wide_100", "kernel=5x5", "real_1", "add_", "_100", "add_many", ""):
        assert spelled(name) == name
    with pytest.raises(ValueError, match="kind of arm"):
        Arm(arm="real", name="add_100")
