"""Working copies over a read-only stack: what wins, what is refused, what is restored."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fiducial.stack.build import build
from fiducial.stack.build_plan import plan_build
from fiducial.stack.cli.app import run
from fiducial.stack.environment import load_environment
from fiducial.stack.files import remove_tree
from fiducial.stack.lock import plan_lock, write_lock
from fiducial.stack.manifest import read_manifest
from fiducial.stack.overlay.record import read_overlay
from fiducial.stack.verify import Difference, differences
from fiducial.stack.workspace import Workspace

MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"

VALIDATOR = '''
"""A validation of two chains, whose events are what alpha says."""
import hashlib, json, os, pathlib, sys
from fiducial.alpha import light
arguments = sys.argv[1:]
out = pathlib.Path(arguments[arguments.index("--out") + 1])
chains = [b for a, b in zip(arguments, arguments[1:]) if a == "--chain"]
rows = []
for chain in chains:
    value = light(1)
    sha = hashlib.sha256(f"{chain} {value}".encode()).hexdigest()
    seen = [{"name": "light", "passed": value < 9}]
    rows.append({"name": chain, "run": {"events": 1, "content_sha256": sha,
                 "head": {"events": 1, "content_sha256": sha}}, "observables": seen})
bad = [{"chain": r["name"], "observable": "light", "failure": "differs"} for r in rows
       if not r["observables"][0]["passed"]]
out.mkdir(parents=True)
results = {"format": 1, "scale": "smoke", "passed": not bad, "family_wise_alpha": 0.001,
           "method": "holm", "references_sha256": "0" * 64,
           "lock_sha256": os.environ.get("FIDUCIAL_LOCK_SHA256"), "chains": rows, "failures": bad}
(out / "results.json").write_text(json.dumps(results))
sys.exit(1 if bad else 0)
'''
ALPHA = '"""Alpha."""\nimport toylib\n\n\ndef light(value, scale=1):\n    return value * scale\n'
ALPHA += '\n\ndef main():\n    print("alpha", light(1), toylib.VALUE)\n'
STEPS = (
    '[project.scripts]\nalpha = "fiducial.alpha:main"\n[project.entry-points."fiducial.steps"]\n'
)
BETA = '"""Beta."""\nfrom fiducial.alpha import light\nBETA = light(1, scale=2)\n'
TREE = ("alpha", "beta", "gamma", "validation")


def write_physics(root: Path, toolbox: SimpleNamespace) -> None:
    """alpha <- beta; gamma alone; two chains: one of beta's step, one of gamma's."""

    def write_component(root: Path, name: str, needs: str, code: str, extra: str) -> None:
        extra += '[tool.hatch.build]\ndev-mode-dirs = ["src"]\n'
        toolbox.write_component(root, name, needs, code, extra)

    toolbox.write_workspace(root)
    shutil.rmtree(root / "components")
    write_component(root, "alpha", '"toylib>=1"', ALPHA, STEPS + 'shine = "fiducial.alpha:light"\n')
    points = '[project.entry-points."fiducial.steps"]\n'
    write_component(root, "beta", '"fiducial-alpha>=0.1,<0.2"', BETA, points + 'glow = "x:y"\n')
    write_component(root, "gamma", "", '"""Gamma."""\n', points + 'dark = "x:y"\n')
    needs = '"fiducial-alpha", "fiducial-beta", "fiducial-gamma"'
    points = '[project.entry-points."fiducial.chains"]\nvalidation = "x:y"\n'
    write_component(root, "validation", needs, '"""Validation."""\n', points)
    package = root / "components/validation/src/fiducial/validation"
    (package / "__main__.py").write_text(VALIDATOR)
    (package / "chains").mkdir()
    for name, step in (("bright", "glow"), ("black", "dark")):
        chain = f"chain: {name}\nsteps:\n  - {{name: a, use: {step}}}\n"
        (package / "chains" / f"{name}.yaml").write_text(chain)
    (root / "environments/toy/wheels.in").write_text("# A toy.\nfiducial-validation\n")


@dataclass
class Desk:
    """A developer's folder: working copies, a read-only stack, and where overlays go."""

    root: Path
    stack: Path

    def copy(self, name: str) -> Path:
        return self.root / "work" / name

    def source(self, name: str) -> Path:
        return self.copy(name) / f"src/fiducial/{name}/__init__.py"

    def edit(self, path: Path, old: str, new: str) -> None:
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def altered(self) -> list[Difference]:
        """What is not as the manifest says, but for the rights that the desk took away."""
        found = differences(self.stack, read_manifest(self.stack))
        return [one for one in found if not one.detail.startswith("mode")]

    def python(self, code: str) -> str:
        python = self.root / ".fiducial-dev/bin/python"
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
        return done.stdout.strip()


