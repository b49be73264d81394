"""Start Clipspect in the browser: `python app.py --host 127.0.0.1 --port 7860 --model bundled`."""

from __future__ import annotations

from app import main

if __name__ == "__main__":
    raise SystemExit(main())
