import json

import pytest

from mspgt.errors import InputError
from mspgt.text.treebank import Proposition, load_treebank


def sentence(name, words, document="doc"):
    rows = [
        "\t".join(
            [str(i), word, "_", "NOUN", "_", "_", str(i - 1), "root" if i == 1 else "nmod:of", "_", "_"]
        )
        for i, word in enumerate(words, start=1)
    ]
    return "\n".join([f"# newdoc id = {document}", f"# sent_id = {name}", *rows]) + "\n\n"


def entities(name, words, tag="O"):
    return "\n".join([f"# sent_id = {name}", *(f"{i}\t{w}\t{tag}" for i, w in enumerate(words, 1))]) + "\n\n"


def roles(name, words, agreement=1.0):
    props = [{"pred": 0, "spans": [["V", 0, 1], ["ARG1", 1, 2]]}]
    return json.dumps({"sent_id": name, "words": words, "props": props, "pos_agree": agreement}) + "\n"


@pytest.fixture
def files(tmp_path):
    """Writes three sentences a split, named by it, and their labels."""

    def write(name, content):
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        return path

    names = {split: [f"{split}-{i}" for i in range(3)] for split in ("train", "dev", "test")}
    every = [name for group in names.values() for name in group]
    return {
        "conllu": [
            write(f"tiny_{split}.conllu", "".join(sentence(name, ["see", name]) for name in group))
            for split, group in names.items()
        ],
        "entities": [write("e.iob2", "".join(entities(name, ["see", name]) for name in every))],
        "roles": [write("r.jsonl", "".join(roles(name, ["see", name]) for name in every))],
        "write": write,
    }


def test_joins_every_label(files):
    treebank = load_treebank(files["conllu"], entities=files["entities"], roles=files["roles"])
    assert treebank.name == "tiny"
    assert treebank.tasks == ("pos", "dep", "ner", "srl")
    assert (treebank.dropped, treebank.off) == ({}, {})
    assert [len(split) for split in (treebank.train, treebank.dev, treebank.test)] == [3, 3, 3]
    first = treebank.dev[0]
    assert (first.sent_id, first.document, first.words, first.spans) == (
        "dev-0",
        "doc",
        ("see", "dev-0"),
        ((0, 3), (4, 9)),
    )
    assert (first.upos, first.heads, first.deprels) == (("NOUN", "NOUN"), (-1, 0), ("root", "nmod"))
    assert first.entities == ("O", "O")
    assert first.propositions == (Proposition(0, (("ARG1", 1, 2),)),)


def test_a_sentence_loses_only_the_task_that_does_not_fit(files):
    differing = files["write"](
        "e2.iob2",
        entities("train-0", ["saw", "train-0"])
        + entities("train-1", ["see", "train-1"])
        + entities("x", ["see"]),
    )
    weak = files["write"](
        "r2.jsonl",
        roles("train-0", ["see", "train-0"], 0.9)
        + roles("train-1", ["see", "train-1"], 0.7)
        + roles("x", ["a", "b"]),
    )
    treebank = load_treebank(files["conllu"], entities=[differing], roles=[weak], min_agreement=0.8)
    assert [each.entities is None for each in treebank.train] == [True, False, True]
    assert [each.propositions is None for each in treebank.train] == [False, True, True]
    assert all(each.upos for each in treebank.train)
    assert treebank.dropped == {
        "ner: words differ": 1,
        "ner: labelled sentence not in the treebank": 1,
        "ner: sentence without labels in the file": 7,
        "srl: agreement unknown or below 0.8": 1,
        "srl: labelled sentence not in the treebank": 1,
        "srl: sentence without labels in the file": 7,
    }
    assert treebank.tasks == ("pos", "dep")
    assert treebank.off == {
        "ner": "no sentence of dev, test has such labels",
        "srl": "no sentence of dev, test has such labels",
    }


def test_tasks_without_files_are_off(files):
    treebank = load_treebank(files["conllu"])
    assert treebank.tasks == ("pos", "dep")
    assert treebank.off == dict.fromkeys(("ner", "srl"), "no file with such labels was given")
    untagged = files["write"]("other-test.conllu", "1\ta\t_\t_\t_\t_\t_\t_\t_\t_\n\n")
    bare = load_treebank([untagged])
    assert (bare.tasks, set(bare.off), len(bare.test), bare.train) == (
        (),
        {"pos", "dep", "ner", "srl"},
        1,
        (),
    )


