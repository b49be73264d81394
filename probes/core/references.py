"""Publications that every report rests on, whichever probe made it."""

from __future__ import annotations

from probes.core.card import Reference

CLIP = Reference(
    key="radford2021clip",
    title="Learning Transferable Visual Models From Natural Language Supervision",
    authors="Radford, Alec and Kim, Jong Wook and Hallacy, Chris and Ramesh, Aditya and Goh, Gabriel and "
    "Agarwal, Sandhini and Sastry, Girish and Askell, Amanda and Mishkin, Pamela and Clark, Jack and "
    "Krueger, Gretchen and Sutskever, Ilya",
    year=2021,
    venue="ICML",
    url="https://arxiv.org/abs/2103.00020",
    why="The model, zero-shot classification and ensembles of templates.",
)

OPEN_CLIP = Reference(
    key="ilharco2021openclip",
    title="OpenCLIP",
    authors="Ilharco, Gabriel and Wortsman, Mitchell and Wightman, Ross and Gordon, Cade and Carlini, Nicholas "
    "and Taori, Rohan and Dave, Achal and Shankar, Vaishaal and Namkoong, Hongseok and Miller, John and "
    "Hajishirzi, Hannaneh and Farhadi, Ali and Schmidt, Ludwig",
    year=2021,
    venue="Zenodo",
    url="https://doi.org/10.5281/zenodo.5143773",
    why="The implementation of the models.",
)

BENJAMINI_HOCHBERG = Reference(
    key="benjamini1995fdr",
    title="Controlling the False Discovery Rate: A Practical and Powerful Approach to Multiple Testing",
    authors="Benjamini, Yoav and Hochberg, Yosef",
    year=1995,
    venue="Journal of the Royal Statistical Society B 57(1)",
    url="https://doi.org/10.1111/j.2517-6161.1995.tb02031.x",
    why="The correction of families of tests.",
)

FOUNDATIONS = (CLIP, OPEN_CLIP)
"""In the BibTeX of every report, besides the probe's own references."""
