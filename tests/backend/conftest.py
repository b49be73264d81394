import os

os.environ["CLIPSPECT_DISK_CACHE"] = "0"  # tests leave nothing on the disk of who runs them

import pytest

from tests.backend import small


@pytest.fixture(scope="session")
def vit_folder(tmp_path_factory):
    return small.save(tmp_path_factory.mktemp("vit") / "glass", small.config())


@pytest.fixture
def vit(vit_folder):
    return small.open_folder(vit_folder)


@pytest.fixture(scope="session")
def siglip_folder(tmp_path_factory):
    return small.save(tmp_path_factory.mktemp("siglip") / "siglip", small.config(init_logit_bias=-10.0))
