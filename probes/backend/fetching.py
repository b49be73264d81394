"""Files of published models: on disk if they are, else from the Hugging Face hub.

What lies in the hub's cache is used without asking the network, so a machine that has a model once needs no
network again. Safetensors are preferred to pickled weights.
"""

from __future__ import annotations

import contextlib
import errno
import os
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import huggingface_hub
import huggingface_hub.constants
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from tqdm import tqdm

from probes.core.errors import ModelError
from probes.core.model import Progress, no_progress

SAFE_WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors")
PATIENCE = 4.0
"""Seconds to wait for the hub's first answer."""
PICKLED_WEIGHTS = ("open_clip_pytorch_model.bin",)
HUB_CONFIG = "open_clip_config.json"


def weight_names(filename: str = "") -> tuple[str, ...]:
    """Files to look for in a repository, best first, where open_clip names `filename` (or none)."""
    if not filename or filename in PICKLED_WEIGHTS:
        return SAFE_WEIGHTS + PICKLED_WEIGHTS
    stem, suffix = os.path.splitext(filename)
    return (stem + ".safetensors", filename) if suffix in (".bin", ".pth", ".pt") else (filename,)


def on_disk(repository: str, names: Sequence[str]) -> Path | None:
    """The first of these files that the hub's cache holds. Never touches the network."""
    for name in names:
        found = huggingface_hub.try_to_load_from_cache(repository, name)
        if isinstance(found, str):
            return Path(found)
    return None


def fetch(repository: str, names: Sequence[str], progress: Progress = no_progress) -> Path:
    """The first of these files that there is, downloaded unless it is on disk.

    Raises:
        ModelError: no network, no such repository or file, no access, or no room on the disk.
    """
    found = on_disk(repository, names)
    if found is not None:
        return found
    if not reachable():
        raise _unreachable(repository)
    for name in names:
        try:
            return Path(huggingface_hub.hf_hub_download(repository, name, tqdm_class=_reporting(progress)))
        except (LocalEntryNotFoundError, OfflineModeIsEnabled):
            raise _unreachable(repository) from None
        except GatedRepoError:
            raise ModelError(
                f"{repository} is only for people its owners let in; ask there, then log in with `hf auth login`"
            ) from None
        except RepositoryNotFoundError:
            raise ModelError(f"the Hugging Face hub has no repository {repository}, or it is private") from None
        except EntryNotFoundError:
            continue
        except HFValidationError:
            raise ModelError(f"{repository} cannot be the name of a repository on the Hugging Face hub") from None
        except HfHubHTTPError as error:
            raise ModelError(f"the Hugging Face hub refused {repository}: {_first_line(error)}") from None
        except OSError as error:
            raise _disk_or_network(repository, error) from None
    raise ModelError(f"{repository} on the Hugging Face hub holds none of {', '.join(names)}")


def reachable() -> bool:
    """Whether the hub answers within a few seconds; asked first because its library tries again for a minute."""
    if huggingface_hub.constants.HF_HUB_OFFLINE:
        return False
    request = urllib.request.Request(huggingface_hub.constants.ENDPOINT, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE):
            return True
    except urllib.error.HTTPError:
        return True  # it answered
    except urllib.error.URLError as error:
        return isinstance(error.reason, ssl.SSLError)  # certificates: the hub's library may have others
    except (OSError, ValueError):
        return False


_offline = threading.Lock()


@contextlib.contextmanager
def without_waiting(repositories: Sequence[str]) -> Iterator[None]:
    """For libraries that ask the hub themselves: use what is on disk where the hub cannot be reached.

    Args:
        repositories: which will be asked for; none, and nothing is done.

    Raises:
        ModelError: one of them is not on disk and the hub cannot be reached.
    """
    if not repositories or reachable():
        yield
        return
    for repository in repositories:
        if on_disk(repository, ("config.json", "tokenizer_config.json", "tokenizer.json")) is None:
            raise _unreachable(repository)
    with _offline:
        before = huggingface_hub.constants.HF_HUB_OFFLINE
        huggingface_hub.constants.HF_HUB_OFFLINE = True
        try:
            yield
        finally:
            huggingface_hub.constants.HF_HUB_OFFLINE = before


def _unreachable(repository: str) -> ModelError:
    return ModelError(
        f"{repository} is not on this disk and the Hugging Face hub cannot be reached; "
        "connect to the network once to download it, or choose a bundled model"
    )


def _disk_or_network(repository: str, error: OSError) -> ModelError:
    if error.errno == errno.ENOSPC:
        return ModelError(f"the disk is full: there is no room to download {repository}")
    if error.errno in (errno.EACCES, errno.EROFS):
        return ModelError(f"{repository} cannot be saved: {error.filename} is not writable")
    return _unreachable(repository)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _reporting(progress: Progress) -> type[Any]:
    """A tqdm bar that draws nothing and tells `progress` instead."""

    class Bar(tqdm):  # type: ignore[type-arg]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.pop("name", None)
            kwargs["disable"] = False
            kwargs["file"] = _Nowhere()
            super().__init__(*args, **kwargs)

        def display(self, *args: Any, **kwargs: Any) -> None:
            if self.total:
                megabytes = f"{self.n / 1e6:.0f} of {self.total / 1e6:.0f} MB"
                progress(min(1.0, self.n / self.total), f"downloading, {megabytes}")

    return Bar


class _Nowhere:
    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        return None
