"""Treebanks: sentences with parts of speech, dependencies, entities and semantic roles, joined by sent_id."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

from mspgt.errors import InputError
from mspgt.text.hub import is_hub_id
from mspgt.text.hub_treebank import HUB_SPLITS, hub_entities, hub_sentences
from mspgt.text.labels import Proposition, SentenceLabels, read_entities, read_roles
from mspgt.text.limits import in_stretches
from mspgt.text.splits import fill_splits
from mspgt.text.trees import LabelledSentence, read_conllu

__all__ = ["LabelledSentence", "Proposition", "Treebank", "load_treebank"]

UNNAMED = "unnamed"
_UD_NAME = re.compile(r"([a-z]{2,3})_\w+-ud-")
_SPLIT = re.compile(r"(?<![a-z])(train|dev|test)(?![a-z])", re.IGNORECASE)
FIELD_OF_TASK = {"pos": "upos", "dep": "heads", "ner": "entities", "srl": "propositions"}


@dataclass(frozen=True)
class Treebank:
    """Sentences by split, as used: after the joins and the limits; a split without a file is empty.

    `tasks` have labels in every split that has sentences, `off` says of the others why not. `dropped` counts,
    over the whole files, what a label source lost, by "task: reason". `sha256` is over the sentences, labels
    included, so anything computed from the treebank may be keyed by it. `found` counts the sentences of each
    split before the limits. `whole` has the sentences of each file's split in the order of the text, before limits
    and before missing splits are made: what these leave is no running text.
    """

    name: str
    train: tuple[LabelledSentence, ...]
    dev: tuple[LabelledSentence, ...]
    test: tuple[LabelledSentence, ...]
    sha256: str
    tasks: tuple[str, ...]
    dropped: dict[str, int]
    off: dict[str, str]
    found: dict[str, int] = field(default_factory=dict)
    labels: str = "gold"  # gold | silver: given by people, or made by a tagger
    notes: tuple[str, ...] = ()  # what was made of the files that a reader must know
    language: str | None = None  # by the name of a Universal Dependencies file (de_gsd-ud-test: de)
    whole: Mapping[str, tuple[LabelledSentence, ...]] = field(default_factory=dict, repr=False)


def load_treebank(
    conllu: Sequence[Path | str],
    *,
    entities: Sequence[Path | str] = (),
    roles: Sequence[Path | str] = (),
    max_train: int | None = None,
    max_eval: int | None = None,
    min_agreement: float = 0.0,
) -> Treebank:
    r"""Treebank from CoNLL-U files, entities (IOB2) and roles (PropBank-style JSONL), joined.

    A CoNLL-U file belongs to the split (train, dev, test) in its name; a file without any, and a treebank that lacks
    a split, are split by documents (`notes` says how). Entities and roles are joined by sent_id, or, where no id is
    the treebank's, in order if all words are equal. They are taken only where their words equal the treebank's; where
    they differ, or where roles agree with its parts of speech (`pos_agree`) less than `min_agreement` (a fraction),
    the sentence loses that task alone, and `dropped` counts it. `max_train` and `max_eval` (dev and test, each) take
    sentences that follow each other in their documents, of evenly spread documents.

    In place of files, `conllu` may be one hub id (`universal-dependencies/universal_dependencies:en_ewt`), and
    `entities` another (`universalner/universal_ner:en_ewt`); both need the extra `hub` and a network.

    Raises InputError for a file with two splits in its name, a repeated sent_id, labels whose ids are not the
    treebank's, and malformed files.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> words = "1\tBirds\tbird\tNOUN\t_\t_\t2\tnsubj\t_\t_\n2\tsing\tsing\tVERB\t_\t_\t0\troot\t_\t_\n\n"
        >>> with TemporaryDirectory() as folder:
        ...     files = [Path(folder) / f"en-ud-{split}.conllu" for split in ("train", "dev", "test")]
        ...     for number, file in enumerate(files):
        ...         _ = file.write_text(f"# sent_id = {number}\n{words}")
        ...     treebank = load_treebank(files)
        >>> treebank.train[0].words, sorted(treebank.tasks)
        (('Birds', 'sing'), ['dep', 'pos'])
    """
    dropped: Counter[str] = Counter()
    given, words = _read(conllu, dropped)
    splits, said = fill_splits(given)
    notes = [said] if said else []
    found_tags = [each for source in entities for each in _entities(source, notes)]
    found_frames = list(chain.from_iterable(read_roles(Path(path)) for path in roles))
    tags = _join(words, found_tags, "ner", 0.0, dropped, notes)
    frames = _join(words, found_frames, "srl", min_agreement, dropped, notes)
    limits = {"train": max_train, "dev": max_eval, "test": max_eval}

    def joined(sentence: LabelledSentence) -> LabelledSentence:
        return replace(
            sentence, entities=tags.get(sentence.sent_id), propositions=frames.get(sentence.sent_id)
        )

    used = {
        split: tuple(map(joined, limited(sentences, limits[split]))) for split, sentences in splits.items()
    }
    off = _tasks_off(used, {"ner": bool(entities), "srl": bool(roles)})
    content = json.dumps([list(map(vars, sentences)) for sentences in used.values()], default=vars)
    return Treebank(
        name=_name(conllu[0]),
        train=used["train"],
        dev=used["dev"],
        test=used["test"],
        sha256=hashlib.sha256(content.encode()).hexdigest(),
        tasks=tuple(task for task in FIELD_OF_TASK if task not in off),
        dropped=dict(dropped),
        off=off,
        found={split: len(sentences) for split, sentences in splits.items()},
        notes=tuple(notes),
        language=_language(conllu[0]),
        whole={split: tuple(map(joined, sentences)) for split, sentences in given.items()},
    )


def _read(
    conllu: Sequence[Path | str], dropped: Counter[str]
) -> tuple[dict[str, list[LabelledSentence]], dict[str, tuple[str, ...]]]:
    """Sentences by split, and the words of each by sent_id."""
    if not conllu:
        raise InputError(
            "expected at least one CoNLL-U file, found none; name the treebank's train, dev and test"
        )
    splits: dict[str, list[LabelledSentence]] = {"train": [], "dev": [], "test": []}
    named = {_split_of(Path(source)) for source in conllu if not _of_hub(source)}
    if UNNAMED in named and len(named) > 1:
        raise InputError(
            f"expected one of the words train, dev, test in the name of every file or of none, found "
            f"{', '.join(Path(source).name for source in conllu)}; rename the files to say which split each is"
        )
    words: dict[str, tuple[str, ...]] = {}
    places: dict[str, str] = {}
    for source in conllu:
        for split, where, sentence in _sentences(source, len(conllu), dropped):
            _note_place(places, sentence.sent_id, where)
            words[sentence.sent_id] = sentence.words
            splits[split].append(sentence)
    return splits, words


def _name(source: Path | str) -> str:
    return str(source) if _of_hub(source) else _SPLIT.sub("", Path(source).stem).strip("-_. ") or "treebank"


def limited(sentences: Sequence[LabelledSentence], limit: int | None) -> list[LabelledSentence]:
    """At most `limit` sentences, in stretches of running text of evenly spread documents."""
    return [sentences[place] for place in in_stretches([one.document for one in sentences], limit)]


def _language(source: Path | str) -> str | None:
    found = _UD_NAME.match(Path(source).name)
    return found[1] if found else None


def _entities(source: Path | str, notes: list[str]) -> list[SentenceLabels]:
    if _of_hub(source):
        return list(hub_entities(str(source)))
    found, scheme = read_entities(Path(source))
    if scheme != "IOB2":
        notes.append(f"entities of {Path(source).name} are written in {scheme} and were read as IOB2")
    return found


def _of_hub(source: Path | str) -> bool:
    return not Path(source).exists() and is_hub_id(str(source))


def _sentences(
    source: Path | str, sources: int, dropped: Counter[str]
) -> Iterator[tuple[str, str, LabelledSentence]]:
    """(split, where, sentence) of a CoNLL-U file or of a data set of the hub."""
    if not _of_hub(source):
        path = Path(source)
        split = "test" if _split_of(path) == UNNAMED else _split_of(path)
        yield from ((split, where, sentence) for where, sentence in read_conllu(path, dropped))
        return
    if sources > 1:
        raise InputError(
            f"expected a hub id alone, found {source} among {sources} treebanks: a data set of the hub has all splits"
        )
    for split in HUB_SPLITS:
        yield from ((split, *found) for found in hub_sentences(str(source), split, dropped))


def _split_of(path: Path) -> str:
    """The split in a file's name; UNNAMED where it has none."""
    named = {split.lower() for split in _SPLIT.findall(path.stem)}
    if len(named) > 1:
        raise InputError(
            f"expected one of the words train, dev, test in the file name {path.name}, found "
            f"{' and '.join(sorted(named))}; rename the file to say which split it is"
        )
    return named.pop() if named else UNNAMED


