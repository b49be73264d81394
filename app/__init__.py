"""The browser's side of Clipspect: a Gradio shell that knows probes only by their contract.

    from app import main
    main()  # python app.py --host 127.0.0.1 --port 7860 --model bundled

`launch` starts the pages on an engine of one's own.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.quick_import import gradio as gr  # before anything else imports it
from app.quick_import import with_mcp

# isort: split
from starlette.middleware import Middleware

from app import api, explorers, failures, sessions, starting, theme, uploads
from app.engine import Engine, installed
from app.files import LARGEST
from app.guard import Guard
from app.kept_pages import KeptPages
from app.limits import LIMITS
from app.opening import open_page
from app.page import Page
from app.shell import addresses, build
from probes import registry
from probes.core.errors import ClipspectError
from probes.core.probe import AnyProbe

__all__ = ["launch", "main"]

HEAD_START = 1.0
"""Seconds for whoever waits at the door: what comes after them keeps both cores busy."""
TURN = 0.001
"""Seconds for which a thread that computes keeps those waiting that answer a hand; a fifth of Python's own."""
READY = "Clipspect: every page has its first answer"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def launch(
    engine: Engine,
    probes: Sequence[AnyProbe],
    host: str,
    port: int | None,
    *,
    wait: bool = True,
    mcp: bool = False,
) -> tuple[gr.Blocks, str]:
    """Start the app and say where; with `wait`, stay until it is interrupted.

    Args:
        engine: gives the models.
        probes: that have pages, in order.
        host: address to listen at.
        port: to listen at; None for one that is free.
        wait: whether to stay.
        mcp: whether every probe is a tool of the Model Context Protocol as well.
    """
    uploads.separate()
    if mcp:
        with_mcp()
    sys.setswitchinterval(TURN)
    with starting.once():
        with starting.without_applications():
            demo, pages = build(engine, probes)
            demo.queue(default_concurrency_limit=4, max_size=LIMITS.waiting)
        address = _launch(demo, probes, host, port, mcp)
    api.speak_json(demo)
    sessions.keep(demo)
    print(f"Clipspect: {address}", flush=True)
    threading.Thread(target=_warm, args=(pages, wait), name="clipspect-examples", daemon=True).start()
    if wait:
        demo.block_thread()
    return demo, address


def _launch(demo: gr.Blocks, probes: Sequence[AnyProbe], host: str, port: int | None, mcp: bool) -> str:
    _, address, _ = demo.launch(
        server_name=host, server_port=port, share=False, inbrowser=False, quiet=True, prevent_thread_lock=True,
        theme=theme.theme(), css_paths=_styles(probes), head=theme.head(), favicon_path=theme.MARK,
        footer_links=[], run_history=False, enable_monitoring=False, ssr_mode=False, pwa=False, show_error=False,
        max_file_size=LARGEST * 1_000_000, state_session_capacity=LIMITS.visitors, mcp_server=mcp,
        app_kwargs={
            "middleware": [
                Middleware(Guard, largest=LARGEST * 1_000_000),
                Middleware(KeptPages, paths=["/", *(address for _, address in addresses(probes))]),
            ]
        },
    )  # fmt: skip
    return str(address)


def _styles(probes: Sequence[AnyProbe]) -> list[Path]:
    """The style sheets of the shell, and those of explorers."""
    explorers = [probe.explorer.styles for probe in probes if probe.explorer is not None]
    return list(dict.fromkeys([*theme.STYLES, *(path for styles in explorers for path in styles)]))


def _warm(pages: Sequence[Page], stays: bool) -> None:
    """Answer every page's example, and draw it, before anybody asks; the first page is sent before that.

    Args:
        pages: of probes.
        stays: whether the program stays: then what follows the examples is computed as well, which compiles what
            compiles when it is first used.
    """
    time.sleep(HEAD_START)
    for page in pages:  # before the list of models, which is not needed for a first answer
        card = page.probe.card
        try:
            if not card.content_note:
                for spec in page.engine.opens_with:
                    page.engine.example(page.probe, spec)
                open_page(page, "")
        except Exception as error:  # the page that needs it says so to its visitors
            print(f"Clipspect: the example of {card.name} failed: {failures.sentence(error)}", file=sys.stderr)
    if stays:
        for page in pages:
            for answer in filter(None, (page.engine.ready(page.probe, spec) for spec in page.engine.opens_with)):
                deque(explorers.follow(page.probe, page.engine, answer), maxlen=0)
        print(READY, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Start the app as the arguments and the environment say."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    chosen = _parser(os.environ).parse_args(arguments)
    files = chosen.host in LOOPBACK
    try:
        engine = installed(chosen.model, chosen.beside or None, files)
        launch(engine, list(registry.all_probes().values()), chosen.host, chosen.port, mcp=chosen.mcp)
    except (OSError, ClipspectError) as error:
        print(f"clipspect: {error}", file=sys.stderr)
        return 1
    return 0


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    """The options, with what the environment sets as their defaults; argparse reads those like what is typed."""
    space = "SPACE_ID" in environment

    def told(name: str, *others: str, default: str = "") -> str:
        return next((environment[n] for n in (f"CLIPSPECT_{name}", *others) if environment.get(n)), default)

    parser = argparse.ArgumentParser(prog="app.py", description="Start Clipspect in the browser.")
    parser.add_argument(
        "--host",
        default=told("HOST", "GRADIO_SERVER_NAME", default="0.0.0.0" if space else "127.0.0.1"),
        help="address to listen at; 0.0.0.0 for everybody (CLIPSPECT_HOST; default: %(default)s)",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=told("PORT", "GRADIO_SERVER_PORT", default="7860"),
        help="port to listen at (CLIPSPECT_PORT; default: %(default)s)",
    )
    parser.add_argument(
        "--model",
        default=told("MODEL", default="bundled"),
        help="model that pages open with (CLIPSPECT_MODEL; default: %(default)s)",
    )
    parser.add_argument(
        "--beside",
        default=told("BESIDE"),
        help="second model that pages open with, or none (CLIPSPECT_BESIDE; default: bundled:balanced beside the "
        "bundled model)",
    )
    parser.add_argument(
        "--mcp",
        action=argparse.BooleanOptionalAction,
        default=told("MCP", default="1" if space else "0") not in ("0", "no", "off", "false"),
        help="offer every probe as a tool of the Model Context Protocol as well (CLIPSPECT_MCP; on in a Space)",
    )
    return parser
