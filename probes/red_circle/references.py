"""Publications that the red-circle lab rests on."""

from __future__ import annotations

from probes.core.card import Reference
from probes.core.references import BENJAMINI_HOCHBERG

REFERENCES = (
    Reference(
        key="shtedritski2023redcircle",
        title="What does CLIP know about a red circle? Visual prompt engineering for VLMs",
        authors="Shtedritski, Aleksandar and Rupprecht, Christian and Vedaldi, Andrea",
        year=2023,
        venue="ICCV",
        url="https://arxiv.org/abs/2304.06712",
        why="Found that a red circle steers CLIP to a region, subtracts scores, and shows what it does to people.",
    ),
    Reference(
        key="yang2023fgvp",
        title="Fine-Grained Visual Prompting",
        authors="Yang, Lingfeng and Wang, Yueze and Li, Xiang and Wang, Xinlong and Yang, Jian",
        year=2023,
        venue="NeurIPS",
        url="https://arxiv.org/abs/2306.04356",
        why="Blurs what lies outside of a region.",
    ),
    Reference(
        key="saranrittichai2023guidedcropping",
        title="Zero-Shot Visual Classification with Guided Cropping",
        authors="Saranrittichai, Piyapat and Munoz, Mauricio and Fischer, Volker and Mummadi, Chaithanya Kumar",
        year=2023,
        venue="arXiv",
        url="https://arxiv.org/abs/2309.06581",
        why="Crops to a region with a margin of context.",
    ),
    Reference(
        key="zhuang2024falip",
        title="FALIP: Visual Prompt as Foveal Attention Boosts CLIP Zero-Shot Performance",
        authors="Zhuang, Jiedong and Hu, Jiaqi and Mu, Lianrui and Hu, Rui and Liang, Xiaoyu and Ye, Jiangnan and "
        "Hu, Haoji",
        year=2024,
        venue="ECCV",
        url="https://arxiv.org/abs/2407.05578",
        why="Tells attention where to look without changing a pixel.",
    ),
    BENJAMINI_HOCHBERG,
)
