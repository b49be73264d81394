"""The arrows of the architecture: who may import whom, read from the imports themselves."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

MODEL_LIBRARIES = {"torch", "torchvision", "open_clip", "timm", "transformers", "safetensors"}
INTERFACE_LIBRARIES = {"gradio", "gradio_client"}


def imports(path: Path) -> set[str]:
    """Dotted names of all modules a file imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def within(name: str, packages: set[str]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


SOURCES = [
    ROOT / "app.py",
    *sorted(
        path
        for folder in ("app", "probes", "assets")
        for path in (ROOT / folder).rglob("*.py")
        if "__pycache__" not in path.parts
    ),
]

PROBES = sorted(
    path.name
    for path in (ROOT / "probes").iterdir()
    if (path / "__init__.py").exists() and path.name not in ("core", "backend")
)


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=place)
def test_only_the_backend_and_the_makers_know_the_model_libraries(path):
    if not place(path).startswith(("probes/backend/", "assets/make/", "assets/world/")):
        assert not {name for name in imports(path) if within(name, MODEL_LIBRARIES)}


@pytest.mark.parametrize("path", SOURCES, ids=place)
def test_only_the_shell_and_pages_know_gradio(path):
    if not place(path).startswith("app/") and path.name != "page.py":
        assert not {name for name in imports(path) if within(name, INTERFACE_LIBRARIES)}


@pytest.mark.parametrize("path", SOURCES, ids=place)
def test_nobody_below_imports_the_shell(path):
    if place(path) != "app.py" and not place(path).startswith("app/"):
        assert not {name for name in imports(path) if within(name, {"app"})}


@pytest.mark.parametrize("path", SOURCES, ids=place)
def test_core_and_backend_know_no_probe_and_core_no_backend(path):
    forbidden = {f"probes.{probe}" for probe in PROBES}
    if place(path).startswith("probes/core/"):
        forbidden |= {"probes.backend", "probes.registry", "probes.cli"}
    elif not place(path).startswith("probes/backend/"):
        return
    assert not {name for name in imports(path) if within(name, forbidden)}


@pytest.mark.parametrize("probe", PROBES)
def test_probes_do_not_import_one_another(probe):
    others = {f"probes.{other}" for other in PROBES if other != probe}
    for path in (ROOT / "probes" / probe).rglob("*.py"):
        assert not {name for name in imports(path) if within(name, others)}, path


@pytest.mark.parametrize("path", sorted((ROOT / "app").rglob("*.py")), ids=place)
def test_the_shell_knows_probes_only_by_the_contract(path):
    assert not {name for name in imports(path) if within(name, {f"probes.{probe}" for probe in PROBES})}
    text = path.read_text(encoding="utf-8")
    assert not {probe for probe in PROBES if probe in text or probe.replace("_", "-") in text}


@pytest.mark.parametrize("probe", PROBES)
def test_a_probe_has_the_files_of_a_probe(probe):
    names = {path.name for path in (ROOT / "probes" / probe).iterdir()}
    assert {"__init__.py", "science.py", "figures.py", "notes.md"} <= names
    assert not {name for name in imports(ROOT / "probes" / probe / "science.py") if within(name, {"plotly"})}


def test_the_reader_of_imports_reads_them(tmp_path):
    file = tmp_path / "module.py"
    file.write_text("import torch.nn\ndef f():\n    from gradio import Blocks\n")
    assert imports(file) == {"torch.nn", "gradio", "gradio.Blocks"}
    assert within("torch.nn", MODEL_LIBRARIES)
    assert not within("torchless", MODEL_LIBRARIES)
