"""What Pythia has to say when it refuses to start.

Pythia writes its messages to the terminal, from C++. So that nothing is ever printed over a
progress bar, an engine runs silent, and after a failed initialisation the same settings are
tried once more in a process of their own, whose output is caught.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys

__all__ = ["messages_of_failed_init"]

_PROGRAM = """
import json, sys, pythia8mc
pythia = pythia8mc.Pythia("", False)
for line in json.load(sys.stdin):
    pythia.readString(line)
pythia.init()
"""

_TIMEOUT = 300


def messages_of_failed_init(lines: tuple[str, ...]) -> str:
    """Pythia's errors for these settings, joined by semicolons."""
    try:
        process = subprocess.run(
            [sys.executable, "-c", _PROGRAM],
            input=json.dumps(lines),
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"Pythia's messages could not be had: {error}"
    found = re.findall(r"PYTHIA ((?:Abort|Error|Warning)\b.*)", process.stdout + process.stderr)
    messages = list(dict.fromkeys(message.strip() for message in found))
    if messages:
        return "; ".join(messages)
    if process.returncode != 0:
        return f"it ended with status {process.returncode}"
    return "it gave no reason"
