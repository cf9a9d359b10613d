"""The tree that a manifest describes, judged before anything is written from it.

A manifest that comes out of a repository is somebody else's text. Before a checkout writes a
single file, every path is judged: relative, plain, no control characters, no folder that is
also a file or a link, no link that leads out of the tree (through other links too). What
passes can be written below one empty folder and touches nothing else.
"""

from __future__ import annotations

import posixpath
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fiducial.stack.manifest import Entry, File, Link, Manifest
from fiducial.stack.refusals import Failure, Refusal, refuse_if

MAX_PATH = 1024
MAX_NAME = 255
_MAX_LINKS = 40


@dataclass(frozen=True)
class Tree:
    """Paths with their entries: files by content, links by target."""

    files: Mapping[str, File]
    links: Mapping[str, Link]

    @property
    def bytes(self) -> int:
        """The size [bytes] of all files together."""
        return sum(file.size for file in self.files.values())

    @property
    def folders(self) -> list[str]:
        """Every folder, parents first."""
        found: set[str] = set()
        for path in (*self.files, *self.links):
            while path := posixpath.dirname(path):
                if path in found:
                    break
                found.add(path)
        return sorted(found)


def tree_of(manifest: Manifest) -> Tree:
    """The tree of ``manifest``. Raises Refused (hostile path), naming every bad path."""
    entries = manifest.entries()
    reserved = {"manifest.json", *manifest.interpreter.bound}
    refuse_if(f"the manifest of {manifest.stack}", judge_paths(entries, reserved))
    return Tree(
        {path: entry for path, entry in entries.items() if isinstance(entry, File)},
        {path: entry for path, entry in entries.items() if isinstance(entry, Link)},
    )


def judge_paths(entries: Mapping[str, Entry], reserved: Iterable[str] = ()) -> list[Failure]:
    """Every path that must not be written, with the reason."""
    kept = set(reserved)
    links = {path: entry.link for path, entry in entries.items() if isinstance(entry, Link)}
    failures = []
    for path, entry in entries.items():
        reason = bad_name(path)
        if reason is None:
            reason = "it is written at deploy" if path in kept else _bad_place(path, entries, links)
        if reason is None and isinstance(entry, File) and int(entry.mode, 8) & 0o002:
            reason = f"mode {entry.mode} lets everybody write"
        if reason is not None:
            failures.append(Failure(Refusal.HOSTILE_PATH, ascii(path), reason))
    return failures


def bad_name(path: str) -> str | None:
    """Why ``path`` cannot be the path of anything in a tree; None where it can."""
    if not path or path.startswith("/"):
        return "not relative"
    if len(path.encode(errors="surrogatepass")) > MAX_PATH:
        return f"longer than {MAX_PATH} bytes"
    for part in path.split("/"):
        if part in ("", ".", ".."):
            return f"has the part {part!r}"
        if len(part.encode(errors="surrogatepass")) > MAX_NAME:
            return f"a name is longer than {MAX_NAME} bytes"
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in path):
        return "has a control character"
    return None


def _bad_place(path: str, entries: Mapping[str, Entry], links: Mapping[str, str]) -> str | None:
    parent = posixpath.dirname(path)
    while parent:
        if parent in entries:
            kind = "link" if parent in links else "file"
            return f"its folder {parent!r} is a {kind}"
        parent = posixpath.dirname(parent)
    if path in links:
        return _leads_out(path, links)
    return None


def _leads_out(path: str, links: Mapping[str, str]) -> str | None:
    """Why the link at ``path`` is refused: it leaves the tree, or never ends."""
    target = links[path]
    if not target or target.startswith("/") or "\0" in target:
        return f"a link to {target!a}"
    rest = [*posixpath.dirname(path).split("/"), *target.split("/")]
    rest = [part for part in rest if part not in ("", ".")]
    place: list[str] = []
    followed = 0
    while rest:
        part = rest.pop(0)
        if part == "..":
            if not place:
                return f"a link to {target!a}, which leaves the tree"
            place.pop()
            continue
        place.append(part)
        further = links.get("/".join(place))
        if further is None:
            continue
        followed += 1
        if followed > _MAX_LINKS or further.startswith("/"):
            return f"a link to {target!a}, which leads nowhere good"
        place.pop()
        rest = [piece for piece in further.split("/") if piece not in ("", ".")] + rest
    return None
