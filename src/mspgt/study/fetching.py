"""What a study names and is not here: where each file comes from, and how it gets here, held by checksums."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from mspgt.errors import InputError, StoreError
from mspgt.lm.hub import reachable
from mspgt.study.config import StudyConfig
from mspgt.study.store import write_json, write_text
from mspgt.text.hub_files import content_sha256, entity_file, treebank_files, wikitext_file

MANIFEST = "fetched.json"
_TREEBANK = tuple(f"en_ewt-ud-{split}.conllu" for split in ("train", "dev", "test"))
_ROLES = tuple(f"propbank-{split}.jsonl" for split in ("train", "dev", "test"))


@dataclass(frozen=True)
class Source:
    """Files that a study may name, and the hub's data set that they are made from.

    megabytes: of the files. content: SHA-256 of what they say (text.hub_files.content_sha256), where one copy is the
    measure. instead: what to do where the hub has no such data set.
    """

    what: str
    files: tuple[str, ...]
    megabytes: float
    licence: str
    hub: str = ""
    read: Callable[[str], Mapping[str, str]] | None = None
    content: str = ""
    instead: str = ""


SOURCES = (
    Source(
        "corpus",
        ("wiki.valid.raw",),
        1.2,
        "CC BY-SA 3.0",
        # The validation texts of WikiText-2 and WikiText-103 are one; the smaller set is the shorter way to it.
        "Salesforce/wikitext:wikitext-2-raw-v1:validation",
        lambda hub: {"wiki.valid.raw": wikitext_file(hub)},
        content="9896815d4754abccfecfec7670d1306d0f7aa2565663c65a4d6827906d31f5b6",
    ),
    Source(
        "parts of speech and dependencies",
        _TREEBANK,
        17.8,
        "CC BY-SA 4.0",
        "universal-dependencies/universal_dependencies:en_ewt",
        lambda hub: {f"en_ewt-ud-{split}.conllu": text for split, text in treebank_files(hub).items()},
    ),
    Source(
        "entities",
        ("en_ewt-uner.iob2",),
        5.1,
        "CC BY-SA 4.0",
        "universalner/universal_ner:en_ewt",
        lambda hub: {"en_ewt-uner.iob2": entity_file(hub)},
    ),
    Source(
        "roles",
        _ROLES,
        13.9,
        "CC BY-SA 4.0",
        instead="no data set of the hub has them over these sentences: join propbank/propbank-release with the "
        "treebank (docs/howto/own-corpus-and-labels.md has the layout), or run without: --set treebank.roles=[]",
    ),
)


@dataclass(frozen=True)
class Needed:
    """A source, and those of its files that a study names but that are not here."""

    source: Source
    files: tuple[str, ...]

    @property
    def line(self) -> str:
        """What to fetch, in words."""
        size = (
            f"{self.source.megabytes:.0f} MB"
            if self.source.megabytes >= 10
            else f"{self.source.megabytes} MB"
        )
        where = f"from {self.source.hub} of the hub" if self.source.hub else self.source.instead
        return f"{self.source.what}: {', '.join(self.files)} ({size}, {self.source.licence}), {where}"


def named(config: StudyConfig) -> list[str]:
    """Corpus and label files that a study names, as it names them."""
    files = [] if config.corpus.format == "triscale" else [config.corpus.source]
    if config.treebank is not None:
        files += [*config.treebank.conllu, *config.treebank.entities, *config.treebank.roles]
    return files


def needed(config: StudyConfig) -> list[Needed]:
    """Files that a study names, that are not here, and whose source is known."""
    missing = {Path(name).name for name in named(config) if not Path(name).exists()}
    found = (Needed(one, tuple(name for name in one.files if name in missing)) for one in SOURCES)
    return [one for one in found if one.files]


def fetch(config: StudyConfig, folder: Path) -> Iterator[str]:
    """Write what a study names, and is not in the folder, into it; a line for each file.

    Every file is held against what the folder's `fetched.json` says of it, and the corpus against the copy that is
    known. A data set of the hub is read by the extra `hub`; nothing of its code is run.

    Raises:
        InputError: the study names no such files, or the hub cannot be reached; says what to fetch.
        MissingExtraError: the extra `hub` is not installed.
        StoreError: a file has changed since it was fetched, or what was fetched is another text.
    """
    wanted = {Path(name).name for name in named(config)}
    sources = [source for source in SOURCES if wanted & set(source.files)]
    if not sources:
        known = ", ".join(name for source in SOURCES for name in source.files)
        raise InputError(
            f"Expected a study that names files whose source is known ({known}), found "
            f"{', '.join(sorted(wanted)) or 'no file'}. Give your own files with --corpus and --treebank."
        )
    manifest = _manifest(folder)
    missing = []
    for source in sources:
        absent = tuple(name for name in source.files if not (folder / name).is_file())
        for name in source.files:
            if name not in absent:
                yield _kept(folder / name, manifest.get(name), source.content)
        if absent:
            missing.append(Needed(source, absent))
    by_hub = [one for one in missing if one.source.hub]
    if by_hub and not reachable():
        raise InputError(
            "The Hub cannot be reached from here. To fetch where there is a network (`mspgt fetch` there, then copy "
            "the folder here):\n  " + "\n  ".join(one.line for one in missing)
        )
    for one in by_hub:
        yield from _fetched(one, folder, manifest)
    for one in missing:
        if not one.source.hub:
            yield f"not fetched  {one.line}"


def _fetched(one: Needed, folder: Path, manifest: dict[str, Any]) -> Iterator[str]:
    assert one.source.read is not None
    for name, text in one.source.read(one.source.hub).items():
        content = content_sha256(text)
        if one.source.content and content != one.source.content:
            raise StoreError(
                f"{one.source.hub}: expected the text with content SHA-256 {one.source.content[:16]}…, found "
                f"{content[:16]}…: the data set has changed. Nothing was written; get {name} from its publisher."
            )
        if name not in one.files:
            continue
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / name, text)
        data = text.encode()
        manifest[name] = {"from": one.source.hub, "bytes": len(data), "sha256": sha256(data).hexdigest()}
        write_json(folder / MANIFEST, manifest)
        yield f"fetched      {folder / name}: {len(data):,} bytes, SHA-256 {manifest[name]['sha256'][:16]}…"


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: not readable ({error}). Remove it to fetch anew.") from error
    if not isinstance(found, dict):
        raise StoreError(f"{path}: expected a mapping of files, found {type(found).__name__}. Remove it.")
    return found


def _kept(path: Path, said: Mapping[str, Any] | None, content: str) -> str:
    if said is None:
        same = content and content_sha256(path.read_text("utf-8")) == content
        told = (
            "the known text" if same else "another text than the known one" if content else "taken as it is"
        )
        return f"here         {path}, not fetched by `mspgt fetch`: {told}"
    found = sha256(path.read_bytes()).hexdigest()
    if found != said.get("sha256"):
        raise StoreError(
            f"{path}: expected SHA-256 {str(said.get('sha256'))[:16]}…, as it was fetched, found {found[:16]}…: it "
            "has changed since. Remove it to fetch it again."
        )
    return f"here         {path}, as it was fetched"


def require_here(config: StudyConfig) -> None:
    """Raises InputError where a study names files that are not here but whose source is known; says which."""
    missing = needed(config)
    if missing:
        raise InputError(
            "The study names files that are not here:\n  "
            + "\n  ".join(one.line for one in missing)
            + "\nGet them with `mspgt fetch STUDY` into the folder that you run it in, or name your own (--corpus, "
            "--treebank)."
        )
