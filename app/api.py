"""Every probe as a function that programs call: by `gradio_client` under its own name, and as a tool of MCP.

    from gradio_client import Client, handle_file
    client = Client("http://127.0.0.1:7860")
    client.predict(images=[handle_file("cat.png")], labels=["a cat", "a dog"], api_name="/NAME_OF_THE_PROBE")

The arguments are the fields of the command line, with the same names and the same defaults, read by the same
controls; what cannot be used is refused with the same sentence. A picture is an upload (`handle_file`), a `data:`
address, or the name of a bundled picture; a file likewise. Addresses elsewhere are never fetched.
"""

from __future__ import annotations

import binascii
import inspect
import json
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import PurePath
from typing import Any, Literal
from urllib.parse import unquote_to_bytes

import gradio as gr
from gradio.events import api as register

from app import failures, files, picker, stage, uploads
from app.engine import Engine
from app.limits import LIMITS
from probes.core.controls import Choice, Control, Count, Lines, Pictures, Range, Switch
from probes.core.errors import ClipspectError, FieldError
from probes.core.file_controls import EmbeddingPairsFile, File, PictureSet
from probes.core.marks import Marks
from probes.core.parameters import Field, fields, parse
from probes.core.pictures import Picture
from probes.core.probe import AnyProbe
from probes.core.report import Report

MODEL = "model"
WHOLE = "whole"
PROGRAMS = "programs"
"""The queue of programs: one that left without waiting for its answer holds no visitor up."""
ROWS = 50
"""Rows of a table that are given unless the whole report is asked for."""
RETURNS = (
    "headline, cautions, tables (their first rows, and how many there are), params and provenance; with "
    "whole=True the report as the command line writes it with --json, from which its figures can be drawn again."
)


def offer(probes: Sequence[AnyProbe], engine: Engine) -> None:
    """Put the functions into the app; called inside its context."""
    for probe in probes:
        register(
            function(probe, engine),
            api_name=probe.card.name,
            concurrency_limit=LIMITS.at_once,
            concurrency_id=PROGRAMS,
        )
    register(models(engine), api_name="models", concurrency_limit=4)


def speak_json(demo: gr.Blocks) -> None:
    """Let tools of MCP answer in JSON rather than as Python prints it; called once the app has started."""
    server = demo.mcp_server_obj
    if server is None:
        return
    plain = server.postprocess_output_data

    def in_json(output: Sequence[Any], root: str) -> Any:
        texts = [json.dumps(one, ensure_ascii=False) if isinstance(one, (dict, list)) else one for one in output]
        return plain(texts, root)

    server.postprocess_output_data = in_json  # type: ignore[assignment]


def function(probe: AnyProbe, engine: Engine) -> Callable[..., dict[str, Any]]:
    """A function with a probe's fields as its arguments, in the order of the command line."""
    settable = fields(probe.params)

    def ask(*given: Any) -> dict[str, Any]:
        *values, spec, whole = given
        try:
            chosen = picker.checked(engine, spec)
            params = parse(probe.params, _values(settable, values))
            return told(engine.answer(probe, params, chosen).report, bool(whole))
        except Exception as error:
            raise gr.Error(_sentence(error), print_exception=False) from None

    arguments = [
        *((f.name, kind(f.control), default(f)) for f in settable),
        (MODEL, str, engine.default),
        (WHOLE, bool, False),
    ]
    ask.__name__ = ask.__qualname__ = probe.card.name
    ask.__doc__ = _document(probe, settable)
    ask.__annotations__ = {name: hint for name, hint, _ in arguments} | {"return": dict}
    where = inspect.Parameter.POSITIONAL_OR_KEYWORD
    ask.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, where, default=value, annotation=hint) for name, hint, value in arguments],
        return_annotation=dict,
    )
    return ask


def models(engine: Engine) -> Callable[[str], list[dict[str, Any]]]:
    """The function that lists models."""

    def models(search: str = "") -> list[dict[str, Any]]:
        """List the models that can be asked, with their sizes and whether they are on disk.

        Args:
            search: give only those whose specification holds this.

        Returns:
            A list of spec, name, megabytes (null where nobody knows), on_disk and note.
        """
        return [
            {
                "spec": entry.spec,
                "name": entry.name,
                "megabytes": None if entry.nbytes is None else round(entry.nbytes / 1e6, 1),
                "on_disk": entry.on_disk,
                "note": entry.note,
            }
            for entry in engine.models(wait=True)
            if str(search).casefold() in entry.spec.casefold()
        ]

    return models


def told(report: Report[Any], whole: bool) -> dict[str, Any]:
    """A report as a program gets it."""
    full = report.to_dict()
    if whole:
        return full
    tables = {name: {"rows": len(rows), "first": rows[:ROWS]} for name, rows in full["tables"].items() if rows}
    return {
        "probe": report.probe,
        "headline": report.headline,
        "cautions": list(report.result.warnings()),
        "tables": tables,
        "params": full["params"],
        "provenance": asdict(report.provenance),
    }


