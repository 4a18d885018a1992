"""The paper's own numbers beside a run's, for whichever of its models were run."""

from mspgt.report.paper_table import against_for_reading, against_paper
from tests.predictions.planted import model
from tests.whole import typed


def rows(**models):
    table = against_paper(typed({"models": {name.replace("__", "/"): one for name, one in models.items()}}))
    return {(row[1], row[0]): row[2:] for row in table.rows}


def test_each_boundary_of_a_model_that_was_run_stands_beside_the_printed_one():
    found = rows(**{
        "meta-llama__Llama-2-7b-hf": model("Llama", 32, 13, 20, paper=(13, 20)),
        "Qwen__Qwen2.5-7B": model("Qwen", 28, 3, 20, paper=(3, 20)),
    })  # fmt: skip
    assert len(found) == 4
    there, here, _, reading = found["meta-llama/Llama-2-7b-hf", "L–I"]
    assert there.startswith("13 of 32 (40.6")
    assert here.startswith("13 of 32 (40.6")
    assert reading == "reproduced within one layer"
    assert found["meta-llama/Llama-2-7b-hf", "I–G"][-1] == "not reproduced"  # printed at 16
    assert [found["Qwen/Qwen2.5-7B", which][-1] for which in ("L–I", "I–G")] == [
        "reproduced within one layer"
    ] * 2


def test_another_depth_is_no_reproduction_and_other_models_have_no_row():
    found = rows(
        **{"Qwen1.5-7B": model("Qwen", 24, 2, 8, paper=(2, 8)), "Qwen2.5-0.5B": model("Qwen", 24, 2, 8)}
    )
    assert {owner for owner, _ in found} == {"Qwen1.5-7B"}
    assert {row[-1] for row in found.values()} == {"not comparable: 24 layers here"}
    assert against_paper(typed({})).rows == []
    assert against_for_reading(typed({})).rows == []