@pytest.fixture(scope="module")
def physics(
    tmp_path_factory: pytest.TempPathFactory, toolbox: SimpleNamespace
) -> tuple[Path, Path]:
    """The workspace and a stack built of it."""
    base = tmp_path_factory.mktemp("physics")
    write_physics(base / "workspace", toolbox)
    toolbox.make_wheel(base / "index", "toylib", "1.0", {"toylib/__init__.py": "VALUE = 1\n"})
    with pytest.MonkeyPatch.context() as patch:
        toolbox.isolate(patch, base / "index", base / "cache")
        workspace = Workspace(base / "workspace")
        write_lock(plan_lock(load_environment(workspace, "toy")))
        build(plan_build(Workspace(base / "workspace"), "toy", base / "stack"))
    return base / "workspace", base / "stack"


@pytest.fixture
def desk(
    physics: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    """A desk of one's own; the stack on it cannot be written."""
    workspace, stack = physics
    shutil.copytree(workspace / "components", tmp_path / "desk/work")
    shutil.copytree(stack, tmp_path / "stack", symlinks=True)
    for name in [name for name in os.environ if name.startswith("FIDUCIAL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FIDUCIAL_PREFIX", str(tmp_path / "stack"))
    monkeypatch.chdir(tmp_path / "desk")
    for folder, _, names in os.walk(tmp_path / "stack"):
        for path in (Path(folder), *(Path(folder, name) for name in names)):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & ~0o222)
    yield Desk(tmp_path / "desk", tmp_path / "stack")
    remove_tree(tmp_path / "stack")


def answer(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, Any]:
    """What ``fiducial dev`` answers in JSON."""
    capsys.readouterr()
    found = run(["dev", *arguments, "--json"])
    said = capsys.readouterr()
    assert found == code, said.err
    return dict(json.loads(said.out))


def test_the_working_copy_is_what_python_and_the_scripts_see(desk: Desk) -> None:
    assert run(["dev", "use", "work/alpha"]) == 0
    desk.edit(desk.source("alpha"), "value * scale", "value * 7")
    code = "import fiducial.alpha as a, fiducial.beta as b; print(a.light(1), b.BETA, a.__file__)"
    assert desk.python(code).split() == ["7", "7", str(desk.source("alpha"))]
    script = desk.root / ".fiducial-dev/bin/alpha"
    assert subprocess.check_output([script], text=True) == "alpha 7 1\n"
    done = subprocess.check_output([desk.stack / "bin/alpha"], text=True)
    assert done == "alpha 1 1\n"
    assert desk.altered() == []


def test_the_metadata_of_the_working_copy_hides_the_stacks(desk: Desk) -> None:
    metadata = desk.copy("alpha") / "pyproject.toml"
    desk.edit(metadata, 'version = "0.1.0"', 'version = "0.1.5"')
    desk.edit(metadata, 'shine = "', 'gleam = "')
    assert run(["dev", "use", "work/alpha"]) == 0
    code = (
        "import importlib.metadata as m; print(m.version('fiducial-alpha'), "
        "sorted(e.name for e in m.entry_points(group='fiducial.steps')), "
        "sum(d.name == 'fiducial-alpha' for d in m.distributions()))"
    )
    assert desk.python(code).startswith("0.1.5 ['dark', 'gleam', 'glow']")


def test_a_module_that_the_copy_deleted_is_not_found_in_the_stack(desk: Desk) -> None:
    assert run(["dev", "use", "work/validation"]) == 0
    (desk.copy("validation") / "src/fiducial/validation/__main__.py").unlink()
    code = "import importlib.util as u; print(u.find_spec('fiducial.validation.__main__'))"
    assert desk.python(code) == "None"


def test_two_working_copies_at_once_and_one_dropped(desk: Desk, capsys: Any) -> None:
    assert answer(capsys, "use", "work/alpha")["label"].endswith("+alpha")
    found = answer(capsys, "use", "work/beta")
    assert [copy["name"] for copy in found["copies"]] == ["fiducial-alpha", "fiducial-beta"]
    desk.edit(desk.source("beta"), "scale=2", "scale=5")
    assert desk.python("import fiducial.beta as b; print(b.BETA)") == "5"
    assert answer(capsys, "drop", "alpha")["copies"] == ["fiducial-beta"]
    code = "import fiducial.alpha as a, fiducial.beta as b; print(a.__file__, b.BETA)"
    assert (
        desk.python(code)
        == f"{desk.stack}/lib/python{MINOR}/site-packages/fiducial/alpha/__init__.py 5"
    )


def test_dropping_all_leaves_no_trace(desk: Desk) -> None:
    before = sorted(desk.root.rglob("*"))
    assert run(["dev", "use", "work/alpha", "work/beta"]) == 0
    assert run(["dev", "drop", "alpha"]) == 0
    assert run(["dev", "drop", "--all"]) == 0
    assert sorted(desk.root.rglob("*")) == before
    assert desk.altered() == []


def test_dropping_brings_back_the_same_overlay(desk: Desk) -> None:
    def content() -> dict[str, str]:
        root = desk.root / ".fiducial-dev"
        return {
            str(path.relative_to(root)): path.read_text(errors="replace")
            for path in root.rglob("*")
            if path.is_file() and not path.is_symlink()
        }

    assert run(["dev", "use", "work/beta"]) == 0
    before = content()
    assert run(["dev", "use", "work/alpha"]) == 0
    assert content() != before
    assert run(["dev", "drop", "alpha"]) == 0
    assert content() == before


def test_a_broken_interface_is_told_with_its_users_and_laid_all_the_same(
    desk: Desk, capsys: Any
) -> None:
    desk.edit(desk.source("alpha"), "value, scale=1", "value, factor=1")
    desk.edit(desk.source("alpha"), "value * scale", "value * factor")
    found = answer(capsys, "use", "work/alpha", code=1)
    (broken,) = [finding for finding in found["findings"] if finding["broken"]]
    assert broken["name"] == "fiducial.alpha.light"
    (place,) = broken["places"]
    assert (place["package"], place["line"]) == ("fiducial-beta", 3)
    assert found["dependents"] == ["fiducial-beta", "fiducial-validation"]
    assert read_overlay(Path(".fiducial-dev")).copies[0].name == "fiducial-alpha"
    # with the dependent mended in a working copy of its own nothing is broken
    desk.edit(desk.source("beta"), "scale=2", "factor=2")
    assert answer(capsys, "use", "work/beta")["broken"] == 0


def test_a_version_out_of_the_range_of_its_users_is_broken(desk: Desk, capsys: Any) -> None:
    desk.edit(desk.copy("alpha") / "pyproject.toml", 'version = "0.1.0"', 'version = "0.2.0"')
    found = answer(capsys, "use", "work/alpha", code=1)
    assert [finding["what"] for finding in found["findings"]] == [
        "fiducial-beta needs fiducial-alpha<0.2,>=0.1, this is 0.2.0"
    ]


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        ("alpha/pyproject.toml", '"toylib>=1"', '"toylib>=2"', "needs toylib>=2, toy-"),
        ("alpha/pyproject.toml", '"toylib>=1"', '"torch"', "needs torch, which toy-"),
        ("alpha/src/fiducial/alpha/__init__.py", "import toylib", "import torch.nn",
         "__init__.py:2: imports torch.nn, which toy-"),
        ("alpha/src/fiducial/alpha/__init__.py", "def main()", "def main(", "cannot be parsed"),
    ],
)  # fmt: skip
def test_what_the_stack_lacks_is_refused_and_the_old_overlay_stays(
    path: str, old: str, new: str, said: str, desk: Desk, capsys: Any
) -> None:
    assert run(["dev", "use", "work/beta"]) == 0
    before = (desk.root / ".fiducial-dev/overlay.json").read_bytes()
    desk.edit(desk.root / "work" / path, old, new)
    assert run(["dev", "use", "work/alpha"]) == 2
    assert said in capsys.readouterr().err
    assert (desk.root / ".fiducial-dev/overlay.json").read_bytes() == before


