"""Arrays of a wrong shape are refused at the public door, by an error of ours that names their axes."""

import inspect

import numpy as np
import pytest

import mspgt
from mspgt.errors import InputError
from mspgt.synthetic.corpora import sample_corpus
from mspgt.synthetic.triscale import TriScale
from mspgt.zoo.bundled import path

THREE = np.ones((3, 10)) * np.arange(1.0, 11)


def intervene(std):
    return mspgt.intervene(
        mspgt.load(path("triscale-llama-1")), sample_corpus(TriScale(), 12, seed=0), std=std
    )


# Of every argument of the door that is an array: what is refused, and what the error says of the axes.
REFUSED = {
    ("cka", "x"): [
        (lambda: mspgt.cka(np.ones(5), np.ones(5)), r"\(examples, features\), found \(5,\)"),
        (
            lambda: mspgt.cka(np.ones((2, 9, 3)), np.ones((9, 3))),
            r"\(examples, features\), found \(2, 9, 3\)",
        ),
    ],
    ("cka", "y"): [(lambda: mspgt.cka(np.ones((9, 3)), np.ones((8, 3))), "same examples, found 9 and 8")],
    ("jensen_shannon", "p"): [(lambda: mspgt.jensen_shannon(0.5, 0.5), "along its last axis")],
    ("jensen_shannon", "q"): [
        (lambda: mspgt.jensen_shannon([0.5, 0.5], [0.2, 0.3, 0.5]), r"one shape, found \(2,\), \(3,\)")
    ],
    ("detect", "signals"): [
        (lambda: mspgt.detect(THREE[:2]), r"\(3, transitions\), rows S1, S2, S3; found \(2, 10\)"),
        (lambda: mspgt.detect(THREE[0], "calibrated"), r"\(3, transitions\)"),
    ],
    ("detect", "bootstrap"): [
        (lambda: mspgt.detect(THREE, bootstrap=np.ones((5, 3, 9))), r"\(draws, 3, 10\).*\(5, 3, 9\)")
    ],
    ("detect", "floors"): [
        (
            lambda: mspgt.detect(THREE, "calibrated", floors=np.ones(2)),
            r"one floor a signal; found \(3, 10\) and \(2,\)",
        )
    ],
    ("intervene", "std"): [(lambda: intervene(np.ones(24)), r"\(layers \+ 1,\).* 24 blocks; found \(24,\)")],
}


@pytest.mark.parametrize(("call", "told"), [case for cases in REFUSED.values() for case in cases])
def test_a_wrong_shape_is_refused_by_the_name_of_its_axes(call, told):
    with pytest.raises(InputError, match=told):
        call()


def test_every_array_of_the_door_is_tried():
    doors = [(name, getattr(mspgt, name)) for name in mspgt.__all__]
    arrays = {
        (name, one.name)
        for name, function in doors
        if inspect.isfunction(function)
        for one in inspect.signature(function).parameters.values()
        if "ArrayLike" in str(one.annotation) or "NDArray" in str(one.annotation)
    }
    assert arrays == set(REFUSED)