def test_limits_and_the_hash_of_what_is_used(files, tmp_path):
    whole = load_treebank(files["conllu"], entities=files["entities"])
    few = load_treebank(files["conllu"], entities=files["entities"], max_train=1, max_eval=2)
    assert [[each.sent_id for each in split] for split in (few.train, few.dev, few.test)] == [
        ["train-0"],
        ["dev-0", "dev-1"],
        ["test-0", "test-1"],
    ], "the sentences that are read follow each other in their document"
    relabelled = files["write"]("f.iob2", files["entities"][0].read_text().replace("see\tO", "see\tB-PER", 1))
    hashes = [
        whole.sha256,
        few.sha256,
        load_treebank(files["conllu"]).sha256,
        load_treebank(files["conllu"], entities=[relabelled]).sha256,
    ]
    assert len(set(hashes)) == 4
    unnamed = sentence("a", ["b"]).split("\n", 2)[2]
    (tmp_path / "folder").mkdir()
    places = [files["write"](name, unnamed) for name in ("x-test.conllu", "folder/x-test.conllu")]
    assert len({load_treebank([place]).sha256 for place in places}) == 1
    moved = [files["write"](f"moved-{path.name}", path.read_text()) for path in reversed(files["conllu"])]
    assert load_treebank(moved, entities=files["entities"]).sha256 == whole.sha256


def test_the_split_is_read_off_the_name(files):
    with pytest.raises(InputError, match=r"train, dev, test in the file name train-test\.conllu"):
        load_treebank([files["write"]("train-test.conllu", sentence("a", ["b"]))])
    unnamed = files["write"]("latest.conllu", sentence("a", ["b"]))
    with pytest.raises(InputError, match=r"every file or of none, found .*latest\.conllu"):
        load_treebank([*files["conllu"], unnamed])


def many(documents):
    """Ten sentences a document."""
    return "".join(
        sentence(f"d{d}-{i}", ["see", f"d{d}-{i}"], f"d{d}") for d in range(documents) for i in range(10)
    )


@pytest.mark.parametrize("name", ["whole.conllu", "de_gsd-ud-test.conllu"])
def test_one_file_is_split_by_documents(files, name):
    place = files["write"](name, many(20))
    treebank = load_treebank([place])
    splits = [treebank.train, treebank.dev, treebank.test]
    assert [len(split) for split in splits] == [140, 30, 30]
    held = [{each.document for each in split} for split in splits]
    assert len(set.union(*held)) == sum(map(len, held)), "no document on two sides"
    assert "split into train, dev and test by documents" in treebank.notes[0]
    assert treebank.language == ("de" if name.startswith("de") else None)
    again = load_treebank([files["write"](f"sub-{name}", many(20))])
    assert [[each.sent_id for each in split] for split in (again.train, again.dev, again.test)] == [
        [each.sent_id for each in split] for split in splits
    ]


def test_a_missing_dev_is_taken_out_of_train_and_test_stays(files):
    train, test = files["write"]("a-train.conllu", many(10)), files["conllu"][2]
    treebank = load_treebank([train, test])
    assert [each.sent_id for each in treebank.test] == ["test-0", "test-1", "test-2"]
    assert len(treebank.dev) == 20
    assert not {each.document for each in treebank.dev} & {each.document for each in treebank.train}
    assert "no dev: taken out of train" in treebank.notes[0]


def test_one_document_is_split_by_sentences_and_said(files):
    treebank = load_treebank([files["write"]("one.conllu", many(1) + "")])
    assert [len(split) for split in (treebank.train, treebank.dev, treebank.test)] == [6, 2, 2]
    assert "for want of documents" in treebank.notes[0]


