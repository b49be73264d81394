"""From a specification to a model in memory, by open_clip's own code with the traps taken out.

- Weights are read without running code: safetensors, or `torch.load(weights_only=True)`. A configuration that
  asks for code from the hub (`trust_remote_code`) is refused.
- What open_clip's training writes (`logs/NAME/checkpoints/epoch_1.pt`: weights, perhaps behind `module.`, beside
  the state of the optimizer) loads too. Older releases kept the learning rate as a number of NumPy, at which
  `weights_only` stops (open_clip issue 998); such numbers are let through, and nothing else.
- OpenAI's weights, and every tag that open_clip marks `quick_gelu`, were trained with QuickGELU. open_clip builds
  the plain model name with GELU and only warns; here QuickGELU is forced, and the card says so.
- Weights larger than the memory that is left are refused before they are read.
- A loaded model is float32, in evaluation mode, without gradients on its weights.
"""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from open_clip.factory import get_model_config
from open_clip.pretrained import get_pretrained_cfg, list_pretrained_tags_by_model
from open_clip.transform import PreprocessCfg
from torch import nn

from probes.backend import device as devices
from probes.backend import fetching, specs
from probes.backend.explaining import translated
from probes.backend.listing import BYTES_PER_PARAMETER, parameter_counts
from probes.backend.specs import Kind, Spec
from probes.core.errors import ModelError
from probes.core.model import Progress, no_progress
from probes.core.watching import part

