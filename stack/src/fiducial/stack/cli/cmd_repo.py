"""``fiducial repo``: CernVM-FS repositories in their own format, without a CernVM-FS server."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fiducial.stack.cli import repo_read
from fiducial.stack.cli.options import AsJson, DryRun, size
from fiducial.stack.cli.repo_options import (
    Inside,
    Keys,
    Where,
    key_files,
    open_repository,
    show_time,
    tell,
    utc_now,
)

if TYPE_CHECKING:
    from fiducial.stack.cvmfs.repository import Repository
    from fiducial.stack.cvmfs.transaction import Outcome

panel = "Deliver"

app = typer.Typer(
    help="Write, read, check and clean up CernVM-FS repositories that unmodified clients mount.",
    no_args_is_help=True,
)


def _tell_outcome(outcome: Outcome, what: str, dry_run: bool, as_json: bool) -> None:
    tally = outcome.tally
    record = {
        "revision": outcome.revision, "changed": outcome.changed, "root": str(outcome.root),
        "files": outcome.files, "bytes": outcome.bytes, "read_files": tally.read_files,
        "new_objects": tally.new_objects, "new_bytes": tally.new_bytes, "dry_run": dry_run,
    }  # fmt: skip
    new = f"{tally.new_objects} new objects, {size(tally.new_bytes)}"
    if not outcome.changed:
        text = f"{what}: nothing changed (revision {outcome.revision})"
    elif dry_run:
        text = f"{what}: would become revision {outcome.revision}: {new}"
    else:
        text = f"{what}: revision {outcome.revision}: {new}"
    tell(record, [text], as_json)


@app.command()
def create(
    repo: Where,
    name: Annotated[str, typer.Option("--name", help="Clients mount /cvmfs/NAME.")],
    keys: Keys = None,
    existing_keys: Annotated[
        bool, typer.Option("--existing-keys", help="Use the keys that are there.")
    ] = False,
    mode: Annotated[
        str, typer.Option("--compression", help="normal, fast, reference (zlib) or none.")
    ] = "normal",
    digest: Annotated[str, typer.Option("--digest", help="sha1, rmd160 or shake128.")] = "sha1",
    ttl: Annotated[int, typer.Option("--ttl", help="How long clients do not ask again [s].")] = 240,
    owner: Annotated[str, typer.Option("--owner", help="Who runs it; clients can see it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a repository with an empty first revision, and its keys.

    Example:

        fiducial repo create /srv/cvmfs/software.example.org --name software.example.org
    """
    from fiducial.stack.cvmfs.compression import MODES, Encoder
    from fiducial.stack.cvmfs.digest import parse_algorithm
    from fiducial.stack.cvmfs.repository import create_repository
    from fiducial.stack.cvmfs.settings import Settings
    from fiducial.stack.errors import InputError, did_you_mean

    if mode not in MODES:
        raise InputError(f"no compression '{mode}'", None, did_you_mean(mode, MODES))
    settings = Settings(name, Encoder(*MODES[mode]), parse_algorithm(digest), ttl)
    files = key_files(keys, name)
    create_repository(repo, settings, files, utc_now(), {"administrator": owner}, existing_keys)
    record = {"repository": str(repo), "name": name, "public_key": str(files.master_public)}
    lines = [
        f"repository {name} in {repo}",
        f"public key: {files.master_public} (give it to sites)",
        f"master key: {files.master_private} (keep it off line; resign needs it every 30 days)",
    ]
    tell(record, lines, as_json)


