import numpy as np
import pytest

from augstudy.metrics.gan_training import Reference, mean_distance
from augstudy.pages.stability import meaning as words_of
from augstudy.pages.stability import reason
from augstudy.training.stability import alarms, assess, failure, first_broken

RANDOM = np.random.default_rng(0)
HEALTHY = {
    "spread": 0.9,
    "diversity": 0.8,
    "class_fidelity": 0.7,
    "movement": 0.1,
    "source_loss": 1.2,
    "real_accuracy": 0.8,
    "held_out_accuracy": 0.75,
}


def history(moments=4, **last):
    """20 rows of 25 steps, `moments` of them evaluated; the last 8 have those of `last`."""
    rows = [
        {
            "step": 25 * (index + 1),
            "discriminator_loss": 1.4,
            "generator_loss": 0.9,
            "source_loss": 1.2,
            "source_accuracy": 0.7,
        }
        for index in range(20)
    ]
    for row in rows[:: -20 // moments]:
        row.update(HEALTHY)
    for row in rows[-8:]:
        names = row.keys() | {"generator_loss"}
        row.update({name: value for name, value in last.items() if name in names})
    return rows


def drawings(classes=3, count=30, spread=1.0):
    """Blocky random images (C, K, 28, 28): one template a class, changed by `spread`."""
    templates = np.random.default_rng(7).integers(0, 2, (classes, 1, 7, 7))
    own = RANDOM.integers(0, 2, (classes, count, 7, 7))
    changed = RANDOM.random((classes, count, 7, 7)) < spread
    blocks = np.where(changed, own, templates)
    return np.kron(blocks, np.ones((4, 4), int)).astype(np.uint8) * 255


def labelled(images):
    return images.reshape(-1, 28, 28), np.repeat(np.arange(len(images)), images.shape[1])


@pytest.fixture
def reference():
    return Reference(
        *labelled(drawings(count=60, spread=0.5)), *labelled(drawings(count=30, spread=0.5))
    )


def test_a_healthy_training_is_stable():
    found = assess(history(), HEALTHY)
    assert found.verdict == "stable"
    assert found.alarms == []
    assert found.evidence == {**HEALTHY, "steps": 500}


def test_a_training_that_came_through_alarms_is_told_so():
    found = assess(history(diversity=0.2), HEALTHY)
    assert found.verdict == "stable"
    assert reason(found.as_dict()) == (
        "Images of a class vary 80 % as much as real ones, though there were alarms during "
        "training."
    )


@pytest.mark.parametrize(
    ("verdict", "changes", "says"),
    [
        ("failed", {"spread": 0.01}, "All images look alike"),
        ("failed", {"movement": 1e-4}, "The generator stands still"),
        ("failed", {"source_loss": 1e-4}, "recognises every generated image"),
        ("collapsed", {"diversity": 0.2}, "mode collapse"),
        ("classless", {"class_fidelity": 0.01}, "do not show the class"),
        ("overfitted", {"real_accuracy": 0.95, "held_out_accuracy": 0.4}, "takes its training"),
    ],
)
def test_every_signal_beyond_its_limit_has_its_verdict_and_alarm(verdict, changes, says):
    found = assess(history(**changes), {**HEALTHY, **changes})
    assert found.verdict == verdict
    assert says in reason(found.as_dict())
    (alarm,) = found.alarms
    assert says.lower() in words_of(vars(alarm)).lower()
    assert (alarm.first_step, alarm.last_step) == (375, 500)
    assert alarm.value == pytest.approx(0.55 if verdict == "overfitted" else min(changes.values()))


def test_the_gravest_comes_first():
    both = {"diversity": 0.2, "source_loss": 0.0}
    found = assess(history(**both), {**HEALTHY, **both})
    assert found.verdict == "failed"
    assert [alarm.signal for alarm in found.alarms] == ["source_loss", "diversity"]


def test_only_what_is_hopeless_and_stays_ends_a_training():
    assert failure(history(), 500) is None
    assert failure(history(20, diversity=0.01), 500) is None
    assert failure(history(4, spread=0.01), 500) is None  # two moments, as yet
    assert reason({"cause": failure(history(20, spread=0.01), 500)}) == (
        "All images look alike since step 450: spread is 0.01, below 0.05."
    )
    assert failure(history(20, spread=0.01), 5000) is None  # still the beginning
    assert failure(history(20, spread=0.01), 1900) is None  # one of the three moments was there
    assert alarms(history(20, spread=0.01), 5000) == []


def test_what_passes_is_no_alarm_but_what_lasts_is():
    late = history(20)
    late[12]["diversity"] = late[18]["diversity"] = 0.1
    assert alarms(late, 500) == []
    late[19]["diversity"] = 0.2
    (alarm,) = alarms(late, 500)
    assert (alarm.first_step, alarm.last_step, alarm.value) == (475, 500, 0.2)
    # One step is trained in tests: three warnings about it would only frighten.
    assert alarms([{**HEALTHY, "step": step, "spread": 0.0} for step in (1, 2)], 2) == []


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_losses_that_are_no_numbers_are_failed(broken):
    rows = history(generator_loss=broken)
    assert failure(rows[:12], 500) is None
    assert failure(rows[:13], 500) == {"code": "diverged", "since": 325}
    found = assess(rows, HEALTHY)
    assert found.verdict == "failed"
    assert "step 325" in reason(found.as_dict())
    assert first_broken(rows) == 325
    assert first_broken(history()) is None


def test_of_few_steps_nothing_is_said():
    rows = [{**history()[0], "step": 5}]
    assert assess(rows, {**HEALTHY, "spread": 0.0}).verdict == "unknown"


def test_without_a_discriminator_images_and_losses_are_judged():
    rows = [{"step": step, "denoising_loss": 0.3} for step in (250, 500)]
    healthy = {"spread": 1.0, "diversity": 1.0, "class_fidelity": 1.0}
    assert assess(rows, healthy).verdict == "stable"
    assert reason(assess(rows, healthy).as_dict()) == (
        "Images of a class vary 100 % as much as real ones."  # there is no balance of losses
    )
    assert assess(rows, {**healthy, "diversity": 0.2}).verdict == "collapsed"
    rows[1]["denoising_loss"] = float("nan")
    assert first_broken(rows) == 500
    assert assess(rows, healthy).verdict == "failed"


def test_signals_of_good_images(reference):
    found = reference.signals(drawings(spread=0.5))
    assert found["spread"] == pytest.approx(1.0, abs=0.1)
    assert found["diversity"] == pytest.approx(1.0, abs=0.1)
    assert found["class_fidelity"] == pytest.approx(1.0, abs=0.15)
    assert "movement" not in found


def test_signals_of_one_drawing_a_class(reference):
    found = reference.signals(drawings(spread=0.02))
    assert found["diversity"] < 0.35
    assert found["class_fidelity"] > 0.8
    assert found["spread"] > 0.5


def test_signals_of_one_drawing_for_everything(reference):
    same = np.repeat(np.repeat(drawings()[:1, :1], 3, axis=0), 30, axis=1)
    found = reference.signals(same, before=same)
    assert found["spread"] == found["movement"] == 0
    assert found["class_fidelity"] == pytest.approx(0.0, abs=0.01)


def test_images_of_another_class_than_asked_for_are_faithless(reference):
    assert reference.class_fidelity(drawings(spread=0.5)[[1, 2, 0]]) < -0.3


def test_varied_images_that_ignore_the_class_are_classless(reference):
    # Of what is drawn for a class, every class has a third.
    mixed = drawings(spread=0.5).reshape(3, 3, 10, 28, 28).swapaxes(0, 1).reshape(3, 30, 28, 28)
    found = reference.signals(mixed)
    assert found["class_fidelity"] == pytest.approx(0.0, abs=0.1)
    assert found["spread"] == pytest.approx(1.0, abs=0.1)
    assert found["diversity"] > 1.0
    assert assess(history(), {**HEALTHY, **found}).verdict == "classless"


def test_where_classes_cannot_be_told_nothing_is_faithful():
    one = drawings(classes=1, count=120, spread=0.5)[0]
    any_label = np.arange(120) % 3
    reference = Reference(one[:90], any_label[:90], one[90:], any_label[90:])
    assert reference.class_fidelity(one[:90].reshape(3, 30, 28, 28)) == 0.0


def test_mean_distance_by_hand():
    images = np.zeros((3, 28, 28), np.uint8)
    images[1, :2, :2] = 255  # one of the 2 x 2 means
    images[2, :2, :8] = 255  # four of them
    expected = (1.0 + 2.0 + np.sqrt(3.0)) / 3
    assert mean_distance(images) == pytest.approx(expected)
    assert mean_distance(images[:1]) == 0.0


def test_runs_of_before_say_themselves_why():
    assert reason({"verdict": "failed", "reason": "All is white."}) == "All is white."
    assert words_of({"signal": "spread", "says": "all is white"}) == "all is white"
    assert words_of({"signal": "a new one"}) == "a new one"
