"""Draws: all but the test images is dealt out anew, and only whole draws are independent."""

import numpy as np
import pytest
from outcomes import outcomes

from augstudy.core import artifacts
from augstudy.core.errors import InputError
from augstudy.data.dataset import load_split
from augstudy.data.parts import Layout, Part, layout_of
from augstudy.metrics.classification import evaluate_predictions
from augstudy.settings.data import DataSettings
from augstudy.stats.noise import noise_of
from augstudy.stats.paired import paired_difference
from augstudy.stats.power import detectable, halving
from augstudy.stats.verdicts import needs
from augstudy.steps import ingest
from augstudy.steps.study import Study

TINY = {"classes": ("cow", "zebra"), "train_per_class": 20, "val_per_class": 6, "level": 8}


def splits(path):
    layout = layout_of(path)
    parts = [artifacts.read(layout.place(path, part), "dataset") for part in layout.parts]
    return layout, [
        {name: load_split(part, name) for name in ("train", "extra", "val", "test")}
        for part in parts
    ]


def places(*found):
    return {(int(a), int(b)) for it in found for a, b in zip(it.labels, it.rows, strict=True)}


def test_a_draw_has_the_same_test_images_and_other_training_images(tmp_path):
    made = ingest.run(tmp_path / "data", DataSettings(**TINY, test_per_class=10, draws=3))
    layout, found = splits(made.path)
    assert layout == Layout(draws=3)
    first, *others = found
    for other in others:
        for name in ("images", "labels", "rows"):
            same = getattr(first["test"], name), getattr(other["test"], name)
            assert np.array_equal(*same)
        assert {name: len(it) for name, it in other.items()} == {
            name: len(it) for name, it in first.items()
        }
        learnt = places(other["train"], other["extra"], other["val"])
        assert not learnt & places(other["test"])
    chosen = [frozenset(places(it["train"])) for it in found]
    assert len(set(chosen)) == 3


def test_the_first_draw_is_the_study_without_draws(tmp_path):
    wanted = DataSettings(**TINY, test_per_class=10)
    one = ingest.run(tmp_path / "one", wanted)
    three = ingest.run(tmp_path / "three", wanted.model_copy(update={"draws": 3}))
    assert "draws" not in one.manifest.config and layout_of(one.path) == Layout()
    for name, it in splits(one.path)[1][0].items():
        assert np.array_equal(it.images, splits(three.path)[1][0][name].images)


def test_in_every_draw_each_fold_is_tested_on_its_own_images_alone(tmp_path):
    wanted = {"classes": TINY["classes"], "test_per_class": 9, "val_per_class": 4, "level": 6}
    made = ingest.run(tmp_path / "data", DataSettings(**wanted, folds=3, draws=2))
    layout, found = splits(made.path)
    assert [layout.name(part) for part in layout.parts][:4] == [
        *("draw-0-fold-0", "draw-0-fold-1", "draw-0-fold-2", "draw-1-fold-0")
    ]
    tested = [places(it["test"]) for it in found]
    assert tested[:3] == tested[3:] and len(set().union(*tested)) == 3 * 2 * 9
    for part, it in zip(layout.parts, found, strict=True):
        assert not places(it["train"], it["val"], it["extra"]) & tested[part.fold]
    assert places(found[0]["train"]) != places(found[3]["train"])


def test_what_belongs_to_a_group_stays_on_one_side_in_every_draw(tmp_path):
    """Groups of three images, and a limit on test images that cuts one in two."""
    folder, random = tmp_path / "photos", np.random.default_rng(0)
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
        for number in range(60):
            pixels = random.integers(0, 256, (8, 8), np.uint8)
            write_png(folder / name / f"p{number // 3}-{number}.png", pixels)
    settings = DataSettings(
        source=str(folder), test_per_class=11, draws=3, image_settings={"groups": r"(p\d+)-"}
    )
    _, found = splits(ingest.run(tmp_path / "data", settings).path)
    for it in found:
        sides = [set(it[name].groups.tolist()) for name in ("train", "val", "test")]
        assert not sides[0] & sides[1] and not (sides[0] | sides[1]) & sides[2]
    assert {frozenset(places(it["test"])) for it in found} == {frozenset(places(found[0]["test"]))}


def write_png(path, pixels):
    from PIL import Image

    Image.fromarray(pixels).save(path)


