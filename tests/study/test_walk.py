"""The walk over code that keys are made of, on packages of two modules."""

import gc

import pytest

from mspgt.study.closure import Package, _collector_off


@pytest.fixture
def made(tmp_path):
    """Closures of a package made up of a module of the study and a module of a room."""

    def closure(function, text):
        root = tmp_path / "mspgt"
        for name, content in (("study/one.py", text), ("theory/room.py", "def used():\n    return 1\n")):
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, "utf-8")
        return Package(root).closure(f"mspgt.study.one:{function}")

    return closure


def test_what_a_function_imports_is_reached_from_it_alone(made):
    text = (
        "def f():\n    from mspgt.theory.room import used\n    return used()\n"
        "def g():\n    used = 2\n    return used\n"
    )
    assert "mspgt.theory.room" in made("f", text).modules
    assert "mspgt.theory.room" not in made("g", text).modules


def test_a_library_is_found_by_the_name_that_it_has_here(made):
    text = "import numpy as np\nimport torch\ndef f():\n    return np.ones(1)\ndef g():\n    return torch.ones(1)\n"
    assert made("f", text).libraries == ("numpy",)
    assert made("g", text).libraries == ("torch",)


@pytest.mark.parametrize(("one", "other"), [("x[1:]", "x[:1]"), ("f(*x)", "f(x)"), ("x - 1", "1 - x")])
def test_the_same_parts_in_other_places_are_other_code(made, one, other):
    first, second = (made("f", f"def f(x):\n    return {text}\n") for text in (one, other))
    assert first.sha256 != second.sha256


def test_the_collector_is_as_it_was():
    assert gc.isenabled()
    with _collector_off():
        assert not gc.isenabled()
        with _collector_off():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
