"""One clear error for a file that cannot be read, whatever the library below stumbles over."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from fiducial.core.errors import EnvironmentProblem, FiducialError, InputError

__all__ = ["DamagedFile", "reading"]


class DamagedFile(InputError):  # noqa: N818
    """A file that is cut off, altered, or not of the kind that it should be."""


@contextlib.contextmanager
def reading(path: str | os.PathLike[str], kind: str, hint: str | None = None) -> Iterator[None]:
    """Turn whatever the block raises into one InputError that names ``path``.

    kind  what the file should be: "an RNTuple event file"

    Libraries of formats meet damage with any kind of exception (a wrong count may even ask for
    more memory than there is), so all of them mean the same here: this file cannot be read.
    """
    try:
        yield
    except FiducialError:
        raise
    except (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError) as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"cannot read {path}", reason, "check the path") from None
    except OSError as error:
        if error.errno is not None:
            reason = (error.strerror or str(error)).lower()
            raise EnvironmentProblem(f"cannot read {path}", reason) from error
        raise _damaged(path, kind, hint, error) from error
    except (Exception, RecursionError, MemoryError) as error:
        raise _damaged(path, kind, hint, error) from error


def _damaged(
    path: str | os.PathLike[str], kind: str, hint: str | None, error: BaseException
) -> DamagedFile:
    lines = str(error).strip().splitlines()
    detail = lines[0] if lines else ""
    if len(detail) > 120:
        detail = detail[:117] + "..."
    why = f"damaged, or not {kind}; {type(error).__name__}: {detail}".rstrip(": ")
    return DamagedFile(f"cannot read {path}", why, hint or "make it again from its source")
