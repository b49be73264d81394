"""The question that an answer is to, as a call of this server from Python (`app.api`)."""

from __future__ import annotations

from typing import Any

from app import stage
from probes.core.controls import Lines, Pictures
from probes.core.file_controls import EmbeddingPairsFile, File, PictureSet
from probes.core.marks import Marks
from probes.core.parameters import Field, Params, fields
from probes.core.pictures import Picture
from probes.core.report import Report

ADDRESS = "ADDRESS"
"""Stands for the server's address, which the browser knows and puts in."""
ADDRESS_JS = f"""
(call) => {{
  const here = window.location.href.split(/[?#]/)[0].replace(/[^/]*$/, '').replace(/\\/$/, '');
  return call ? call.replace('"{ADDRESS}"', JSON.stringify(here)) : call;
}}
"""


def python(report: Report[Any]) -> str:
    """The call; what differs from the defaults alone."""
    params = report.params
    if not isinstance(params, Params):
        return ""
    given = [f"{f.name}={_written(f, getattr(params, f.name))}" for f in fields(params) if _differs(f, params)]
    model = [f"model={report.provenance.model!r}"] if params.needs_model() else []
    lines = [f"    {argument}," for argument in (*given, *model, f'api_name="/{report.probe}"')]
    names = "Client, handle_file" if any("handle_file" in line for line in lines) else "Client"
    return "\n".join(
        [f"from gradio_client import {names}", f'client = Client("{ADDRESS}")', "client.predict(", *lines, ")"]
    )


def _differs(f: Field, params: Params) -> bool:
    value = getattr(params, f.name)
    return bool(value != f.default) if not isinstance(f.control, File) else len(value) > 0


def _written(f: Field, value: Any) -> str:
    """A value as an argument in Python."""
    control = f.control
    if isinstance(control, Pictures):
        return _listed([_picture(picture) for picture in value])
    if isinstance(control, (PictureSet, EmbeddingPairsFile)):
        return _listed([f"handle_file({value.name!r})"])
    if isinstance(control, File):
        return f"handle_file({value.name!r})"
    if isinstance(control, (Lines, Marks)):
        return _listed([repr(text) for text in control.format(value)])
    return repr(value)


def _picture(picture: Picture) -> str:
    """A bundled picture by its name, another one as a file that is sent."""
    name = next((stage.name_of(one) for one in stage.bundled() if one.picture() == picture), "")
    return repr(name) if name else f"handle_file({picture.name!r})"


def _listed(items: list[str]) -> str:
    return f"[{', '.join(items)}]"
