"""Many visitors at once on this machine: `python -m bench.load --visitors 50 --seconds 120`.

Starts the app with the bundled models on a free port of the loopback address, lets visitors go round all of its
pages at once, and ends it. Each brings files that nobody else has and checks that the answers are to those: by
their names in everything that is sent, and afterwards by asking the model the same directly. Ends with 1 if
anything failed or was mixed up, if the 95th percentile of interactive steps is over `SLOWEST` seconds, or if the
memory of the last half minute exceeds that after the first minute by more than `GROWTH`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from app import READY
from bench.load import direct
from bench.load.visitor import INTERACTIVE, TOURS, Record, Visitor
from bench.load.wire import Wiring

HOST = "127.0.0.1"
SLOWEST = 3.0
"""Seconds of the 95th percentile of interactive steps, at most."""
GROWTH = 0.1
"""Share by which memory may grow from the half minute after the first minute to the last half minute."""
LEAST = 40_000_000
"""Bytes of growth that are no growth: what a busy process has in hand."""
BOUNDS = {"visitors": (1, 200), "seconds": (10, 600)}
SAMPLE = 40
"""Answers of a page that are held to a direct computation."""


@dataclass
class Memory:
    """Resident memory of the server: (seconds since the visitors came, bytes)."""

    process: psutil.Process
    seen: list[tuple[float, int]] = field(default_factory=list)

    async def watch(self) -> None:
        """Look every two seconds until cancelled."""
        began = time.monotonic()
        while True:
            self.seen.append((time.monotonic() - began, self.process.memory_info().rss))
            await asyncio.sleep(2)

    def mean(self, begin: float, end: float) -> float:
        """Mean over a span of seconds; 0 where nothing was seen."""
        return statistics.fmean([size for at, size in self.seen if begin <= at < end] or [0])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the load, print what it found."""
    chosen = _parser().parse_args(arguments)
    port = _free_port()
    log = Path(chosen.out) / "load-server.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as stream:
        server = subprocess.Popen(
            [sys.executable, "app.py", "--host", HOST, "--port", str(port)], stdout=stream, stderr=stream,
            env={**os.environ, "GRADIO_ANALYTICS_ENABLED": "False"},
        )  # fmt: skip
        try:
            record, memory = asyncio.run(_load(f"http://{HOST}:{port}", server, log, chosen))
        except (RuntimeError, httpx.HTTPError) as error:
            print(f"the app did not start: {error!r}; see {log}")
            return 1
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
    if "Traceback" in log.read_text(errors="replace"):
        record.errors[f"the server logged a traceback: see {log}"] += 1
    record.mixed += direct.differing(record.answers, SAMPLE)
    told = _told(record, memory, chosen)
    (log.parent / "load.json").write_text(json.dumps(told, indent=2) + "\n")
    return 1 if told["broken"] else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.load", description="Many visitors at once.")
    parser.add_argument("--visitors", type=_within("visitors"), default=50, help="at once (default: %(default)s)")
    parser.add_argument("--seconds", type=_within("seconds"), default=120, help="how long (default: %(default)s)")
    parser.add_argument(
        "--think", type=float, default=5.0,
        help="seconds, on average, for which a visitor looks before the next step (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--out", default="out", help="folder of load.json and the server's log")
    return parser


def _within(name: str) -> type[int]:
    low, high = BOUNDS[name]

    def read(text: str) -> int:
        if not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text} is not between {low} and {high}")
        return int(text)

    return read  # type: ignore[return-value]


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


