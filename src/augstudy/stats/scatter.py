"""How much training runs scatter, when every arm was trained with the same few seeds."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

_LEAST = 1e-6  # of the mean variance: no arm's own is taken to be less
_CERTAIN = 1e6  # degrees of freedom that are as good as any more
_FEWEST = 3  # arms that know more together than two of them
_UNLIKELY = 0.05  # what chance does so rarely, it is not taken to have done
DOUBTFUL = 0.25  # the same where a wrong guess costs more: Bancroft 1964, Biometrics 20


@dataclass(frozen=True)
class RunError:
    """Standard error that training runs cause in a mean difference, and its degrees of freedom."""

    error: float
    degrees: float


@dataclass(frozen=True)
class RunScatter:
    """The scatter of training runs as all arms tell it.

    Args:
        variance: of the difference of two arms' runs with one seed.
        degrees: of freedom behind it.
        weight: degrees of freedom that it counts for beside what two arms show of themselves:
            many where all arms scatter alike, few where each has a scatter of its own.
        folds: whose runs were taken as independent; 1 without folds.
    """

    variance: float
    degrees: float
    weight: float
    folds: int = 1

    def error(self, differences: NDArray[np.floating[Any]]) -> RunError:
        """Of the mean of the (S,) differences of two arms, seed by seed; S is at least two.

        Differences that scatter far more than those of other arms tell of themselves alone. With K
        folds they are (S, K): what each fold adds to the difference of a seed.
        """
        if self.folds == 1 and differences.ndim > 1:
            differences = differences.sum(axis=1)
        square, own = own_scatter(differences)
        if self.chance(square, own) < _UNLIKELY:
            return RunError(float(np.sqrt(square / len(differences))), own)
        together = self.weight + own
        shared = (self.weight * self.variance + own * square) / together
        degrees = max(own, min(together, self.degrees))
        return RunError(float(np.sqrt(shared / len(differences))), degrees)

    def of_one_arm(self) -> "RunScatter":
        """The same for a single arm: half of the variance of a difference."""
        return replace(self, variance=self.variance / 2)

    def chance(self, variance: float, degrees: int) -> float:
        """How often a difference of arms like these has such a variance or a larger one."""
        ratio = variance / self.variance
        return float(stats.f.sf(ratio, degrees, min(self.weight, self.degrees)))


def own_scatter(differences: NDArray[np.floating[Any]]) -> tuple[float, int]:
    """Variance over seeds of (S,) differences, and its degrees of freedom.

    With K folds they are (S, K), and a seed stands for K trainings, which learn from sets that
    overlap but are runs of their own: variances within folds add up, with K times the degrees of
    freedom. If seeds go together across folds, as where much depends on the initial weights that a
    seed stands for, only whole seeds are independent.
    """
    if differences.ndim == 1:
        return float(np.var(differences, ddof=1)), len(differences) - 1
    seeds, folds = differences.shape
    within = float(differences.var(axis=0, ddof=1).sum())
    together = float(differences.sum(axis=1).var(ddof=1))
    if _go_together(together, within, folds, seeds - 1):
        return together, seeds - 1
    return within, folds * (seeds - 1)


def mistaken(folds: int, degrees: float, count: int = 5) -> NDArray[np.floating[Any]]:
    """Variances that are taken where runs are thought to go together across folds, and do not.

    That happens in a share ``DOUBTFUL`` of studies, those whose seeds happen to scatter much.

    Args:
        folds: K.
        degrees: of freedom of the variance of seeds.
        count: how many variances, evenly spread over these studies.

    Returns:
        Multiples of the true variance, (count,).
    """
    above = 1 - DOUBTFUL * (1 - (np.arange(count) + 0.5) / count)
    ratio = stats.f.ppf(above, degrees, degrees * (folds - 1))
    return np.asarray(folds * ratio / (folds - 1 + ratio))


def run_scatter(by_seed: NDArray[np.floating[Any]]) -> RunScatter | None:
    """What all arms together tell of the scatter of training runs.

    Two to five runs per arm say little about how much runs scatter: with two, Student's t has one
    degree of freedom and every interval is hopelessly wide. Where many arms were trained with the
    same seeds, all of them tell of it, as in a randomised block design whose blocks are the seeds
    (Fisher 1935, "The Design of Experiments"; Dunnett 1955, JASA 50). Arms need not scatter alike,
    though: the variance of each comparison is drawn towards the common one, the less the more
    the arms' own variances differ. That is the empirical Bayes estimate of Smyth (2004, Statistical
    Applications in Genetics and Molecular Biology 3:3, section 6.2), usual where many things are
    compared with few repetitions. An arm that scatters far more than all others, as one with wrong
    labels may, would make them look unlike and take that help from all: it stands apart (compare
    Phipson et al. 2016, Annals of Applied Statistics 10, 946-963).

    In simulations with 3 to 12 arms and 3 or 5 seeds, 95 % intervals held the truth 93 to 97 % of
    the time, whether arms scattered alike, a quarter of them by more than twice or less than half
    the usual, or one of them four times as much; for the arm that scattered most, 83 to 94 %.

    Args:
        by_seed: (P, S), a figure of each of P arms with each of S seeds; with K folds (P, S, K),
            what each fold adds to it.

    Returns:
        None where it would know no more than two arms themselves: fewer than three arms, one
        seed, or runs that do not scatter at all.
    """
    arms, seeds = by_seed.shape[:2]
    if arms < _FEWEST or seeds < 2:
        return None
    if by_seed.ndim > 2:
        whole = by_seed.sum(axis=2)
        together, within = (float(_own_variances(it).mean()) for it in (whole, by_seed))
        if _go_together(together, within, by_seed.shape[2], (arms - 1) * (seeds - 1)):
            by_seed = whole
    found = _of_all(by_seed)
    while found and len(by_seed) > _FEWEST:
        noisiest = int(_own_variances(by_seed).argmax())
        others = np.delete(by_seed, noisiest, axis=0)
        without = _of_all(others)
        # The others' mean stands in for what the seeds have in common; it scatters a little, too.
        square, degrees = own_scatter(by_seed[noisiest] - others.mean(axis=0))
        own = square / (1 + 1 / len(others))
        if not without or without.chance(2 * own, degrees) * len(by_seed) >= _UNLIKELY:
            break
        by_seed, found = others, without
    return found


def _of_all(by_seed: NDArray[np.floating[Any]]) -> RunScatter | None:
    """The scatter of arms (P, S) none of which stands apart; None if they do not scatter."""
    arms, seeds = by_seed.shape[:2]
    folds = by_seed.shape[2] if by_seed.ndim > 2 else 1
    degrees = (arms - 1) * (seeds - 1) * folds
    own = _own_variances(by_seed)
    common = float(own.mean())
    if common <= np.finfo(float).eps ** 2:
        return None
    weight = _weight(np.maximum(own, _LEAST * common), (seeds - 1) * folds)
    return RunScatter(2 * common, degrees, weight, folds)


def _go_together(together: float, within: float, folds: int, degrees: int) -> bool:
    """Whether seeds scatter more than their runs in K folds would, were these independent.

    Args:
        together: variance of seeds.
        within: sum over folds of the variances of runs; expected to be the same.
        folds: K.
        degrees: of freedom of the variance of seeds.
    """
    left = (folds * within - together) / (folds - 1)
    if left <= 0:
        return together > 0
    return bool(stats.f.sf(together / left, degrees, degrees * (folds - 1)) < DOUBTFUL)


def _own_variances(by_seed: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """(P,) variances of each arm, free of what all arms have in common with a seed."""
    if by_seed.ndim > 2:
        folds = [_own_variances(by_seed[:, :, fold]) for fold in range(by_seed.shape[2])]
        return np.asarray(np.sum(folds, axis=0))
    arms, seeds = by_seed.shape
    rest = by_seed - by_seed.mean(axis=1, keepdims=True) - by_seed.mean(axis=0) + by_seed.mean()
    own: NDArray[np.floating[Any]] = np.square(rest).sum(axis=1) / (seeds - 1) / (1 - 1 / arms)
    return own


def _weight(variances: NDArray[np.floating[Any]], degrees: int) -> float:
    """Smyth's prior degrees of freedom: from how much more the log variances differ than by chance.

    Logs of variances that were estimated with d degrees of freedom have the variance
    trigamma(d / 2); what they have beyond that is trigamma(weight / 2).
    """
    beyond = float(np.log(variances).var(ddof=1) - special.polygamma(1, degrees / 2))
    if beyond <= special.polygamma(1, _CERTAIN / 2):
        return _CERTAIN
    return 2 * float(
        optimize.brentq(lambda half: special.polygamma(1, half) - beyond, 1e-3, _CERTAIN)
    )
