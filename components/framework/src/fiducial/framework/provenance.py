"""Where a run came from: what every event file and every run.json carry.

The record in an event file holds no time and no place, so that the same run gives the same bytes.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from typing import Any

from fiducial.core.config import dump
from fiducial.framework.plan import RunPlan

LOCK = "FIDUCIAL_LOCK_SHA256"
STACK = "FIDUCIAL_STACK"


def provenance(plan: RunPlan) -> dict[str, Any]:
    """Chain, settings, seed, lock, versions, and the command that makes it again."""
    chain = plan.chain
    return {
        "format": 1,
        "chain": chain.name,
        "chain_sha256": chain.sha256,
        "chain_text": chain.text,
        "seed": plan.seed,
        "events": plan.events,
        "steps": [
            {
                "name": s.name,
                "use": s.use,
                "with": dump(s.step),
                "distribution": s.distribution,
                "version": s.version,
            }
            for s in chain.steps
        ],
        "lock_sha256": os.environ.get(LOCK) or None,
        "stack": os.environ.get(STACK) or None,
        "command": plan.command,
        "versions": {"python": platform.python_version(), **_versions(plan.fingerprint)},
    }


def _versions(fingerprint: Mapping[str, str]) -> dict[str, str]:
    """Versions of the steps' distributions and of what they require, by name."""
    mark = "version of "
    return {k.removeprefix(mark): v for k, v in sorted(fingerprint.items()) if k.startswith(mark)}
