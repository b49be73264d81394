"""What the documents say is so: tables, links, versions, commands, requirements."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from assets.make.figures import BEGIN, END, figures
from probes import registry
from probes.cli import _parser
from probes.core.version import VERSION
from tests.test_arrows import SOURCES, imports, place

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "assets").rglob("*.md"), *(ROOT / "probes").rglob("*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_table_of_probes_is_the_registrys():
    table = re.search(
        r"<!-- made by: python -m probes list --markdown -->\n(.*?)\n<!-- end -->", README, re.DOTALL
    )
    assert table is not None
    assert table[1] == registry.markdown()


def test_one_version_everywhere():
    assert f"\n## {VERSION} " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\nversion: {VERSION}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=place)
def test_links_inside_the_project_lead_somewhere(document):
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = [t for t in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in t and not t.startswith("#")]
    missing = [target for target in targets if not (document.parent / target.split("#")[0]).exists()]
    assert missing == []


def test_figures_of_the_bundled_models_are_those_of_their_cards():
    """The table is made by `python -m assets.make figures`, which also puts it into the README."""
    table = figures(ROOT / "assets" / "models")
    assert f"{BEGIN}\n{table}\n{END}" in README


def commands() -> list[str]:
    """Every `python -m probes …` line of the README."""
    lines = re.findall(r"^python -m probes .*$", README, re.MULTILINE)
    return [line.split("  #")[0].strip() for line in lines]


@pytest.mark.parametrize("command", commands())
def test_command_lines_of_the_readme_parse(command):
    chosen = _parser().parse_args(shlex.split(command)[3:])
    assert callable(chosen.command)


def test_the_readme_shows_command_lines():
    assert len(commands()) >= 5


def test_python_of_the_readme_compiles_and_imports_what_exists():
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        compile(block, "README.md", "exec")
    for module, names in re.findall(
        r"^from (probes\.(?!brightness)[\w.]+) import (.+)$", "\n".join(blocks), re.MULTILINE
    ):
        found = __import__(module, fromlist=["*"])
        assert all(hasattr(found, name.strip()) for name in names.split(",")), module


DISTRIBUTIONS = {
    "PIL": "pillow",
    "plotly": "plotly",
    "open_clip": "open_clip_torch",
    "markdown_it": "markdown-it-py",
    "huggingface_hub": "huggingface_hub",
    "sklearn": "scikit-learn",
    "umap": "umap-learn",
    "resvg_py": "resvg-py",
}


def required(file: str) -> set[str]:
    """Names of distributions in a file of requirements, lower case."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    found = (re.match(r"[A-Za-z0-9_.-]+", line) for line in lines if not line.startswith(("#", "-")))
    return {match[0].lower().replace("-", "_") for match in found if match}


def test_everything_imported_is_required():
    own = {"app", "probes", "assets", "tests", "bench"}
    imported = {
        name.split(".")[0]
        for path in SOURCES
        if not place(path).startswith("assets/make/")
        for name in imports(path)
    }
    third_party = imported - own - set(sys.stdlib_module_names) - {"tomllib", ""}
    distributions = {DISTRIBUTIONS.get(name, name).lower().replace("-", "_") for name in third_party}
    optional = {"transformers", "spaces"}
    assert distributions - optional <= required("requirements.txt")


def test_nothing_is_required_twice_or_without_a_floor():
    for file in ("requirements.txt", "requirements-dev.txt"):
        lines = [
            line for line in (ROOT / file).read_text(encoding="utf-8").splitlines() if line and line[0].isalpha()
        ]
        assert all(">=" in line or line.startswith("types-") for line in lines)
        assert len(required(file)) == len(lines)
