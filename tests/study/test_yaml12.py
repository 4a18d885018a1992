"""Study files: one reading of a value, and every refusal with its line."""

import random

import pytest

from mspgt.errors import InputError, MspgtError
from mspgt.study.loading import load_config
from mspgt.study.yaml12 import read_yaml

STUDY = """\
name: mine
models:
  - {id: some/model, scales: [4, 9]}
corpus: {source: text.txt, max_documents: 20}
seed: 10
twins: {seeds: 0}
measure:
  sink_ratio: 10.0
  heads: mean
boundaries: {weights: [1.0, 0.8, 0.6], draws: 500}
run:
  on: ray
  workers: 2
"""


def load(tmp_path, text):
    file = tmp_path / "study.yaml"
    file.write_text(text)
    return load_config(file)


def test_words_are_words(tmp_path):
    assert load(tmp_path, STUDY).run.on == "ray"
    read = read_yaml("{a: no, b: on, c: Yes, d: off, e: true, f: 12:30:00, g: 2001-01-01, h: null}", "x")
    assert read == {
        **{"a": "no", "b": "on", "c": "Yes", "d": "off", "e": True, "f": "12:30:00"},
        **{"g": "2001-01-01", "h": None},
    }


def test_numbers_are_decimal():
    read = read_yaml("[1e-3, 0, -4, 1.5, .5, 1., 2E3, '010']", "x")
    assert read == [1e-3, 0, -4, 1.5, 0.5, 1.0, 2000.0, "010"]
    assert [type(one) for one in read[:4]] == [float, int, int, float]


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("seed: 10", "seed: 010", 5, "more than one reading"),
        ("seed: 10", "seed: 0x1F", 5, "more than one reading"),
        ("seed: 10", "seed: 1_000", 5, "more than one reading"),
        ("seed: 10", "seed: true", 5, "expected a number, found true"),
        ("seed: 10", "seed: 12:30:00", 5, "expected a number, found the text"),
        ("seed: 10", "seed: '7'", 5, "expected a number, found the text"),
        ("sink_ratio: 10.0", "sink_ratio: .inf", 8, "more than one reading"),
        ("sink_ratio: 10.0", "sink_ratio: 1e999", 8, "beyond the largest number"),
        ("twins: {seeds: 0}", "seed: 3", 6, "twice"),
        ("  heads: mean", "  heads: mean\n  sink_ratio: 4.0", 10, "twice"),
        ("name: mine", "name: !!python/name:os.system x", 1, "tags"),
        ("name: mine", "? [a, b]\n: c", 1, "as key"),
        ("[1.0, 0.8, 0.6]", "[1.0, true, 0.6]", 10, "expected a number"),
        ("heads: mean", "heads: @x", 9, "not valid YAML"),
    ],
)
def test_what_could_be_misread_is_refused_with_its_line(tmp_path, old, new, line, what):
    with pytest.raises(InputError, match=what) as error:
        load(tmp_path, STUDY.replace(old, new))
    assert f"study.yaml:{line}:" in str(error.value)


def test_an_alias_bomb_is_refused_at_once(tmp_path):
    levels = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30))
    with pytest.raises(InputError, match="aliases"):
        load(tmp_path, f"a0: &a0 [x]\n{levels}\n")
    with pytest.raises(InputError, match="aliases"):
        load(tmp_path, "a: &a [*a]\n")


def test_a_few_aliases_work():
    assert read_yaml("a: &x {b: 1}\nc: *x", "x") == {"a": {"b": 1}, "c": {"b": 1}}


def test_deep_brackets_are_refused(tmp_path):
    with pytest.raises(InputError):
        load(tmp_path, "a: " + "[" * 5000)


def test_settings_of_the_command_line_are_read_alike(tmp_path):
    (tmp_path / "study.yaml").write_text(STUDY)
    assert load_config(tmp_path / "study.yaml", ("run.on=here",)).run.on == "here"
    with pytest.raises(InputError, match="more than one reading"):
        load_config(tmp_path / "study.yaml", ("seed=010",))


PIECES = [
    *(
        "[",
        "]",
        "{",
        "}",
        ":",
        "- ",
        "&a ",
        "*a",
        "!!int ",
        "!",
        "%",
        "\t",
        "\0",
        "'",
        '"',
        "010",
        ".nan",
        "{}",
    ),
    *(
        "#",
        "**",
        "../",
        "1e9",
        "true",
        "~",
        "<<: *a",
        "\n",
        "  ",
        "é",
        "\U0001f600",
        "? ",
        "|",
        ">",
        "@",
        "`",
    ),
    "9" * 5000,
]


def mutated(draw):
    text = list(STUDY)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(text) + 1)
        what = draw.randrange(3)
        if what == 0:
            text[at:at] = draw.choice(PIECES)
        elif what == 1:
            del text[at : at + draw.randint(1, 8)]
        else:
            text[at : at + 1] = draw.choice(PIECES)
    return "".join(text)


def test_random_mutations_raise_typed_errors_only(tmp_path):
    """1,500 of them; those that are still studies are fine too."""
    draw = random.Random(0)
    refused = 0
    for _ in range(1500):
        try:
            load(tmp_path, mutated(draw))
        except MspgtError:
            refused += 1
    assert 500 < refused < 1500
