"""``fiducial buildcache``: what Spack installed, signed, for other hosts and other folders."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fiducial.stack.cli.options import AsJson, size

if TYPE_CHECKING:
    from fiducial.stack.spack.build_cache import Done

panel = "Deliver"
app = typer.Typer(
    no_args_is_help=True,
    help="Push what Spack installed to a signed build cache; install from it elsewhere.",
)
Environment = Annotated[
    str, typer.Argument(metavar="ENV", help="The environment (or a folder with a spack.lock).")
]
Place = Annotated[
    str, typer.Argument(metavar="CACHE", help="A folder, or an address that Spack knows.")
]
TrustKeys = Annotated[
    list[str] | None,
    typer.Option(
        "--trust",
        metavar="WHOM",
        help="A fingerprint, a public key, a list of fingerprints, or a folder of *.pub.asc, "
        "instead of your own keys; repeatable.",
    ),
]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, help="Processes at once.")]
_JOBS = min(4, os.cpu_count() or 1)


@app.command()
def key(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Where (default: your own key).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key that signs build caches (OpenPGP), and its public half beside it.

    Your GnuPG keyring is not touched. Example:

        fiducial buildcache key
    """
    from fiducial.stack.spack.openpgp import create_key, default_secret_path, public_path

    path = file or default_secret_path()
    fingerprint = create_key(path)
    record = {
        "fingerprint": fingerprint,
        "private": str(path),
        "public": str(public_path(path)),
    }
    if as_json:
        typer.echo(json.dumps(record, indent=1))
        return
    typer.echo(f"key {fingerprint}")
    typer.echo(f"private: {path} (keep it; it signs)")
    typer.echo(f"public:  {public_path(path)} (whoever installs trusts it by its fingerprint)")


@app.command()
def push(
    environment: Environment,
    cache: Place,
    key: Annotated[
        Path | None,
        typer.Option("--key", metavar="FILE", help="Signing key (default: your own)."),
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option(
            "--store", metavar="DIR", help="Where ENV is installed (default: where Spack does)."
        ),
    ] = None,
    unsigned: Annotated[
        bool, typer.Option("--unsigned", help="Sign nothing: anybody could have made it.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Push over entries that are not yours or not right.")
    ] = False,
    jobs: Jobs = _JOBS,
    as_json: AsJson = False,
) -> None:
    """Push the installed packages of ENV that are needed at run time, signed.

    What is there already is not pushed again. Example:

        fiducial buildcache push base /srv/buildcache --store /opt/spack
    """
    from fiducial.stack.errors import InputError
    from fiducial.stack.progress import make_progress
    from fiducial.stack.spack.build_cache import find_concrete
    from fiducial.stack.spack.build_cache import push as carry_out
    from fiducial.stack.spack.build_cache_entries import open_cache
    from fiducial.stack.spack.openpgp import default_secret_path, keyring, read_secret
    from fiducial.stack.spack.program import find_spack
    from fiducial.stack.workspace import find_workspace

    start = time.monotonic()
    if unsigned and key is not None:
        raise InputError("--unsigned and --key", "a build cache is signed, or it is not")
    workspace = find_workspace()
    concrete, target = find_concrete(workspace, environment), open_cache(cache)
    path = key or default_secret_path()
    secret = {} if unsigned else {str(path): read_secret(path)}
    with keyring(secret) as ring, make_progress(as_json) as progress:
        if not unsigned and len(ring.secret_fingerprints()) != 1:
            raise InputError(f"{path} must hold one secret key", None, "make one: buildcache key")
        done = carry_out(
            workspace, find_spack(), concrete, target, store, None if unsigned else ring,
            force, jobs, progress,
        )  # fmt: skip
    record = _record(environment, target.address, done, start)
    if as_json:
        typer.echo(json.dumps(record, indent=1))
        return
    typer.echo(
        f"{target.address} holds {environment}: {done.packages} packages, {size(done.bytes)} "
        f"({done.new} pushed, in {record['seconds']} s)"
    )
    if done.signers:
        typer.echo(f"signed by {', '.join(done.signers)}")


