"""Starting quickly changes nothing but the time it takes."""

from __future__ import annotations

import inspect
import json
import sys

import gradio as gr
import jinja2
import pytest

from app import starting
from app.quick_import import quickly, with_mcp
from app.shell import build
from probes import registry
from tests import programs
from tests.app.conftest import make_engine

HEAVY = {"torch", "open_clip", "scipy.stats", "scipy.special", "sklearn", "pandas", "fairlearn", "umap", "gradio",
         "plotly.basedatatypes", "huggingface_hub", "transformers"}  # fmt: skip


def imported(program: str) -> set[str]:
    """The modules that a program has imported when it is done."""
    told = f"{program}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    return set(json.loads(programs.run(told)))


def test_listing_the_probes_imports_nothing_heavy() -> None:
    assert not imported('from probes.cli import main\nmain(["list"])') & HEAVY


def test_the_pages_are_laid_out_without_a_model() -> None:
    found = imported("import app\nfrom app.engine import installed\ninstalled()")
    assert "gradio" in found
    assert not found & {"torch", "open_clip", "mcp", "sklearn", "scipy.stats"}


def test_what_was_left_out_can_be_had() -> None:
    program = (
        "import app\nimport gradio.cli\nfrom app.quick_import import with_mcp\nwith_mcp()\nimport gradio.mcp\n"
    )
    assert {"mcp.server", "gradio.cli.cli"} <= imported(f"{program}assert gradio.mcp.GradioMCPServer.Server")
    with_mcp()
    assert hasattr(sys.modules["gradio.mcp"].GradioMCPServer, "StreamableHTTPSessionManager")


def test_everything_is_put_back_whatever_happens() -> None:
    before = (inspect.getfile, inspect.signature, inspect.getfullargspec, jinja2.Template)
    with pytest.raises(ZeroDivisionError), quickly(), starting.once(), starting.without_applications():
        raise ZeroDivisionError
    assert (inspect.getfile, inspect.signature, inspect.getfullargspec, jinja2.Template) == before
    assert gr.routes.App.create_app(gr.Blocks()) is not None


def test_remembered_signatures_are_the_signatures() -> None:
    plain = [inspect.signature(kind.__init__) for kind in (gr.HTML, gr.Plot, gr.Dropdown)]
    with starting.once():
        for _ in range(2):
            assert [inspect.signature(kind.__init__) for kind in (gr.HTML, gr.Plot, gr.Dropdown)] == plain
        with pytest.raises(ValueError, match="no signature"):
            inspect.signature(type)
        with pytest.raises(TypeError, match="not a callable"):
            inspect.signature([])  # type: ignore[arg-type]


def test_pages_describe_themselves_as_gradio_would() -> None:
    with starting.once(), starting.without_applications():
        demo, _ = build(make_engine(), list(registry.all_probes().values()))
    for _ in range(2):
        assert demo.get_config_file() == gr.Blocks.get_config_file(demo)
    with demo:
        gr.Textbox(label="one more")
    assert demo.get_config_file() == gr.Blocks.get_config_file(demo)
    assert any(one["props"].get("label") == "one more" for one in demo.get_config_file()["components"])