def _note_place(places: dict[str, str], sent_id: str, where: str) -> None:
    if sent_id in places:
        raise InputError(
            f"{where}: expected every sent_id once, found {sent_id!r} again (first at {places[sent_id]}); "
            "files are joined by it, so remove one of the two or rename it"
        )
    places[sent_id] = where


def _join(
    words: Mapping[str, tuple[str, ...]],
    found: Sequence[SentenceLabels],
    task: str,
    min_agreement: float,
    dropped: Counter[str],
    notes: list[str],
) -> dict[str, tuple[Any, ...]]:
    """Labels by sent_id, of those whose words are the treebank's; the others are counted."""
    places: dict[str, str] = {}
    accepted = {}
    if found and not any(each.sent_id in words for each in found):
        found = _in_order(words, found, task)
        notes.append(f"{task}: no sent_id is the treebank's; joined in order, all words being equal")
    for each in found:
        _note_place(places, each.sent_id, each.where)
        if each.sent_id not in words:
            dropped[f"{task}: labelled sentence not in the treebank"] += 1
        elif each.words != words[each.sent_id]:
            dropped[f"{task}: words differ"] += 1
        elif min_agreement > 0 and (each.agreement is None or each.agreement < min_agreement):
            dropped[f"{task}: agreement unknown or below {min_agreement:g}"] += 1
        else:
            accepted[each.sent_id] = each.labels
    missing = len(words.keys() - places.keys())
    if places and missing:
        dropped[f"{task}: sentence without labels in the file"] = missing
    return accepted


def _in_order(
    words: Mapping[str, tuple[str, ...]], found: Sequence[SentenceLabels], task: str
) -> list[SentenceLabels]:
    """The same labels under the treebank's ids, where its sentences are the same in the same order."""
    if [each.words for each in found] != list(words.values()):
        raise InputError(
            f"{found[0].where}: expected {task} labels of the treebank's sentences, found that no sent_id is shared: "
            f"there {found[0].sent_id!r}, in the treebank {next(iter(words))!r}. Name the files that belong "
            "together, or give both the same ids"
        )
    return [replace(each, sent_id=sent_id) for each, sent_id in zip(found, words, strict=True)]


def _tasks_off(used: Mapping[str, Sequence[LabelledSentence]], given: Mapping[str, bool]) -> dict[str, str]:
    off = {}
    for task, part in FIELD_OF_TASK.items():
        bare = [
            split
            for split, sentences in used.items()
            if sentences and all(getattr(sentence, part) is None for sentence in sentences)
        ]
        if not given.get(task, True):
            off[task] = "no file with such labels was given"
        elif bare:
            off[task] = f"no sentence of {', '.join(bare)} has such labels"
    return off
