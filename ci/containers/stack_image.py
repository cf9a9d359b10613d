"""Write the recipe of a container image that holds a stack, from the stack's manifest.

    fiducial build base --interpreter bundled --out build/image/base
    python ci/containers/stack_image.py build/image/base --out build/image/Dockerfile
    docker build -f build/image/Dockerfile -t base build/image/base

The stack is compared with its manifest first. It must bring its interpreter: one that is bound to
this host's Python would find another, or none, in the image. The image runs as an ordinary user,
and the stack in it belongs to root. Exit code 0 written, 1 the stack was altered, 2 wrong use.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import jinja2

from fiducial.stack.errors import InputError, StackError
from fiducial.stack.files import write_atomically
from fiducial.stack.manifest import Manifest
from fiducial.stack.verify import verify

TEMPLATE = Path(__file__).with_name("stack.Dockerfile.j2")
BASE = "debian:12-slim"


def render(manifest: Manifest, prefix: Path, recipe: Path, base: str = BASE) -> str:
    """The recipe. Raises InputError for a stack without an interpreter of its own."""
    if manifest.interpreter.mode != "bundled":
        raise InputError(
            f"{manifest.stack} is bound to a Python of this host",
            f"its interpreter is the {manifest.interpreter.mode}'s",
            f"build it with: fiducial build {manifest.environment} --interpreter bundled",
        )
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    return environment.from_string(TEMPLATE.read_text()).render(
        stack=manifest.stack,
        environment=manifest.environment,
        licences=_licences(manifest),
        manifest_sha256=manifest.sha256,
        lock_sha256=manifest.lock_sha256,
        base=base,
        prefix=prefix,
        recipe=recipe,
    )


def _licences(manifest: Manifest) -> str:
    """One SPDX expression for everything in the image; what has none is left to its package."""
    found = {package.licence for package in manifest.packages} - {"unknown"}
    words = sorted(f"({row})" if " " in row else row for row in found)
    return " AND ".join(words).replace('"', "'")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("prefix", type=Path, help="the stack")
    parser.add_argument("--out", type=Path, required=True, help="the recipe")
    parser.add_argument("--base", default=BASE, help=f"the image to start from [{BASE}]")
    options = parser.parse_args()
    try:
        manifest = verify(options.prefix)
        text = render(manifest, options.prefix, options.out, options.base)
        write_atomically(options.out, text)
    except StackError as error:
        print(f"stack_image.py: {error}", file=sys.stderr)
        return error.exit_code
    print(f"docker build -f {options.out} -t {manifest.environment} {options.prefix}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
