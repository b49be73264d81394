"""What a Space, a container and whoever runs the app rely on."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest
import yaml

from app import _parser
from app.limits import LIMITS, Limits
from probes.core.errors import ClipspectError

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_the_front_matter_is_that_of_a_gradio_space():
    told = yaml.safe_load(README.split("---")[1])
    assert told["sdk"] == "gradio"
    assert (ROOT / told["app_file"]).is_file()
    assert told["title"] == "Clipspect"
    assert told["license"] == "apache-2.0"
    assert len(told["short_description"]) <= 60
    floor = re.search(r"^gradio\[mcp\]>=([\d.]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert floor is not None
    wanted, least = (tuple(map(int, text.split("."))) for text in (told["sdk_version"], floor[1]))
    assert wanted >= least
    assert (3, 10) <= tuple(map(int, str(told["python_version"]).split("."))) <= (3, 13)


def test_the_container_copies_what_there_is_and_all_that_the_app_imports():
    copied = [
        name
        for line in re.findall(r"^COPY (.*)$", DOCKERFILE, re.MULTILINE)
        for name in [part for part in shlex.split(line) if not part.startswith("--")][:-1]
    ]
    assert all((ROOT / name).exists() for name in copied)
    assert {"app.py", "app", "probes", "assets", "requirements.txt"} <= set(copied)
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert set(copied) == set(allowed)


def test_every_variable_is_documented_and_every_documented_one_is_read():
    files = [*(ROOT / "app").rglob("*.py"), *(ROOT / "probes").rglob("*.py")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in files)
    read = set(re.findall(r"CLIPSPECT_[A-Z_]+[A-Z]", code)) | {f"CLIPSPECT_{n.upper()}" for n in vars(LIMITS)}
    read |= {f"CLIPSPECT_{name}" for name in re.findall(r'told\("([A-Z]+)"', code)}
    table = README.split("## Host it")[1].split("\n## ")[0]
    documented = set(re.findall(r"CLIPSPECT_[A-Z_]+[A-Z]", table))
    assert documented == read
    assert set(re.findall(r"CLIPSPECT_[A-Z_]+[A-Z]", DOCKERFILE)) <= read


@pytest.mark.parametrize(
    ("environment", "host", "port", "model", "mcp"),
    [
        ({}, "127.0.0.1", 7860, "bundled", False),
        ({"SPACE_ID": "a/b"}, "0.0.0.0", 7860, "bundled", True),
        ({"SPACE_ID": "a/b", "CLIPSPECT_MCP": "0"}, "0.0.0.0", 7860, "bundled", False),
        ({"GRADIO_SERVER_NAME": "::1", "GRADIO_SERVER_PORT": "80"}, "::1", 80, "bundled", False),
        ({"CLIPSPECT_HOST": "1.2.3.4", "CLIPSPECT_PORT": "8000", "CLIPSPECT_MODEL": "a:b", "CLIPSPECT_MCP": "1"},
         "1.2.3.4", 8000, "a:b", True),
    ],
)  # fmt: skip
def test_the_environment_sets_what_is_not_typed(environment, host, port, model, mcp):
    chosen = _parser(environment).parse_args([])
    assert (chosen.host, chosen.port, chosen.model, chosen.mcp) == (host, port, model, mcp)
    assert _parser(environment).parse_args(["--port", "1", "--no-mcp"]).port == 1


def test_a_port_that_is_none_is_refused_in_a_line(capsys):
    with pytest.raises(SystemExit):
        _parser({"CLIPSPECT_PORT": "soon"}).parse_args([])
    assert "invalid int value: 'soon'" in capsys.readouterr().err


def test_limits_are_whole_numbers():
    assert Limits.of({"CLIPSPECT_UPLOAD_MB": "3", "CLIPSPECT_VISITORS": " "}) == Limits(upload_mb=3)
    for text in ("0", "-1", "1.5", "many", "²", "9" * 30):
        with pytest.raises(ClipspectError, match="CLIPSPECT_AT_ONCE has to be a whole number"):
            Limits.of({"CLIPSPECT_AT_ONCE": text})


def test_limits_of_the_table_in_the_code_are_the_defaults():
    told = sys.modules["app.limits"].__doc__ or ""
    table = dict(re.findall(r"`CLIPSPECT_([A-Z_]+)` \|.*\| ([\d,]+) \|", told))
    assert {name.lower(): int(text.replace(",", "")) for name, text in table.items()} == vars(Limits())
