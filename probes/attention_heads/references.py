"""Publications that the page of attention heads rests on."""

from __future__ import annotations

from probes.core.card import Reference
from probes.core.references import BENJAMINI_HOCHBERG

REFERENCES = (
    Reference(
        key="gandelsman2024heads",
        title="Interpreting CLIP's Image Representation via Text-Based Decomposition",
        authors="Gandelsman, Yossi and Efros, Alexei A. and Steinhardt, Jacob",
        year=2024,
        venue="ICLR",
        url="https://arxiv.org/abs/2310.05916",
        why="Wrote the image embedding as a sum over heads and patches; TextSpan, mean ablation, patch maps, and "
        "dropping spurious heads are theirs.",
    ),
    Reference(
        key="moeller2025secondorder",
        title="Explaining Caption-Image Interactions in CLIP Models with Second-Order Attributions",
        authors="Möller, Lucas and Tilli, Pascal and Vu, Ngoc Thang and Padó, Sebastian",
        year=2025,
        venue="TMLR",
        url="https://arxiv.org/abs/2408.14153",
        why="Attributes a similarity to pairs of a word and a patch.",
    ),
    Reference(
        key="chefer2021transformer",
        title="Transformer Interpretability Beyond Attention Visualization",
        authors="Chefer, Hila and Gur, Shir and Wolf, Lior",
        year=2021,
        venue="CVPR",
        url="https://arxiv.org/abs/2012.09838",
        why="Measured maps as masks: a pixel counts where the map is above its mean.",
    ),
    Reference(
        key="nam2025misalignment",
        title="Extract Free Dense Misalignment from CLIP",
        authors="Nam, JeongYeon and Im, Jinbae and Kim, Wonjae and Kil, Taeho",
        year=2025,
        venue="AAAI",
        url="https://arxiv.org/abs/2412.18404",
        why="Words whose attribution is negative do not fit the picture; the attribution here is another one.",
    ),
    BENJAMINI_HOCHBERG,
)
