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
    return list(reader(file))


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
    ],
)
def test_bad_roles_name_the_line(tmp_path, change, message):
    with pytest.raises(InputError, match=f"labels:2: .*{message}"):
        read(read_roles, tmp_path, json.dumps(ROLES) + "\n" + json.dumps(ROLES | change))


def test_roles_cut_off(tmp_path):
    with pytest.raises(InputError, match=r"labels:1: .*cut off"):
        read(read_roles, tmp_path, json.dumps(ROLES)[:-20])