def kind(control: Control[Any]) -> Any:
    """The type of a field's argument."""
    if isinstance(control, Choice):
        return Literal[control.options]
    if isinstance(control, (Lines, Marks, Pictures, PictureSet, EmbeddingPairsFile)):
        return list[str]
    simple = {Switch: bool, Count: int, Range: float}
    return next((hint for known, hint in simple.items() if isinstance(control, known)), str)


def default(f: Field) -> Any:
    """What a field's argument is if it is not given: nothing for pictures and files."""
    if isinstance(f.control, (Pictures, PictureSet, EmbeddingPairsFile)):
        return []
    if isinstance(f.control, File):
        return ""
    if isinstance(f.control, (Lines, Marks)):
        return list(f.control.format(f.default))  # type: ignore[arg-type]
    return f.default


def _values(settable: Sequence[Field], given: Sequence[Any]) -> dict[str, Any]:
    """What was given for each field; pictures and files that were not given are left out."""
    values: dict[str, Any] = {}
    for f, value in zip(settable, given, strict=True):
        try:
            if isinstance(f.control, Pictures):
                several = value if isinstance(value, list) else [value] if value else []
                if several:
                    values[f.name] = _pictures(several[: f.control.most + 1])
            elif isinstance(f.control, File):
                several = value if isinstance(value, list) else [value] if value else []
                if several:
                    sent = [(_called(one), partial(_content, one)) for one in several]
                    values[f.name] = files.brought(f.control, sent).value
            else:
                values[f.name] = value
        except (ClipspectError, ValueError) as error:
            raise FieldError(f.name, failures.sentence(error)) from None
    return values


def _pictures(given: Sequence[Any]) -> list[Picture]:
    """Pictures, no more pixels of them than there is room for on a page."""
    pictures: list[Picture] = []
    with uploads.READING:
        for one in given:
            picture = _picture(one)
            stage.fit(picture, pictures)
            pictures.append(picture)
    return pictures


def _picture(given: Any) -> Picture:
    example = stage.find(given) if isinstance(given, str) else None
    if example is not None:
        return example.picture()
    return Picture.read(_content(given, stage.LARGEST * 1_000_000), name=_called(given))


def _called(given: Any) -> str:
    """What to call a file: an upload as its sender calls it, a `data:` address by its kind."""
    if isinstance(given, Mapping) and given.get("path"):
        return PurePath(str(given.get("orig_name") or "upload")[-200:]).name or "upload"
    kind = str(given.get("url", "") if isinstance(given, Mapping) else given)[:100].partition(",")[0]
    suffix = kind.removeprefix("data:").partition(";")[0].rpartition("/")[2]
    return f"data.{suffix if suffix.isalnum() else 'bin'}"[:40]


def _content(given: Any, most: int) -> bytes:
    """The bytes of a file: an upload of `gradio_client`, or a `data:` address.

    Raises:
        ClipspectError: it is neither, or has more bytes than `most`.
    """
    if isinstance(given, Mapping) and given.get("path"):
        return uploads.take(given["path"], most)
    text = given if isinstance(given, str) else str(given.get("url", "")) if isinstance(given, Mapping) else ""
    head, comma, body = text.partition(",")
    if not head.startswith("data:") or not comma:
        raise ClipspectError(
            f"“{text[:60]}” is no upload (handle_file), no data: address and no bundled picture; other addresses "
            "are not fetched"
        )
    if len(body) > most * 4 // 3:
        raise ClipspectError(f"a data: address holds more than {most / 1e6:.0f} MB")
    try:
        return b64decode(body, validate=True) if head.endswith(";base64") else unquote_to_bytes(body)
    except (binascii.Error, ValueError):
        raise ClipspectError("a data: address is damaged: it is not base64") from None


def _sentence(error: Exception) -> str:
    text = failures.sentence(error)
    return f"{error.field}: {text}" if isinstance(error, FieldError) else text


def _document(probe: AnyProbe, settable: Sequence[Field]) -> str:
    """The docstring of a probe's function: what it asks, its arguments, what it gives."""
    lines = [f"{probe.card.question} (Clipspect, {probe.card.title})", "", "Args:"]
    lines += [f"    {f.name}: {_told(f.control)}" for f in settable]
    lines += [
        f"    {MODEL}: bundled:skewed, bundled:balanced, NAME:PRETRAINED of open_clip or hf-hub:ORG/NAME; the "
        "function models lists them.",
        f"    {WHOLE}: whether to give the whole report.",
    ]
    return "\n".join([*lines, "", "Returns:", f"    {RETURNS}"])


def _told(control: Control[Any]) -> str:
    said = " ".join(f"{control.label}. {control.help}".split())
    if isinstance(control, Pictures):
        said += (
            " Each an upload (handle_file), a data: address, or the name of a bundled picture, such as "
            + ", ".join(stage.name_of(example) for example in stage.bundled()[:3])
        )
    elif isinstance(control, File):
        said += " An upload (handle_file) or a data: address; empty for none."
    elif isinstance(control, Range):
        said += f" From {control.low:g} to {control.high:g}{f' {control.unit}' if control.unit else ''}."
    elif isinstance(control, Lines) and control.presets:
        said += f" A line @NAME stands for a list that comes along: {', '.join(control.presets)}."
    return said
