"""What a group of runs shows, in words and on the page."""

from mspgt.report.replicated import replicated_lines, replicated_section
from mspgt.results import to_jsonable
from tests.report.planted_results import claim, planted
from tests.whole import typed

CLAIM = to_jsonable(claim("spike", 7, 12, [6, 7, 8, 12]))
KINDS = {"spike": [CLAIM], "bump": [], "step": [], "kink": []}
POWER = {kind: {"size80": 3.0, "statement": ""} for kind in KINDS}
GROUP = {
    "runs": ["a", "b"],
    "family": "llama",
    "layers": 12,
    "signals": {"S1": [0.125 * at for at in range(11)], "S2": None, "S3": [1.0] * 11},
    "roughness_ratio": {"S1": 0.7, "S2": None, "S3": 0.9},
    "calibrated": {
        **KINDS,
        "chosen": {"LI": None, "IG": None},
        "power": POWER,
        "reasons": ["<b>one of three</b>"],
    },
    "statement": "common to 2 runs, a spike of 3.0 SD of one run's roughness is found in 80 % of cases",
}


def test_claims_ratios_and_power():
    lines = list(replicated_lines(typed({"replicated": {"llama": GROUP}})))
    assert lines[0] == "llama, mean of 2 runs (a, b): spike at layer 7, set 6–8, 12"
    assert "S1 0.70, S3 0.90 (runs that share nothing: 0.71)" in lines[1]
    assert "S2" not in lines[1]
    assert lines[2].strip() == GROUP["statement"]
    nothing = {**GROUP, "calibrated": {**GROUP["calibrated"], "spike": []}}
    assert next(replicated_lines(typed({"replicated": {"g": nothing}}))).endswith("no boundary")
    assert list(replicated_lines(typed({}))) == []


def test_a_section_shows_mean_boundaries_and_what_could_have_been_seen():
    results = typed({**planted(), "replicated": {"llama": GROUP}})
    section = replicated_section(results)
    html = str(section.html)
    assert "spike at layer 7, set 6–8, 12" in section.lead
    assert GROUP["statement"].replace("'", "&#39;") in html
    assert "&lt;b&gt;One of three" in html.replace("&lt;B", "&lt;b").replace("one", "One")
    assert "<td>1.125" in html  # the ninth value of S1
    assert html.count('class="line calibrated" d=') == 2
    assert "not measured in every run" in html
    profile, claims = section.tables
    assert [row[4] for row in profile.rows if row[1] == "S1"] == GROUP["signals"]["S1"]
    assert claims.rows[0][:2] == ("llama", "spike")
    assert replicated_section(typed(planted())) is None