def test_a_step_that_a_chain_uses_and_an_entry_point_to_nothing_are_broken(
    desk: Desk, capsys: Any
) -> None:
    metadata = desk.copy("alpha") / "pyproject.toml"
    desk.edit(metadata, 'shine = "fiducial.alpha:light"', 'gleam = "fiducial.alpha:dim"')
    found = answer(capsys, "use", "work/alpha", code=1)["findings"]
    broken = {finding["name"]: finding["what"] for finding in found if finding["broken"]}
    assert broken == {"fiducial.steps: gleam": "leads to fiducial.alpha:dim, which is not there"}
    assert "fiducial.steps: shine" in {finding["name"] for finding in found}  # no chain uses it
    desk.edit(desk.copy("gamma") / "pyproject.toml", 'dark = "', 'night = "')
    answered = answer(capsys, "use", "work/gamma", "--overlay", "other", code=1)
    (finding,) = [finding for finding in answered["findings"] if finding["broken"]]
    assert (finding["name"], finding["places"][0]["why"]) == ("fiducial.steps: dark", "chain black")
    assert finding["places"][0]["line"] == 3
    assert answered["chains"] == ["black"]


def test_just_the_chains_that_use_it_are_named(desk: Desk, capsys: Any) -> None:
    for name, chains in (("alpha", ["bright"]), ("beta", ["bright"]), ("gamma", ["black"]),
                         ("validation", ["black", "bright"])):  # fmt: skip
        found = answer(capsys, "use", f"work/{name}", "--dry-run")
        assert found["chains"] == chains
    assert not (desk.root / ".fiducial-dev").exists()


