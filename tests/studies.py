"""A whole small study, untrained, for tests of reports."""

from builders import build_cam, build_dataset, build_evaluation
from generated import build_gan, build_synthetic

from augstudy.settings.arms import Arm


def build_study(folder, arms=(("real", None, 0.0), ("add", 1.0, 0.4)), seeds=(0, 1, 2), **sizes):
    """A study of `arms` (arm, share, skill): the keyword arguments of summarize.run."""
    dataset = build_dataset(folder / "dataset", **sizes)
    evaluations, cams = [], []
    for arm, share, skill in arms:
        label = Arm(arm=arm, share=share).label
        path = folder / "evaluations" / label
        build_evaluation(path, dataset, arm, share, seeds, skill)
        evaluations.append(path)
        cams.append(build_cam(folder / "cams" / label, dataset, arm, share).path)
    return {
        "dataset": dataset.path,
        "evaluations": evaluations,
        "cams": cams,
        "made": {
            "compact": {
                "gan": build_gan(folder / "gan", dataset).path,
                "images": build_synthetic(folder / "synthetic", dataset).path,
            }
        },
        "study": {"name": "low_data", "arms": [label for label, *_ in arms], "level": 0},
    }