@app.command("list")
def list_(
    cache: Place,
    environment: Annotated[
        str | None,
        typer.Option("--for", metavar="ENV", help="Say what of this environment is there."),
    ] = None,
    trust: TrustKeys = None,
    as_json: AsJson = False,
) -> None:
    """List the packages of a build cache: who signed each, and whether it is sound.

    With --for the exit code is 1 where something of ENV is missing or not to be trusted. Example:

        fiducial buildcache list /srv/buildcache --for base --trust site.pub.asc
    """
    from fiducial.stack.errors import InputError
    from fiducial.stack.progress import make_progress
    from fiducial.stack.spack.build_cache import RefusedEntries, find_concrete
    from fiducial.stack.spack.build_cache_entries import judge_entries, list_entries, open_cache
    from fiducial.stack.spack.build_cache_trust import trusted_keyring
    from fiducial.stack.workspace import find_workspace

    target = open_cache(cache)
    if not target.readable:
        hint = f"spack buildcache list, with {target.address} among its mirrors"
        raise InputError(f"'{target.scheme}:' is read by Spack only", None, hint)
    if environment is not None:
        wanted = find_concrete(find_workspace(), environment).wanted
    else:
        wanted = list_entries(target)
    with (
        trusted_keyring(target, trust) as ring,
        make_progress(as_json) as progress,
        progress.phase("verify", len(wanted)) as task,
    ):
        entries = judge_entries(target, wanted, ring, advance=task.advance)
    record = [
        {
            "name": row.wanted.name,
            "version": row.wanted.version,
            "hash": row.wanted.hash,
            "signed_by": row.fingerprint or None,
            "bytes": row.size or None,
            "problem": row.problem or None,
        }
        for row in entries
    ]
    if as_json:
        typer.echo(json.dumps(record, indent=1))
    else:
        for row in entries:
            typer.echo(f"{row.wanted.label:50} {row.problem or 'signed by ' + row.fingerprint}")
        typer.echo(f"{len(entries)} packages, {sum(not row.problem for row in entries)} good")
    wrong = [row for row in entries if row.problem]
    if environment is not None and wrong:
        raise RefusedEntries(f"{target.address} does not have all of {environment}", wrong)


@app.command()
def install(
    environment: Environment,
    cache: Place,
    store: Annotated[
        Path, typer.Option("--store", metavar="DIR", help="Where to install: Spack's root.")
    ],
    trust: TrustKeys = None,
    unsigned: Annotated[
        bool, typer.Option("--unsigned", help="Take also what nobody signed: for tests only.")
    ] = False,
    jobs: Jobs = _JOBS,
    as_json: AsJson = False,
) -> None:
    """Install ENV from a build cache alone, after verifying every entry of it.

    Nothing is built, and no network but the cache is used. Example:

        fiducial buildcache install base /srv/buildcache --store /opt/spack --trust site.pub.asc
    """
    from fiducial.stack.errors import InputError
    from fiducial.stack.progress import make_progress
    from fiducial.stack.spack.build_cache import find_concrete
    from fiducial.stack.spack.build_cache import install as carry_out
    from fiducial.stack.spack.build_cache_entries import open_cache
    from fiducial.stack.spack.build_cache_trust import trusted_keyring
    from fiducial.stack.spack.program import find_spack
    from fiducial.stack.workspace import find_workspace

    start = time.monotonic()
    workspace = find_workspace()
    concrete, source = find_concrete(workspace, environment), open_cache(cache)
    with trusted_keyring(source, trust) as ring, make_progress(as_json) as progress:
        if not ring.public_fingerprints() and not unsigned:
            raise InputError("no key is trusted", None, "say whom: --trust FINGERPRINT or FILE")
        done = carry_out(
            workspace, find_spack(), concrete, source, store, ring, unsigned, jobs, progress
        )
    record = _record(environment, source.address, done, start)
    record["view"] = str(store.absolute() / "view" / concrete.name)
    if as_json:
        typer.echo(json.dumps(record, indent=1))
        return
    typer.echo(
        f"{store} holds {environment}: {done.packages} packages "
        f"({done.new} installed, in {record['seconds']} s)"
    )
    typer.echo(f"use it through {record['view']}/bin, or with spack load")


def _record(environment: str, address: str, done: Done, start: float) -> dict[str, Any]:
    return {
        "environment": environment,
        "cache": address,
        "packages": done.packages,
        "new": done.new,
        "bytes": done.bytes,
        "signed_by": list(done.signers),
        "seconds": round(time.monotonic() - start, 2),
    }