def test_chains_are_run_again_and_compared_with_the_stack(desk: Desk, capsys: Any) -> None:
    found = answer(capsys, "use", "work/alpha", "--run")
    assert [(row["chain"], row["passed"], row["identical"]) for row in found["runs"]] == [
        ("bright", True, True)
    ]
    desk.edit(desk.source("alpha"), "value * scale", "value * 3")
    (row,) = answer(capsys, "use", "--run")["runs"]
    assert (row["passed"], row["identical"]) == (True, False)
    desk.edit(desk.source("alpha"), "value * 3", "value * 30")
    (row,) = answer(capsys, "use", "--run", code=1)["runs"]
    assert (row["failures"], row["identical"]) == (["light"], False)
    desk.edit(desk.source("alpha"), "value * 30", "value / 0")
    assert run(["dev", "use", "--run"]) == 3
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_files_made_in_an_overlay_do_not_claim_to_be_the_stacks(desk: Desk) -> None:
    assert run(["dev", "use", "work/alpha"]) == 0
    code = "import os; print(os.environ['FIDUCIAL_STACK'], 'FIDUCIAL_LOCK_SHA256' in os.environ)"
    label = f"{read_manifest(desk.stack).stack}+alpha False"
    assert desk.python(code) == label
    python = desk.root / ".fiducial-dev/bin/python"
    script = f". '{desk.stack}/setup.sh'; '{python}' -c \"{code}\""
    assert subprocess.check_output(["bash", "-c", script], text=True).strip() == label


