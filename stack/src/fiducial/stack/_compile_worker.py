"""Byte-compile sources listed on standard input; run by the stack's own Python, alone.

Each input line is ``SOURCE<TAB>NAME``: the file, and the name its code objects bear. The result
is an unchecked hash-based .pyc (PEP 552), which depends on nothing but the source, the name and
the Python version: no time, no path. Sources that do not compile are left out, as pip does.
Imports as little as possible, so that this process's own strings do not leak into the way
``marshal`` shares constants. Prints the count done now and then.
"""

import marshal
import os
import sys
import warnings
from importlib.util import MAGIC_NUMBER, source_hash


def _main() -> None:
    warnings.simplefilter("ignore")
    tag = sys.implementation.cache_tag
    done = 0
    for line in sys.stdin:
        source, _, name = line.rstrip("\n").partition("\t")
        folder, _, base = source.rpartition("/")
        with open(source, "rb") as stream:  # noqa: PTH123
            data = stream.read()
        try:
            code = compile(data, name, "exec", dont_inherit=True, optimize=0)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        flags = (1).to_bytes(4, "little")  # hash-based, never checked again
        target = f"{folder}/__pycache__/{base[:-3]}.{tag}.pyc"
        with open(target, "wb") as stream:  # noqa: PTH123
            stream.write(MAGIC_NUMBER + flags + source_hash(data) + marshal.dumps(code))
        os.chmod(target, 0o644)  # noqa: PTH101
        done += 1
        if done % 50 == 0:
            sys.stdout.write("50\n")
            sys.stdout.flush()
    sys.stdout.write(f"{done % 50}\n")


if __name__ == "__main__":
    _main()
