"""A repository behind a web server: plain GET requests on connections that are kept open.

One connection a thread. A request that fails for a passing reason is tried again a few times;
an answer that is too long is cut off, not read to the end. Every byte is verified by whoever
asked: the network is not trusted.
"""

from __future__ import annotations

import http.client
import threading
import time
import urllib.parse
from pathlib import Path
from typing import Any

from fiducial.stack.cvmfs.storage import DirectoryStorage
from fiducial.stack.cvmfs.verified_objects import Source
from fiducial.stack.errors import EnvironmentProblem, InputError

_PASSING = frozenset({408, 429, 500, 502, 503, 504})
_ABSENT = frozenset({404, 410})


class HttpSource:
    """The repository at ``url``, the address of the folder that holds ``.cvmfspublished``."""

    def __init__(self, url: str, timeout: float = 30.0, attempts: int = 4) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError(f"'{url}' is no address", None, "write it as http://server/cvmfs/NAME")
        self._scheme, self._host, self._port = parts.scheme, parts.hostname, parts.port
        self._base = parts.path.rstrip("/")
        self.url, self._timeout, self._attempts = url, timeout, attempts
        self._local = threading.local()

    @property
    def location(self) -> str:
        return self.url

    def read(self, name: str, limit: int) -> bytes | None:
        problem: Exception | str = "no attempt"
        for attempt in range(self._attempts):
            if attempt:
                time.sleep(min(2.0, 0.2 * 2**attempt))
            try:
                return self._get(name, limit)
            except EnvironmentProblem:
                raise  # the server has answered, and the answer stays what it is
            except _PassingError as error:
                problem = error
            except (OSError, http.client.HTTPException) as error:
                problem = error
            self._close()
        raise EnvironmentProblem(
            f"cannot fetch {name} from {self.url}",
            f"{type(problem).__name__}: {problem}" if str(problem) else type(problem).__name__,
            "check the network and the server, then try again: what is there already is kept",
        )

    def _get(self, name: str, limit: int) -> bytes | None:
        connection = self._connection()
        connection.request("GET", f"{self._base}/{urllib.parse.quote(name)}")
        answer = connection.getresponse()
        if answer.status == 200:
            data = answer.read(limit + 1)
            if not answer.isclosed() and answer.read(1):
                self._close()  # more than was wanted: the connection is of no use any more
            declared = answer.headers.get("Content-Length")
            if len(data) <= limit and declared and len(data) < int(declared):
                raise _PassingError(f"{len(data)} of {declared} bytes came")
            return data
        answer.read(65536)
        self._close()
        if answer.status in _ABSENT:
            return None
        if answer.status in _PASSING:
            raise _PassingError(f"the server answered {answer.status}")
        raise EnvironmentProblem(
            f"cannot fetch {name} from {self.url}", f"the server answered {answer.status}"
        )

    def _connection(self) -> http.client.HTTPConnection:
        found: Any = getattr(self._local, "connection", None)
        if found is None:
            kind = (
                http.client.HTTPSConnection if self._scheme == "https"
                else http.client.HTTPConnection
            )  # fmt: skip
            found = self._local.connection = kind(self._host, self._port, timeout=self._timeout)
        return found  # type: ignore[no-any-return]

    def _close(self) -> None:
        found = getattr(self._local, "connection", None)
        if found is not None:
            found.close()
            self._local.connection = None


class _PassingError(Exception):
    """A failure that may pass."""


def open_source(address: str) -> Source:
    """The repository at a URL or in a directory."""
    if "://" in address:
        if address.startswith("file://"):
            return DirectoryStorage(Path(urllib.parse.unquote(address.removeprefix("file://"))))
        return HttpSource(address)
    return DirectoryStorage(Path(address))
