"""The browser's side of Clipspect: a Gradio shell that knows probes only by their contract.

    from app import main
    main()  # python app.py --host 127.0.0.1 --port 7860 --model bundled

`demo()` gives the pages without starting them.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from app.quick_import import gradio as gr  # before anything else imports it

# isort: split
from starlette.middleware import Middleware

from app import failures, theme, uploads
from app.engine import Engine, installed
from app.files import LARGEST
from app.guard import Guard
from app.shell import build
from probes import registry
from probes.core.errors import ClipspectError
from probes.core.probe import AnyProbe

__all__ = ["launch", "main"]

WAITING = 1_000
"""Requests of all visitors that wait at once; more are refused."""
SESSIONS = 500
"""Visitors whose pictures are held at once; the longest gone are forgotten first."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def launch(
    engine: Engine, probes: Sequence[AnyProbe], host: str, port: int | None, *, wait: bool = True
) -> tuple[gr.Blocks, str]:
    """Start the app and say where; with `wait`, stay until it is interrupted."""
    uploads.separate()
    demo = build(engine, probes)
    demo.queue(default_concurrency_limit=4, max_size=WAITING)
    _, address, _ = demo.launch(
        server_name=host, server_port=port, share=False, inbrowser=False, quiet=True, prevent_thread_lock=True,
        theme=theme.theme(), css_paths=_styles(probes), head=theme.head(), favicon_path=theme.MARK,
        footer_links=[], run_history=False, enable_monitoring=False, ssr_mode=False, pwa=False, show_error=False,
        max_file_size=LARGEST * 1_000_000, state_session_capacity=SESSIONS,
        app_kwargs={"middleware": [Middleware(Guard, largest=LARGEST * 1_000_000)]},
    )  # fmt: skip
    print(f"Clipspect: {address}", flush=True)
    threading.Thread(target=_warm, args=(engine, probes), name="clipspect-examples", daemon=True).start()
    if wait:
        demo.block_thread()
    return demo, address


def _styles(probes: Sequence[AnyProbe]) -> list[Path]:
    """The style sheets of the shell, and those of explorers."""
    explorers = [probe.explorer.styles for probe in probes if probe.explorer is not None]
    return list(dict.fromkeys([*theme.STYLES, *(path for styles in explorers for path in styles)]))


def _warm(engine: Engine, probes: Sequence[AnyProbe]) -> None:
    """Answer every page's example before anybody asks."""
    for probe in probes:  # before the list of models, which is not needed for a first answer
        try:
            if not probe.card.content_note:
                for spec in engine.opens_with:
                    engine.example(probe, spec)
        except Exception as error:  # the page that needs it says so to its visitors
            print(
                f"Clipspect: the example of {probe.card.name} failed: {failures.sentence(error)}", file=sys.stderr
            )


def main(arguments: Sequence[str] | None = None) -> int:
    """Start the app as the arguments and the environment say."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    chosen = _parser().parse_args(arguments)
    files = chosen.host in LOOPBACK
    try:
        engine = installed(chosen.model, chosen.beside, files)
        launch(engine, list(registry.all_probes().values()), chosen.host, chosen.port)
    except (OSError, ClipspectError) as error:
        print(f"clipspect: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    space = "SPACE_ID" in os.environ
    parser = argparse.ArgumentParser(prog="app.py", description="Start Clipspect in the browser.")
    parser.add_argument(
        "--host",
        default=os.environ.get("GRADIO_SERVER_NAME", "0.0.0.0" if space else "127.0.0.1"),
        help="address to listen at; 0.0.0.0 for everybody (default: %(default)s)",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=int(os.environ.get("GRADIO_SERVER_PORT", "7860")),
        help="port to listen at (default: %(default)s)",
    )
    parser.add_argument("--model", default="bundled", help="model that pages open with (default: %(default)s)")
    parser.add_argument(
        "--beside",
        help="second model that pages open with, or none (default: bundled:balanced beside the bundled model)",
    )
    return parser
