"""What the writers of event files share: a file written aside, which takes its name when whole."""

from __future__ import annotations

import contextlib
import os
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

from fiducial.core.files import staged_file

__all__ = ["StagedWriter"]


class StagedWriter(ABC):
    """A growing file; use it in ``with``, or end with :meth:`close` or :meth:`abort`.

    The file appears when it is closed; until then an older one stays.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = path
        self.n_events = 0
        self._stack = contextlib.ExitStack()
        self._staged: Path = self._stack.enter_context(staged_file(path))

    @abstractmethod
    def _finish(self) -> None:
        """Write what is missing for a whole file."""

    def close(self) -> None:
        """Finish the file; it takes its name. Where that fails, the file is as it was before."""
        try:
            self._finish()
        except BaseException as error:
            self.abort(error)
            raise
        self._stack.close()

    def abort(self, error: BaseException | None = None) -> None:
        """Give up: the file is as it was before."""
        error = error or _Aborted()
        with contextlib.suppress(_Aborted):
            self._stack.__exit__(type(error), error, error.__traceback__)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abort(error)


class _Aborted(Exception):  # noqa: N818
    """Tells the staged file to go away when nothing else went wrong."""
