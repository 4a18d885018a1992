"""The documentation is true: what it tells to run runs, what it names exists, what it links to is there."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.docs.tools import tool

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


def blocks(page: Path, language: str) -> list[str]:
    """Fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def test_the_tutorial_runs_from_top_to_bottom(tmp_path: Path) -> None:
    shims = tmp_path / "bin"
    shims.mkdir()
    for name, code in (("mspgt", "from mspgt.cli import main; main()"), ("python", None)):
        shim = shims / name
        run = f'-c "{code}" "$@"' if code else '"$@"'
        shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" {run}\n')
        shim.chmod(0o755)
    env = {**os.environ, "PATH": f"{shims}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    # The four processes share what the first of them compiles.
    env |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(tmp_path / "compiled")}
    here = tmp_path / "here"
    here.mkdir()
    script = "set -euo pipefail\n" + "\n".join(blocks(DOCS / "tutorial.md", "bash"))
    done = subprocess.run(
        ["bash", "-c", script], cwd=here, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for name in ("report.html", "results.json", "study.yaml", "tables/table1.csv", "figures/strips.pdf"):
        assert (here / "runs/first" / name).is_file(), name


def test_the_notebook_runs_from_a_model_to_a_verdict() -> None:
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    (file,) = (ROOT / "notebooks").glob("*.ipynb")
    notebook = nbformat.read(file, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "keep the notebook without its outputs"
    done = nbclient.NotebookClient(notebook, timeout=600).execute()
    told = "".join(out.get("text", "") for cell in done.cells for out in cell.get("outputs", ()))
    assert "spiked [('spike', 8" in told
    assert "flat []" in told
    assert "not testable" in told


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_every_page_is_reached_from_the_navigation() -> None:
    class Loader(yaml.SafeLoader):
        pass

    def reached(node: object) -> set[str]:
        if isinstance(node, str):
            return {node}
        parts = node.values() if isinstance(node, dict) else node
        return set().union(*map(reached, parts))  # type: ignore[arg-type]

    nav = yaml.load((ROOT / "mkdocs.yml").read_text("utf-8"), Loader)["nav"]
    assert {str(page.relative_to(DOCS)) for page in PAGES} <= reached(nav)


def test_every_name_beside_an_equation_exists() -> None:
    text = (DOCS / "reference" / "equations.md").read_text("utf-8")
    names = re.findall(r"`(mspgt\.[\w.]+)`", text)
    assert len(names) > 20
    for name in names:
        place = SRC.joinpath(*name.split("."))
        if not SRC.joinpath(*name.split(".")[:2]).exists() and not place.parent.with_suffix(".py").exists():
            continue  # a room that this version does not have
        if place.with_suffix(".py").exists() or place.is_dir():
            continue
        tree = ast.parse(place.parent.with_suffix(".py").read_text("utf-8"))
        kinds = (ast.FunctionDef, ast.ClassDef)
        defined = {node.name for node in tree.body if isinstance(node, kinds)}
        defined |= {
            target.id
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        assert place.name in defined, name


def test_every_command_is_described() -> None:
    from mspgt.cli.app import app

    text = (DOCS / "reference" / "commands.md").read_text("utf-8")
    for command in app.registered_commands:
        assert command.callback is not None
        assert f"`mspgt {command.name or command.callback.__name__}" in text, command.name


def test_every_key_of_a_study_file_is_told() -> None:
    keys = tool("keys")
    page = (DOCS / "reference" / "study-file.md").read_text("utf-8")
    assert page == keys.written(page), "run python docs/tools/keys.py"
    for key in ("cka_tokens", "draws", "max_documents", "prominence", "trust_remote_code"):
        assert f"| `{key}` |" in page
    assert "`1000`" in page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_python_in_a_page_compiles_and_study_files_are_valid(page: Path) -> None:
    from mspgt.study.loading import make_config

    for code in blocks(page, "python"):
        compile(code, str(page), "exec")
    for text in blocks(page, "yaml"):
        data = yaml.safe_load(text)
        make_config({"name": "x", "models": ["a/b"], "corpus": {"source": "c.txt"}} | data)


def test_the_numbers_of_the_family_page_are_what_its_code_gives(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks(DOCS / "howto" / "families.md", "python")
    exec(code, {})  # the project's own page
    assert capsys.readouterr().out.startswith("0.48")


def test_what_a_language_model_is_told_to_read_exists() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", (ROOT / "llms.txt").read_text("utf-8")):
        assert (ROOT / target).exists(), target
