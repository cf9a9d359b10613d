"""``fiducial repo``: CernVM-FS repositories in their own format, without a CernVM-FS server."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fiducial.stack.cli.options import AsJson, DryRun, size

if TYPE_CHECKING:
    from fiducial.stack.cvmfs.key_files import KeyFiles
    from fiducial.stack.cvmfs.reader import RepositoryView
    from fiducial.stack.cvmfs.repository import Repository
    from fiducial.stack.cvmfs.signing import MasterKey
    from fiducial.stack.cvmfs.transaction import Outcome
    from fiducial.stack.cvmfs.verified_objects import Source

panel = "Deliver"

app = typer.Typer(
    help="Write, read, check and clean up CernVM-FS repositories that unmodified clients mount.",
    no_args_is_help=True,
)

Where = Annotated[Path, typer.Argument(metavar="REPO", help="The repository's folder.")]
Address = Annotated[str, typer.Argument(metavar="REPO", help="Folder or http(s) address.")]
Inside = Annotated[str, typer.Argument(metavar="PATH", help="Path inside the repository: /a/b.")]
Keys = Annotated[
    Path | None,
    typer.Option("--keys", metavar="DIR", help="Folder of the keys (default: your own)."),
]
Master = Annotated[
    list[Path] | None,
    typer.Option("--trust", metavar="FILE", help="Master public key (.pub); repeatable."),
]


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _keys(folder: Path | None, name: str) -> KeyFiles:
    from fiducial.stack.cvmfs.key_files import KeyFiles, default_key_folder

    return KeyFiles(folder or default_key_folder(), name)


def _open(root: Path, keys: Path | None) -> tuple[Repository, KeyFiles]:
    """A repository of ours, under the master key in the folder of keys."""
    from fiducial.stack.cvmfs.key_files import load_master_public
    from fiducial.stack.cvmfs.repository import Repository
    from fiducial.stack.cvmfs.settings import read_settings

    files = _keys(keys, read_settings(root).name)
    return Repository(root, [load_master_public(files.master_public)]), files


def _masters(trust: list[Path] | None) -> list[MasterKey]:
    """The master keys named by --trust; without it those in the user's folder of keys."""
    from fiducial.stack.cvmfs.key_files import default_key_folder, load_master_public

    paths = trust or sorted(default_key_folder().glob("*.pub"))
    return [load_master_public(path) for path in paths]


def _view(address: str, trust: list[Path] | None, name: str | None = None) -> RepositoryView:
    from fiducial.stack.cvmfs.http_source import open_source
    from fiducial.stack.cvmfs.reader import RepositoryView
    from fiducial.stack.cvmfs.revision import Demands, read_revision

    source: Source = open_source(address)
    revision = read_revision(source, Demands(_masters(trust), name, _now()))
    return RepositoryView(source, revision)


def _tell(record: dict[str, Any], lines: list[str], as_json: bool) -> None:
    typer.echo(json.dumps(record, indent=1) if as_json else "\n".join(lines))


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
    _tell(record, [text], as_json)


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
    digest: Annotated[
        str, typer.Option("--digest", help="sha1, rmd160 or shake128.")
    ] = "sha1",
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
    files = _keys(keys, name)
    create_repository(repo, settings, files, _now(), {"administrator": owner}, existing_keys)
    record = {"repository": str(repo), "name": name, "public_key": str(files.master_public)}
    lines = [
        f"repository {name} in {repo}",
        f"public key: {files.master_public} (give it to sites)",
        f"master key: {files.master_private} (keep it off line; resign needs it every 30 days)",
    ]
    _tell(record, lines, as_json)


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
    repository, files = _open(repo, keys)
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
    _tell_outcome(outcome, path, dry_run, as_json)


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

    repository, files = _open(repo, keys)
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
    repository, files = _open(repo, keys)
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

    repository, files = _open(repo, keys)
    if add is not None or delete is not None:
        with repository.transaction(files.load_repository_key()) as transaction:
            if delete is not None:
                transaction.untag(delete)
            if add is not None:
                transaction.tag(add, note, move)
            transaction.commit()
    found = histories.sorted_tags(histories.load(repository.storage, repository.revision().manifest))
    rows = [
        {"name": tag.name, "revision": tag.revision, "root": str(tag.root),
         "when": _time(tag.timestamp), "note": tag.description}
        for tag in found
    ]  # fmt: skip
    lines = [f"{row['name']}: revision {row['revision']}, {row['when']}  {row['note']}" for row in rows]
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
    else:
        typer.echo("\n".join(line.rstrip() for line in lines))


