"""Run a job of the pipelines here, in a clean clone: what it would do, before it is pushed.

    python ci/rehearse.py --list
    python ci/rehearse.py gitlab check
    python ci/rehearse.py github nightly/nightly --set FIDUCIAL_REPOSITORY=/tmp/repository

Runs the lines of the definition by bash, as the runners do, in a clone of the last commit; images,
caches and actions of others are left out, and said. ``--set`` gives variables and secrets of the
project. Exit code: the job's; 2 for a job that is not there.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from pipelines import ROOT, Job, github_jobs, gitlab_jobs, resolve

CLEAN = ("HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "TMPDIR", "USER")
"""What a runner's shell inherits. Programs' own settings (of pip, uv, Spack) are passed, too."""
TOOLS = ("PIP_", "UV_", "SPACK_", "SSL_", "HTTP", "http", "NO_PROXY", "no_proxy", "REQUESTS_")


def environment(job: Job, folder: Path, given: dict[str, str]) -> dict[str, str]:
    """The variables of a job, as its system would set them."""
    found = {key: value for key, value in os.environ.items() if key in CLEAN}
    found |= {key: value for key, value in os.environ.items() if key.startswith(TOOLS)}
    found |= {"CI": "true", "CI_PROJECT_DIR": str(folder), "CI_JOB_NAME": job.name,
              "CI_PIPELINE_ID": "1", "GITHUB_WORKSPACE": str(folder)}  # fmt: skip
    for key, value in job.variables.items():
        text = value.replace("$CI_PROJECT_DIR", str(folder))
        found[key] = resolve(text, expressions(folder, given))
    return found | given


def expressions(folder: Path, given: dict[str, str]) -> dict[str, str]:
    """What GitHub's expressions stand for; of the matrix, the Python that runs this."""
    values = {
        "github.workspace": str(folder),
        "matrix.python": f"{sys.version_info[0]}.{sys.version_info[1]}",
    }
    for key in ("FIDUCIAL_SCALE", "FIDUCIAL_TRUST", "FIDUCIAL_REPOSITORY", "FIDUCIAL_SIGNING_KEY"):
        values[f"vars.{key}"] = values[f"secrets.{key}"] = given.get(key, "")
    return values | {f"vars.{key}": value for key, value in given.items()}


def rehearse(job: Job, folder: Path, given: dict[str, str]) -> int:
    """Run the scripts of a job in ``folder`` until one fails; returns its exit code."""
    for action in job.uses:
        print(f"── left out: {action}", flush=True)
    secrets = expressions(folder, given)
    hidden = {key: value for key, value in given.items() if key != "FIDUCIAL_SIGNING_KEY"}
    for script in job.scripts:
        variables = environment(job, folder, hidden if job.system == "github" else given)
        variables |= {key: resolve(value, secrets) for key, value in script.variables.items()}
        text = "\n".join(resolve(line, secrets) for line in script.lines)
        print("── " + text.replace("\n", "\n   "), flush=True)
        code = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", text], cwd=folder, env=variables, input=b""
        ).returncode
        if code:
            print(f"── {job.name}: exit {code}", flush=True)
            return code
    print(f"── {job.name}: done", flush=True)
    return 0


def clone(target: Path) -> Path:
    """A clean clone of the last commit, with its history."""
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", str(ROOT), str(target)], check=True)
    return target


def main() -> int:
    jobs = {"gitlab": gitlab_jobs(), "github": github_jobs()}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("system", nargs="?", choices=sorted(jobs))
    parser.add_argument("job", nargs="?")
    parser.add_argument("--list", action="store_true", help="name the jobs")
    parser.add_argument("--into", type=Path, help="clone to here, and keep it")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()
    if options.list or options.job is None:
        for system, found in jobs.items():
            print(*(f"{system} {name}" for name in found), sep="\n")
        return 0
    job = jobs[options.system].get(options.job)
    if job is None:
        print(
            f"rehearse.py: no job {options.job!r}: {', '.join(jobs[options.system])}",
            file=sys.stderr,
        )
        return 2
    given = dict(pair.split("=", 1) for pair in options.set if "=" in pair)
    if len(given) != len(options.set):
        print("rehearse.py: --set wants NAME=VALUE", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="fiducial-rehearsal-") as scratch:
        return rehearse(job, clone(options.into or Path(scratch) / "checkout"), given)


if __name__ == "__main__":
    sys.exit(main())
