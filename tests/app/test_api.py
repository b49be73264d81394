"""Every probe called by a program: `gradio_client` over HTTP, and as a tool of MCP."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client

from app import api, stage
from probes import registry
from probes.core.controls import Pictures
from probes.core.errors import FieldError
from probes.core.parameters import fields, parse
from probes.core.pictures import Picture
from probes.core.probe import run
from probes.core.report import load
from tests.app import loops
from tests.app.conftest import make_engine
from tests.app.fakes import load as load_model
from tests.hostile import corpus
from tests.test_contract import FEW, texts_of

PROBES = list(registry.all_probes().values())
SHARED = {"model": "bundled:balanced"}


@pytest.fixture(scope="module")
def client(address: str) -> Client:
    return Client(address, verbose=False, download_files=False)


def asked(probe: Any) -> dict[str, Any]:
    """A short question to a probe, with a bundled picture where it takes some."""
    name = stage.name_of(next(e for e in stage.bundled() if stage.suits(e, probe.params)))
    pictures = {f.name: [name] for f in fields(probe.params) if f.is_pictures and f.control.fewest}
    few = {name: text.splitlines() for name, text in FEW.get(probe.card.name, {}).items()}
    return {**pictures, **few, texts_of(probe): ["a cat", "a dog"]}


def directly(probe: Any, given: dict[str, Any]) -> Any:
    """The same question asked in Python."""
    pictures = {
        f.name: [stage.find(name).picture() for name in given[f.name]]  # type: ignore[union-attr]
        for f in fields(probe.params)
        if f.is_pictures and f.name in given
    }
    return run(probe, parse(probe.params, {**given, **pictures}), load_model(SHARED["model"]))


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.card.name)
def test_a_probe_is_called_by_its_name_with_the_fields_of_the_command_line(client: Client, probe: Any) -> None:
    told = client.view_api(return_format="dict", print_info=False)["named_endpoints"][f"/{probe.card.name}"]
    names = [parameter["parameter_name"] for parameter in told["parameters"]]
    assert names == [*(f.name for f in fields(probe.params)), "model", "whole"]
    assert all(parameter["parameter_has_default"] for parameter in told["parameters"])
    assert probe.card.question in told["description"]
    given = asked(probe)
    answer = client.predict(**given, **SHARED, api_name=f"/{probe.card.name}")
    same = directly(probe, given)
    assert answer["headline"] == same.headline
    assert answer["cautions"] == list(same.result.warnings())
    tables = {name: rows for name, rows in same.to_dict()["tables"].items() if rows}
    assert {name: table["rows"] for name, table in answer["tables"].items()} == {
        n: len(t) for n, t in tables.items()
    }
    for name, rows in tables.items():
        first = answer["tables"][name]["first"]
        assert len(first) == min(len(rows), api.ROWS)
        for one, other in zip(first, rows, strict=False):  # sums of float32 depend on who else is served
            numbers = {key for key, value in other.items() if isinstance(value, float)}
            assert {key: one[key] for key in one.keys() - numbers} == {
                key: other[key] for key in other.keys() - numbers
            }
            assert [one[key] for key in numbers] == pytest.approx(
                [other[key] for key in numbers], rel=1e-4, abs=1e-5
            )
    assert answer["provenance"]["model"] == SHARED["model"]


def test_the_whole_report_loads_and_draws_again(client: Client) -> None:
    probe = PROBES[0]
    whole = client.predict(**asked(probe), **SHARED, whole=True, api_name=f"/{probe.card.name}")
    again = load(json.dumps(whole), {probe.card.name: probe.result})
    assert probe.figures(again.result)
    assert again.to_dict()["result"] == json.loads(json.dumps(directly(probe, asked(probe)).to_dict()))["result"]


def test_pictures_come_as_uploads_or_data_addresses(client: Client, tmp_path: Path) -> None:
    example = stage.bundled()[0]
    copy = tmp_path / "mine.png"
    example.picture().image().save(copy)
    address = "data:image/png;base64," + base64.b64encode(copy.read_bytes()).decode()
    ask = {"labels": ["a cat", "a dog"], "api_name": "/zero_shot"}
    digests = [
        client.predict(images=[given], **ask)["params"]["images"][0] for given in (handle_file(str(copy)), address)
    ]
    assert [one["name"] for one in digests] == ["mine.png", "data.png"]
    assert {one["sha256"] for one in digests} == {Picture.read(copy).digest}


def test_a_table_comes_as_a_file_too(client: Client, tmp_path: Path) -> None:
    """What the other files of a probe are read by is read here as well, and refused in the same sentence."""
    table = tmp_path / "faces.csv"
    table.write_text("file,group\na.png\n")
    with pytest.raises(AppError, match=r"attributes: .*row"):
        client.predict(attributes=handle_file(str(table)), api_name="/bias_audit")


def values(probe: str, **given: Any) -> dict[str, Any]:
    settable = fields(registry.get(probe).params)
    return api._values(settable, [given.get(f.name, api.default(f)) for f in settable])


def address_of(content: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def test_files_of_one_name_are_all_read() -> None:
    several = [address_of(corpus.picture("PNG", mode=mode)) for mode in ("RGB", "L", "P")]
    assert values("attention_heads", pictures=several)["pictures"].names == (
        "data (2).png",
        "data (3).png",
        "data.png",
    )


def test_pictures_have_as_much_room_as_on_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = stage.bundled()[0].picture()
    monkeypatch.setattr(stage, "MOST_PIXELS", 2 * picture.width * picture.height)
    name = stage.name_of(stage.bundled()[0])
    assert len(values("zero_shot", images=[name, name])["images"]) == 2
    with pytest.raises(FieldError, match="there is room for"):
        values("zero_shot", images=[name, name, name])


def test_files_have_a_limit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.files, "LARGEST", 1)
    half = address_of(b"x" * 600_000, "application/octet-stream")
    with pytest.raises(FieldError, match="holds more than 0 MB"):
        values("modality_gap", embeddings=[half, half])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"labels": ["alone"]}, "labels: Give at least 2 lines"),
        ({"images": []}, "images: Give 1 to 32 pictures"),
        ({"images": ["/etc/passwd"]}, "images: “/etc/passwd” is no upload"),
        ({"images": ["https://example.com/a.png"]}, "other addresses are not fetched"),
        ({"images": ["data:image/png;base64,%%%"]}, "images: A data: address is damaged"),
        ({"images": [{"path": "/etc/passwd"}]}, "images: This is not an upload"),
        ({"average": "both"}, 'average: "both" is not one of'),
        ({"seed": "soon"}, 'seed: "soon" is not a number'),
        ({"model": "broken:model"}, "broken:model: there are no such weights"),
        ({"model": ""}, "model: No model was named"),
        ({"model": "bug:model"}, "nobody foresaw"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(client: Client, given: dict[str, Any], says: str) -> None:
    ask = {**asked(PROBES[0]), **given}
    with pytest.raises(AppError, match=says.replace("?", r"\?").replace("(", r"\(")) as caught:
        client.predict(**ask, api_name="/zero_shot")
    assert "Traceback" not in str(caught.value)


def test_no_address_is_fetched_for_anybody(client: Client) -> None:
    elsewhere = {"path": "http://127.0.0.1:1/x.png", "meta": {"_type": "gradio.FileData"}}
    with pytest.raises(AppError, match="Addresses are not fetched here"):
        client.predict(images=[elsewhere], api_name="/zero_shot")


def test_models_are_listed(client: Client) -> None:
    listed = client.predict(search="bundled", api_name="/models")
    assert [one["spec"] for one in listed] == ["bundled:skewed", "bundled:balanced"]
    assert listed[0]["megabytes"] == 19.0
    assert listed[0]["on_disk"] is True


def test_only_probes_and_the_list_of_models_can_be_called(client: Client) -> None:
    told = client.view_api(return_format="dict", print_info=False)
    assert set(told["named_endpoints"]) == {*(f"/{probe.card.name}" for probe in PROBES), "/models"}
    assert not told["unnamed_endpoints"]


def test_models_of_a_shared_machine_are_not_files() -> None:
    ask = api.function(PROBES[0], make_engine(files=False))
    values = [api.default(f) for f in fields(PROBES[0].params)]
    with pytest.raises(Exception, match="model: This machine is shared"):
        ask(*values, "local-dir:/home", False)


def test_arguments_have_the_types_of_their_fields() -> None:
    for probe in PROBES:
        for f in fields(probe.params):
            value = api.default(f)
            hint = api.kind(f.control)
            if hint in (str, int, float, bool):
                assert isinstance(value, (int, float) if hint is float else hint), f.name
            elif hint == list[str]:
                assert all(isinstance(one, str) for one in value)
            else:
                assert value in hint.__args__
            if not isinstance(f.control, Pictures) and value not in ("", []):
                assert f.control.parse(value) == f.default


def test_every_probe_is_a_tool_of_mcp(address: str) -> None:
    async def talk() -> tuple[Any, Any, Any]:
        async with (
            streamablehttp_client(f"{address}/gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            listed = await session.list_tools()
            good = await session.call_tool("zero_shot", {**asked(PROBES[0]), **SHARED})
            bad = await session.call_tool("zero_shot", {**asked(PROBES[0]), "labels": ["alone"]})
            return listed, good, bad

    listed, good, bad = loops.run(talk())
    tools = {tool.name: tool for tool in listed.tools}
    assert set(tools) == {*(probe.card.name for probe in PROBES), "models"}
    for probe in PROBES:
        schema = tools[probe.card.name].inputSchema["properties"]
        assert list(schema) == [*(f.name for f in fields(probe.params)), "model", "whole"]
        assert probe.card.question in tools[probe.card.name].description
        assert all(schema[f.name].get("description") for f in fields(probe.params))
    assert directly(PROBES[0], asked(PROBES[0])).headline in json.loads(good.content[0].text)["headline"]
    assert bad.isError
    assert "labels: Give at least 2 lines" in bad.content[0].text
