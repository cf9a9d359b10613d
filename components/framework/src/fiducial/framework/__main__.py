"""The commands of this component alone: ``python -m fiducial.framework run …``.

The program ``fiducial`` (fiducial-stack) offers the same commands beside all others.
"""

from __future__ import annotations

import sys

import typer

from fiducial.framework import cmd_chain, cmd_step
from fiducial.framework.cmd_provenance import provenance
from fiducial.framework.cmd_run import run

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Run chains of steps.", rich_markup_mode=None
)
app.command()(run)
app.command()(provenance)
app.add_typer(cmd_chain.app, name="chain")
app.add_typer(cmd_step.app, name="step")


def main(arguments: list[str] | None = None) -> int:
    """Run one command line; the exit code."""
    try:
        outcome = typer.main.get_command(app).main(
            args=arguments, prog_name="python -m fiducial.framework", standalone_mode=False
        )
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except Exception as error:
        code = getattr(error, "exit_code", None)
        if not isinstance(code, int):
            raise
        show = getattr(error, "show", None)
        if callable(show):  # a mistake on the command line, found by typer
            show()
        else:
            sys.stderr.write(f"{error}\n")
        return code
    return outcome if isinstance(outcome, int) else 0


if __name__ == "__main__":
    sys.exit(main())
