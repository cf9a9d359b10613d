"""The pipeline definitions fit their systems' schemas, and name only what there is."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

CI = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CI))

from pipelines import GITHUB, GITLAB, ROOT, Job, github_jobs, gitlab_jobs, read, resolve  # noqa: E402

from fiducial.stack.cli.app import app  # noqa: E402
from fiducial.stack.spack.pins import read_spack_pins  # noqa: E402
from fiducial.stack.workspace import find_workspace  # noqa: E402

BIN = Path(sys.executable).parent
JOBS = {
    f"{job.system} {name}": job
    for found in (gitlab_jobs(), github_jobs())
    for name, job in found.items()
}
SHELL = [
    CI / "nightly.sh",
    CI / "sources.sh",
    *sorted(CI.glob("gitlab/*.sh")),
    *sorted(CI.glob("containers/*/*.sh")),
]
DEFINITIONS = [GITLAB, *sorted(GITHUB.glob("*.yml"))]
SHA = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40}$")
REGISTRIES = re.compile(r"\b(pypi|\w*hosted|npmjs|debian|crates)\.(com|io|org)\b", re.IGNORECASE)


def check(schema: str, *paths: Path) -> subprocess.CompletedProcess[str]:
    command = [BIN / "check-jsonschema", "--builtin-schema", f"vendor.{schema}", *paths]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda path: path.name)
def test_definitions_fit_the_schema_of_their_system(path: Path, tmp_path: Path) -> None:
    schema = "gitlab-ci" if path == GITLAB else "github-workflows"
    done = check(schema, path)
    assert done.returncode == 0, done.stdout
    broken = tmp_path / path.name
    broken.write_text(re.sub(r"(?m)^(\s*)(- )?(script|run):", r"\1\2skript:", path.read_text()))
    assert check(schema, broken).returncode != 0, "the schema sees a misspelt key"


def test_every_system_has_the_jobs_that_matter() -> None:
    assert {
        "check",
        "docs",
        "test",
        "quickstart",
        "spack-generate",
        "nightly",
    } <= gitlab_jobs().keys()
    assert {
        "checks/check",
        "checks/test",
        "checks/quickstart",
        "nightly/nightly",
    } <= github_jobs().keys()


@pytest.mark.parametrize("path", SHELL, ids=lambda path: path.name)
def test_scripts_are_shell(path: Path) -> None:
    for shell in ("sh", "bash"):
        done = subprocess.run([shell, "-n", path], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    text = path.read_text()
    assert "set -eu" in text, "a step that fails ends the job"
    if path.name != "spack.sh":  # which is sourced
        assert text.startswith("#!/bin/sh\n") and path.stat().st_mode & 0o111


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS.keys())
def test_the_lines_of_a_job_are_shell(job: Job) -> None:
    text = "\n".join(re.sub(r"\$\{\{.*?\}\}", "x", line) for line in job.lines)
    done = subprocess.run(["bash", "-n", "-c", text], capture_output=True, text=True)
    assert done.returncode == 0, f"{text}\n{done.stderr}"


def commands(text: str) -> list[list[str]]:
    """The simple commands of a shell script, as words; assignments and keywords left out."""
    text = re.sub(r"\\\n", " ", text)
    text = re.sub(r"(?m)(^|\s)#.*$", "", text)
    text = re.sub(r"\$\{\{.*?\}\}", "x", text)
    found = []
    for part in re.split(r"\n|;|&&|\|\||\||\$\(|\(|\)", text):
        try:
            words = shlex.split(part)
        except ValueError:  # a quote that goes over the parts: no command of ours
            continue
        while words and (
            words[0] in {"if", "then", "else", "do", "exec", "!"} or re.match(r"^\w+=", words[0])
        ):
            words = words[1:]
        if words:
            found.append(words)
    return found


def everything() -> list[list[str]]:
    texts = ["\n".join(job.lines) for job in JOBS.values()] + [path.read_text() for path in SHELL]
    return [words for text in texts for words in commands(text)]


def test_every_make_target_that_a_pipeline_names_exists() -> None:
    targets = {
        words[-1] if "=" not in words[-1] else words[1]
        for words in everything()
        if words[0] == "make"
    }
    assert {"check", "test", "docs", "quickstart", ".venv/.base"} <= targets
    for target in sorted(targets):
        done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    unknown = subprocess.run(["make", "-n", "chekc"], cwd=ROOT, capture_output=True, text=True)
    assert unknown.returncode != 0


def parse(words: list[str]) -> None:
    """Parse a ``fiducial`` command line as the program would, without running it."""
    command: Any = typer.main.get_command(app)
    context = typer.Context(command)
    name, found, rest = command.resolve_command(context, words)
    while isinstance(found, TyperGroup):
        name, found, rest = found.resolve_command(typer.Context(found), rest)
    assert found is not None
    found.make_context(name, list(rest))


def test_every_fiducial_command_that_a_pipeline_runs_is_one() -> None:
    lines = [words[1:] for words in everything() if words[0].rpartition("/")[2] == "fiducial"]
    assert {words[0] for words in lines} >= {
        "lock",
        "build",
        "validate",
        "publish",
        "deploy",
        "repository",
    }
    for words in lines:
        parse(words)
    with pytest.raises(Exception, match="No such option"):
        parse(["publish", "stack", "--repozitory", "x"])
    with pytest.raises(Exception, match="No such command"):
        parse(["repository", "promot"])
    with pytest.raises(Exception, match="no command"):
        parse(["pubish"])


def test_every_file_of_ours_that_a_pipeline_names_exists() -> None:
    texts = [path.read_text() for path in (*DEFINITIONS, *SHELL)]
    named = {
        name
        for text in texts
        for name in re.findall(r"(?<![\w/-])((?:ci|environments)/[\w./-]+\w)", text)
    }
    made = ("environments/host",)
    assert "ci/nightly.sh" in named and "environments/base/wheels.lock" in named
    missing = {name for name in named if not (ROOT / name).exists() and not name.startswith(made)}
    assert not missing


def test_the_shell_reads_the_pinned_commits_as_python_does() -> None:
    pins = read_spack_pins(find_workspace(ROOT))
    function = re.search(r"(?ms)^pinned\(\) .*?^}", (CI / "gitlab/spack.sh").read_text())
    assert function
    for part, commit in pins.items():
        done = subprocess.run(
            ["sh", "-c", f"{function[0]}\npinned {part}"], cwd=ROOT, capture_output=True, text=True
        )
        assert done.stdout.strip() == commit
    template = (CI / "containers/spack/templates/container/fiducial.dockerfile").read_text()
    (program,) = set(re.findall(r"awk -v .*? '(.*?)'", template))
    assert program in function[0]


def test_no_package_registry_is_named() -> None:
    for path in [*CI.rglob("*")]:
        if path.is_file() and path.suffix not in (".pyc",) and path.parent.name != "tests":
            assert not REGISTRIES.search(path.read_text()), path


@pytest.mark.parametrize("path", sorted(GITHUB.glob("*.yml")), ids=lambda path: path.name)
def test_workflows_have_the_least_rights_and_pin_what_they_use(path: Path) -> None:
    document = read(path)
    assert document["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in document["on"]
    for job in document["jobs"].values():
        assert "permissions" not in job and job["timeout-minutes"] <= 180
        for step in job["steps"]:
            if "uses" in step:
                assert SHA.match(step["uses"]), f"{step['uses']} is no full commit"
                if "checkout" in step["uses"]:
                    assert (
                        step["with"]["persist-credentials"] == "false"
                        or not step["with"]["persist-credentials"]
                    )
            else:
                assert "${{" not in step["run"], "what others write is no part of a script"


def test_a_secret_is_given_to_the_one_step_that_needs_it() -> None:
    for path in sorted(GITHUB.glob("*.yml")):
        document = read(path)
        for job in document["jobs"].values():
            assert "secrets." not in str(job.get("env", {})) + str(document.get("env", {}))
            holders = [step for step in job["steps"] if "secrets." in str(step)]
            assert len(holders) <= 1
            assert all(set(step) == {"run", "env"} for step in holders)


def test_a_nightly_runs_by_the_clock_on_the_main_branch_only_and_alone() -> None:
    github = read(GITHUB / "nightly.yml")
    assert github["on"]["schedule"] == [{"cron": "17 2 * * *"}]
    assert github["concurrency"] == {"group": "nightly", "cancel-in-progress": False}
    assert "refs/heads/main" in github["jobs"]["nightly"]["if"]
    gitlab = read(GITLAB)["nightly"]
    (rule,) = gitlab["rules"]
    assert '"schedule"' in rule["if"] and "CI_COMMIT_REF_PROTECTED" in rule["if"]
    assert gitlab["resource_group"] == "nightly" and gitlab["interruptible"] is False


def test_the_python_versions_are_those_that_the_locks_hold_for() -> None:
    minors = ["3.11", "3.12", "3.13"]
    assert read(GITHUB / "checks.yml")["jobs"]["test"]["strategy"]["matrix"]["python"] == minors
    assert read(GITLAB)["test"]["parallel"]["matrix"] == [{"MINOR": minors}]


def test_an_expression_without_a_value_is_an_error() -> None:
    assert resolve("a ${{ vars.X }} b", {"vars.X": "1"}) == "a 1 b"
    with pytest.raises(KeyError):
        resolve("${{ github.event.title }}", {})


def rehearse(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, CI / "rehearse.py", *words]
    return subprocess.run([str(word) for word in command], capture_output=True, text=True)


def test_the_rehearsal_lists_every_job_and_refuses_others() -> None:
    assert set(rehearse("--list").stdout.split("\n")) - {""} == set(JOBS)
    done = rehearse("gitlab", "chekc")
    assert done.returncode == 2 and "no job 'chekc'" in done.stderr
    assert rehearse("gitlab", "check", "--set", "X").returncode == 2


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.parametrize("name", ["gitlab docs", "gitlab spack-sources"])
def test_a_job_runs_in_a_clean_clone(name: str, tmp_path: Path) -> None:
    done = rehearse(*name.split(), "--into", tmp_path / "clone")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    if name.endswith("docs"):
        assert (tmp_path / "clone/build/docs/index.html").is_file()
    else:
        archives = sorted((tmp_path / "clone/build/spack-ci/sources").glob("*/*.tar.gz"))
        assert (archives[0].parent.name, len(archives)) == ("py-fiducial-analysis", 9)
        assert all(path.name.startswith(f"{path.parent.name}-") for path in archives)
