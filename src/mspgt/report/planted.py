"""Planted subjects in words: what was there, what was found, hits, misses and false alarms as they came."""

from __future__ import annotations

from collections.abc import Iterator

from mspgt.report.tables import Table, columns_of
from mspgt.report.words import SCALE_NAMES, Json, capital, counted, layer_set, listing, number
from mspgt.results import PlantedControl, PlantedTest, Results


def is_large(control: PlantedControl) -> bool:
    """Whether what was planted has at least the size that is found in 80 % of cases, or no such size is known."""
    size, least = control.size, control.size80
    return size is None or least is None or size >= least


def headline(controls: dict[str, PlantedControl]) -> str:
    """Hits and silence over all planted subjects."""
    every = list(controls.values())
    boundaries = [place.found for one in every for place in one.planted if place.low is not None]
    scales = [place.found for one in every for place in one.planted if place.low is None]
    alarmed = [bool(one.found) for one in every if not one.planted]
    strays = sum(not claim.planted for one in every if one.planted for claim in one.found)
    hits = []
    if boundaries:
        noun = "boundary" if len(boundaries) == 1 else "boundaries"
        found = sum(boundaries)
        hits.append(f"of {len(boundaries)} planted {noun} {found} {'was' if found == 1 else 'were'} found")
    if scales:
        hits.append(f"of {counted(len(scales), 'planted effect')} {sum(scales)}")
    parts = [listing(hits)] if hits else []
    if alarmed:
        subjects = counted(len(alarmed), "subject")
        parts.append(f"of {subjects} with nothing planted {sum(alarmed) or 'none'} gave any")
    if strays:
        parts.append(f"{counted(strays, 'claim')} where nothing is")
    return capital("; ".join(parts))


def by_size(controls: dict[str, PlantedControl]) -> str:
    """Whether the misses are small: hits among what is large enough, and among the rest; empty without boundaries."""
    found = [(is_large(one), place) for one in controls.values() for place in one.planted]
    large, small = (
        [place.found for big, place in found if big == wanted and place.low is not None]
        for wanted in (True, False)
    )
    if not large and not small:
        return ""
    words = (
        f"Of {len(large)} planted boundaries at least as large as what is found in 80\u202f% of cases, "
        f"{_of(sum(large), len(large))} were found"
    )
    return words + (f"; of {len(small)} smaller ones, {_of(sum(small), len(small))}." if small else ".")


def _of(found: int, whole: int) -> str:
    return "all" if found == whole else "none" if not found else str(found)


def what_is_there(control: PlantedControl) -> str:
    """`8 roughness SDs at layers 7 and 17`, or that there is nothing."""
    places = control.planted
    if not places:
        return "nothing"
    if places[0].low is None:
        return f"a change by noise on {listing(SCALE_NAMES[one.name] for one in places)} alone"
    if places[0].layer is None:
        return "; ".join(
            f"{one.name} between layers {number(one.low)} and {number(one.high)}" for one in places
        )
    at = listing(str(one.layer) for one in places)
    layers = f"layer{'s' * (len(places) > 1)} {at}"
    return layers if control.size is None else f"{number(control.size)} {control.unit} at {layers}"


def outcome(control: PlantedControl) -> str:
    """Hit, miss, silence or false alarm, in words."""
    places = control.planted
    strays = [claim for claim in control.found if not claim.planted]
    alarm = f"false alarm: {listing(map(claim_words, strays))}" if strays else ""
    if not places:
        return alarm or "silent"
    hits = sum(one.found for one in places)
    if hits == len(places):
        words = "found" if hits == 1 else f"{'both' if hits == 2 else f'all {hits}'} found"
    else:
        words = "missed" if len(places) == 1 else f"{hits} of {len(places)} found"
    return f"{words}; {alarm}" if alarm else words


def expected(control: PlantedControl) -> str:
    """Of a miss, whether it was to be expected; empty where nothing was missed, or nobody can say."""
    if all(one.found for one in control.planted) or is_large(control):
        return ""
    return f"{number(control.size80, 2)} {control.unit} would be found in 80\u202f% of cases"


def claim_words(claim: PlantedTest) -> str:
    """`spike at layer 7 (95 % set 6–7)`, or the scale with the metric that it changes most."""
    if claim.layer is None:
        return f"{SCALE_NAMES[claim.name]} ({claim.metric}, p = {number(claim.p, 2)})"
    within = f" (95\u202f% set {layer_set(claim.set)})" if claim.set else ""
    return f"{claim.name} at layer {claim.layer}{within}"


def planted_lines(results: Results) -> Iterator[str]:
    """The planted subjects for a terminal; nothing where a run has none."""
    controls = results.planted
    if not controls:
        return
    yield f"{headline(controls)}."
    if told := by_size(controls):
        yield f"  {told}"
    for name, one in controls.items():
        mark = "hit " if one.passed else "MISS"
        yield f"  {mark} {name}: planted {what_is_there(one)}; {outcome(one)}" + (
            f" ({why})" if (why := expected(one)) else ""
        )


COLUMNS = columns_of(
    "subject:string kind:string seed:int64 size:double unit:string",
    "size_found_in_80_percent:double row:string name:string layer:int64 low:double",
    "high:double set:string score:double critical:double p:double metric:string hit:bool",
)


def planted_table(controls: dict[str, PlantedControl]) -> Table:
    """Every place that was planted, claimed or tested, one row each."""
    records: list[Json] = []
    for name, one in controls.items():
        rows = [vars(place) | {"row": "planted", "hit": place.found} for place in one.planted]
        rows += [_test(claim) | {"row": "found", "hit": claim.planted} for claim in one.found]
        rows += [_test(claim) | {"row": "test"} for claim in one.tests]
        head = vars(one) | {"subject": name, "size_found_in_80_percent": one.size80}
        records += [head | row for row in rows]
    return Table.of("planted", "Planted subjects", COLUMNS, records)


def _test(claim: PlantedTest) -> Json:
    return vars(claim) | {"set": layer_set(claim.set)}
