"""The papers that asked first, and what of each is used here."""

from __future__ import annotations

from probes.core.card import Reference
from probes.core.references import CLIP

REFERENCES = (
    Reference(
        key="liang2022mind",
        title="Mind the Gap: Understanding the Modality Gap in Multi-modal Contrastive Representation Learning",
        authors="Liang, Weixin and Zhang, Yuhui and Kwon, Yongchan and Yeung, Serena and Zou, James",
        year=2022,
        venue="NeurIPS",
        url="https://arxiv.org/abs/2203.02053",
        why="Found the gap, its cones and what temperature does to it; the shift along the gap.",
    ),
    Reference(
        key="schrodi2025two",
        title="Two Effects, One Trigger: On the Modality Gap, Object Bias, and Information Imbalance in "
        "Contrastive Vision-Language Models",
        authors="Schrodi, Simon and Hoffmann, David T. and Argus, Max and Fischer, Volker and Brox, Thomas",
        year=2025,
        venue="ICLR",
        url="https://arxiv.org/abs/2404.07983",
        why="The relative modality gap, and that few dimensions hold most of the gap.",
    ),
    Reference(
        key="eslami2024mitigate",
        title="Mitigate the Gap: Investigating Approaches for Improving Cross-Modal Alignment in CLIP",
        authors="Eslami, Sedigheh and de Melo, Gerard",
        year=2024,
        venue="arXiv",
        url="https://arxiv.org/abs/2406.17639",
        why="That closing the gap can help and how it is measured.",
    ),
    Reference(
        key="yamaguchi2025post",
        title="Post-pre-training for Modality Alignment in Vision-Language Foundation Models",
        authors="Yamaguchi, Shin'ya and Feng, Dewei and Kanai, Sekitoshi and Adachi, Kazuki and Chijiwa, Daiki",
        year=2025,
        venue="CVPR",
        url="https://arxiv.org/abs/2504.12717",
        why="Closing the gap after training, and what it costs.",
    ),
    Reference(
        key="wang2020understanding",
        title="Understanding Contrastive Representation Learning through Alignment and Uniformity on the "
        "Hypersphere",
        authors="Wang, Tongzhou and Isola, Phillip",
        year=2020,
        venue="ICML",
        url="https://arxiv.org/abs/2005.10242",
        why="Alignment and uniformity.",
    ),
    Reference(
        key="oh2023geodesic",
        title="Geodesic Multi-Modal Mixup for Robust Fine-Tuning",
        authors="Oh, Changdae and So, Junhyuk and Byun, Hoyoon and Lim, YongTaek and Shin, Minchul and "
        "Jeon, Jong-June and Song, Kyungwoo",
        year=2023,
        venue="NeurIPS",
        url="https://arxiv.org/abs/2203.03897",
        why="The geodesic between a picture and its caption, and that little lies along it.",
    ),
    Reference(
        key="mcinnes2018umap",
        title="UMAP: Uniform Manifold Approximation and Projection for Dimension Reduction",
        authors="McInnes, Leland and Healy, John and Melville, James",
        year=2018,
        venue="arXiv",
        url="https://arxiv.org/abs/1802.03426",
        why="One of the views.",
    ),
    Reference(
        key="steed2021image",
        title="Image Representations Learned With Unsupervised Pre-Training Contain Human-like Biases",
        authors="Steed, Ryan and Caliskan, Aylin",
        year=2021,
        venue="FAccT",
        url="https://arxiv.org/abs/2010.15052",
        why="The effect size of the association that is followed while the clouds move.",
    ),
    CLIP,
)
