"""Deploy: check a published stack out of a repository and switch to it.

    TO/versions/<stack id>/   a stack, whole and verified
    TO/current                a link to the version in use; replaced in one step
    TO/.fiducial/state.json   repository, and the newest revision seen of each channel

Everything is checked before the first byte is written (channel, release, verdict, manifest,
paths), each file while it is written, and the switch comes last: until then, and after any
crash, ``current`` is the old version, whole. A channel that stands below the revision seen
here before is refused: somebody rolled the repository back.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fiducial.stack.channel import existing
from fiducial.stack.durable import make_durable
from fiducial.stack.errors import EnvironmentProblem, InputError, from_os_error
from fiducial.stack.files import (
    aside,
    fsync_directory,
    locked,
    recover_directory,
    remove_tree,
    replace_directory,
    sweep,
    write_atomically,
)
from fiducial.stack.keys import TrustedKeys
from fiducial.stack.manifest import NAME, Manifest
from fiducial.stack.progress import Progress
from fiducial.stack.refusals import Failure, Refusal, Refused
from fiducial.stack.release import Judged, judge, judge_pointer
from fiducial.stack.repository import MEGABYTE, Repository, in_megabytes
from fiducial.stack.site_setup import install_site
from fiducial.stack.tree import Tree, tree_of
from fiducial.stack.verify import differences

Bind = Callable[[Path, Manifest], object]
"""Ties a checked-out stack to this host's interpreter (``fiducial.stack.interpreter``)."""

FORMAT = 1


