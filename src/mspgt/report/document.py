"""One self-contained page from a template: its style and script inside, and a policy that lets nothing else in."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from mspgt.report.markup import facts_html, files_html, table_html
from mspgt.report.words import capital, counted


def document(
    template: str, *files_: str, title: str, about: str, limits: Sequence[str] = (), **content: Any
) -> str:
    """The page of a template.

    Args:
        files_: style sheets and scripts of the package, in the order in which they stand.
        limits: what cut short the run that it shows, or makes it a sketch.
        content: what else the template names.
    """
    content |= {"title": title, "about": about, "limits": limits}
    texts = {name: _bare(name) for name in files_}
    css = "\n".join(text for name, text in texts.items() if name.endswith(".css"))
    js = "\n".join(text for name, text in texts.items() if name.endswith(".js"))
    # Nothing is fetched from anywhere, and no script runs but the page's own.
    policy = f"default-src 'none'; style-src '{_fingerprint(css)}'"
    policy += f"; script-src '{_fingerprint(js)}'" if js else ""
    return _environment().get_template(template).render(css=css, js=js, policy=policy, **content)


@cache
def _environment() -> Environment:
    loader = PackageLoader("mspgt.report", "template")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    made.globals |= {one.__name__: one for one in (counted, facts_html, files_html, table_html)}
    made.filters["capital"] = capital
    return made


@cache
def _bare(name: str) -> str:
    """A file of the page without what no browser needs: lines of comment, and indentation."""
    lines = (files("mspgt.report") / "template" / name).read_text("utf-8").splitlines()
    bare = (line.strip() for line in lines)
    return "\n".join(line for line in bare if line and not line.startswith(("//", "/*")))


def _fingerprint(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()
