"""Steps, chains and executors: run a reference chain anywhere with the same answer."""

from fiducial.framework.catalog import installed_chains
from fiducial.framework.chain import Chain, load_chain, parse_chain
from fiducial.framework.executors import make_executor
from fiducial.framework.plan import RunPlan, plan_run
from fiducial.framework.progress import Bar, JsonLines, Progress, Quiet
from fiducial.framework.registry import load_step, step_names
from fiducial.framework.runner import RunResult, open_run, run
from fiducial.framework.tables import load_tables

__all__ = [
    "Bar",
    "Chain",
    "JsonLines",
    "Progress",
    "Quiet",
    "RunPlan",
    "RunResult",
    "installed_chains",
    "load_chain",
    "load_step",
    "load_tables",
    "make_executor",
    "open_run",
    "parse_chain",
    "plan_run",
    "run",
    "step_names",
]
