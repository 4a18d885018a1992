"""The key of a stage holds the code that its function can reach, and no other.

What is right is found in another way than by the walk: by watching which functions run while a stage is computed,
and from the bytecode of what ran, which names the modules that it imports and the objects that it can call.
"""

import ast
import inspect
import shutil
import sys
import types
from functools import cache
from modulefinder import ModuleFinder
from pathlib import Path

import pytest

import mspgt
from mspgt.study import checking, dosing, intervening, stages, theorizing
from mspgt.study.closure import Package, closure_of
from mspgt.study.keys import code_of
from mspgt.study.loading import make_config
from mspgt.study.run import run_study
from mspgt.study.store import Address
from tests.lm.tiny import tiny_model

ROOT = Path(mspgt.__file__).parent
# Who hands a stage its model, calls it, follows its progress, or keeps its bytes; none decides a number.
DRIVERS = {
    "mspgt.study.jobs": {"Loader", "attempt", "local_id"},
    "mspgt.study.engines": {"_report_to"},
    "mspgt.study.progress": {"Lines"},
    "mspgt.study.stages": {"_observed", "_reduced"},
    "mspgt.study.intervening": {"Interventions"},
    "mspgt.study.theorizing": {"Theorizing"},
}
APART = {"mspgt.study.store", "mspgt.study.config"}


@cache
def package_files():
    return {module_of(path): path for path in sorted(ROOT.rglob("*.py"))}


def module_of(path):
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """Stage → its functions by name, and every code object of the package that ran while it was computed."""
    ran: dict[str, set] = {}
    here = str(ROOT)
    fill, checked = Address.fill, checking.checked

    def under_watch(name, work):
        seen = ran.setdefault(name, set())

        def see(frame, event, _):
            code = frame.f_code  # of functions; bodies of modules and classes run for whoever imports first
            if event == "call" and code.co_flags & inspect.CO_OPTIMIZED and code.co_filename.startswith(here):
                seen.add(code)

        sys.setprofile(see)
        try:
            return work()
        finally:
            sys.setprofile(None)

    functions = {}

    def watching(address, work):
        functions[address.stage] = tuple(address.inputs["code"]["functions"])
        fill(address, lambda: under_watch(address.stage, work))
        # What only calls the function, and lies beside it in the loop over addresses, is none of its code.
        if isinstance(work, types.FunctionType):
            ran.get(address.stage, set()).discard(work.__code__)

    def apart(plain):
        """The store proves what a stage starts from; what it calls to do so is no code of the stage."""

        def unseen(address):
            see = sys.getprofile()
            sys.setprofile(None)
            try:
                return plain(address)
            finally:
                sys.setprofile(see)

        return unseen

    patch = pytest.MonkeyPatch()
    patch.setattr(Address, "fill", watching)
    patch.setattr(Address, "load", apart(Address.load))
    patch.setattr(Address, "seconds", apart(Address.seconds))
    patch.setattr(checking, "checked", lambda *given: under_watch("harper", lambda: checked(*given)))
    functions["harper"] = ("mspgt.study.checking:checked", "mspgt.study.checking:_harper")
    folder = tmp_path_factory.mktemp("watched")
    model = tiny_model(folder / "tiny", "llama", layers=6, max_position_embeddings=128)
    config = {
        "name": "test",
        "models": [{"id": str(model), "scales": [2, 4]}],
        "corpus": {"source": "triscale", "format": "triscale", "max_documents": 40},
        "treebank": {"planted": "triscale", "max_train": 40, "max_eval": 60},
        "twins": {"seeds": 0},
        "measure": {"cka_tokens": 128, "heads": "matched", "shard_documents": 40},
        "boundaries": {"draws": 100, "permutations": 99},
        "probes": {"seeds": 2, "epochs": 1, "max_examples": 200},
        "interventions": {
            **{"samples": 4, "prompt_tokens": 8, "new_tokens": 6, "random_sets": 0, "response": [0.1]},
            **{"response_samples": 2, "encoder": None, "draws": 100},
        },
        "theory": {
            **{"tokens": 400, "components": 4, "examples": 300, "hidden": 8, "epochs": 1, "texts": 4},
            **{"permutations": 19, "betas": [0.1, 1.0], "steps": 20, "width_draws": 100, "draws": 100},
            **{"hessian_draws": 1, "label_draws": 1, "sigmas": [0.1], "value_steps": 10, "reach_windows": 2},
        },
        "run": {"workers": 1},
    }
    try:
        run_study(make_config(config), folder / "run", quiet=True)
    finally:
        patch.undo()
    return functions, ran


