"""`python -m probes`: the probes without a browser."""

from __future__ import annotations

from probes.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
