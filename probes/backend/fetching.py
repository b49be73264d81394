"""Files of published models: on disk if they are, else from the Hugging Face hub.

What lies in the hub's cache is used without asking the network, so a machine that has a model once needs no
network again. Safetensors are preferred to pickled weights. What is not there is downloaded into that cache
(`probes.backend.streaming`), where other programs find it too; `huggingface_hub` says what there is, and gives
what has come its name.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import huggingface_hub
import huggingface_hub.constants
from huggingface_hub.errors import (
    EntryNotFoundError,
    FileMetadataError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)

from probes.backend import streaming
from probes.backend.shared import patiently
from probes.core.errors import ModelError
from probes.core.model import Progress, no_progress

SAFE_WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors")
PATIENCE = 4.0
"""Seconds to wait for the hub's first answer."""
PICKLED_WEIGHTS = ("open_clip_pytorch_model.bin",)
_IN_FOLDERS = (
    *SAFE_WEIGHTS, *PICKLED_WEIGHTS, "open_clip_pytorch_model.pth",
    "model.safetensors", "pytorch_model.bin", "pytorch_model.pth", "model.pth",
)  # fmt: skip
"""Names of weights that open_clip prefers in a folder, best first."""
HUB_CONFIG = "open_clip_config.json"

_SHA256 = re.compile(r"[0-9a-f]{64}")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def weight_names(filename: str = "") -> tuple[str, ...]:
    """Files to look for in a repository, best first, where open_clip names `filename` (or none)."""
    if not filename or filename in PICKLED_WEIGHTS:
        return SAFE_WEIGHTS + PICKLED_WEIGHTS
    stem, suffix = os.path.splitext(filename)
    return (stem + ".safetensors", filename) if suffix in (".bin", ".pth", ".pt") else (filename,)


def chosen(found: Sequence[Path]) -> Path:
    """The file of weights that open_clip takes of those in a folder."""
    return min(found, key=lambda path: (_place(path.name), path.suffix != ".safetensors", path))


def _place(name: str) -> int:
    return _IN_FOLDERS.index(name) if name in _IN_FOLDERS else len(_IN_FOLDERS)


def on_disk(repository: str, names: Sequence[str], revision: str | None = None) -> Path | None:
    """The first of these files that the hub's cache holds, of one commit if it is said. Never asks the network."""
    for name in names:
        try:
            found = huggingface_hub.try_to_load_from_cache(repository, name, revision=revision)
        except HFValidationError:  # no repository can be called so
            return None
        if isinstance(found, str):
            return Path(found)
    return None


def fetch(
    repository: str, names: Sequence[str], progress: Progress = no_progress, revision: str | None = None
) -> Path:
    """The first of these files that there is, downloaded unless it is on disk.

    Args:
        repository: `ORG/NAME` on the hub.
        names: of files, best first.
        progress: told bytes while it downloads. What it raises ends the download within a fraction of a second;
            what has come is kept, and the next call goes on from there.
        revision: the commit to take them from; the hub's newest, or what is on disk, if nothing is said.

    Raises:
        ModelError: no network, no such repository or file, no access, no room on the disk, or something else came
            than was announced.
    """
    found = on_disk(repository, names, revision)
    if found is not None:
        return found

    def asking() -> None:
        progress(0.0, "asking the Hugging Face hub")

    if not patiently(reachable, asking):
        raise _unreachable(repository)
    for name in names:
        try:
            remote, place = patiently(partial(_announced, repository, name, revision), asking)
            streaming.download(remote, place, _lock_of(repository, place.name), progress)
            # finds the file under the digest that was announced, and gives it its name
            named = partial(huggingface_hub.hf_hub_download, repository, name, revision=revision)
            return Path(patiently(named, asking))
        except EntryNotFoundError as error:
            if isinstance(error, LocalEntryNotFoundError):
                raise _unreachable(repository) from None
        except (streaming.Refused, HFValidationError, streaming.TRANSPORT, OSError) as error:
            raise _sentence(repository, error) from None
    raise ModelError(f"{repository} on the Hugging Face hub holds none of {', '.join(names)}")


def _announced(repository: str, name: str, revision: str | None) -> tuple[streaming.Remote, Path]:
    """What the hub says of a file, and where its cache keeps it."""
    url = huggingface_hub.hf_hub_url(repository, name, revision=revision)
    said = huggingface_hub.get_hf_file_metadata(url)
    etag = said.etag or ""
    if not said.commit_hash or not _FILE_NAME.fullmatch(etag):
        raise FileMetadataError("no commit or no digest was announced")
    remote = streaming.Remote(
        name=f"{repository}/{name}",
        url=huggingface_hub.hf_hub_url(repository, name, revision=said.commit_hash),
        headers=huggingface_hub.utils.build_hf_headers(),  # type: ignore[attr-defined]
        size=said.size,
        sha256=etag if _SHA256.fullmatch(etag) else "",
    )
    return remote, _cache(repository) / "blobs" / etag


def _cache(repository: str) -> Path:
    """The folder of the hub's cache that keeps a repository."""
    folder = "--".join(("models", *repository.split("/")))
    return Path(huggingface_hub.constants.HF_HUB_CACHE) / folder


def _lock_of(repository: str, etag: str) -> Path:
    """The file that `huggingface_hub` holds while it downloads the same."""
    cache = _cache(repository)
    return cache.parent / ".locks" / cache.name / f"{etag}.lock"


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


def _sentence(repository: str, error: Exception) -> ModelError:
    """What kept a file from coming, and what to do."""
    if isinstance(error, HFValidationError):
        return ModelError(f"{repository} cannot be the name of a repository on the Hugging Face hub")
    if isinstance(error, streaming.Refused):
        return ModelError(_refusal(repository, error.status, error.wait))
    if isinstance(error, GatedRepoError):
        return ModelError(_refusal(repository, 403))
    if isinstance(error, RepositoryNotFoundError):
        return ModelError(f"the Hugging Face hub has no repository {repository}, or it is private")
    if isinstance(error, HfHubHTTPError):
        return ModelError(
            _refusal(repository, error.response.status_code, error.response.headers.get("Retry-After", ""))
        )
    if isinstance(error, FileMetadataError):
        return ModelError(
            f"what answers at {huggingface_hub.constants.ENDPOINT} is no Hugging Face hub; check HF_ENDPOINT, and "
            "whether the network asks for a login first"
        )
    if isinstance(error, OfflineModeIsEnabled | ConnectionError) or not isinstance(error, OSError):
        return _unreachable(repository)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ModelError(f"the disk is full: there is no room to download {repository}")
    if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
        return ModelError(f"{repository} cannot be saved: {error.filename} is not writable")
    return _unreachable(repository)


def _refusal(repository: str, status: int, wait: str = "") -> str:
    """What an HTTP status means for the one who asked for a model."""
    if status in (401, 403):
        return f"{repository} is only for people its owners let in; ask there, then log in with `hf auth login`"
    if status == 404:
        return f"the Hugging Face hub has no such file of {repository} any more"
    if status == 429:
        when = f"in {wait} seconds" if wait.isdigit() else "in some minutes"
        return f"the Hugging Face hub has had too many requests from this address; {streaming.AGAIN} {when}"
    if status >= 500:
        return f"the Hugging Face hub fails at the moment (HTTP {status}); ask it for {repository} later"
    return f"the Hugging Face hub refused {repository} (HTTP {status})"
