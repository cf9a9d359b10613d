"""What a comparison says of packages: one vocabulary for stacks and locks of both builders.

The causes are words: ``lock`` (another resolution), ``environment`` (what is asked for), ``pin``,
``component`` (its source or its requirements), ``interpreter``, ``builder``, ``platform``,
``index`` (no input moved: the package index offered others), ``unexplained``. In Spack locks they
are finer, and have places: see ``fiducial.stack.spack.node_changes``.
"""

from __future__ import annotations

from dataclasses import dataclass

from packaging.version import InvalidVersion, Version

from fiducial.stack.spack.version_order import is_downgrade


@dataclass(frozen=True)
class FileChange:
    """One path that is only in one stack, or differs. ``kind``: added, removed or changed."""

    path: str
    kind: str


@dataclass(frozen=True)
class PackageChange:
    """One package that differs, the causes, what they mean here, and its files."""

    name: str
    kind: str
    before: str | None
    after: str | None
    causes: tuple[str, ...]
    why: str
    files: tuple[FileChange, ...] = ()

    @property
    def downgraded(self) -> bool:
        """Whether the version is lower than it was."""
        return bool(self.before and self.after and lower(self.before, self.after))


@dataclass(frozen=True)
class Comparison:
    """Everything that differs. ``inputs`` maps each input that moved to its two values.

    ``kind``: stacks, wheel locks, or versions (of any two documents). ``notes`` are no differences.
    """

    kind: str
    before: str
    after: str
    inputs: dict[str, tuple[str, str]]
    packages: tuple[PackageChange, ...]
    files: tuple[FileChange, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def identical(self) -> bool:
        """Whether the two have the same content."""
        return not (self.inputs or self.packages or self.files)

    @property
    def downgrades(self) -> tuple[PackageChange, ...]:
        """Packages with a lower version than before."""
        return tuple(change for change in self.packages if change.downgraded)


def lower(before: str, after: str) -> bool:
    """Whether version ``after`` is lower: by Python's order, else by Spack's.

    Of a forked entry ("1.0 ; MARKER / 2.0") the highest version counts.
    """
    try:
        old, new = (max(map(_version, text.split(" / "))) for text in (before, after))
    except InvalidVersion:
        return is_downgrade(before, after)
    return new < old


def _version(text: str) -> Version:
    return Version(text.split(" ")[0])
