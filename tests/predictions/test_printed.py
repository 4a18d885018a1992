"""The paper's values as data: Table 3 follows from Table 1's integers to every printed digit."""

import pytest

from mspgt.families import compare_families
from mspgt.predictions.printed import printed


@pytest.mark.parametrize("what", ["table1", "table2", "table3", "equation8", "figure7", "widths"])
def test_every_value_has_a_source_and_a_status(what):
    values = printed(what)
    assert "arXiv 2505.18244v2" in values["source"]
    assert values["status"] in ("as printed", "CONFLICT", "claim")
    assert values["note"]


def test_table_2_is_a_conflict():
    assert printed("table2")["status"] == printed("figure7")["status"] == "CONFLICT"


def test_table_3_from_table_1():
    table1, table3 = printed("table1"), printed("table3")
    models = {}
    for row in table1["rows"]:
        places = {which: (row[which], row["layers"]) for which in ("LI", "IG")}
        models.setdefault(row["family"], {})[row["model"]] = places
    compared = compare_families(models)
    for family, boundaries in table3["families"].items():
        for which, expected in boundaries.items():
            found = compared.families[family][which]
            assert found.percent_paper == expected["members"]
            assert f"{found.mean_paper:.1f}" == f"{expected['mean']:.1f}"
            assert f"{found.cv_paper:.2f}" == f"{expected['cv']:.2f}"
    offset = next(one for one in compared.offsets if one.boundary == "LI")
    assert f"{offset.offset_paper:.1f}" == f"{table3['offset_LI']:.1f}"


def test_table_1_agrees_with_its_own_percentages():
    for row in printed("table1")["rows"]:
        for which in ("LI", "IG"):
            assert abs(row[which] / row["layers"] - row[f"{which}_relative"]) <= 0.0006
