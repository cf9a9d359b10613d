"""Where a build by Spack works: a folder inside the store that the packages go to.

    STORE/.fiducial/sources/       components as the build reads them, by the digest of their files
    STORE/.fiducial/environments/  the builder's own environments, by the digest of what they say
    STORE/.fiducial/{stage,tests}  Spack's scratch space

A component's folder is named after its content, so that Spack's hash of it, which holds the path
and not the content, stands for the content after all: a changed component is another package, and
an unchanged one is never installed again. Everything here can be removed at any time.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fiducial.stack.component_wheel import EPOCH, ComponentSource
from fiducial.stack.files import aside, remove_tree, sweep, write_atomically

KEEP = 8
"""How many environments are kept, newest first: each is a concretization that need not be done."""


@dataclass(frozen=True)
class Workshop:
    """The scratch folder of one store."""

    store: Path

    @property
    def root(self) -> Path:
        """Where everything lies."""
        return self.store / ".fiducial"

    @property
    def lock_file(self) -> Path:
        """Held while Spack works on this store for us."""
        return self.root / "lock"

    def source(self, source: ComponentSource) -> Path:
        """Where the files of a component are put for Spack to read."""
        return self.root / "sources" / f"{source.component.name}-{source.sha256[:16]}"

    def environment(self, name: str, digest: str) -> Path:
        """The folder of an environment that says what ``digest`` stands for."""
        return self.root / "environments" / f"{name}-{digest[:16]}"

    def write_sources(
        self, sources: Sequence[ComponentSource], advance: Callable[[int], None]
    ) -> dict[str, Path]:
        """Put every component in its place, whole or not at all; name -> folder."""
        places = {}
        for source in sources:
            place = self.source(source)
            if not place.is_dir():
                sweep(place)
                _write(source, place)
            places[source.component.name] = place
            advance(1)
        return places

    def write_environment(self, name: str, digest: str, text: str) -> Path:
        """Make the environment's folder, or take the one that is there; mark it as used."""
        place = self.environment(name, digest)
        place.mkdir(parents=True, exist_ok=True)
        if not (place / "spack.yaml").is_file():
            write_atomically(place / "spack.yaml", text)
        os.utime(place)
        return place

    def prune(self) -> None:
        """Keep the newest environments and the sources that they name."""
        folders = [path for path in (self.root / "environments").glob("*") if path.is_dir()]
        folders.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for old in folders[KEEP:]:
            remove_tree(old)
        texts = [path / "spack.yaml" for path in folders[:KEEP]]
        named = "".join(path.read_text(encoding="utf-8") for path in texts if path.is_file())
        for source in (self.root / "sources").glob("*"):
            if str(source) not in named:
                remove_tree(source)


def _write(source: ComponentSource, place: Path) -> None:
    stage = aside(place)
    for relative, path in source.files.items():
        target = stage / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        target.chmod(0o755 if relative in source.executable else 0o644)
        os.utime(target, (EPOCH, EPOCH))  # Spack would build again what is newer than installed
    stage.rename(place)
