"""Concretize ``full-source`` beside key4hep-spack's own release environment, on the same machine.

Both are given the host's gcc as it is described by environments/common/reference-host, nothing that
is installed, and the same Spack with the same recipes. What is counted is CPU time of Spack, since
solving keeps one core busy. FIDUCIAL_KEY4HEP_SPACK names a checkout of key4hep-spack; without it,
or without Spack, there is nothing to measure, and it says so.

key4hep-spack asks for what its own cherry-picks bring to the recipes; ``OVERRIDES`` takes back the
settings that plain recipes cannot meet. The answer is packages a second, since Key4hep has more.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from fiducial.stack.errors import StackError
from fiducial.stack.spack.program import Spack, find_spack, git_commit
from fiducial.stack.workspace import find_workspace

CHECKOUT = "FIDUCIAL_KEY4HEP_SPACK"
SETTINGS = "environments/key4hep-common/packages.yaml"
RIVAL = """\
spack:
  view: false
  include:
  - {root}/environments/common/reference-host
  - {rival}/environments/key4hep-release-opt/packages.yaml
  - {rival}/environments/key4hep-common-opt/packages.yaml
  - {rival}/environments/key4hep-common/packages.yaml
  repos:
    k4: {rival}
  concretizer: {{unify: true, reuse: false}}
  packages:
    all: {{target: [x86_64]}}
{overrides}
  specs: [key4hep-stack+full]
"""
OVERRIDES = """\
    "madgraph5amc:": {{require: []}}   # its variant `models` is of a pull request
    "root:": {{require: "{root}"}}     # plain ROOT has no `+ipo`
"""


def skip(reason: str) -> list[dict[str, Any]]:
    print(f"bench_concretize: not measured: {reason}", file=sys.stderr)
    return []


def concretize(spack: Spack, folder: Path, scopes: list[Path], name: str) -> tuple[float, int]:
    """CPU seconds of Spack, and how many packages it chose."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    spack.run(
        "concretize", "--force", environment=folder, scopes=scopes, action=f"concretize {name}"
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    lock = json.loads((folder / "spack.lock").read_bytes())
    return seconds, len(lock["concrete_specs"])


def benchmarks() -> list[dict[str, Any]]:
    """One record: packages that are concretized in a CPU second."""
    named = os.environ.get(CHECKOUT)
    if not named or not Path(named, "environments", "key4hep-release-opt").is_dir():
        return skip(f"{CHECKOUT} names no checkout of key4hep-spack")
    try:
        spack = find_spack()
    except StackError as error:
        return skip(str(error))
    root, rival = find_workspace(Path(__file__).parent).root, Path(named).resolve()
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch, "checkout")
        for place in ("environments", "spack-repo/spack_repo"):
            ignore = shutil.ignore_patterns("host", "*.lock", ".spack-env", "__pycache__")
            shutil.copytree(root / place, copy / place, ignore=ignore)
        theirs = Path(scratch, "key4hep")
        theirs.mkdir()
        settings = yaml.safe_load((rival / SETTINGS).read_text())["packages"]
        overrides = OVERRIDES.format(root=settings["root"]["require"].replace("+ipo", ""))
        text = RIVAL.format(root=root, rival=rival, overrides=overrides.rstrip())
        (theirs / "spack.yaml").write_text(text)
        places = copy / "environments"
        host = [places / "common" / "reference-host"]
        spack.run("list", environment=theirs, action="index the recipes")  # counts for neither
        ours_s, ours_n = concretize(spack, places / "full-source", host, "full-source")
        theirs_s, theirs_n = concretize(spack, theirs, [], "key4hep-stack")
    ours, rate = ours_n / ours_s, theirs_n / theirs_s
    return [
        {
            "name": "concretize full-source against key4hep-stack",
            "input": f"{ours_n} packages in {ours_s:.0f} CPU s, {theirs_n} in {theirs_s:.0f} CPU s",
            "unit": "packages/CPU s",
            "ours": ours,
            "rival": rate,
            "rival_name": f"key4hep-spack, Spack {spack.version}",
            "rival_version": (git_commit(rival) or "unknown")[:12],
            "ratio": ours / rate,
            "repeats": 1,
            "spread": 0.0,
            "peak_rss_bytes": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024,
        }
    ]


if __name__ == "__main__":
    for record in benchmarks():
        print(f"{record['name']}: {record['input']}, ratio {record['ratio']:.2f}")