_NUMBER: Any = np.float64(0).__reduce__()[0]  # what numbers of NumPy are unpickled by; it runs nothing
torch.serialization.add_safe_globals(
    [(_NUMBER, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")]
    + [np.dtype, type(np.dtype(np.float64)), type(np.dtype(np.float32))]
)

_drawing = threading.Lock()

FORCED = (
    "these weights were trained with QuickGELU, which the plain model name would replace by GELU; "
    "QuickGELU was used, as under {name}-quickgelu"
)
FROM_FILE = "whether weights from a file need QuickGELU cannot be seen in them; this model uses {activation}"


@dataclass(frozen=True)
class Recipe:
    """What open_clip has to be told to build a model.

    Attributes:
        spec: what was asked for.
        source: open_clip's model name, with its schema where it has one.
        weights: the file of the weights, None for random ones.
        tokenizer: the model name open_clip's `get_tokenizer` is asked with.
        config: open_clip's description of both towers.
        quick_gelu: whether QuickGELU is forced.
        preprocess: what the pretrained tag says about preprocessing.
        warnings: sentences for the card.
        folder: where the card, vocabulary and so on of a bundled model lie.
    """

    spec: Spec
    source: str
    weights: Path | None
    tokenizer: str
    config: dict[str, Any]
    quick_gelu: bool = False
    preprocess: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    folder: Path | None = None


@dataclass(frozen=True, eq=False)
class Loaded:
    """A model in memory.

    Attributes:
        recipe: how it was made.
        model: open_clip's CLIP, CustomTextCLIP or CoCa.
        tokenizer: open_clip's tokenizer: texts to ids, (n, context).
        preprocess: open_clip's description of the preprocessing.
        device: where the weights are.
        warnings: sentences for the card.
    """

    recipe: Recipe
    model: Any
    tokenizer: Any
    preprocess: PreprocessCfg
    device: torch.device
    warnings: tuple[str, ...]


def load(spec: Spec, device: torch.device, progress: Progress = no_progress) -> Loaded:
    """Find, download if need be, check and build a model.

    Raises:
        ModelError: it is unknown, unreachable, unsafe, broken, too large, or needs a package that is missing.
    """
    recipe = resolve(spec, part(progress, 0.0, 0.9))
    check_config(recipe)
    if recipe.weights is not None:
        check_size(recipe, device)
    progress(0.9, "building the model")
    with translated(spec), fetching.without_waiting(hub_parts(recipe)):
        tokenizer = open_clip.get_tokenizer(recipe.tokenizer)
        model = build(recipe).eval().requires_grad_(False).to(device)
    return Loaded(
        recipe=recipe,
        model=model,
        tokenizer=tokenizer,
        preprocess=PreprocessCfg(**model.visual.preprocess_cfg),
        device=device,
        warnings=recipe.warnings,
    )


def untrained(loaded: Loaded, seed: int) -> Loaded:
    """The architecture of a loaded model with weights from a seed, as open_clip initialises it, on its device."""
    spec = replace(loaded.recipe.spec, seed=seed)
    recipe = replace(loaded.recipe, spec=spec, weights=None, folder=None, warnings=())
    with translated(spec), fetching.without_waiting(hub_parts(recipe)):
        model = build(recipe).eval().requires_grad_(False).to(loaded.device)
    return replace(loaded, recipe=recipe, model=model, warnings=())


def resolve(spec: Spec, progress: Progress = no_progress) -> Recipe:
    """Find out what to build, fetching configuration and weights where they are not on disk.

    Raises:
        ModelError: the model or its weights are unknown or cannot be had.
    """
    if spec.kind is Kind.BUNDLED:
        folder = specs.bundled_folder(spec.name)
        return replace(_folder_recipe(spec, folder), folder=folder)
    if spec.kind is Kind.FOLDER:
        return _folder_recipe(spec, Path(spec.name).expanduser())
    if spec.kind is Kind.HUB:
        return _hub_recipe(spec, progress)
    config = get_model_config(spec.name)
    if config is None:
        hint = specs.suggestion(spec.name, open_clip.list_models())
        raise ModelError(f"open_clip has no model {spec.name}{hint}")
    recipe = Recipe(spec, source=spec.name, weights=None, tokenizer=spec.name, config=config)
    if spec.kind is Kind.RANDOM:
        return replace(recipe, warnings=("the weights are random: this model has learned nothing",))
    if spec.kind is Kind.PAIR:
        return _pair_recipe(recipe, progress)
    return _file_recipe(recipe)


def _pair_recipe(recipe: Recipe, progress: Progress) -> Recipe:
    """Weights by open_clip's tag, with QuickGELU where the tag was trained with it."""
    spec = recipe.spec
    tag = get_pretrained_cfg(spec.name, spec.pretrained)
    if not tag:
        tags = list_pretrained_tags_by_model(spec.name)
        hint = specs.suggestion(spec.pretrained, tags) or (f"; there are {', '.join(tags)}" if tags else "")
        raise ModelError(f"open_clip knows no weights {spec.pretrained!r} for {spec.name}{hint}")
    repository, _, filename = str(tag["hf_hub"]).rpartition("/")
    forced = bool(tag.get("quick_gelu")) and not recipe.config.get("quick_gelu")
    if "file" in tag:
        weights = Path(tag["file"])
    else:
        names = fetching.weight_names(filename)
        if fetching.on_disk(repository, names) is None:
            check_room(str(spec), 2 * BYTES_PER_PARAMETER * parameter_counts().get(spec.name, 0))
        weights = fetching.fetch(repository, names, progress)
    return replace(
        recipe,
        weights=weights,
        quick_gelu=forced,
        # the size is the tower's, which open_clip has already set
        preprocess={key: value for key, value in tag.items() if key != "size"},
        warnings=(FORCED.format(name=spec.name),) if forced else (),
    )


def _file_recipe(recipe: Recipe) -> Recipe:
    path = Path(recipe.spec.pretrained).expanduser()
    if not path.is_file():
        raise ModelError(f"there is no file {path} to read the weights of {recipe.spec.name} from")
    activation = "QuickGELU" if recipe.config.get("quick_gelu") else "GELU"
    return replace(recipe, weights=path, warnings=(FROM_FILE.format(activation=activation),))


def _folder_recipe(spec: Spec, folder: Path) -> Recipe:
    if not folder.is_dir():
        raise ModelError(f"there is no folder {folder}")
    trained = sorted([*folder.glob("*.pt"), *folder.glob("checkpoints/*.pt")])
    if trained and not (folder / fetching.HUB_CONFIG).exists():
        raise ModelError(
            f"{folder} holds no {fetching.HUB_CONFIG}, which says how the model is built; if it is one of "
            f"open_clip's models, write its name and the file, such as ViT-B-32:{trained[-1]}"
        )
    config = _read_config(folder / fetching.HUB_CONFIG)
    found = [path for suffix in ("safetensors", "bin", "pth") for path in folder.glob(f"*.{suffix}")] or trained
    if not found:
        raise ModelError(f"{folder} holds no weights; open_clip_model.safetensors was looked for")
    if found == trained and len(trained) > 1:
        names = ", ".join(path.name for path in trained[:4])
        raise ModelError(
            f"{folder} holds several checkpoints ({names}{', …' * (len(trained) > 4)}); leave one there"
        )
    source = f"local-dir:{folder}"
    return Recipe(spec, source, fetching.chosen(found), tokenizer=source, config=config)


def _hub_recipe(spec: Spec, progress: Progress) -> Recipe:
    path = fetching.fetch(spec.name, (fetching.HUB_CONFIG,), part(progress, 0.0, 0.0))
    _read_config(path)  # what describes no model is refused before its weights are downloaded
    weights = fetching.fetch(spec.name, fetching.weight_names(), progress)
    if weights.parent != path.parent:  # the repository has changed since its configuration came
        commit = weights.parent.name
        path = fetching.fetch(spec.name, (fetching.HUB_CONFIG,), part(progress, 1.0, 1.0), revision=commit)
    config = _read_config(path)
    marked = any(
        get_pretrained_cfg(name, tag).get("quick_gelu")
        and get_pretrained_cfg(name, tag).get("hf_hub", "").rstrip("/") == spec.name
        for name, tag in open_clip.list_pretrained()
    )
    forced = marked and not config.get("quick_gelu")
    return Recipe(
        spec,
        source=f"local-dir:{path.parent}",
        weights=weights,
        tokenizer=f"hf-hub:{spec.name}",
        config=config,
        quick_gelu=forced,
        warnings=(FORCED.format(name=spec.name),) if forced else (),
    )


def _read_config(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{path.parent} holds no {path.name}, which says how the model is built") from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from None
    config = read.get("model_cfg") if isinstance(read, dict) else None
    if not isinstance(config, dict) or not {"embed_dim", "vision_cfg", "text_cfg"} <= config.keys():
        raise ModelError(f"{path} does not describe a model: embed_dim, vision_cfg and text_cfg are needed")
    return config


def check_config(recipe: Recipe) -> None:
    """Refuse a configuration that would run code from elsewhere.

    Raises:
        ModelError: it asks for that.
    """
    if "trust_remote_code" in json.dumps(recipe.config, default=str):
        raise ModelError(f"{recipe.spec}: its configuration asks to run code from the hub, which is never done")


def hub_parts(recipe: Recipe) -> tuple[str, ...]:
    """Repositories that a text tower or tokenizer of the transformers library is taken from."""
    text = recipe.config.get("text_cfg", {})
    names = [text.get("hf_model_name")]
    if not recipe.tokenizer.startswith("local-dir:"):  # there the tokenizer lies in the folder
        names.append(text.get("hf_tokenizer_name"))
    return tuple(dict.fromkeys(name for name in names if name and not Path(name).is_dir()))


def check_size(recipe: Recipe, device: torch.device) -> None:
    """Refuse weights that do not fit into memory, once on file and once built, which is in float32.

    Raises:
        ModelError: they do not fit.
    """
    if recipe.weights is None:
        return
    size = recipe.weights.stat().st_size
    check_room(str(recipe.spec), 2 * size)
    built = BYTES_PER_PARAMETER * parameter_counts().get(recipe.source, 0)  # only open_clip's own are known
    if device.type == "cuda" and max(size, built) > devices.available_bytes(device):
        raise ModelError(f"{recipe.spec} does not fit into the memory that is left on {device}; choose cpu")


def check_room(name: str, needed: int) -> None:
    """Refuse what needs more bytes of memory than are left.

    Raises:
        ModelError: it does.
    """
    left = devices.available_bytes(torch.device("cpu"))
    if needed > left:
        raise ModelError(
            f"{name} needs about {needed / 1e9:.1f} GB of memory and {left / 1e9:.1f} GB are left; "
            "choose a smaller model or close other programs"
        )


def build(recipe: Recipe) -> Any:
    """Build the model on the CPU in float32.

    Every model is drawn by torch's one generator before its weights are read, so that two are never drawn at once:
    weights of a seed would have another's numbers among them. Reading, which takes longest, goes on side by side.
    """
    options: dict[str, Any] = {"force_quick_gelu": True} if recipe.quick_gelu else {}
    with _drawing, torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.spec.seed)
        logging.getLogger().addFilter(_untrue)
        try:
            model = open_clip.create_model(
                recipe.source,
                load_weights=False,
                pretrained_text=False,
                force_preprocess_cfg=recipe.preprocess,
                **options,
            )
        finally:
            logging.getLogger().removeFilter(_untrue)
    if recipe.weights is not None:
        open_clip.load_checkpoint(model, str(recipe.weights), weights_only=True)
    return model


def _untrue(said: logging.LogRecord) -> bool:
    """Passes on all but what open_clip says of every model that is built before its weights are read."""
    return "No pretrained weights loaded" not in str(said.msg)


def towers(model: Any) -> tuple[nn.Module, nn.Module]:
    """The image tower and the text tower; a plain CLIP is its own text tower."""
    return model.visual, getattr(model, "text", model)
