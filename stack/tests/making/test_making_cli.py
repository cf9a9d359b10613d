"""The program: quick lists, plugins that may break, errors as text with an exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fiducial.stack.cli.app import OWN, PANELS, run
from fiducial.stack.cli.lazy import CommandInfo, find_source, read_help

from .conftest import Toy

PLUGIN = '''
"""A plugin."""
import sys
import typer
panel = "Run physics"
app = typer.Typer(help="Do things with events.")
sys.stderr.write("PLUGIN IMPORTED")

@app.command()
def show(count: int):
    """Show."""
    typer.echo(f"shown {count}")

class Refused(Exception):
    exit_code = 1

def single(code: int = 0):
    """Run one thing.

    More text.
    """
    if code == 1:
        raise Refused("refused by the plugin")
    if code == 4:
        raise ZeroDivisionError("a mistake")
    raise SystemExit(code)
'''


@pytest.fixture
def plugins(tmp_path: Path) -> dict[str, str]:
    """An environment whose Python sees a distribution with good and broken commands."""
    (tmp_path / "site" / "toyplugin").mkdir(parents=True)
    (tmp_path / "site" / "toyplugin" / "__init__.py").write_text("raise RuntimeError('heavy')")
    (tmp_path / "site" / "toycommand.py").write_text(PLUGIN)
    (tmp_path / "site" / "toybroken.py").write_text("import absent_engine\ndef go(): 'Go.'\n")
    info = tmp_path / "site" / "toyplugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toyplugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[fiducial.commands]\nthings = toycommand:app\nsingle = toycommand:single\n"
        "broken = toybroken:go\ngone = toyabsent:app\nnameless = toycommand:nothing\n"
        "lock = toycommand:single\n"
    )
    return {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "COLUMNS": "120"}


def fiducial(
    *words: str, environment: dict[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fiducial.stack.cli.app", *words],
        env=environment,
        cwd=cwd,
        capture_output=True,
        text=True,
    )


def test_the_list_of_commands_imports_none_of_them(plugins: dict[str, str]) -> None:
    done = fiducial("--help", environment=plugins)
    assert done.returncode == 0
    assert "PLUGIN IMPORTED" not in done.stderr
    for text in ("things", "Do things with events", "Run one thing", *PANELS, "quickstart"):
        assert text in done.stdout
    places = [done.stdout.index(f"\n{panel}\n") for panel in PANELS]
    assert places == sorted(places)


def test_a_broken_plugin_costs_one_line_and_nothing_else(plugins: dict[str, str]) -> None:
    done = fiducial("--help", environment=plugins)
    rows = [row for row in done.stderr.splitlines() if "toy" in row]
    assert len(rows) == 2
    assert "'gone' of toyplugin cannot be loaded (No module named 'toyabsent')" in done.stderr
    assert "'nameless' of toyplugin" in done.stderr
    done = fiducial("broken", environment=plugins)
    assert done.returncode == 3
    assert done.stderr.startswith("fiducial: command 'broken' of toyplugin cannot be loaded")
    assert "Traceback" not in done.stderr
    assert fiducial("things", "show", "3", environment=plugins).stdout == "shown 3\n"


def test_a_plugin_cannot_take_the_name_of_an_own_command(plugins: dict[str, str]) -> None:
    done = fiducial("lock", "--help", environment=plugins)
    assert "--upgrade" in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("single", "--code", "1"), 1, "fiducial: refused by the plugin"),
        (("single", "--code", "4"), 4, "internal error (ZeroDivisionError: a mistake)"),
        (("single", "--code", "3"), 3, ""),
        (("things", "show", "many"), 2, "valid integer"),
        (("things", "shov"), 2, "show"),
        (("lok",), 2, "no command 'lok': did you mean lock?"),
        (("lock", "--chek"), 2, "--check"),
    ],
)
def test_errors_are_text_with_their_exit_code(
    plugins: dict[str, str], words: tuple[str, ...], code: int, said: str
) -> None:
    done = fiducial(*words, environment=plugins)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_traceback_is_there_for_who_asks(plugins: dict[str, str]) -> None:
    debug = {**plugins, "FIDUCIAL_DEBUG": "1"}
    done = fiducial("single", "--code", "4", environment=debug)
    assert "Traceback" in done.stderr
    assert done.returncode == 4


def test_the_version_is_that_of_the_distribution(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capfd.readouterr().out.startswith("fiducial 0.")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_shown_and_completes_commands(shell: str, plugins: dict[str, str]) -> None:
    script = fiducial("--show-completion", shell, environment=plugins)
    assert script.returncode == 0
    words = {"bash": {"COMP_WORDS": "fiducial lo", "COMP_CWORD": "1"}}.get(
        shell, {"_TYPER_COMPLETE_ARGS": "fiducial lo", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    )
    done = subprocess.run(
        [sys.executable, "-c", "from fiducial.stack.cli.app import main; main()"],
        env={**plugins, **words, "_FIDUCIAL_COMPLETE": f"complete_{shell}"},
        capture_output=True,
        text=True,
    )
    assert "lock" in done.stdout
    assert "publish" not in done.stdout
    assert "PLUGIN IMPORTED" not in done.stderr


def test_completion_of_a_commands_options_works(plugins: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from fiducial.stack.cli.app import main; main()"],
        env={**plugins, "COMP_WORDS": "fiducial lock --", "COMP_CWORD": "2",
             "_FIDUCIAL_COMPLETE": "complete_bash"},
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert {"--check", "--upgrade", "--json"} <= set(done.stdout.split())


def test_completion_installs_into_a_users_home(plugins: dict[str, str], tmp_path: Path) -> None:
    home = {**plugins, "HOME": str(tmp_path), "SHELL": "/bin/bash"}
    done = fiducial("--install-completion", "bash", environment=home)
    assert done.returncode == 0, done.stderr
    assert "fiducial" in (tmp_path / ".bashrc").read_text()


@pytest.mark.parametrize("name", OWN)
def test_every_own_command_has_a_panel_a_summary_and_an_example(name: str) -> None:
    text = read_help(CommandInfo(name, OWN[name], "fiducial-stack"))
    assert text.panel in PANELS
    assert 10 < len(text.summary) < 120
    source = find_source(OWN[name].partition(":")[0]).read_text()
    assert f"fiducial {name}" in source.split('"""', 2)[2]


