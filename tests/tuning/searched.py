"""A sweep to be searched, and a landscape in which its points have an accuracy."""

from augstudy.tuning.search import Pruned, Searcher

AXES = [
    {
        "name": "batch",
        "base": "256",
        "values": [
            {"label": label, "set": {"batch_size": int(label)}} for label in ("8", "16", "32")
        ],
    },
    {
        "name": "dropout",
        "base": "none",
        "values": [
            {"label": label, "set": {"network": {"dropout": float(label)}}}
            for label in ("0.2", "0.4")
        ],
    },
    {
        "name": "mirrored",
        "base": "no",
        "values": [{"label": "yes", "set": {"augmentation": {"horizontal_flip": True}}}],
    },
]
EPOCHS = 6


def sweep_of(**settings):
    """A search among 24 points, as data."""
    return {"mode": "search", "axes": AXES, "search": {"trials": 16, "startup": 4, **settings}}


def skill(batch, dropout, mirrored):
    """The accuracy that a point reaches; the labels tell it apart from all others."""
    best = {"256": 0.5, "8": 0.8, "16": 0.6, "32": 0.3}[str(batch)]
    return round(best - 0.1 * float(dropout or 0) + 0.05 * bool(mirrored), 4)


def curve_of(reached):
    """Validation accuracy after each epoch."""
    return [round(reached * (1 - 0.5**epoch), 6) for epoch in range(1, EPOCHS + 1)]


def skill_of(chosen):
    """That of a point by its labels."""
    dropout = chosen.get("dropout", "0")
    return skill(chosen.get("batch", "256"), dropout, "mirrored" in chosen)


def hunt(sweep, worker=0, workers=1, epochs=lambda point: EPOCHS, limit=None):
    """Search without training; the searcher afterwards."""
    searcher = Searcher(sweep, worker, workers)
    while len(searcher.tried) != limit and (proposal := searcher.propose(epochs)):
        reached = skill_of(proposal.point.chosen)
        try:
            for accuracy in curve_of(reached):
                proposal.watch({"val_accuracy": accuracy})
        except Pruned:
            reached = None
        proposal.tell(proposal.outcome(reached), {})
    return searcher