def test_every_draw_has_seeds_of_its_own():
    study = Study({"seeds": [0, 1, 2], "gan_seed": 4, "draws": 3})
    drawn = [study.in_draw(draw) for draw in range(3)]
    assert drawn[0] is study
    assert len({seed for it in drawn for seed in it.seeds}) == 9
    assert len({it.gan_seed for it in drawn}) == 3
    study.check()
    with pytest.raises(InputError, match=r"seeds are below 10,000"):
        Study({"seeds": [0, 10_000], "draws": 2}).check()


def test_a_part_that_cannot_be_read_is_one_dataset(tmp_path):
    assert layout_of(tmp_path) == Layout() and Layout().parts == [Part()]


def test_runs_that_repeat_each_other_are_worth_one():
    """Three equal runs of each of four draws tell what one run of each does."""
    one, other = outcomes(np.random.default_rng(1), 4, 500, 0.1, 0.1)
    draws = np.repeat(np.arange(4), 3)
    alone = paired_difference(one, other)
    thrice = paired_difference(one.repeat(3, axis=0), other.repeat(3, axis=0), draws=draws)
    taken = paired_difference(one.repeat(3, axis=0), other.repeat(3, axis=0))
    assert (thrice.low, thrice.high) == pytest.approx((alone.low, alone.high), abs=1e-9)
    assert (thrice.seeds, thrice.draws, thrice.seeds_each) == (12, 4, 3)
    assert np.ptp((taken.low, taken.high)) < np.ptp((thrice.low, thrice.high))


def test_where_draws_do_nothing_runs_count_as_runs():
    one, other = outcomes(np.random.default_rng(2), 12, 2000, 0.1, 0.1)
    found = paired_difference(one, other, draws=np.repeat(np.arange(4), 3)).noise
    plain = noise_of(one.astype(int) - other)
    assert found.residual == pytest.approx(plain.residual, rel=0.1)
    assert found.image == pytest.approx(plain.image, rel=0.2)
    assert found.draw < found.residual / 2000  # next to nothing


def test_the_parts_of_the_uncertainty_are_told_apart():
    """Draws that change the accuracy by 3 points, runs by 1, on images that are all alike."""
    random = np.random.default_rng(3)
    draws = np.repeat(np.arange(40), 5)
    shift = random.normal(0, 0.03, 40)[draws] + random.normal(0, 0.01, 200)
    one = random.random((200, 4000)) < (0.7 + shift)[:, None]
    other = random.random((200, 4000)) < 0.7
    noise = paired_difference(one, other, 500, draws=draws).noise
    assert np.sqrt(noise.draw) == pytest.approx(0.03, rel=0.3)
    assert np.sqrt(noise.run) == pytest.approx(0.01, rel=0.3)
    images, runs, drawn = noise.variances(5, 4000, 40)
    assert drawn > 5 * runs and images < runs


def test_more_seeds_do_not_help_where_draws_are_the_trouble():
    random = np.random.default_rng(4)
    draws = np.repeat(np.arange(4), 3)
    gain = np.array([0.0, 0.02, 0.05, 0.09])[draws][:, None]
    one, other = random.random((12, 3000)) < 0.7 + gain, random.random((12, 3000)) < 0.7
    found = paired_difference(one, other, draws=draws)
    more = halving(found.noise, 3, 3000, 4)
    assert more.seeds is None and more.images is None and more.draws > 4
    asked = needs(found)
    assert asked.draws is not None and asked.seeds is None
    wide, narrow = (detectable(found.noise, 3, 3000, draws=count) for count in (4, 16))
    assert narrow < wide / 2


def test_the_interval_of_a_score_resamples_whole_draws():
    random = np.random.default_rng(5)
    labels = np.repeat([0, 1], 200)
    right = random.random((6, 400)) < np.repeat([0.6, 0.7, 0.9], 2)[:, None]
    probabilities = np.eye(2)[np.where(right, labels, 1 - labels)]
    draws = np.repeat(np.arange(3), 2)
    seeds = range(6)
    apart, together = (
        evaluate_predictions(probabilities, labels, ["a", "b"], seeds, draws=it)["metrics"]
        for it in (None, draws)
    )
    width = [it["accuracy"]["high"] - it["accuracy"]["low"] for it in (apart, together)]
    assert width[1] > 1.2 * width[0]
    assert apart["accuracy"]["value"] == together["accuracy"]["value"]