def places(codes):
    """(module, name at its top) of code objects."""
    return {(module_of(Path(code.co_filename)), code.co_qualname.partition(".")[0]) for code in codes}


def imports(code):
    """Modules of the package that bytecode imports."""
    known = package_files()
    found = set()
    for what, detail in ModuleFinder().scan_opcodes(code):
        if what == "absolute_import":
            names, module = detail
            found |= {module} | {f"{module}.{name}" for name in names or ()}
    for one in code.co_consts:
        if isinstance(one, types.CodeType):
            found |= imports(one)
    return found & known.keys()


@cache
def looked_at(names):
    package = Package(ROOT)
    package.closure(*names)
    return package.read


@cache
def imported_by(module):
    path = package_files()[module]
    return imports(compile(path.read_bytes(), str(path), "exec"))


def reach(start):
    seen, todo = set(), list(start)
    while todo:
        module = todo.pop()
        if module not in seen:
            seen.add(module)
            todo += imported_by(module)
    return seen


def called(code, seen):
    """Code objects of `study` and modules of other rooms that names in bytecode lead to; adds to `seen`."""
    module = sys.modules[module_of(Path(code.co_filename))]
    inner = [one for one in code.co_consts if isinstance(one, types.CodeType)]
    seen |= {code, *imports(code)}
    for name in code.co_names:
        value = vars(module).get(name)
        home = value.__name__ if isinstance(value, types.ModuleType) else getattr(value, "__module__", None)
        if not str(home).startswith("mspgt."):
            continue
        seen.add(home)
        for function in vars(value).values() if isinstance(value, type | types.ModuleType) else (value,):
            function = getattr(function, "fget", None) or getattr(function, "func", function)
            if isinstance(function, types.FunctionType) and home.startswith("mspgt.study"):
                inner.append(function.__code__)
    for one in inner:
        if one not in seen and one.co_filename.startswith(str(ROOT)):
            seen.add(one)
            called(one, seen)


def edited(root, module, change, functions):
    """Stages whose key changes when a file is edited, and put back. A walk that never read it cannot change."""
    functions = {stage: names for stage, names in functions.items() if module in looked_at(names)}
    path = root / package_files()[module].relative_to(ROOT)
    before = path.read_text("utf-8")
    path.write_text(change(before), "utf-8")
    try:
        package = Package(root)
        return {
            stage for stage, names in functions.items()
            if package.closure(*names).sha256 != closure_of(*names).sha256
        }  # fmt: skip
    finally:
        path.write_text(before, "utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    root = tmp_path_factory.mktemp("copy") / "mspgt"
    shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns("__pycache__", "weights", "shipped"))
    return root


def in_room(module):
    return not module.startswith(("mspgt.study", "mspgt.results", "mspgt.errors", "mspgt.vocabulary"))


def test_every_stage_was_watched(watched):
    functions, ran = watched
    assert set(functions) == set(ran)
    assert len(functions) >= 13
    assert all(len(seen) > 5 for stage, seen in ran.items() if stage != "harper")


def test_one_line_in_each_module_changes_the_keys_of_those_who_reach_it(watched, copy):
    functions, ran = watched
    changed = {stage: set() for stage in functions}
    for module in filter(in_room, package_files()):
        for stage in edited(copy, module, edit_all, functions):
            changed[stage].add(module)
    for stage, codes in ran.items():
        own = {module for module, _ in places(codes)}
        executed = {module for module in own if in_room(module)}
        assert executed <= changed[stage], stage  # whatever ran is in the key
        seen: set = set()
        for name in functions[stage]:
            module, _, top = name.partition(":")
            called(inspect.unwrap(vars(sys.modules[module])[top]).__code__, seen)
        for handed in (stages.Measuring, theorizing.Shared, dosing.Auditing, intervening.Writing):
            used = {name for one in seen if isinstance(one, types.CodeType) for name in one.co_names}
            for name, value in vars(handed).items():
                value = getattr(value, "fget", None) or getattr(value, "func", value)
                if (name in used or name == "__init__") and isinstance(value, types.FunctionType):
                    called(value.__code__, seen)
        modules = {one for one in seen if isinstance(one, str)} | executed
        reached = reach(modules)
        if (
            "mspgt.lm.model" in reached
        ):  # a stage is handed its model, so what loaded that can change the result
            reached |= reach({"mspgt.lm.load"})
        assert changed[stage] <= reached, stage  # and nothing that cannot be reached
        if "mspgt.lm.observe" in executed:
            assert "mspgt.lm.load" in changed[stage], stage
    assert "mspgt.theory.fisher" in changed["theory-sensitivity"]
    assert "mspgt.boundaries.fuse" in changed["theory-widths"]
    assert "mspgt.theory.fisher" not in changed["theory-widths"]
    assert not any("mspgt.report" in module for found in changed.values() for module in found)


