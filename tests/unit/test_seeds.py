"""What cannot be a seed is refused in one sentence, wherever it is asked for."""

import pytest

from augstudy.cli.app import invoke
from augstudy.core.errors import InputError
from augstudy.core.rng import check_seed, check_seeds
from augstudy.local import parameters
from augstudy.settings.base import parse
from augstudy.settings.data import DataSettings
from augstudy.settings.judging import JudgeSettings

WRONG = [-1, 2**32, 0.5, True, "1"]


def test_seeds_are_what_generators_take():
    check_seeds([0, 2**32 - 1])
    for seed in WRONG:
        with pytest.raises(InputError, match=r"number from 0 to 4294967295, not "):
            check_seed(seed)
    for seeds in ([], [1, 1]):
        with pytest.raises(InputError, match="Seeds must be distinct"):
            check_seeds(seeds)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_study_and_its_settings_refuse_it(seed):
    for name, value in (("seeds", f"[{seed}]"), ("gan_seed", seed), ("data_seed", seed)):
        wanted = parameters.Wanted("augmentation_study", settings=[f"{name}={value}"])
        with pytest.raises(InputError, match=rf"seed.* {seed}\D?"):
            wanted.values()
    for model in (DataSettings, JudgeSettings):
        with pytest.raises(InputError, match="seed"):
            parse(model, {"seed": seed}, "the settings")


@pytest.mark.parametrize(
    "command",
    [
        "train-cnn --dataset none --seeds 0,4294967296",
        "train-gan --dataset none --seed 4294967296",
        "train-gan --dataset none --seed -1",
        "synthesize --gan none --per-class 1 --seed 4294967296",
        "curate --dataset none --real --seed -1",
        "ingest --seed 4294967296",
    ],
)
def test_so_do_the_steps(command, tmp_path, capsys):
    assert invoke([*command.split(), "--out", str(tmp_path / "out")]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "seed" in said and command.split()[-1].split(",")[-1] in said
    assert not (tmp_path / "out").exists()
