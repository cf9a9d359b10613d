"""Files of a wheel as the wheel brought them, where Spack altered them after the installation.

Spack's post-install hook blanks entries of a binary's RPATH that do not exist on the host, such as
those that a wheel's builder forgot to take out. What it leaves depends on the host, so the file
is taken out of the wheel instead, which lies in Spack's cache of downloads under its SHA-256.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fiducial.stack.errors import EnvironmentProblem
from fiducial.stack.files import sha256_bytes, sha256_file


@dataclass(frozen=True)
class Originals:
    """Wheels in Spack's cache. ``fetch`` makes Spack fetch the package of a hash again."""

    downloads: Path
    fetch: Callable[[str], object]

    def read(self, wheel: str, package: str, path: str, sha256: str) -> bytes:
        """The file at ``path`` (below site-packages) of the wheel with digest ``wheel``.

        ``package`` is the hash of the package for Spack. Raises EnvironmentProblem where the
        wheel is not to be had, or holds no such file.
        """
        archive = self._find(wheel)
        if archive is None:
            self.fetch(package)
            archive = self._find(wheel)
        if archive is None:
            raise EnvironmentProblem(
                f"the wheel with SHA-256 {wheel} is not in {self.downloads}",
                f"Spack altered {path}, and the original is needed",
                "build again with a network, or with --mirror",
            )
        with zipfile.ZipFile(archive) as stored:
            try:
                data = stored.read(path)
            except KeyError:
                data = b""
        if sha256_bytes(data) != sha256:
            raise EnvironmentProblem(f"{path} was altered after the installation", str(archive))
        return data

    def _find(self, wheel: str) -> Path | None:
        folder = self.downloads / "_source-cache" / "archive" / wheel[:2]
        for path in sorted(folder.glob(f"{wheel}*")):
            if sha256_file(path) == wheel:
                return path
        return None
