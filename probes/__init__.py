"""Probes: questions one can put to a CLIP model, each with its measure, its figures and its limits."""
