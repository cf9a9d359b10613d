"""The program ``fiducial``: finds commands, runs one, and turns errors into exit codes.

Our own commands are in a table; others come from entry point group ``fiducial.commands``
(name = the command, value = ``module:app``, a ``typer.Typer`` or a function; the module's
constant ``panel`` names its help panel). A command is imported only when it runs, and a broken
one costs a line of warning. Any exception with an int ``exit_code`` is printed as its text;
FIDUCIAL_DEBUG=1 shows the traceback as well. Exit codes: see ``fiducial.stack.errors``.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
import traceback
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from fiducial.stack.cli.lazy import CommandInfo, find_plugins, read_help
from fiducial.stack.cli.overview import render_overview
from fiducial.stack.errors import InputError, did_you_mean

PANELS = ("Make stacks", "Run physics", "Deliver", "Look")
SUMMARY = "Build, prove and deliver HEP software stacks, and run physics with them."
EPILOG = "Start here: fiducial quickstart. Help on one command: fiducial COMMAND --help"
_CONTEXT = {"help_option_names": ["-h", "--help"]}
OWN = {
    "quickstart": "fiducial.stack.cli.cmd_quickstart:quickstart",
    "lock": "fiducial.stack.cli.cmd_lock:lock",
    "build": "fiducial.stack.cli.cmd_build:build",
    "validate": "fiducial.stack.cli.cmd_validate:validate",
    "publish": "fiducial.stack.cli.cmd_publish:publish",
    "deploy": "fiducial.stack.cli.cmd_deploy:deploy",
    "repository": "fiducial.stack.cli.cmd_repository:app",
    "repo": "fiducial.stack.cli.cmd_repo:app",
    "key": "fiducial.stack.cli.cmd_key:app",
    "report": "fiducial.stack.cli.cmd_report:report",
    "diff": "fiducial.stack.cli.cmd_diff:diff",
    "env": "fiducial.stack.cli.cmd_env:app",
    "dev": "fiducial.stack.cli.cmd_dev:app",
    "recipes": "fiducial.stack.cli.cmd_recipes:app",
    "component": "fiducial.stack.cli.cmd_component:app",
    "mirror": "fiducial.stack.cli.cmd_mirror:app",
    "buildcache": "fiducial.stack.cli.cmd_buildcache:app",
}


def commands() -> dict[str, CommandInfo]:
    """Every command by name: ours first (they cannot be replaced), then the plugins'."""
    own = {name: CommandInfo(name, target, "fiducial-stack") for name, target in OWN.items()}
    return own | {info.name: info for info in find_plugins() if info.name not in own}


def _warn(info: CommandInfo, error: BaseException) -> None:
    reason = str(error).strip().splitlines()
    text = reason[0] if reason else type(error).__name__
    typer.echo(
        f"fiducial: warning: command '{info.name}' of {info.owner} cannot be loaded ({text})",
        err=True,
    )


class LazyGroup(TyperGroup):
    """A group whose commands are stand-ins (name, help, panel) until one is run."""

    _infos: dict[str, CommandInfo] | None = None
    _stand_ins: dict[str, TyperCommand | None]

    @property
    def infos(self) -> dict[str, CommandInfo]:
        if self._infos is None:
            self._infos, self._stand_ins = commands(), {}
        return self._infos

    def list_commands(self, ctx: Any) -> list[str]:
        known = {panel: rank for rank, panel in enumerate(PANELS)}
        rank = {
            name: known.get(getattr(stand_in, "rich_help_panel", "") or "", len(known))
            for name in self.infos
            if (stand_in := self.get_command(ctx, name)) is not None
        }
        return sorted(rank, key=lambda name: rank[name])  # stable: the order of the table

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.infos:
            return None
        if cmd_name not in self._stand_ins:
            info = self.infos[cmd_name]
            try:
                text = read_help(info)
            except (ImportError, SyntaxError, OSError, AttributeError) as error:
                _warn(info, error)
                self._stand_ins[cmd_name] = None
            else:
                self._stand_ins[cmd_name] = TyperCommand(
                    cmd_name, help=text.summary, rich_help_panel=text.panel, rich_markup_mode=None
                )
        return self._stand_ins[cmd_name]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        panels: dict[str, list[tuple[str, str]]] = {panel: [] for panel in PANELS}
        for name in self.list_commands(ctx):
            stand_in = self.get_command(ctx, name)
            panels.setdefault(stand_in.rich_help_panel, []).append((name, stand_in.help))
        options = [
            record for param in self.get_params(ctx) if (record := param.get_help_record(ctx))
        ]
        formatter.write(render_overview(SUMMARY, panels, options, EPILOG))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:
        name = args[0]
        info = self.infos.get(name)
        if info is None:
            if ctx.resilient_parsing:
                return None, None, args[1:]
            raise InputError(
                f"no command '{name}'",
                None,
                did_you_mean(name, self.infos) + " See fiducial --help",
            )
        return name, _real(info), args[1:]


