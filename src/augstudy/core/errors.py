"""The errors a person may see: one sentence each, saying what was wrong, where, and what to do.

The command line prints the sentence, writes the traceback to the log, and exits with
:attr:`AugstudyError.exit_code`.
"""


class AugstudyError(Exception):
    """Base class; raised as itself it means a bug."""

    exit_code = 1


class InputError(AugstudyError):
    """The input or the configuration asks for something that cannot be done."""

    exit_code = 2


class ServiceError(AugstudyError):
    """A service is missing, unreachable or refuses us."""

    exit_code = 3


class DataError(AugstudyError):
    """Data is corrupt, truncated, altered or not in the format it should have."""

    exit_code = 4


class TrainingError(AugstudyError):
    """A training failed: its result is of no use."""

    exit_code = 5