@dataclass(frozen=True)
class State:
    """What this place remembers of its repository."""

    repository: str
    channels: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What a deploy would do: a judged release, its tree, and where it goes."""

    to: Path
    judged: Judged
    tree: Tree
    channel: str | None
    revision: int | None
    state: State

    @property
    def version(self) -> Path:
        """Where the stack goes."""
        return self.to / "versions" / self.judged.release.stack

    @property
    def cache(self) -> Path:
        """Where checks of this stack keep compiled kernels."""
        return self.to / ".fiducial" / "cache" / self.judged.release.stack


@dataclass(frozen=True)
class Deployed:
    """What a deploy did."""

    plan: Plan
    written_bytes: int
    checked_out: bool
    switched: bool

    def to_dict(self) -> dict[str, Any]:
        plan = self.plan
        return {
            "stack": plan.judged.release.stack,
            "channel": plan.channel,
            "channel_revision": plan.revision,
            "release_revision": plan.judged.record.revision,
            "passed": plan.judged.release.passed,
            "version": str(plan.version),
            "current": str(plan.to / "current"),
            "files": len(plan.tree.files),
            "written_bytes": self.written_bytes,
            "checked_out": self.checked_out,
            "switched": self.switched,
        }


def plan_deploy(
    repository: Repository,
    to: Path,
    trusted: TrustedKeys,
    channel: str | None = None,
    release: str | None = None,
    allow_failed: bool = False,
) -> Plan:
    """Judge what ``channel`` points to, or ``release``; nothing is written.

    ``allow_failed`` lets a failed release be deployed by its id, for inspection.
    Raises Refused, every reason by name; InputError for a name that is not there.
    """
    to = to.absolute()
    state = _read_state(to, repository)
    revision = None
    if channel is not None and release is None:
        seen = existing(repository, channel, trusted)
        revision = seen.revision
        last = state.channels.get(channel, 0)
        if revision < last:
            detail = f"it stands at revision {revision}; {last} was seen here before"
            failure = Failure(Refusal.CHANNEL_ROLLED_BACK, channel, detail)
            raise Refused(
                f"channel {channel}", [failure], "ask the publisher; to accept it, deploy elsewhere"
            )
        assert seen.pointer is not None
        judged = judge_pointer(repository, channel, seen.pointer, trusted)
    elif release is not None and channel is None:
        judged = judge(repository, release, trusted, must_pass=not allow_failed)
    else:
        raise InputError("name a channel or a release, one of them", hint="--channel or --release")
    return Plan(to, judged, tree_of(judged.manifest), channel, revision, state)


def deploy(plan: Plan, repository: Repository, bind: Bind, progress: Progress) -> Deployed:
    """Carry out ``plan``. Raises Refused (a damaged object), EnvironmentProblem (no space);
    the version in use is then still the old one."""
    to, version = plan.to, plan.version
    try:
        with locked(to / ".fiducial" / "lock", lambda: progress.note(f"{to} is being deployed to")):
            _recover(to, version)
            written, fresh = 0, not _is_sound(version, plan, progress)
            if fresh:
                written = _check_out(plan, repository, bind, progress)
            else:
                bind(version, plan.judged.manifest)
            install_site(to, version.name, plan.channel)
            switched = _switch(to, version)
            _remember(plan, repository)
    except EnvironmentProblem:
        raise
    except OSError as error:
        raise from_os_error(error, "deploy to", to) from error
    return Deployed(plan, written, fresh, switched)


def _recover(to: Path, version: Path) -> None:
    """Clear up after a deploy that was killed."""
    recover_directory(version)
    for name in (version, to / "current"):
        sweep(name)


def _is_sound(version: Path, plan: Plan, progress: Progress) -> bool:
    """True where ``version`` is there and is what the manifest says, byte for byte."""
    manifest = plan.judged.manifest
    held = version / NAME
    if not held.is_file() or held.read_bytes() != plan.judged.manifest_bytes:
        return False
    with progress.phase("verify what is there") as task:
        found = differences(version, manifest, task.advance)
    if found:
        progress.note(f"{version} was altered ({found[0]}): it is checked out anew")
    return not found


def _check_out(plan: Plan, repository: Repository, bind: Bind, progress: Progress) -> int:
    fresh = aside(plan.version)
    fresh.mkdir(parents=True)
    try:
        with progress.phase("check out [MB]", total=plan.tree.bytes // MEGABYTE) as task:
            written = repository.get_tree(plan.tree, fresh, in_megabytes(task))
        (fresh / NAME).write_bytes(plan.judged.manifest_bytes)
        bind(fresh, plan.judged.manifest)
        make_durable(fresh, len(plan.tree.files))
        replace_directory(fresh, plan.version)
    finally:
        remove_tree(fresh)
    return written


def _switch(to: Path, version: Path) -> bool:
    """Point ``current`` to ``version`` in one step; False where it does already."""
    current, target = to / "current", Path("versions") / version.name
    if current.is_symlink() and current.readlink() == target:
        return False
    if current.exists() and not current.is_symlink():
        raise InputError(f"{current} is not a link", "fiducial deploy did not make it", "move it")
    fresh = aside(current)
    fresh.symlink_to(target)
    fresh.rename(current)
    fsync_directory(to)
    return True


def _state_path(to: Path) -> Path:
    return to / ".fiducial" / "state.json"


def _read_state(to: Path, repository: Repository) -> State:
    path = _state_path(to)
    try:
        data = json.loads(path.read_bytes())
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']}, this program reads {FORMAT}")
        channels = {str(name): int(revision) for name, revision in data["channels"].items()}
        state = State(str(data["repository"]), channels)
    except FileNotFoundError:
        return State(repository.id)
    except OSError as error:
        raise from_os_error(error, "read", path) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path} cannot be read", str(error), "deploy to another place, or remove that file"
        ) from None
    if state.repository != repository.id:
        raise InputError(
            f"{to} was deployed from another repository",
            f"id {state.repository}, {repository.location} is {repository.id}",
            "deploy to another place",
        )
    return state


def _remember(plan: Plan, repository: Repository) -> None:
    channels = dict(plan.state.channels)
    if plan.channel is not None and plan.revision is not None:
        channels[plan.channel] = max(plan.revision, channels.get(plan.channel, 0))
    state = {"format": FORMAT, "repository": repository.id, "channels": channels}
    write_atomically(_state_path(plan.to), json.dumps(state, sort_keys=True) + "\n")
