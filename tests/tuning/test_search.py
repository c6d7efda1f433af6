"""What a search tries, what it cuts short, and what is said of one that makes no sense."""

import numpy as np
import pytest
import yaml
from searched import AXES, EPOCHS, curve_of, hunt, skill_of, sweep_of

from augstudy.core.errors import InputError
from augstudy.local.parameters import Wanted
from augstudy.tuning.points import check, deal
from augstudy.tuning.search import Searcher
from augstudy.tuning.sweep import BASE, parse_sweep


def tried(searcher):
    return [(item.number, item.id, item.state, item.curve) for item in searcher.tried]


def test_equal_seeds_try_equal_points_and_others_do_not() -> None:
    first, again, other = (hunt(parse_sweep(sweep_of(seed=seed))) for seed in (3, 3, 4))
    assert tried(first) == tried(again)
    assert tried(first) != tried(other)
    assert first.tried[0].id == other.tried[0].id == BASE
    assert [item.number for item in first.tried] == list(range(16))
    assert len({item.id for item in first.tried}) == 16


def test_every_worker_has_a_seed_of_its_own_whatever_the_first() -> None:
    sweep = parse_sweep(sweep_of(seed=2**32 - 1))
    assert [Searcher(sweep, worker, 2).count for worker in (0, 1)] == [8, 8]
    with pytest.raises(InputError, match=r"search\.seed: .* less than 4294967296"):
        parse_sweep(sweep_of(seed=2**32))


def test_a_search_finds_better_points_sooner_than_chance() -> None:
    """Among 24 points, the best is found in 12 trials: chance finds it in half of the cases."""
    found = 0
    for seed in range(10):
        names = [item.id for item in hunt(parse_sweep(sweep_of(trials=12, seed=seed))).tried]
        found += "batch=8,mirrored=yes" in names
    assert found >= 8


def test_what_is_below_the_median_is_cut_short_and_nothing_else() -> None:
    searcher = hunt(parse_sweep(sweep_of(prune_after=2)))
    pruned = [item for item in searcher.tried if item.state == "pruned"]
    assert len(pruned) >= 3
    for item in searcher.tried:
        before = [
            other
            for other in searcher.tried
            if other.number < item.number and other.state == "complete"
        ]
        behind = [
            epoch
            for epoch in range(2, EPOCHS)  # at the last one there is nothing to save
            if len(before) >= 4
            and max(curve_of(skill_of(item.chosen))[:epoch])
            < np.median([other.curve[epoch - 1] for other in before])
        ]
        if behind:
            assert (item.state, len(item.curve)) == ("pruned", behind[0])
            assert item.accuracy == max(item.curve)
        else:
            assert (item.state, len(item.curve)) == ("complete", 6)


def test_workers_share_the_trials_and_one_has_the_base() -> None:
    sweep = parse_sweep(sweep_of(trials=9))
    workers = [hunt(sweep, worker, 2) for worker in range(2)]
    numbers = [[item.number for item in searcher.tried] for searcher in workers]
    assert numbers == [[0, 2, 4, 6, 8], [1, 3, 5, 7]]
    assert workers[0].tried[0].id == BASE
    assert BASE not in [item.id for item in workers[1].tried]
    assert [item.id for item in workers[0].tried[1:5]] != [item.id for item in workers[1].tried]


def test_the_best_that_were_not_cut_short_are_finalists_beside_the_base() -> None:
    searcher = hunt(parse_sweep(sweep_of(finalists=3)))
    finalists = searcher.finalists()
    assert finalists[0].id == BASE
    assert len(finalists) == 4
    others = [item for item in searcher.tried if item.state == "complete" and item not in finalists]
    least = min(item.accuracy for item in finalists[1:])
    assert all(item.accuracy <= least for item in others)


def test_outcomes_that_are_known_lead_to_the_same_points() -> None:
    """A search that was cut short is asked again from the start, and told what it had found."""
    sweep = parse_sweep(sweep_of())
    whole, part = hunt(sweep), hunt(sweep, limit=9)
    again = Searcher(sweep, 0, 1)
    for known in part.tried:
        proposal = again.propose(lambda point: EPOCHS)
        outcome = {name: known.record()[name] for name in ("state", "accuracy", "curve")}
        assert proposal.tell(outcome, {}).id == known.id
    assert again.identity() == part.identity()
    names = [again.propose(lambda point: EPOCHS).point.id]
    assert names == [item.id for item in whole.tried[9:10]]


def test_impossible_combinations_cost_no_trial() -> None:
    def epochs(point):
        return 0 if {"batch", "dropout"} <= set(point.chosen) else EPOCHS

    searcher = hunt(parse_sweep(sweep_of(trials=12)), epochs=epochs)
    assert len(searcher.tried) == 12  # of 24 points 12 are possible
    assert all(map(epochs, searcher.tried))
    assert len(hunt(parse_sweep(sweep_of()), epochs=epochs).tried) == 12


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"search": None}, "how many points it tries: search: {trials: 20}"),
        ({"search": {}}, "search.trials: Field required"),
        ({"search": {"trials": 1}}, "search.trials: .*greater than or equal to 2"),
        ({"search": {"trials": 2.5}}, "search.trials: .*integer"),
        ({"search": {"trials": 25}}, "25 trials of 24 combinations"),
        ({"search": {"trials": 4, "finalists": 0}}, "search.finalists: .*greater"),
        ({"search": {"trials": 4, "finalists": 4}}, "4 finalists of 4 trials"),
        ({"search": {"trials": 4, "trails": 5}}, "no setting 'search.trails'"),
        ({"mode": "grid"}, "search is for mode search, not grid"),
        ({"axes": [AXES[0], {**AXES[0], "name": "size"}]}, "both set 'batch_size'"),
        (
            {"findings": [{"claim": "x", "point": "batch=8", "expected": "higher"}]},
            "findings are about points that are trained for certain",
        ),
    ],
)
def test_a_wrong_search_is_told_in_one_sentence(changes: dict, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        parse_sweep({**sweep_of(), **changes})
    assert "\n" not in str(caught.value)


def test_names_that_are_too_long_for_files_are_refused() -> None:
    def axis(number):
        values = [{"label": "x" * 40, "set": {f"a{number}": 1}}]
        return {"name": f"axis_{number}", "values": values}

    axes = [axis(number) for number in range(5)]
    with pytest.raises(InputError, match="use shorter labels"):
        parse_sweep({"mode": "grid", "axes": axes})
    assert parse_sweep({"axes": axes})


def test_values_are_checked_before_anything_is_tried() -> None:
    wrong = {"name": "x", "values": [{"label": "a", "set": {"batch": 3}}]}
    sweep = parse_sweep(
        {"mode": "search", "axes": [wrong], "search": {"trials": 2, "finalists": 1}}
    )
    with pytest.raises(InputError, match=r"Point 'x=a' of the sweep: .*no setting 'batch'"):
        check(sweep, "baseline", {})


def test_generators_are_not_searched(tmp_path) -> None:
    axes = [{"name": "balance", "values": [{"label": "2", "set": {"discriminator_rate": 2.0}}]}]
    search = {"trials": 2, "finalists": 1}
    sweep = {"mode": "search", "axes": axes, "search": search}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"sweep": sweep}))
    with pytest.raises(InputError, match="one_at_a_time or grid for generators"):
        Wanted("gan_tuning", str(tmp_path / "mine.yaml")).values()
    with pytest.raises(InputError, match="one_at_a_time or grid for generators"):
        deal(parse_sweep(sweep), "compact", {}, 0, 1)