@app.command()
def publish(
    repo: Where,
    tree: Annotated[Path, typer.Argument(metavar="DIR", help="What to publish.")],
    path: Inside,
    keys: Keys = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="Name the revision.")] = None,
    link: Annotated[
        list[str] | None,
        typer.Option("--link", metavar="PATH=TARGET", help="Also put this symbolic link."),
    ] = None,
    mtime: Annotated[
        int | None, typer.Option("--mtime", help="One time for all files [s since 1970].")
    ] = None,
    setuid: Annotated[
        str, typer.Option("--setuid", help="Setuid files: refuse, drop or keep the bit.")
    ] = "refuse",
    variants: Annotated[
        bool, typer.Option("--variant-links", help="Allow $( in link targets.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Take warnings for mistakes.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Publish a directory tree as PATH, in the place of what is there, as one new revision.

    Example:

        fiducial repo publish /srv/cvmfs/software.example.org build/base /base/2026.1 --tag 2026.1
    """
    from fiducial.stack.cvmfs.path_hash import parse_path
    from fiducial.stack.cvmfs.tree_scan import SETUID, ScanPolicy
    from fiducial.stack.errors import InputError, Mistakes, did_you_mean
    from fiducial.stack.progress import make_progress

    if setuid not in SETUID:
        raise InputError(f"no way '{setuid}' with setuid files", None, did_you_mean(setuid, SETUID))
    inside = parse_path(path)
    links = [_link(text) for text in link or []]
    repository, files = open_repository(repo, keys)
    with (
        make_progress(as_json) as progress,
        repository.transaction(files.load_repository_key(), progress, dry_run) as transaction,
    ):
        scanned = transaction.put_tree(tree, inside, ScanPolicy(mtime, setuid, variants))
        if strict and scanned.warnings:
            raise Mistakes(scanned.warnings, str(tree))
        for place, target in links:
            transaction.put_symlink(place, target)
        for name in tag or []:
            transaction.tag(name)
        outcome = transaction.commit(dry_run)
    for warning in scanned.warnings[:20]:
        typer.echo(f"warning: {warning}", err=True)
    if len(scanned.warnings) > 20:
        typer.echo(f"warning: and {len(scanned.warnings) - 20} more (--strict)", err=True)
    _warn_of_expiry(repository)
    _tell_outcome(outcome, path, dry_run, as_json)


def _warn_of_expiry(repository: Repository) -> None:
    whitelist = repository.revision().whitelist
    if whitelist.has_expired(utc_now() + datetime.timedelta(days=7)):
        expiry = f"{whitelist.expires:%Y-%m-%d %H:00 UTC}"
        typer.echo(
            f"warning: the whitelist expires {expiry}, then clients refuse this repository: "
            f"fiducial repo resign {repository.root}",
            err=True,
        )


def _link(text: str) -> tuple[bytes, bytes]:
    from fiducial.stack.cvmfs.path_hash import parse_path
    from fiducial.stack.errors import InputError

    place, equals, target = text.partition("=")
    if not equals or not target:
        raise InputError(f"'{text}' is no link", None, "write it as /base/latest=2026.1")
    return parse_path(place), target.encode("utf-8", "surrogateescape")


@app.command()
def remove(
    repo: Where, path: Inside, keys: Keys = None, dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Remove PATH and all below it, as one new revision; gc frees the space later.

    Example:

        fiducial repo remove /srv/cvmfs/software.example.org /base/2025.4
    """
    from fiducial.stack.cvmfs.path_hash import parse_path

    repository, files = open_repository(repo, keys)
    with repository.transaction(files.load_repository_key(), None, dry_run) as transaction:
        transaction.remove(parse_path(path))
        outcome = transaction.commit(dry_run)
    _tell_outcome(outcome, f"remove {path}", dry_run, as_json)


@app.command()
def rollback(
    repo: Where,
    tag: Annotated[str, typer.Argument(help="The tag to go back to.")],
    keys: Keys = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Make the tree of a tag the newest revision, under a new number.

    Example:

        fiducial repo rollback /srv/cvmfs/software.example.org 2026.1
    """
    repository, files = open_repository(repo, keys)
    with repository.transaction(files.load_repository_key(), None, dry_run) as transaction:
        transaction.rollback(tag)
        outcome = transaction.commit(dry_run)
    _tell_outcome(outcome, f"back to {tag}", dry_run, as_json)


@app.command()
def tags(
    repo: Where,
    add: Annotated[str | None, typer.Option("--add", help="Name the current revision.")] = None,
    delete: Annotated[str | None, typer.Option("--delete", help="Remove a tag.")] = None,
    move: Annotated[bool, typer.Option("--move", help="--add may move a tag.")] = False,
    note: Annotated[str, typer.Option("--note", help="Words about the added tag.")] = "",
    keys: Keys = None,
    as_json: AsJson = False,
) -> None:
    """List the tags, newest first; add or delete one.

    Example:

        fiducial repo tags /srv/cvmfs/software.example.org --add 2026.1
    """
    from fiducial.stack.cvmfs import history as histories

    repository, files = open_repository(repo, keys)
    if add is not None or delete is not None:
        with repository.transaction(files.load_repository_key()) as transaction:
            if delete is not None:
                transaction.untag(delete)
            if add is not None:
                transaction.tag(add, note, move)
            transaction.commit()
    found = histories.sorted_tags(
        histories.load(repository.storage, repository.revision().manifest)
    )
    rows = [
        {"name": tag.name, "revision": tag.revision, "root": str(tag.root),
         "when": show_time(tag.timestamp), "note": tag.description}
        for tag in found
    ]  # fmt: skip
    lines = [
        f"{row['name']}: revision {row['revision']}, {row['when']}  {row['note']}" for row in rows
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
    else:
        typer.echo("\n".join(line.rstrip() for line in lines))


@app.command()
def gc(
    repo: Where,
    keys: Keys = None,
    grace: Annotated[
        float, typer.Option("--grace", min=0, help="Keep what is younger [days].")
    ] = 3,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Remove what neither the current revision, nor a tag, nor a recent reader needs.

    Example:

        fiducial repo gc /srv/cvmfs/software.example.org --dry-run
    """
    from fiducial.stack.cvmfs.gc import collect
    from fiducial.stack.progress import make_progress

    repository, files = open_repository(repo, keys)
    with make_progress(as_json) as progress, progress.phase("mark catalogs") as task:
        done = collect(
            repository, files.load_repository_key(), utc_now(), datetime.timedelta(days=grace),
            dry_run, task.advance,
        )  # fmt: skip
    verb = "would remove" if dry_run else "removed"
    line = f"{verb} {done.objects} objects ({size(done.bytes)}) of {done.revisions} revisions"
    tell(vars(done), [line], as_json)


@app.command()
def resign(
    repo: Where,
    keys: Keys = None,
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="Valid for.")] = 30,
    certificate: Annotated[
        list[Path] | None, typer.Option("--certificate", metavar="FILE", help="Also allow this.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Renew the whitelist with the master key; clients refuse an expired one.

    Example:

        fiducial repo resign /srv/cvmfs/software.example.org
    """
    from fiducial.stack.cvmfs.key_files import load_certificate

    repository, files = open_repository(repo, keys)
    whitelist = repository.resign(
        files.load_master_key(), utc_now(), datetime.timedelta(days=days),
        [load_certificate(path) for path in certificate or []],
    )  # fmt: skip
    record = {
        "expires": whitelist.expires.isoformat(),
        "certificates": list(whitelist.fingerprints),
    }
    line = f"whitelist of {whitelist.name} expires {whitelist.expires:%Y-%m-%d %H:00 UTC}"
    tell(record, [line], as_json)


for command in (
    repo_read.info, repo_read.ls, repo_read.du, repo_read.cat, repo_read.extract, repo_read.check,
):  # fmt: skip
    app.command()(command)
