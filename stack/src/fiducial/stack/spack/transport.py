"""Read the bytes behind an address, from a given place on: http, https and file.

Asks for a range and says where the answer really begins, since a server may send the whole.
Proxies and certificates are those of the environment (``https_proxy``, ``SSL_CERT_FILE``);
credentials come from a netrc file (``NETRC``, else ``~/.netrc``) and are sent to the host that
they are written for only. Neglects: other kinds of authentication, compressed transfer.
"""

from __future__ import annotations

import base64
import http.client
import netrc
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

TIMEOUT = 30.0
"""Seconds without a byte after which a server is given up."""
_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")
_AGAIN = {408, 425, 429, 500, 502, 503, 504}
_AGENT = "fiducial-stack"


class UnavailableError(Exception):
    """The file is not to be had from there, now or later."""


class InterruptedTransferError(Exception):
    """The file did not come, or not wholly, but may at another try."""


class BeyondEndError(InterruptedTransferError):
    """The file ends before the place that was asked for."""


@dataclass(frozen=True)
class Answer:
    """Bytes that begin at ``first`` of the file; ``length`` of them, where that is known."""

    first: int
    length: int | None
    stream: http.client.HTTPResponse | BufferedReader

    def read(self, count: int) -> bytes:
        """The bytes that have come, at most ``count``; none at the end."""
        try:
            return self.stream.read1(count)
        except (OSError, http.client.HTTPException) as error:
            raise _temporary(error) from error


@contextmanager
def open_address(address: str, begin: int = 0) -> Iterator[Answer]:
    """The file at ``address`` from byte ``begin`` on, or from the start where that is all one gets.

    Raises UnavailableError or InterruptedTransferError, whose texts name no address.
    """
    scheme = urllib.parse.urlsplit(address).scheme
    if scheme == "file":
        with _open_file(address, begin) as answer:
            yield answer
    elif scheme in ("http", "https"):
        with _open_http(address, begin) as answer:
            yield answer
    else:
        raise UnavailableError(f"'{scheme}:' is no kind of address that can be read")


@contextmanager
def _open_file(address: str, begin: int) -> Iterator[Answer]:
    path = Path(urllib.request.url2pathname(urllib.parse.urlsplit(address).path))
    try:
        stream = path.open("rb")
    except OSError as error:
        raise UnavailableError(f"{path}: {error.strerror}") from error
    with stream:
        size = os.fstat(stream.fileno()).st_size
        first = begin if begin <= size else 0
        stream.seek(first)
        yield Answer(first, size - first, stream)


@contextmanager
def _open_http(address: str, begin: int) -> Iterator[Answer]:
    request = urllib.request.Request(address, headers={"User-Agent": _AGENT})
    request.add_header("Accept-Encoding", "identity")
    if begin:
        request.add_header("Range", f"bytes={begin}-")
    if credentials := _credentials(urllib.parse.urlsplit(address).hostname or ""):
        request.add_unredirected_header("Authorization", f"Basic {credentials}")
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416 and begin:  # fewer bytes there than were fetched before
                raise BeyondEndError("nothing is there any more") from error
            text = f"the server answers {error.code} {error.reason}"
            kind = InterruptedTransferError if error.code in _AGAIN else UnavailableError
            raise kind(text) from error
    except (OSError, http.client.HTTPException) as error:
        raise _temporary(error) from error
    with response:
        yield Answer(_first(response, begin), _length(response), response)


def _first(response: http.client.HTTPResponse, begin: int) -> int:
    if response.status != 206:
        return 0
    found = _RANGE.match(response.headers.get("Content-Range", ""))
    if found is None or int(found[1]) != begin:
        raise UnavailableError("the server answers another range than it was asked for")
    return begin


def _length(response: http.client.HTTPResponse) -> int | None:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isdigit() else None


def _temporary(error: Exception) -> InterruptedTransferError:
    reason = getattr(error, "reason", None) or str(error) or type(error).__name__
    return InterruptedTransferError(str(reason))


def _credentials(host: str) -> str:
    """What a netrc file holds for ``host``, in the form of the Basic scheme; "" for nothing."""
    path = Path(os.environ.get("NETRC") or Path.home() / ".netrc")
    try:
        found = netrc.netrc(path).authenticators(host) if path.is_file() else None
    except (netrc.NetrcParseError, OSError):
        return ""
    if found is None:
        return ""
    return base64.b64encode(f"{found[0]}:{found[2]}".encode()).decode()
