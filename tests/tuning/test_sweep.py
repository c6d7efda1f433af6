"""Sweeps as data: which points they have, and what is said of a sweep that makes no sense."""

import pytest

from augstudy.core.errors import InputError
from augstudy.local import catalog, parameters
from augstudy.models import classifiers
from augstudy.models.recipes import decoded
from augstudy.tuning.points import check, deal, settings_of
from augstudy.tuning.sweep import BASE, expand, parse_sweep

KERNEL = {
    "name": "kernel",
    "base": "3x3",
    "values": [{"label": "5x5", "set": {"network": {"kernels": [5, 5, 5], "padding": "same"}}}],
}
POOLING = {
    "name": "pooling",
    "base": "max",
    "values": [{"label": "average", "set": {"network": {"pooling": "average"}}}],
}
BATCH = {
    "name": "batch",
    "base": "256",
    "values": [
        {"label": "32", "set": {"batch_size": 32.0}},
        {"label": "64", "set": {"batch_size": 64}},
    ],
}


def test_one_at_a_time_changes_one_thing() -> None:
    points = expand(parse_sweep({"axes": [KERNEL, POOLING, BATCH]}))
    assert [point.id for point in points] == [
        BASE,
        "kernel=5x5",
        "pooling=average",
        "batch=32",
        "batch=64",
    ]
    assert points[0].changes == {}
    assert settings_of(points[3], "baseline", {"epochs": 3}).batch_size == 32
    assert settings_of(points[3], "baseline", {"epochs": 3}).epochs == 3


def test_grid_has_every_combination_and_joins_their_changes() -> None:
    points = expand(parse_sweep({"mode": "grid", "axes": [KERNEL, POOLING, BATCH]}))
    assert len(points) == len({point.id for point in points}) == 2 * 2 * 3
    assert points[0].id == BASE
    both = settings_of(points[-1], "baseline", {})
    assert points[-1].id == "kernel=5x5,pooling=average,batch=64"
    assert (both.network.kernels, both.network.pooling, both.batch_size) == (
        (5, 5, 5),
        "average",
        64,
    )


def test_points_are_dealt_so_that_each_is_trained_once() -> None:
    sweep = parse_sweep({"axes": [KERNEL, POOLING, BATCH]})
    dealt = [deal(sweep, "baseline", {}, worker, 3) for worker in range(3)]
    assert [len(hand) for hand in dealt] == [2, 2, 1]
    assert sorted(trial.place for hand in dealt for trial in hand) == list(range(5))
    assert dealt[0][0].point.id == BASE


@pytest.mark.parametrize(
    ("sweep", "said"),
    [
        ({"axes": []}, "the sweep, axes"),
        ({"axes": [KERNEL, KERNEL]}, "'kernel' appears twice"),
        ({"axes": [{**BATCH, "base": "64"}]}, "'64' appears twice"),
        (
            {"mode": "grid", "axes": [KERNEL, {**KERNEL, "name": "other"}]},
            "both set 'network.kernels'",
        ),
        ({"axes": [BATCH], "modes": "grid"}, "the sweep has no setting 'modes'"),
        (
            {
                "axes": [BATCH],
                "findings": [{"claim": "x", "point": "batch=3", "expected": "higher"}],
            },
            "'x' is about 'batch=3', which is not a point",
        ),
        (
            {"axes": [BATCH], "findings": [{"claim": "x", "point": BASE, "expected": "higher"}]},
            "compared with itself",
        ),
    ],
)
def test_a_wrong_sweep_is_told_in_one_sentence(sweep: dict, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        parse_sweep(sweep)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([{"label": "a", "set": {"batch": 3}}], "Point 'x=a' of the sweep: .*no setting 'batch'"),
        (
            [{"label": "a", "set": {"batch_size": 256}}],
            "'base' and 'x=a' of the sweep have the same",
        ),
    ],
)
def test_a_wrong_point_is_named(values: list, said: str) -> None:
    with pytest.raises(InputError, match=said):
        check(parse_sweep({"axes": [{"name": "x", "values": values}]}), "baseline", {})


def test_none_reaches_the_settings_but_not_the_labels() -> None:
    sweep = parameters.Wanted("cnn_tuning", "smoke").values()["sweep"]
    assert parse_sweep(sweep).axes[1].base == "none"
    stop = {"name": "stop", "values": [{"label": "never", "set": {"early_stopping": "none"}}]}
    point = expand(parse_sweep({"axes": [stop]}))[1]
    assert settings_of(point, "baseline", {}).early_stopping is None


@pytest.mark.parametrize("preset", catalog.presets("cnn_tuning"))
def test_presets_can_be_trained(preset: str) -> None:
    values = parameters.Wanted("cnn_tuning", preset).values()
    sweep = parse_sweep(values["sweep"])
    base = values["classifier"], decoded(values["classifier_settings"])
    for item in (settings_of(point, *base) for point in expand(sweep)):
        classifiers.changed(item.architecture, item.network)


def test_the_quick_series_asks_all_that_the_report_asks() -> None:
    whole, quick = (
        parameters.Wanted("cnn_tuning", name).values() for name in ("report", "report_quick")
    )
    assert quick["sweep"] == whole["sweep"]
    assert quick["seeds"] == [0, 1]
    axes = {axis.name for axis in parse_sweep(whole["sweep"]).axes}
    assert axes >= {"batch_size", "optimizer", "kernel", "pooling", "randomisation", "layers"}


def test_the_search_combines_what_the_report_changes_one_at_a_time() -> None:
    search, report = (
        parse_sweep(parameters.Wanted("cnn_tuning", name).values()["sweep"])
        for name in ("search", "report")
    )
    assert {"batch_size", "optimizer", "kernel", "pooling", "batch_norm", "dropout"} < {
        axis.name for axis in search.axes
    }
    whole = {axis.name: axis.values for axis in report.axes}
    for axis in search.axes:
        if axis.name in ("batch_size", "optimizer", "randomisation"):
            assert axis.values == whole[axis.name]


def test_changed_layers_are_the_architecture_of_that_name() -> None:
    changed = [
        ("kernel=5x5 same", "kernel_5"),
        ("pooling=average 2", "average_pooling"),
        ("pooling=max 3", "pool_3"),
        ("regularisation=batch norm", "batch_norm"),
        ("regularisation=dropout 0.2", "dropout"),
        ("layers=two more", "extra_convs"),
        ("layers=doubled", "double_convs"),
        ("layers=AlexNet-like dense", "alexnet_dense"),
        ("combination=the best", "report_best"),
    ]
    sweep = parse_sweep(parameters.Wanted("cnn_tuning", "report").values()["sweep"])
    points = {point.id: point for point in expand(sweep)}
    for name, architecture in changed:
        network = settings_of(points[name], "baseline", {}).network
        assert classifiers.changed("baseline", network) == (
            classifiers.ARCHITECTURES[architecture].stack
        )


@pytest.mark.parametrize(
    ("architecture", "network", "said"),
    [
        ("modern", {"pool_size": 3}, "The layers of architecture 'modern' cannot be changed"),
        ("baseline", {"kernels": [3]}, "3 filters and 1 kernels"),
        ("baseline", {"kernels": [5, 5, 5]}, "leave nothing of an image"),
    ],
)
def test_a_network_that_cannot_be_built_is_refused(
    architecture: str, network: dict, said: str
) -> None:
    from augstudy.settings.classifier import NetworkSettings

    with pytest.raises(InputError, match=said):
        classifiers.changed(architecture, NetworkSettings.model_validate(network))
