"""The errors a person may see: one sentence each, saying what was wrong, where, and what to do.

The command line prints the sentence, writes the traceback to the log, and exits with
:attr:`AugstudyError.exit_code`.
"""

import errno

_FULL = (errno.ENOSPC, errno.EDQUOT)
# A path that was named leads nowhere, or where nobody may write.
_PATH = (
    *(errno.EACCES, errno.EPERM, errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.EEXIST),
    *(errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTEMPTY, errno.ENXIO, errno.EBUSY, errno.EINVAL),
)
_MACHINE = (
    *(errno.EIO, errno.EROFS, errno.ESTALE, errno.EMFILE, errno.ENFILE, errno.EFBIG),
    *(errno.ENOMEM, errno.EAGAIN, errno.ENODEV, errno.ETIMEDOUT),
)


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


def of_system(error: BaseException, path: object = "") -> AugstudyError | None:
    """What an error of the operating system means for a person; None if it may be a bug of ours.

    Args:
        error: that was raised.
        path: what was being written, where the error does not say it.
    """
    if isinstance(error, MemoryError):
        return ServiceError("Memory ran out: use fewer or smaller images, or close other programs.")
    if not isinstance(error, OSError):
        return None
    place = error.filename2 or error.filename or path
    if isinstance(place, bytes):
        place = place.decode(errors="replace")
    if is_full(error):
        where = f" while writing {place}" if place else ""
        return ServiceError(f"No space left{where}: free some disk space and run again.")
    if not place or isinstance(place, int) or error.errno not in (*_PATH, *_MACHINE):
        return None
    kind = InputError if error.errno in _PATH else ServiceError
    return kind(f"{place} cannot be used ({error.strerror}): check the path and its permissions.")


def is_full(error: OSError) -> bool:
    """Whether there was no space left; HDF5 says it in words alone."""
    return error.errno in _FULL or "No space left on device" in str(error)