def test_labels_of_other_ids_join_in_order_where_words_are_equal(files):
    every = [f"{split}-{i}" for split in ("train", "dev", "test") for i in range(3)]
    renamed = "".join(entities(f"s{i}", ["see", name], "B-PER") for i, name in enumerate(every))
    treebank = load_treebank(files["conllu"], entities=[files["write"]("o.iob2", renamed)])
    assert treebank.test[2].entities == ("B-PER", "B-PER")
    assert treebank.dropped == {}
    assert "joined in order" in treebank.notes[0]
    moved = "".join(entities(f"s{i}", ["see", name]) for i, name in enumerate(reversed(every)))
    with pytest.raises(InputError, match=r"no sent_id is shared: there 's0', in the treebank 'train-0'"):
        load_treebank(files["conllu"], entities=[files["write"]("m.iob2", moved)])


def test_a_sentence_that_does_not_spell_its_text_is_dropped_and_counted(files):
    text = sentence("dev-9", ["see", "this"]).replace("# sent_id", "# text = saw this\n# sent_id")
    place = files["write"]("more-dev.conllu", text + sentence("dev-8", ["see", "that"]))
    treebank = load_treebank([*files["conllu"], place])
    assert [each.sent_id for each in treebank.dev] == ["dev-0", "dev-1", "dev-2", "dev-8"]
    assert treebank.dropped == {"treebank: words do not spell the sentence": 1}


def test_german_from_one_file(data):
    treebank = load_treebank([data / "multilingual" / "de_gsd-ud-test.conllu"])
    assert sum(map(len, (treebank.train, treebank.dev, treebank.test))) == 977
    assert (treebank.language, treebank.tasks) == ("de", ("pos", "dep"))
    fused = next(each for each in treebank.train if "zum" in each.text.split())
    place = fused.words.index("zu") if "zu" in fused.words else -1
    assert fused.text[slice(*fused.spans[place])] == "zum", "both words of a fused one have all of it"


def test_a_repeated_sentence_names_both_places(files):
    again = files["write"]("again-test.conllu", "\n" + sentence("dev-0", ["see"]))
    with pytest.raises(
        InputError, match=r"again-test\.conllu:2: .*'dev-0' again \(first at .*tiny_dev\.conllu:1\)"
    ):
        load_treebank([*files["conllu"], again])
    with pytest.raises(InputError, match=r"e\.iob2:1: .*'train-0' again"):
        load_treebank(files["conllu"], entities=files["entities"] * 2)
    with pytest.raises(InputError, match=r"r\.jsonl:1: .*'train-0' again"):
        load_treebank(files["conllu"], roles=files["roles"] * 2)


def test_no_file_and_missing_file(files, tmp_path):
    with pytest.raises(InputError, match="at least one CoNLL-U file"):
        load_treebank([])
    with pytest.raises(InputError, match="found nothing at"):
        load_treebank([tmp_path / "none-dev.conllu"])


def test_the_real_treebank(data):
    folder = data / "ewt"
    treebank = load_treebank(
        sorted(folder.glob("*.conllu")),
        entities=sorted(folder.glob("*.iob2")),
        roles=sorted(folder.glob("*.jsonl")),
        min_agreement=0.8,
    )
    splits = (treebank.train, treebank.dev, treebank.test)
    every = [each for split in splits for each in split]
    assert treebank.name == "en_ewt-ud"
    assert [len(split) for split in splits] == [12_544, 2_001, 2_077]
    assert treebank.tasks == ("pos", "dep", "ner", "srl")
    assert treebank.dropped == {
        "ner: words differ": 20,
        "ner: sentence without labels in the file": 1,
        "srl: agreement unknown or below 0.8": 39,
        "srl: sentence without labels in the file": 16_622 - 16_538,
    }
    assert len({tag for each in every for tag in each.upos}) == 17
    assert len({relation for each in every for relation in each.deprels}) == 36
    assert all(each.heads.count(-1) == 1 for each in every)
    for each in every:
        assert tuple(each.text[start:end] for start, end in each.spans) == each.words
    assert {tag for each in every for tag in each.entities or ()} == {
        "O",
        *(f"{position}-{kind}" for position in "BI" for kind in ("PER", "LOC", "ORG")),
    }
    records = map(json.loads, (folder / "propbank-dev.jsonl").read_text(encoding="utf-8").splitlines())
    given = sum(len(record["props"]) for record in records if record["pos_agree"] >= 0.8)
    assert sum(len(each.propositions or ()) for each in treebank.dev) == given