def test_lock_and_build_answer_in_json(toy: Toy, tmp_path: Path) -> None:
    root = toy.workspace.root

    def answer(*words: str) -> dict[str, object]:
        done = fiducial(*words, "--json", cwd=root)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    assert answer("lock", "toy", "--check")["fresh"] is True
    plan = answer("build", "toy", "--out", str(tmp_path / "p"), "--dry-run")
    assert (plan["built"], plan["reason"]) == (False, "there is no stack yet")
    assert not (tmp_path / "p").exists()
    built = answer("build", "toy", "--out", str(tmp_path / "p"))
    assert (built["built"], built["packages"]) == (True, 3)
    assert answer("build", "toy", "--out", str(tmp_path / "p"))["built"] is False
    done = fiducial("diff", str(tmp_path / "p"), str(tmp_path / "p"), "--json")
    assert json.loads(done.stdout)["identical"] is True
    assert fiducial("env", "list", "--json", cwd=root).returncode == 0
    assert fiducial("env", "show", "toy", cwd=root).stdout.startswith("toy: A toy.")


def test_check_of_a_stale_lock_is_no_with_the_reason_and_writes_nothing(toy: Toy) -> None:
    toy.edit("components/alpha/pyproject.toml", "toylib>=1", "toylib>=1,<9")
    path = toy.workspace.environments / "toy" / "wheels.lock"
    before = path.read_bytes()
    done = fiducial("lock", "toy", "--check", cwd=toy.workspace.root)
    assert done.returncode == 1
    assert "fiducial-alpha 0.1.0: +toylib<9,>=1, -toylib>=1" in done.stdout
    assert "renew it with: fiducial lock toy" in done.stderr
    done = fiducial("lock", "toy", "--dry-run", cwd=toy.workspace.root)
    assert done.returncode == 0
    assert path.read_bytes() == before
    assert fiducial("lock", "toy", cwd=toy.workspace.root).returncode == 0
    assert fiducial("lock", "toy", "--check", cwd=toy.workspace.root).returncode == 0


def test_outside_a_workspace_the_way_in_is_said(tmp_path: Path) -> None:
    done = fiducial("env", "list", cwd=tmp_path)
    assert done.returncode == 2
    assert "change to a checkout, or set FIDUCIAL_WORKSPACE" in done.stderr


def test_a_reader_that_goes_away_is_no_crash() -> None:
    code = f"{sys.executable} -m fiducial.stack.cli.app --help | true"
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True)
    assert "Traceback" not in done.stderr
