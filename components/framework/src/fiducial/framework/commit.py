"""Putting a finished run in its place, all of it or nothing.

A run is written under ``OUT/.parts/final``.  When all its files are there and flushed, a journal
is written beside them that lists what goes where; from that moment the run counts as done.  Then
the files are renamed one by one, ``run.json`` last.  A program that dies between two renames
leaves the journal, and whoever looks at OUT next finishes the renames.  Renaming needs no space.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from fiducial.core.errors import EnvironmentProblem
from fiducial.core.files import environment_problem, fsync_tree, write_atomically
from fiducial.framework.checkpoint import PARTS

RUN_JSON = "run.json"
_JOURNAL = "commit.json"
_SPENT = ".parts.spent"


def final_directory(out: Path) -> Path:
    """Where a run's files are written before they take their place."""
    return out / PARTS / "final"


def commit(out: Path, files: Sequence[str], obsolete: Sequence[str]) -> None:
    """Put `files` of `final_directory` into `out`, and remove what is `obsolete` there."""
    final = final_directory(out)
    try:
        fsync_tree(final)
    except OSError as error:
        raise environment_problem(f"cannot write to {final}", error) from error
    ordered = [name for name in files if name != RUN_JSON] + [RUN_JSON]
    journal = {"files": ordered, "obsolete": sorted(set(obsolete) - set(ordered))}
    write_atomically(final / _JOURNAL, json.dumps(journal))
    roll_forward(out)


def roll_forward(out: Path) -> bool:
    """Finish a commit that was begun; whether there was one."""
    final = final_directory(out)
    spent = out / _SPENT
    if spent.exists():
        shutil.rmtree(spent, ignore_errors=True)
    try:
        journal = json.loads((final / _JOURNAL).read_bytes())
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        raise EnvironmentProblem(
            f"cannot finish the run in {out}", str(error), f"remove {final}, and run again"
        ) from error
    try:
        if (final / RUN_JSON).exists():  # until it takes its place, there is no finished run
            (out / RUN_JSON).unlink(missing_ok=True)
        for name in journal["files"]:
            if (final / name).exists():
                (final / name).replace(out / name)
        for name in journal["obsolete"]:
            (out / name).unlink(missing_ok=True)
        fsync_directory(out)
        (out / PARTS).rename(spent)
    except OSError as error:
        raise environment_problem(f"cannot finish the run in {out}", error) from error
    shutil.rmtree(spent, ignore_errors=True)
    return True


def fsync_directory(path: Path) -> None:
    """Flush the names in a directory to the disk, where its file system can."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        return
    finally:
        os.close(descriptor)
