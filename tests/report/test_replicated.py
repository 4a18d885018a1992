"""What a group of runs shows, in words."""

from mspgt.report.replicated import replicated_lines

CLAIM = {"kind": "spike", "layer": 7, "set": [6, 7, 8, 12]}
GROUP = {
    "runs": ["a", "b"],
    "roughness_ratio": {"S1": 0.7, "S2": None, "S3": 0.9},
    "calibrated": {"spike": [CLAIM], "bump": [], "step": [], "kink": []},
    "statement": "common to 2 runs, a spike of 3.0 SD of one run's roughness is found in 80 % of cases",
}


def test_claims_ratios_and_power():
    lines = list(replicated_lines({"replicated": {"llama": GROUP}}))
    assert lines[0] == "llama, mean of 2 runs (a, b): spike at layer 7, set 6–8, 12"
    assert "S1 0.70, S3 0.90 (runs that share nothing: 0.71)" in lines[1]
    assert "S2" not in lines[1]
    assert lines[2].strip() == GROUP["statement"]
    nothing = {**GROUP, "calibrated": {kind: [] for kind in GROUP["calibrated"]}}
    assert next(replicated_lines({"replicated": {"g": nothing}})).endswith("no boundary")
    assert list(replicated_lines({})) == []