async def _load(
    address: str, server: subprocess.Popen[bytes], log: Path, chosen: argparse.Namespace
) -> tuple[Record, Memory]:
    """Wait for the app, let the visitors in, and see them out."""
    wirings = {page: Wiring.of(html) for page, html in (await _pages(address, server, log)).items()}
    words = direct.words(chosen.visitors)
    before = Visitor(chosen.visitors, address, wirings, words, 0.0, Record())
    for page in wirings:  # nobody is the first: what is made once for all visitors has been made
        async with before.at(page):
            pass
    record, memory = Record(), Memory(psutil.Process(server.pid))
    visitors = [Visitor(n, address, wirings, words, chosen.think, record) for n in range(chosen.visitors)]
    print(f"{chosen.visitors} visitors for {chosen.seconds} s at {address}", flush=True)
    tasks = [asyncio.create_task(visitor.stay()) for visitor in visitors]
    tasks.append(asyncio.create_task(memory.watch()))
    await asyncio.wait(tasks, timeout=chosen.seconds, return_when=asyncio.FIRST_EXCEPTION)
    gone = server.poll()
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if not isinstance(outcome, asyncio.CancelledError):
            record.errors[f"a visitor left: {outcome!r}"[:200]] += 1
    if gone is not None:
        record.errors[f"the server ended with {gone}"] += 1
    return record, memory


async def _pages(address: str, server: subprocess.Popen[bytes], log: Path) -> dict[str, str]:
    """The HTML of every page, once the server says that every page has its first answer."""
    for _ in range(600):
        if READY in log.read_text(errors="replace"):
            break
        if server.poll() is not None:
            break
        await asyncio.sleep(1)
    else:
        raise RuntimeError("not every page got its first answer")
    if server.poll() is not None:
        raise RuntimeError("the server ended")
    async with httpx.AsyncClient(base_url=address, timeout=60, trust_env=False) as http:
        return {page: (await http.get(page)).text for page in TOURS}


def _told(record: Record, memory: Memory, chosen: argparse.Namespace) -> dict[str, object]:
    """Print the outcome, and give it as JSON."""
    steps = {kind: _spread(seconds) for kind, seconds in sorted(record.seconds.items())}
    steps["all interactive steps"] = _spread([s for kind in INTERACTIVE for s in record.seconds.get(kind, ())])
    print(f"{'step':28} {'n':>6} {'p50':>7} {'p95':>7} {'most':>7}")
    for kind, spread in steps.items():
        print(f"{kind:28} {spread['n']:6.0f} {spread['p50']:7.2f} {spread['p95']:7.2f} {spread['most']:7.2f}")
    spans = [(begin, memory.mean(begin, begin + 30)) for begin in range(0, chosen.seconds, 30)]
    print("memory by half minute: " + ", ".join(f"{size / 1e6:.0f} MB" for _, size in spans))
    broken = [f"{count} x {what}" for what, count in record.errors.most_common()] + record.mixed
    if steps["all interactive steps"]["p95"] > SLOWEST:
        broken.append(f"the 95th percentile of interactive steps is over {SLOWEST:g} s")
    first, last = memory.mean(60, 90), memory.mean(chosen.seconds - 30, chosen.seconds + 30)
    if chosen.seconds >= 120 and last - first > max(GROWTH * first, LEAST):
        broken.append(f"memory grew from {first / 1e6:.0f} to {last / 1e6:.0f} MB")
    print("pages gone through: " + ", ".join(f"{page} {n}" for page, n in sorted(record.visits.items())))
    print(
        f"answers to own files: {len(record.answers)}; errors: {record.errors.total()}; mixed: {len(record.mixed)}"
    )
    print("\n".join(broken) or "all of it holds")
    return {
        "visitors": chosen.visitors, "seconds": chosen.seconds, "think": chosen.think, "steps": steps,
        "memory": spans, "visits": dict(record.visits), "answers": len(record.answers), "broken": broken,
    }  # fmt: skip


def _spread(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds) or [0.0]
    at = {name: ordered[min(len(ordered) - 1, int(share * len(ordered)))] for name, share in
          (("p50", 0.5), ("p95", 0.95), ("most", 1.0))}  # fmt: skip
    return {"n": float(len(seconds)), **at}


if __name__ == "__main__":
    sys.exit(main())
