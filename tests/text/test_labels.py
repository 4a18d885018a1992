import json

import pytest

from mspgt.errors import InputError
from mspgt.text.labels import Proposition, read_entities, read_roles

IOB2 = """# newdoc id = d
# sent_id = d-1
# text = Ann Lee flew to Rome.
1\tAnn\tB-PER\t-\tx
2\tLee\tI-PER\t-\tx
3\tflew\tO\t-\t-
4\tto\tO\t-\t-
5\tRome\tB-LOC\t-\tx
6\t.\tO\t-\t-

# sent_id = d-2
# text = Rome
1\tRome\tB-LOC

"""
ROLES = {
    "sent_id": "d-1",
    "words": ["Ann", "Lee", "flew", "off"],
    "pos_agree": 0.9,
    "props": [{"pred": 2, "roleset": "fly.01", "spans": [["ARG0", 0, 2], ["V", 2, 3], ["C-V", 3, 4]]}],
}


def read(reader, tmp_path, text):
    file = tmp_path / "labels"
    file.write_text(text, encoding="utf-8")
    found = reader(file)
    return found[0] if reader is read_entities else list(found)


def test_entities(tmp_path):
    first, second = read(read_entities, tmp_path, IOB2)
    assert first.sent_id == "d-1"
    assert first.words == ("Ann", "Lee", "flew", "to", "Rome", ".")
    assert first.labels == ("B-PER", "I-PER", "O", "O", "B-LOC", "O")
    assert first.where.endswith("labels:1")
    assert (second.labels, second.where[-3:]) == (("B-LOC",), ":11")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Lee\tI-PER", "Lee\tI-LOC", r":5: expected a BIO tag .*'I-LOC' after B-PER"),
        ("Ann\tB-PER", "Ann\tI-PER", r":4: .*'I-PER' after the start of the sentence"),
        ("Rome\tB-LOC\t-\tx", "Rome\tI-LOC\t-\tx", r":8: .*'I-LOC' after O"),
        ("flew\tO", "flew\tPER", r":6: .*'PER'"),
        ("flew\tO\t-\t-", "flew", r":6: expected tab-separated columns"),
        ("# sent_id = d-2\n", "", r":11: expected a line `# sent_id"),
    ],
)
def test_bad_entities_name_the_line(tmp_path, old, new, message):
    assert old in IOB2
    with pytest.raises(InputError, match="labels" + message):
        read(read_entities, tmp_path, IOB2.replace(old, new, 1))


def test_entities_cut_off(tmp_path):
    with pytest.raises(InputError, match=r"labels:5: .*cut off"):
        read(read_entities, tmp_path, "\n".join(IOB2.split("\n")[:5]))
    assert len(read(read_entities, tmp_path, IOB2.rstrip("\n"))) == 2, "only the last blank line is missing"


SCHEMES = {
    "IOB1": "I-PER I-PER O I-LOC B-LOC I-ORG",
    "BIOES": "B-PER E-PER O S-LOC S-LOC S-ORG",
    "BILOU": "B-PER L-PER O U-LOC U-LOC U-ORG",
    "IOB2": "B-PER I-PER O B-LOC B-LOC B-ORG",
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_other_schemes_are_read_as_iob2(tmp_path, scheme):
    tags = SCHEMES[scheme].split()
    rows = "\n".join(f"{i}\tw{i}\t{tag}" for i, tag in enumerate(tags, 1))
    (tmp_path / "tags").write_text(f"1\t-DOCSTART-\tO\n\n# sent_id = a\n{rows}\n\n", encoding="utf-8")
    (sentence,), found = read_entities(tmp_path / "tags")
    assert found == scheme
    assert sentence.labels == tuple(SCHEMES["IOB2"].split())


@pytest.mark.parametrize(
    "tags",
    [
        "O E-PER S-LOC",
        "B-PER E-PER I-PER",
        "S-LOC I-LOC",
        "B-PER E-LOC",
        "B-PER L-PER L-PER",
        "I-PER O X-LOC B-LOC",
    ],
)
def test_tags_that_no_scheme_allows_are_refused(tmp_path, tags):
    rows = "\n".join(f"{i}\tw{i}\t{tag}" for i, tag in enumerate(tags.split(), 1))
    (tmp_path / "tags").write_text(f"# sent_id = a\n{rows}\n\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"tags:\d: expected a BIO tag"):
        read_entities(tmp_path / "tags")


def test_roles(tmp_path):
    (sentence,) = read(read_roles, tmp_path, json.dumps(ROLES) + "\n\n")
    assert sentence.words == ("Ann", "Lee", "flew", "off")
    assert sentence.labels == (Proposition(2, (("ARG0", 0, 2),)),)
    assert sentence.agreement == 0.9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"props": [{"pred": 4, "spans": []}]}, "predicate 4"),
        ({"props": [{"pred": -1, "spans": []}]}, "predicate -1"),
        ({"props": [{"pred": 0, "spans": [["ARG1", 2, 5]]}]}, r"'ARG1', 2, 5"),
        ({"props": [{"pred": 0, "spans": [["ARG1", 2, 2]]}]}, r"'ARG1', 2, 2"),
        ({"props": [{"pred": 0, "spans": [["ARG1", 2]]}]}, "expected a JSON object"),
        ({"props": [{"spans": []}]}, r"KeyError\('pred'\)"),
        ({"words": None}, "expected a JSON object"),
        ({"props": [{"pred": 1.7, "spans": []}]}, r"whole word indices, found pred 1\.7"),
        ({"props": [{"pred": True, "spans": []}]}, "whole word indices, found pred True"),
        ({"props": [{"pred": 0, "spans": [["ARG1", 1, 2.0]]}]}, "whole word indices"),
        ({"props": [{"pred": 0, "spans": [["B-V", 0, 1]]}]}, "name of a role .*'B-V'"),
        ({"pos_agree": float("nan")}, "pos_agree to be a number in .0, 1., found nan"),
        ({"pos_agree": "0.9"}, "pos_agree to be a number"),
    ],
)
def test_bad_roles_name_the_line(tmp_path, change, message):
    with pytest.raises(InputError, match=f"labels:2: .*{message}"):
        read(read_roles, tmp_path, json.dumps(ROLES) + "\n" + json.dumps(ROLES | change))


def test_roles_cut_off(tmp_path):
    with pytest.raises(InputError, match=r"labels:1: .*cut off"):
        read(read_roles, tmp_path, json.dumps(ROLES)[:-20])
