"""The papers that asked first, and what of each is used here."""

from __future__ import annotations

from probes.core.card import Reference
from probes.core.references import BENJAMINI_HOCHBERG, CLIP

REFERENCES = (
    Reference(
        key="agarwal2021evaluating",
        title="Evaluating CLIP: Towards Characterization of Broader Capabilities and Downstream Implications",
        authors="Agarwal, Sandhini and Krueger, Gretchen and Clark, Jack and Radford, Alec and Kim, Jong Wook and "
        "Brundage, Miles",
        year=2021,
        venue="arXiv",
        url="https://arxiv.org/abs/2108.02818",
        why="Harm rates by group, and how the choice of classes moves them.",
    ),
    Reference(
        key="geyik2019ranking",
        title="Fairness-Aware Ranking in Search & Recommendation Systems with Application to LinkedIn "
        "Talent Search",
        authors="Geyik, Sahin Cem and Ambler, Stuart and Kenthapadi, Krishnaram",
        year=2019,
        venue="KDD",
        url="https://arxiv.org/abs/1905.01989",
        why="Skew, MaxSkew, MinSkew and NDKL.",
    ),
    Reference(
        key="berg2022prompt",
        title="A Prompt Array Keeps the Bias Away: Debiasing Vision-Language Models with Adversarial Learning",
        authors="Berg, Hugo and Hall, Siobhan Mackenzie and Bhalgat, Yash and Yang, Wonsuk and "
        "Kirk, Hannah Rose and Shtedritski, Aleksandar and Bain, Max",
        year=2022,
        venue="AACL-IJCNLP",
        url="https://arxiv.org/abs/2203.11933",
        why="Ranking measures on CLIP.",
    ),
    Reference(
        key="caliskan2017weat",
        title="Semantics derived automatically from language corpora contain human-like biases",
        authors="Caliskan, Aylin and Bryson, Joanna J. and Narayanan, Arvind",
        year=2017,
        venue="Science 356",
        url="https://doi.org/10.1126/science.aal4230",
        why="WEAT and its permutation test.",
    ),
    Reference(
        key="steed2021ieat",
        title="Image Representations Learned With Unsupervised Pre-Training Contain Human-like Biases",
        authors="Steed, Ryan and Caliskan, Aylin",
        year=2021,
        venue="FAccT",
        url="https://arxiv.org/abs/2010.15052",
        why="The same test on pictures (iEAT).",
    ),
    Reference(
        key="hausladen2024social",
        title="Social perception of faces in a vision-language model",
        authors="Hausladen, Carina I. and Knott, Manuel and Camerer, Colin F. and Perona, Pietro",
        year=2024,
        venue="arXiv",
        url="https://arxiv.org/abs/2408.14435",
        why="Pictures that differ in one attribute.",
    ),
    Reference(
        key="alabdulmohsin2024clip",
        title="CLIP the Bias: How Useful is Balancing Data in Multimodal Learning?",
        authors="Alabdulmohsin, Ibrahim and Wang, Xiao and Steiner, Andreas and Goyal, Priya and "
        "D'Amour, Alexander and Zhai, Xiaohua",
        year=2024,
        venue="ICLR",
        url="https://arxiv.org/abs/2403.04547",
        why="What balancing training data moves; seen here on the bundled pair.",
    ),
    Reference(
        key="moreira2024fairpivara",
        title="FairPIVARA: Reducing and Assessing Biases in CLIP-Based Multimodal Models",
        authors="Moreira, Diego A. B. and Ferreira, Alef Iury and Silva, Jhessica and others",
        year=2024,
        venue="arXiv",
        url="https://arxiv.org/abs/2409.19474",
        why="Removal of the dimensions that carry most of an association.",
    ),
    Reference(
        key="dehdashtian2024fairerclip",
        title="FairerCLIP: Debiasing CLIP's Zero-Shot Predictions using Functions in RKHSs",
        authors="Dehdashtian, Sepehr and Wang, Lan and Boddeti, Vishnu Naresh",
        year=2024,
        venue="ICLR",
        url="https://arxiv.org/abs/2403.15593",
        why="A closed form by dependence measures.",
    ),
    Reference(
        key="hirota2024saner",
        title="SANER: Annotation-free Societal Attribute Neutralizer for Debiasing CLIP",
        authors="Hirota, Yusuke and Chen, Min-Hung and Wang, Chien-Yi and Nakashima, Yuta and "
        "Wang, Yu-Chiang Frank and Hachiuma, Ryo",
        year=2025,
        venue="ICLR",
        url="https://arxiv.org/abs/2408.10202",
        why="Leaving prompts that name the attribute as they are.",
    ),
    Reference(
        key="karkkainen2021fairface",
        title="FairFace: Face Attribute Dataset for Balanced Race, Gender, and Age for Bias Measurement and "
        "Mitigation",
        authors="Karkkainen, Kimmo and Joo, Jungseock",
        year=2021,
        venue="WACV",
        url="https://arxiv.org/abs/1908.04913",
        why="The table's layout, and the pictures of the published figures.",
    ),
    Reference(
        key="weerts2023fairlearn",
        title="Fairlearn: Assessing and Improving Fairness of AI Systems",
        authors="Weerts, Hilde and Dudík, Miroslav and Edgar, Richard and Jalali, Adrin and Lutz, Roman and "
        "Madaio, Michael",
        year=2023,
        venue="Journal of Machine Learning Research 24",
        url="https://jmlr.org/papers/v24/23-0389.html",
        why="Rates by group, their difference and ratio.",
    ),
    BENJAMINI_HOCHBERG,
    CLIP,
)