def _real(info: CommandInfo) -> Any:
    try:
        found = info.load()
    except Exception as error:
        if isinstance(getattr(error, "exit_code", None), int):
            raise
        if os.environ.get("FIDUCIAL_DEBUG") == "1":
            traceback.print_exc()
        raise BrokenCommandError(info, error) from error
    if not isinstance(found, typer.Typer):
        wrapped = typer.Typer(add_completion=False, context_settings=_CONTEXT)
        wrapped.command(info.name)(found)
        command = typer.main.get_command(wrapped)
    elif _is_one_command(found, info.name):
        command = typer.main.get_command(found)
    else:
        command = typer.main.get_group(found)
    command.name = info.name
    return command


def _is_one_command(found: typer.Typer, name: str) -> bool:
    """Whether an app is a single command of that name, and not a group with one member."""
    rows = found.registered_commands
    if found.registered_groups or found.registered_callback or len(rows) != 1:
        return False
    return (rows[0].name or getattr(rows[0].callback, "__name__", "")) == name


class BrokenCommandError(InputError):
    """A command whose code cannot be imported."""

    exit_code = 3

    def __init__(self, info: CommandInfo, error: Exception) -> None:
        super().__init__(
            f"command '{info.name}' of {info.owner} cannot be loaded",
            f"{type(error).__name__}: {error}",
            f"reinstall {info.owner}, or see the traceback with FIDUCIAL_DEBUG=1",
        )


app = typer.Typer(
    name="fiducial",
    cls=LazyGroup,
    no_args_is_help=True,
    help=SUMMARY,
    epilog=EPILOG,
    context_settings=_CONTEXT,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fiducial {importlib.metadata.version('fiducial-stack')}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False,
        "--version",
        "-V",
        callback=_version,
        is_eager=True,
        help="Show the version and exit.",
    ),
) -> None:
    """Build, prove and deliver HEP software stacks, and run physics with them."""


def run(args: list[str] | None = None) -> int:
    """Run one command line and return its exit code; prints errors, raises nothing."""
    try:
        outcome = typer.main.get_command(app).main(
            args=args, prog_name="fiducial", standalone_mode=False
        )
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141
    except KeyboardInterrupt:
        typer.echo("fiducial: interrupted", err=True)
        return 130
    except typer.Abort:
        typer.echo("fiducial: aborted", err=True)
        return 130
    except Exception as error:
        return _report(error)
    return outcome if isinstance(outcome, int) and not isinstance(outcome, bool) else 0


def _report(error: Exception) -> int:
    code = getattr(error, "exit_code", None)
    if os.environ.get("FIDUCIAL_DEBUG") == "1":
        traceback.print_exc()
    show = getattr(error, "show", None)
    if callable(show):  # a mistake on the command line, found by typer
        show()
        return int(code) if isinstance(code, int) else 2
    if isinstance(code, int):
        typer.echo(f"fiducial: {error}", err=True)
        return code
    typer.echo(
        f"fiducial: internal error ({type(error).__name__}: {error}): "
        "please report it with the traceback that FIDUCIAL_DEBUG=1 shows",
        err=True,
    )
    return 4


def main() -> None:
    """The console script."""
    sys.exit(run())


if __name__ == "__main__":
    main()