SHELLS = {
    "bash": ["bash", "--norc"], "dash": ["dash"], "zsh": ["zsh", "-f"], "ksh": ["ksh"],
    "busybox": ["busybox", "sh"], "fish": ["fish", "--no-config"], "tcsh": ["tcsh", "-f"],
}  # fmt: skip


def in_shell(name: str, desk: Desk, code: str) -> list[str]:
    """The lines that ``code`` prints after the overlay's setup script was sourced."""
    if shutil.which(name) is None:
        pytest.skip(f"no {name} on this machine")
    end = {"fish": "fish", "tcsh": "csh"}.get(name, "sh")
    source = "source" if end != "sh" else "."
    script = f"{source} '{desk.root}/.fiducial-dev/setup.{end}'; {code}"
    done = subprocess.run(
        [*SHELLS[name], "-c", script], env={"PATH": "/usr/bin:/bin", "HOME": "/home/somebody"},
        cwd="/", capture_output=True, text=True,
    )  # fmt: skip
    return (done.stdout + done.stderr).splitlines()


@pytest.mark.parametrize("name", SHELLS)
def test_a_shell_is_set_up_for_the_overlay_and_back(name: str, desk: Desk) -> None:
    assert run(["dev", "use", "work/alpha"]) == 0
    rows = in_shell(name, desk, "echo $FIDUCIAL_STACK; command -v alpha || which alpha; env")
    stack, overlay = read_manifest(desk.stack).stack, desk.root / ".fiducial-dev"
    assert rows[0] == f"{stack}+alpha"
    assert f"PATH={overlay}/bin:{desk.stack}/bin:/usr/bin:/bin" in rows
    assert not [row for row in rows if row.startswith(("FIDUCIAL_LOCK", "_fiducial"))]
    end = {"fish": "fish", "tcsh": "csh"}.get(name, "sh")
    back = f"cd '{desk.stack}'; {'source' if end != 'sh' else '.'} ./setup.{end}; env"
    rows = in_shell(name, desk, back)
    assert f"PATH={desk.stack}/bin:/usr/bin:/bin" in rows
    assert f"FIDUCIAL_STACK={stack}" in rows
    assert not [row for row in rows if row.startswith("FIDUCIAL_OVERLAY")]


@pytest.mark.parametrize("name", SHELLS)
@pytest.mark.parametrize("how", ["replaced", "link"])
def test_over_another_stack_the_overlay_is_refused(name: str, how: str, desk: Desk) -> None:
    current = desk.root / "current"
    current.symlink_to(desk.stack)
    assert run(["dev", "use", "work/alpha", "--stack", "current"]) == 0
    if how == "link":  # the area's default moved on; the old version is still there
        other = desk.root / "other"
        other.mkdir()
        current.unlink()
        current.symlink_to(other)
    else:
        desk.stack.joinpath("etc/fiducial").chmod(0o755)
        (marker,) = desk.stack.glob("etc/fiducial/*.stack")
        marker.rename(marker.with_name("toy-000000000000.stack"))
        python = desk.root / ".fiducial-dev/bin/python"
        done = subprocess.run([python, "-c", "1"], capture_output=True, text=True)
        assert done.returncode == 3
        assert "any more" in done.stderr
    rows = in_shell(name, desk, "echo status $?; env" if name not in ("fish", "tcsh") else
                    "echo status $status; env")  # fmt: skip
    assert "status 2" in rows
    assert any("is not any more" in row for row in rows)
    assert not [row for row in rows if row.startswith(("FIDUCIAL", "_fiducial"))]
    assert run(["dev", "status"]) == 1


def test_status_tells_what_changed(desk: Desk, capsys: Any) -> None:
    assert run(["dev", "use", "work/alpha", "work/beta"]) == 0
    assert answer(capsys, "status")["moved"] is None
    desk.edit(desk.copy("alpha") / "pyproject.toml", "0.1.0", "0.1.1")
    shutil.rmtree(desk.copy("beta"))
    found = answer(capsys, "status", code=1)
    alpha, beta = (copy["trouble"] for copy in found["copies"])
    assert alpha == "its pyproject.toml changed"
    assert "is not a component" in beta
    capsys.readouterr()
    assert run(["dev", "use"]) == 2
    assert "fiducial dev drop fiducial-beta" in capsys.readouterr().err
    assert run(["dev", "drop", "beta"]) == 0
    assert run(["dev", "status"]) == 0


