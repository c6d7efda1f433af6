"""Figures of generated images one by one, from features alone."""

from augstudy.metrics import generative


def kernel_distance(real, fake):
    """KID."""
    return generative.discrepancy(*generative.kernels(real, fake))


def precision_recall(real, fake):
    """Both as a pair."""
    found = generative.neighbourhoods(*generative.distances(real, fake))
    return found["precision"], found["recall"]


def density_coverage(real, fake, k=generative.DENSITY_K):
    """Both as a pair."""
    found = generative.neighbourhoods(*generative.distances(real, fake), density_k=k)
    return found["density"], found["coverage"]
