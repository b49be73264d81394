"""How the app looks: Gradio's base theme with this project's colours, the reader's own fonts, and one style sheet.

Nothing is fetched: fonts are the system's, and the style sheet, the script and the mark lie beside this file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.themes.utils.colors import Color

HERE = Path(__file__).parent
STYLE = HERE / "style.css"
STYLES = (STYLE, HERE / "teaching.css", HERE / "training.css", HERE / "marks" / "marks.css")
SCRIPTS = (
    HERE / "settled.js",
    HERE / "script.js",
    HERE / "predict.js",
    HERE / "terms.js",
    *sorted((HERE / "marks").glob("*.js")),
)
"""In this order: the editor of marks adds to what `script.js` defines."""
PAPER = HERE / "print.css"
MARK = HERE / "mark.svg"

SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Noto Sans", "Arial", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "Noto Sans Mono", "monospace")

BLUE = Color(
    "#eef6fc", "#d9ebf8", "#b3d7f0", "#80bce4", "#3f9bd4", "#0b7cc0", "#0072b2", "#005d92", "#00496f",
    "#003653", "#002438", name="clipspect-blue",
)  # fmt: skip
"""Shades of Okabe and Ito's blue, the colour of the figures."""

STONE = Color(
    "#fbfaf8", "#f4f2ee", "#e7e4de", "#d3cfc7", "#a5a19a", "#77746e", "#57554f", "#42413d", "#2b2b29",
    "#1d1e1f", "#141516", name="clipspect-stone",
)  # fmt: skip


def theme() -> Any:
    """The theme for `launch`."""
    base = gr.themes.Base(
        primary_hue=BLUE, secondary_hue=BLUE, neutral_hue=STONE, font=SANS, font_mono=MONO,
        radius_size=gr.themes.sizes.radius_md, text_size=gr.themes.sizes.text_md,
    )  # fmt: skip
    return base.set(
        body_background_fill="#fbfaf8",
        body_background_fill_dark="#141516",
        body_text_color="#23262a",
        body_text_color_dark="#e9e7e3",
        body_text_color_subdued="#5d625f",
        body_text_color_subdued_dark="#a9a7a1",
        background_fill_primary="#ffffff",
        background_fill_primary_dark="#1c1d1f",
        background_fill_secondary="#f7f5f1",
        background_fill_secondary_dark="#222427",
        border_color_primary="#e3dfd8",
        border_color_primary_dark="#34363a",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_border_width_dark="0px",
        block_shadow="none",
        block_shadow_dark="none",
        block_padding="0px",
        block_label_background_fill="transparent",
        block_label_background_fill_dark="transparent",
        block_title_text_weight="600",
        block_title_text_size="0.92rem",
        block_title_text_color="*body_text_color",
        block_title_text_color_dark="*body_text_color",
        block_info_text_size="0.82rem",
        block_info_text_color="*body_text_color_subdued",
        block_info_text_color_dark="*body_text_color_subdued",
        input_background_fill="#ffffff",
        input_background_fill_dark="#1c1d1f",
        input_border_width="1px",
        input_border_width_dark="1px",
        input_border_color="#cfcac1",
        input_border_color_dark="#45484d",
        input_border_color_focus="#0072b2",
        input_border_color_focus_dark="#56b4e9",
        input_shadow="none",
        input_shadow_focus="0 0 0 3px rgba(0,114,178,.18)",
        input_shadow_focus_dark="0 0 0 3px rgba(86,180,233,.25)",
        button_primary_background_fill="#0072b2",
        button_primary_background_fill_hover="#005d92",
        button_primary_background_fill_dark="#0b74b0",
        button_primary_background_fill_hover_dark="#0072b2",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="#ffffff",
        button_secondary_background_fill="#ffffff",
        button_secondary_background_fill_hover="#f4f2ee",
        button_secondary_background_fill_dark="#26282b",
        button_secondary_background_fill_hover_dark="#303337",
        button_secondary_border_color="#cfcac1",
        button_secondary_border_color_dark="#45484d",
        layout_gap="18px",
        form_gap_width="0px",
        slider_color="#0072b2",
        slider_color_dark="#56b4e9",
        link_text_color="#00639b",
        link_text_color_dark="#7cc4f0",
        checkbox_label_background_fill="#ffffff",
        checkbox_label_background_fill_dark="#1c1d1f",
    )


def head() -> str:
    """What goes into the head of every page."""
    scripts = "".join(f"<script>{path.read_text(encoding='utf-8')}</script>" for path in SCRIPTS)
    return f"<style>{PAPER.read_text(encoding='utf-8')}</style>{scripts}"


TOP_JS = """
window.clipspect.recall();
element.addEventListener('click', (event) => {
  if (event.target.closest('.mood')) window.clipspect.mood(!document.body.classList.contains('dark'));
});
"""
"""Makes the switch between light and dark work."""
