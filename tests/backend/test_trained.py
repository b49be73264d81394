"""Checkpoints as open_clip's own training code writes them."""

import json
import shutil

import numpy as np
import open_clip
import pytest
import torch

from probes.backend import loading, specs
from probes.backend.digests import weights_digest
from probes.core.errors import ModelError
from tests import programs
from tests.backend import small


def load(text):
    return loading.load(specs.parse(text), small.CPU)


def digest(model):
    return weights_digest(model.state_dict())


@pytest.fixture
def tiny(monkeypatch):
    """A small architecture under a name of open_clip's, with random weights."""
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "tiny", small.config())
    return small.random_model(small.config())


def checkpoint(model, path, distributed=False, rate=1e-4, mixed=False):
    """What `open_clip_train.main` saves after an epoch, with an optimizer that has made a step.

    Args:
        distributed: whether it was trained in several processes, which puts `module.` before each name.
        rate: the learning rate, as the schedule computed it.
        mixed: whether it was trained in mixed precision, which adds the state of a scaler.
    """
    groups = [{"params": list(model.parameters()), "weight_decay": 0.2}]
    optimizer = torch.optim.AdamW(groups, lr=1e-4, betas=(0.9, 0.98), eps=1e-6)
    for weight in model.parameters():
        weight.grad = torch.zeros_like(weight)
    optimizer.step()
    optimizer.param_groups[0]["lr"] = rate
    state = {("module." if distributed else "") + name: value for name, value in model.state_dict().items()}
    written = {"epoch": 1, "name": "run", "state_dict": state, "optimizer": optimizer.state_dict()}
    if mixed:
        written["scaler"] = torch.amp.GradScaler("cpu").state_dict()
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(written, path)
    return digest(model)


@pytest.mark.parametrize("distributed", [False, True], ids=["alone", "distributed"])
@pytest.mark.parametrize("rate", [1e-4, np.float64(1e-4)], ids=["float", "numpy"])
def test_a_checkpoint_of_training_loads_by_name_and_file(tiny, tmp_path, distributed, rate):
    path = tmp_path / "logs" / "run" / "checkpoints" / "epoch_1.pt"
    expected = checkpoint(tiny, path, distributed, rate, mixed=distributed)
    loaded = load(f"tiny:{path}")
    assert digest(loaded.model) == expected
    assert "cannot be seen" in loaded.warnings[0]


@pytest.mark.parametrize("where", ["epoch_1.pt", "checkpoints/epoch_1.pt"])
def test_a_folder_with_a_configuration_and_a_checkpoint_of_training(tiny, tmp_path, where):
    expected = checkpoint(tiny, tmp_path / where, distributed=True)
    with pytest.raises(ModelError, match=r"holds no open_clip_config\.json.* such as ViT-B-32:.*epoch_1\.pt"):
        load(f"local-dir:{tmp_path}")
    preprocess = {"mean": [0.5, 0.4, 0.45], "std": [0.25, 0.3, 0.27]}
    described = {"model_cfg": small.config(), "preprocess_cfg": preprocess}
    (tmp_path / specs.CONFIG_NAME).write_text(json.dumps(described))
    loaded = load(f"local-dir:{tmp_path}")
    assert digest(loaded.model) == expected
    assert list(loaded.preprocess.mean) == preprocess["mean"]
    shutil.copy(tmp_path / where, (tmp_path / where).with_name("epoch_2.pt"))
    with pytest.raises(ModelError, match=r"several checkpoints \(epoch_1\.pt, epoch_2\.pt\); leave one"):
        load(f"local-dir:{tmp_path}")


def test_a_checkpoint_of_another_architecture(tiny, tmp_path):
    checkpoint(small.random_model(small.config({"width": 96})), tmp_path / "epoch_1.pt")
    with pytest.raises(ModelError, match="do not fit the architecture"):
        load(f"tiny:{tmp_path / 'epoch_1.pt'}")


def test_a_checkpoint_that_holds_code_is_still_refused(tiny, tmp_path):
    class Sneaky:
        def __reduce__(self):
            return (eval, ("1",))

    path = tmp_path / "epoch_1.pt"
    torch.save({"epoch": 1, "state_dict": tiny.state_dict(), "optimizer": Sneaky()}, path)
    with pytest.raises(ModelError, match="holds code or is broken"):
        load(f"tiny:{path}")


TRAIN = """
    import json, sys, types

    def nothing(name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})

    for name in ("webdataset", "webdataset.filters", "webdataset.tariterators", "braceexpand"):
        module = types.ModuleType(name)  # readers of a kind of data that is not used here
        module.__getattr__ = nothing
        module.__path__ = []
        sys.modules[name] = module
    import open_clip
    open_clip.factory._MODEL_CONFIGS["tiny"] = json.loads(sys.argv[1])
    from open_clip_train.main import main
    main([
        "--model", "tiny", "--dataset-type", "synthetic", "--train-data", "none", "--train-num-samples", "8",
        "--batch-size", "4", "--epochs", "1", "--warmup", "1", "--workers", "0", "--device", "cpu",
        "--precision", "fp32", "--logs", sys.argv[2], "--name", "run",
    ])
"""


@pytest.mark.slow
def test_what_open_clips_training_really_writes(monkeypatch, tmp_path):
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "tiny", small.config())
    programs.run(TRAIN, json.dumps(small.config()), str(tmp_path / "logs"))
    path = tmp_path / "logs" / "run" / "checkpoints" / "epoch_1.pt"
    written = torch.load(path, weights_only=True)
    assert set(written) == {"epoch", "name", "state_dict", "optimizer"}
    assert digest(load(f"tiny:{path}").model) == weights_digest(written["state_dict"])
