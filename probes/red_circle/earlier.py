"""Reports of the first version of this probe, which drew one circle, brought to what results hold now."""

from __future__ import annotations

from typing import Any

import numpy as np

from probes.red_circle.effects import DRAWN


def upgraded(raw: Any) -> Any:
    """The values of a result as they are now; what is new already is left as it is."""
    if not isinstance(raw, dict) or "circle" not in raw:
        return raw
    circle = raw["circle"]
    mark = {
        "shape": "circle",
        "points": [[circle["x"], circle["y"]]],
        **{name: circle[name] for name in ("radius", "width", "colour")},
    }
    effects = [
        {"text": one["label"], "prompt": DRAWN, **{name: value for name, value in one.items() if name != "label"}}
        for one in raw["effects"]
    ]
    placebos = [
        {"prompt": DRAWN, "kind": "elsewhere", "what": f"{x:.3f},{y:.3f}", "changes": changes}
        for (x, y), changes in zip(np.asarray(raw["places"]).tolist(), raw["placebo_changes"], strict=True)
    ]
    return {
        "picture": raw["picture"],
        "marks": [mark],
        "outside": "as it is",
        "called": f"{circle['colour']} circle",
        "effects": effects,
        "placebos": placebos,
        "unmarked": raw["unmarked"],
        "marked": raw["marked"],
        "shown": raw["unmarked"],
        "drawn": raw["marked"],
        "pixels_marked": raw["pixels_marked"],
        "cautions": raw.get("cautions", ()),
    }
