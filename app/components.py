"""Gradio's components where the app needs to see what a browser sent, before Gradio makes something of it.

Numbers out of range and words that are no choice arrive as they are, so that the sentence about them appears
beside their field instead of Gradio's own message.
"""

from __future__ import annotations

import gradio as gr


class NumberInput(gr.Number):
    """A number that is passed on as it was typed."""

    is_template = True

    def preprocess(self, payload: float | None) -> float | None:
        """The number, whether or not it is allowed."""
        return payload


class SliderInput(gr.Slider):
    """A slider whose number is passed on as it was typed."""

    is_template = True

    def preprocess(self, payload: float) -> float:
        """The number, whether or not it is allowed."""
        return payload


class ChoiceInput(gr.Radio):
    """A choice that is passed on as it came."""

    is_template = True

    def preprocess(self, payload: str | int | float | None) -> str | int | float | None:
        """The choice, whether or not it is one."""
        return payload