def edit_all(text):
    """Puts a line into every function of a module, and at its end."""
    tree = ast.parse(text)
    line = ast.parse("_edited = 1").body
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.body = line + node.body
    tree.body += line
    return ast.unparse(tree)


def edit_function(name):
    """Puts a line into a function, or into every method of a class, at the top of a module."""

    def change(text):
        tree = ast.parse(text)
        line = ast.parse("_edited = 1").body
        for node in tree.body:
            if getattr(node, "name", None) == name:
                inner = [one for one in ast.walk(node) if isinstance(one, ast.FunctionDef)]
                for one in inner:
                    one.body = line + one.body
                if not inner:
                    node.body = line + node.body
        return ast.unparse(tree)

    return change


def test_an_edited_function_of_the_study_changes_the_keys_of_those_who_run_it(watched, copy):
    functions, ran = watched
    who: dict[tuple[str, str], set[str]] = {}
    for stage, codes in ran.items():
        for module, name in places(codes):
            if not in_room(module) and module not in APART and name not in DRIVERS.get(module, ()):
                who.setdefault((module, name), set()).add(stage)
    assert {("mspgt.study.codec", "pack_shard"), ("mspgt.study.theory_stages", "Shared")} <= who.keys()
    for (module, name), expected in who.items():
        changed = edited(copy, module, edit_function(name), functions)
        assert expected <= changed, (module, name)
        if name in ("pack_shard", "pack_probes", "information", "scored_texts", "unpack_signals"):
            assert changed == expected, (module, name)


def test_words_change_no_key(watched, tmp_path):
    """Other docstrings, no comments, another layout: the same keys."""
    functions, _ = watched
    root = tmp_path / "mspgt"
    shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns("__pycache__", "weights", "shipped"))
    for path in root.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef):
                if ast.get_docstring(node) is not None and len(node.body) > 1:
                    node.body = node.body[1:]
                elif ast.get_docstring(node) is None:
                    future = isinstance(node, ast.Module)
                    node.body = node.body if future else ast.parse('"""Said."""').body + node.body
        path.write_text("# A comment.\n" + ast.unparse(tree), "utf-8")
    for names in functions.values():
        assert Package(root).closure(*names).sha256 == closure_of(*names).sha256


def test_a_table_that_reached_code_reads_is_in_the_key(copy):
    function = "mspgt.boundaries.tables:table"
    table = copy / "boundaries" / "data" / "detector.json"
    before = Package(copy).closure(function)
    assert "boundaries/data/detector.json" in before.tables
    text = table.read_text("utf-8")
    table.write_text(text.replace("1", "2", 1), "utf-8")
    assert Package(copy).closure(function).sha256 != before.sha256
    table.write_text(text, "utf-8")


def test_the_key_holds_releases_of_what_computes(monkeypatch):
    found = code_of(stages.observed_shard)["libraries"]
    assert {"torch", "transformers", "tokenizers", "numpy"} <= found.keys()
    import torch

    assert torch.__version__.startswith(found["torch"])
    assert "torch" not in code_of(checking.checked, checking.MAKERS["harper"])["libraries"]


def test_every_stage_of_a_study_takes_its_code_from_its_function(watched):
    functions, _ = watched
    named = {name for names in functions.values() for name in names}
    for function in (
        *(stages.activation_scales, stages.observed_shard, stages.reduced_geometry, stages.trained_probes),
        *(intervening.written_texts, intervening.scored_texts, intervening.noise_response),
        *theorizing.STAGES.values(),
    ):
        assert f"{function.__module__}:{function.__qualname__}" in named


def test_the_walk_loads_nothing_and_reads_every_source_once():
    """A plan must not wait for it."""
    import subprocess

    code = """
import ast, sys
from pathlib import Path
from mspgt.study import intervening, stages, theorizing
from mspgt.study.keys import code_of
functions = [stages.observed_shard, stages.reduced_geometry, stages.trained_probes, intervening.written_texts,
             intervening.noise_response, *theorizing.STAGES.values()]
parse, read = ast.parse, []
def noted(text, *more, **named):
    read.append(text)
    return parse(text, *more, **named)
ast.parse = noted
for function in functions:
    code_of(function)
assert "torch" not in sys.modules
assert len(read) > 50
print(len(read) - len(set(read)))
"""
    twice = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert twice.strip() == "0"