def test_a_stack_that_was_rebuilt_is_taken_up_again(desk: Desk, capsys: Any) -> None:
    assert run(["dev", "use", "work/alpha"]) == 0
    manifest = desk.stack / "manifest.json"
    manifest.chmod(0o644)
    desk.stack.chmod(0o755)
    manifest.write_text(manifest.read_text().replace('"inputs_sha256": "', '"inputs_sha256": "', 1))
    changed = read_manifest(desk.stack).model_copy(update={"inputs_sha256": "e" * 64})
    manifest.write_bytes(changed.to_bytes())
    assert "the manifest of" in answer(capsys, "status", code=1)["moved"]
    assert run(["dev", "use"]) == 0
    assert answer(capsys, "status")["moved"] is None


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["use", "nowhere"], 2, "is not a component (it has no pyproject.toml)"),
        (["use", "work/alhpa"], 2, "did you mean work/alpha?"),
        (["use"], 2, "no working copy is named, and none is in use"),
        (["use", "work/alpha", "--stack", "work"], 2, "is not a stack"),
        (["use", "work/alpha", "--overlay", "work"], 2, "is not an overlay"),
        (["use", "work/alpha", "--scale", "smoek"], 2, "did you mean smoke?"),
        (["status"], 2, "there is no overlay at"),
        (["drop", "alpha"], 2, "there is no overlay at"),
    ],
)
def test_wrong_use_is_told_and_nothing_is_made(
    arguments: list[str], code: int, said: str, desk: Desk, capsys: Any
) -> None:
    before = sorted(desk.root.rglob("*"))
    assert run(["dev", *arguments]) == code
    assert said in capsys.readouterr().err
    left = [path for path in sorted(desk.root.rglob("*")) if "lock" not in path.name]
    assert left == before


def test_dropping_what_is_not_there_names_what_is(desk: Desk, capsys: Any) -> None:
    assert run(["dev", "use", "work/alpha"]) == 0
    assert run(["dev", "drop", "alhpa"]) == 2
    assert "did you mean fiducial-alpha?" in capsys.readouterr().err
    assert run(["dev", "drop"]) == 2


def test_a_build_that_fails_leaves_the_old_overlay(desk: Desk, capsys: Any) -> None:
    assert run(["dev", "use", "work/beta"]) == 0
    mode = 'dev-mode-dirs = ["src"]'
    for new, said in (
        ("dev-mode-dirs = 3", "must be an array"),
        ("", "[tool.hatch.build] dev-mode"),
    ):
        desk.edit(desk.copy("alpha") / "pyproject.toml", mode, new)
        assert run(["dev", "use", "work/alpha"]) == 2
        error = capsys.readouterr().err
        assert "cannot build fiducial-alpha" in error
        assert said in error
        mode = new
    assert [copy.name for copy in read_overlay(Path(".fiducial-dev")).copies] == ["fiducial-beta"]
    assert not list(desk.root.glob(".*aside*"))


def test_over_a_stack_with_its_own_interpreter_that_one_is_used(
    desk: Desk, physics: tuple[Path, Path], toolbox: SimpleNamespace, tmp_path: Path
) -> None:
    base, prefix = physics[0].parent, tmp_path / "bundled"
    with pytest.MonkeyPatch.context() as patch:
        toolbox.isolate(patch, base / "index", base / "cache")
        build(plan_build(Workspace(physics[0]), "toy", prefix, "bundled"))
    assert run(["dev", "use", "work/alpha", "--stack", str(prefix)]) == 0
    desk.edit(desk.source("alpha"), "value * scale", "value * 7")
    code = "import sys, fiducial.beta as b; print(b.BETA, sys.base_prefix, sys.prefix)"
    assert desk.python(code).split() == ["7", str(prefix), str(desk.root / ".fiducial-dev")]
