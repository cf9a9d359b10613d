"""What a run will do, decided before anything is written.

`plan_run` turns what was asked into a `RunPlan`; `examine` says what OUT holds; `decide` says
what follows, or refuses.  A dry run prints these and stops.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from fiducial.core.errors import EnvironmentProblem, InputError
from fiducial.core.files import sha256_file
from fiducial.framework.catalog import spelled
from fiducial.framework.chain import Chain, load_chain
from fiducial.framework.checkpoint import PARTS, Checkpoints, read_fingerprint
from fiducial.framework.commit import RUN_JSON
from fiducial.framework.fingerprint import differences, fingerprint, identity
from fiducial.framework.outputs import output_files
from fiducial.framework.ranges import EventRange, split

TABLES = "tables.npz"


@dataclass(frozen=True)
class RunPlan:
    """A run: which events of which chain, in which ranges, and where the answer goes."""

    chain: Chain
    events: int
    seed: int
    range_size: int
    out: Path
    fingerprint: Mapping[str, str]

    @property
    def identity(self) -> str:
        """The digest that checkpoints of this run carry."""
        return identity(self.fingerprint)

    @property
    def ranges(self) -> list[EventRange]:
        """The units of work, in event order."""
        return list(split(self.events, self.range_size))

    @property
    def checkpoints(self) -> Checkpoints:
        """Where the finished ranges are."""
        return Checkpoints(self.out / PARTS, self.identity)

    @property
    def files(self) -> dict[str, str]:
        """{output: file name} in OUT; the tables and run.json are not in it."""
        return output_files(self.chain.outputs)

    @property
    def command(self) -> str:
        """The command that makes the same answer again."""
        source = spelled(self.chain.name, self.chain.source)
        words = ["fiducial", "run", source, "--events", str(self.events)]
        return " ".join([*words, "--seed", str(self.seed), "--out", self.chain.name])


def plan_run(
    chain: Chain | str | Path,
    events: int | None,
    out: str | Path,
    *,
    scale: str | None = None,
    seed: int | None = None,
    range_size: int | None = None,
) -> RunPlan:
    """The plan of a run of `events` events, or of as many as `scale` says."""
    loaded = chain if isinstance(chain, Chain) else load_chain(chain)
    if events is not None and scale is not None:
        raise InputError("both events and a scale", hint="give --events or --scale, not both")
    if events is None:
        events = loaded.events(scale if scale is not None else next(iter(loaded.scales)))
    if events < 1:
        raise InputError(f"{events} events", hint="give at least 1")
    if range_size is not None and range_size < 1:
        raise InputError(f"a range of {range_size} events", hint="give at least 1")
    chosen = loaded.seed if seed is None else seed
    if not 0 <= chosen < 2**64:
        raise InputError(f"seed {chosen}", hint="give a number from 0 to 2^64 - 1")
    size = loaded.range_size(range_size)
    return RunPlan(
        loaded, events, chosen, size, Path(out).absolute(), fingerprint(loaded, chosen, size)
    )


class Holds(Enum):
    """What a run directory holds, as seen from a plan."""

    NOTHING = "nothing"
    PARTS = "finished ranges of this run"
    STALE_PARTS = "finished ranges of another run"
    THIS_RUN = "this run, finished"
    OTHER_RUN = "another run, finished"
    FILES = "files of unknown origin"


@dataclass(frozen=True)
class Situation:
    """What OUT holds.

    detail  how it differs from the plan
    info    its run.json
    parts   whether finished ranges of the plan stand there, beside a finished run or alone
    """

    holds: Holds
    detail: str = ""
    info: Mapping[str, Any] | None = None
    parts: bool = False


def examine(plan: RunPlan) -> Situation:
    """Look at OUT; nothing is changed."""
    out = plan.out
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file", hint="give a directory to --out")
    info = read_info(out)
    table = read_fingerprint(out / PARTS)
    parts = table is not None and identity(table) == plan.identity
    if info is not None:
        differing = _differences(info, plan)
        holds = Holds.OTHER_RUN if differing else Holds.THIS_RUN
        return Situation(holds, _changed(differing) if differing else "", info, parts)
    own = [*plan.files.values(), TABLES, RUN_JSON]
    foreign = [name for name in own if (out / name).exists()]
    if foreign:
        return Situation(Holds.FILES, ", ".join(foreign), None, parts)
    if table is None:
        return Situation(Holds.NOTHING)
    if parts:
        return Situation(Holds.PARTS, "", None, parts)
    return Situation(Holds.STALE_PARTS, _changed(differences(table, plan.fingerprint)))


def _differences(info: Mapping[str, Any], plan: RunPlan) -> list[str]:
    found = (
        []
        if info.get("events") == plan.events
        else [f"the number of events ({info.get('events')})"]
    )
    old = info.get("fingerprint")
    table = old if isinstance(old, dict) else {}
    names = differences(table, plan.fingerprint)
    return found + [name for name in names if name != "range"]  # the answer does not depend on it


def _changed(names: list[str]) -> str:
    shown = ", ".join(names[:4])
    return f"differs in {shown}" + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def read_info(out: Path) -> dict[str, Any] | None:
    """The run.json of a directory; None where there is none that can be read."""
    try:
        info = json.loads((out / RUN_JSON).read_bytes())
    except (OSError, ValueError):
        return None
    return info if isinstance(info, dict) and info.get("format") == 1 else None


class Action(Enum):
    """What a run does with OUT."""

    START = "compute all ranges"
    CONTINUE = "compute the ranges that are not finished"
    REUSE = "reuse the finished run"


def decide(
    plan: RunPlan, situation: Situation, *, resume: bool, force: bool
) -> tuple[Action, str | None]:
    """What to do, and a notice for the user; `InputError` where neither flag allows it."""
    out, holds = plan.out, situation.holds
    again = Action.CONTINUE if situation.parts and (resume or not force) else Action.START
    if holds in (Holds.NOTHING, Holds.PARTS):
        return again, None
    if holds is Holds.THIS_RUN and resume:
        damaged = damaged_files(out, situation.info or {})
        if not damaged:
            return Action.REUSE, None
        return again, f"{', '.join(damaged)} in {out} changed since: the run is made again"
    if force:
        return again, None
    if holds is Holds.STALE_PARTS:
        if resume:
            notice = f"the finished ranges in {out} are of another run ({situation.detail})"
            return Action.START, f"{notice}: they are computed again"
        raise InputError(
            f"{out} holds unfinished work of another run",
            situation.detail,
            "add --resume or --force to drop it, or choose another --out",
        )
    if holds is Holds.THIS_RUN:
        raise InputError(
            f"{out} holds this run already",
            hint="add --resume to reuse it, --force to make it again, or choose another --out",
        )
    if holds is Holds.OTHER_RUN:
        raise InputError(
            f"{out} holds another run",
            situation.detail,
            "choose another --out, or add --force to replace it",
        )
    raise InputError(
        f"{out} holds files of unknown origin",
        situation.detail,
        "choose another --out, or add --force to replace them",
    )


def damaged_files(out: Path, info: Mapping[str, Any]) -> list[str]:
    """The files of a finished run that are missing or whose bytes have changed."""
    damaged: list[str] = []
    for record in [*info.get("outputs", {}).values(), info.get("tables", {})]:
        path = out / str(record.get("path"))
        try:
            good = path.stat().st_size == record.get("bytes")
            good = good and sha256_file(path) == record.get("sha256")
        except (OSError, EnvironmentProblem):
            good = False
        if not good:
            damaged.append(path.name)
    return damaged