def _time(seconds: int | None) -> str:
    moment = datetime.datetime.fromtimestamp(seconds or 0, datetime.UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")


@app.command()
def info(repo: Address, trust: Master = None, as_json: AsJson = False) -> None:
    """Show what a repository says of itself: revision, whitelist, counters.

    Example:

        fiducial repo info http://server/cvmfs/software.example.org --trust software.example.org.pub
    """
    from fiducial.stack.cvmfs.http_source import open_source
    from fiducial.stack.cvmfs.reader import RepositoryView
    from fiducial.stack.cvmfs.revision import Demands, read_revision

    source = open_source(repo)
    revision = read_revision(source, Demands(_masters(trust)))
    manifest, view = revision.manifest, RepositoryView(source, revision)
    counts = view.root.statistics.total
    record = {
        "name": manifest.name, "revision": manifest.revision, "root": str(manifest.root),
        "published": _time(manifest.published), "ttl": manifest.ttl,
        "collectable": manifest.collectable,
        "whitelist_expires": f"{revision.whitelist.expires:%Y-%m-%d %H:00 UTC}",
        "whitelist_expired": revision.whitelist.has_expired(_now()), "counters": counts,
    }  # fmt: skip
    expired = " (EXPIRED)" if record["whitelist_expired"] else ""
    lines = [
        f"{manifest.name}: revision {manifest.revision}, published {record['published']}",
        f"whitelist expires {record['whitelist_expires']}{expired}",
        f"{counts['regular']} files ({size(counts['file_size'])}), {counts['dir']} directories, "
        f"{counts['symlink']} symlinks, {counts['nested'] + 1} catalogs",
    ]
    _tell(record, lines, as_json)


@app.command()
def ls(
    repo: Address, path: Annotated[str, typer.Argument(metavar="[PATH]")] = "/",
    trust: Master = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """List a directory of a repository, verified, without a client.

    Example:

        fiducial repo ls http://server/cvmfs/software.example.org /base
    """
    import stat

    from fiducial.stack.cvmfs.path_hash import parse_path, show

    view = _view(repo, trust)
    inside = parse_path(path)
    entry = view.lookup(inside)
    listing = view.listing(inside) if entry.is_directory else {entry.name: entry}
    rows = [
        {"name": show(item.name), "kind": item.kind, "mode": stat.filemode(item.mode),
         "size": item.size, "modified": _time(item.mtime), "target": show(item.symlink)
         if item.is_symlink else None}
        for item in listing.values()
    ]  # fmt: skip
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        arrow = f" -> {row['target']}" if row["target"] else ""
        typer.echo(f"{row['mode']} {row['size']:>12} {row['modified']} {row['name']}{arrow}")


@app.command()
def cat(repo: Address, path: Inside, trust: Master = None) -> None:
    """Write a file's content to standard output, verified.

    Example:

        fiducial repo cat http://server/cvmfs/software.example.org /base/2026.1/manifest.json
    """
    import sys

    from fiducial.stack.cvmfs.path_hash import parse_path

    view = _view(repo, trust)
    inside = parse_path(path)
    for piece in view.pieces(inside, view.lookup(inside)):
        sys.stdout.buffer.write(piece)
    sys.stdout.flush()


@app.command()
def extract(
    repo: Address,
    path: Inside,
    target: Annotated[Path, typer.Argument(metavar="TO", help="A folder of your own.")],
    trust: Master = None,
    outside_links: Annotated[
        bool, typer.Option("--outside-links", help="Allow links that lead out of the tree.")
    ] = False,
    setuid: Annotated[bool, typer.Option("--setuid", help="Keep setuid bits.")] = False,
    workers: Annotated[int, typer.Option("--workers", min=1, max=64)] = 8,
    as_json: AsJson = False,
) -> None:
    """Write a directory of a repository to disk, verified, in parallel; again to go on.

    Example:

        fiducial repo extract http://server/cvmfs/software.example.org /base/2026.1 here
    """
    from fiducial.stack.cvmfs.extract import ExtractPolicy
    from fiducial.stack.cvmfs.extract import extract as carry_out
    from fiducial.stack.cvmfs.path_hash import parse_path
    from fiducial.stack.progress import make_progress

    view = _view(repo, trust)
    policy = ExtractPolicy(outside_links, setuid, workers=workers)
    with make_progress(as_json) as progress, progress.phase("extract files") as task:
        done = carry_out(view, parse_path(path), target, policy, task.advance)
    record = {"files": done.files, "bytes": done.bytes, "reused": done.reused}
    there = f", {done.reused} were there" if done.reused else ""
    _tell(record, [f"{target}: {done.files} files, {size(done.bytes)}{there}"], as_json)


@app.command()
def check(
    repo: Address,
    trust: Master = None,
    name: Annotated[str | None, typer.Option("--name", help="What it must be called.")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Do not read the contents of files.")
    ] = False,
    workers: Annotated[int, typer.Option("--workers", min=1, max=64)] = 8,
    as_json: AsJson = False,
) -> None:
    """Check everything that a repository holds; exit 1 naming what is wrong.

    Example:

        fiducial repo check /srv/cvmfs/software.example.org
    """
    from fiducial.stack.cvmfs.check import check_repository
    from fiducial.stack.cvmfs.faults import Gravity, RefusedRepository
    from fiducial.stack.cvmfs.http_source import open_source
    from fiducial.stack.progress import make_progress

    with make_progress(as_json) as progress:
        report = check_repository(
            open_source(repo), _masters(trust), _now(), name, not quick, workers, progress
        )
    record = {
        "sound": report.sound, "revision": report.revision, "catalogs": report.catalogs,
        "entries": report.entries, "objects": report.objects, "bytes": report.bytes,
        "faults": [fault.to_dict() for fault in report.faults],
    }  # fmt: skip
    advice = [f for f in report.faults if f.kind.gravity is Gravity.ADVICE]
    lines = [f"advice: {fault}" for fault in advice]
    if report.sound:
        lines.append(
            f"{repo}: sound (revision {report.revision}, {report.catalogs} catalogs, "
            f"{report.entries} entries, {report.objects} objects)"
        )
    _tell(record, lines, as_json)
    if not report.sound:
        raise RefusedRepository(repo, [f for f in report.faults if f not in advice])


@app.command()
def gc(
    repo: Where,
    keys: Keys = None,
    grace: Annotated[float, typer.Option("--grace", min=0, help="Keep what is younger [days].")] = 3,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Remove what neither the current revision, nor a tag, nor a recent reader needs.

    Example:

        fiducial repo gc /srv/cvmfs/software.example.org --dry-run
    """
    from fiducial.stack.cvmfs.gc import collect
    from fiducial.stack.progress import make_progress

    repository, files = _open(repo, keys)
    with make_progress(as_json) as progress, progress.phase("mark catalogs") as task:
        done = collect(
            repository, files.load_repository_key(), _now(), datetime.timedelta(days=grace),
            dry_run, task.advance,
        )  # fmt: skip
    verb = "would remove" if dry_run else "removed"
    line = f"{verb} {done.objects} objects ({size(done.bytes)}) of {done.revisions} revisions"
    _tell(vars(done), [line], as_json)


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

    repository, files = _open(repo, keys)
    whitelist = repository.resign(
        files.load_master_key(), _now(), datetime.timedelta(days=days),
        [load_certificate(path) for path in certificate or []],
    )  # fmt: skip
    record = {"expires": whitelist.expires.isoformat(), "certificates": list(whitelist.fingerprints)}
    line = f"whitelist of {whitelist.name} expires {whitelist.expires:%Y-%m-%d %H:00 UTC}"
    _tell(record, [line], as_json)
