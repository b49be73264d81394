"""The packages of drawings and labels: which ones, under which licence, and how they get here.

`sources.toml` names each npm package with its version, its integrity digest and its licence.
`fetch` asks the ordinary npm client for the package, checks the digest, and unpacks it.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Role = Literal["train", "held-out", "labels"]
SOURCES_FILE = Path(__file__).with_name("sources.toml")


@dataclass(frozen=True)
class Source:
    """One npm package: where it comes from, what may be done with it, and what it is used for."""

    package: str
    version: str
    integrity: str
    licence: str
    licence_url: str
    author: str
    author_url: str
    role: Role

    @property
    def style(self) -> str:
        """The package's own last name, which is the name of the drawing style: `noto`, `twemoji`, ..."""
        return self.package.rsplit("/", 1)[-1]

    @property
    def stem(self) -> str:
        """The name `npm pack` gives the package's file, without `.tgz`."""
        return f"{self.package.lstrip('@').replace('/', '-')}-{self.version}"

    def credit(self) -> str:
        """One line that names the drawings, who drew them, and the licence."""
        drawn = f"{self.package} {self.version} by {self.author} ({self.author_url})"
        return f"{drawn}, {self.licence} ({self.licence_url})"


def read_sources(path: Path = SOURCES_FILE) -> tuple[Source, ...]:
    """Read every package named in a sources file, in the order of the file."""
    with path.open("rb") as file:
        table = tomllib.load(file)
    return tuple(Source(**entry) for entry in table["source"])


def integrity(path: Path) -> str:
    """The digest of a file as npm writes it: `sha512-` and the base64 of the SHA-512."""
    return "sha512-" + base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode("ascii")


def fetch(source: Source, folder: Path) -> Path:
    """Bring one package into `folder` and return the folder it is unpacked in; nothing is done twice.

    Raises ValueError when the digest of what came differs from the one in `sources.toml`, and
    FileNotFoundError when the package is not here and npm is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    archive, unpacked = folder / f"{source.stem}.tgz", folder / source.stem
    if not archive.exists():
        subprocess.run(["npm", "pack", "--silent", f"{source.package}@{source.version}"], cwd=folder, check=True)
    found = integrity(archive)
    if found != source.integrity:
        raise ValueError(f"{archive.name}: digest {found} is not {source.integrity} of sources.toml")
    if not unpacked.exists():
        with tarfile.open(archive) as tar:
            tar.extractall(unpacked, filter="data")
    inner = unpacked / "package"
    return inner if inner.exists() else unpacked
