"""deepmd-kit's commands: what they see, and what is told when they fail."""

import subprocess

import pytest

from lah10.potential.training import dp


@pytest.mark.parametrize(("device", "hidden"), [("cpu", True), ("auto", False), ("gpu", False)])
def test_only_a_training_on_the_cpu_sees_no_gpu(tmp_path, monkeypatch, device, hidden):
    seen = []

    def look(command, env, **_):
        seen.append(env.get("CUDA_VISIBLE_DEVICES"))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    monkeypatch.setattr(dp.subprocess, "run", look)
    dp.run_dp(["train"], tmp_path, tmp_path / "log", device=device)
    assert seen == ["" if hidden else "3"]
