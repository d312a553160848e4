# SPDX-License-Identifier: Apache-2.0
"""The batches of optimiser steps."""

from collections import Counter

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from depthpro_ros.errors import InputError
from depthpro_ros.frames import RgbdFrame
from depthpro_ros.training.data.augment import PaperRates
from depthpro_ros.training.data.batch import Batch
from depthpro_ros.training.data.mixture import TRIES, Source, StepData
from depthpro_ros.training.data.scenes import SceneSet

from .memory import MemorySet, room

SIZE = 16
NEVER = PaperRates(0, 0, 0, 0)
ROOMS = MemorySet([room(seed) for seed in range(10)])
HOLE = RgbdFrame(np.zeros((8, 8, 3), np.uint8), np.full((8, 8), np.nan, np.float32), 8.0)


def same(one: Batch, two: Batch) -> bool:
    tensors = ((one.rgb, two.rgb), (one.canonical, two.canonical), (one.valid, two.valid), (one.fov_deg, two.fov_deg))
    return one.kind == two.kind and all(torch.equal(a, b) for a, b in tensors)


def mixed(**options) -> StepData:
    sources = [Source(ROOMS, "real_metric", 2.0), Source(SceneSet(), "synthetic_metric")]
    return StepData(sources, size_px=SIZE, batch=4, **options)


def test_a_batch_has_the_shapes_of_its_size():
    batch = mixed()[3]
    assert (batch.rgb.shape, batch.rgb.dtype) == ((4, SIZE, SIZE, 3), torch.uint8)
    assert (batch.canonical.shape, batch.canonical.dtype) == ((4, SIZE, SIZE), torch.float32)
    assert (batch.valid.shape, batch.valid.dtype) == ((4, SIZE, SIZE), torch.bool)
    assert (batch.fov_deg.shape, batch.fov_deg.dtype) == ((4,), torch.float32)
    assert len(batch) == len(batch.kind) == 4
    assert batch.canonical.isfinite().all() and (batch.canonical >= 0).all()
    assert (batch.canonical[~batch.valid] == 0).all()


@pytest.fixture
def one_thread():
    """As many as a worker has: rendering rounds differently with more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_any_number_of_workers_gives_the_same_batches(one_thread):
    def run(workers: int, first: int) -> list[Batch]:
        return list(DataLoader(mixed(seed=1), batch_size=None, sampler=range(first, 6), num_workers=workers))

    alone = run(0, 0)
    assert all(same(a, b) for a, b in zip(alone, run(2, 0), strict=True))
    # a run that was stopped after four steps
    assert all(same(a, b) for a, b in zip(alone[4:], run(2, 4), strict=True))


def test_seed_stage_rank_and_step_each_give_other_batches():
    batches = [
        mixed()[0],
        mixed(seed=1)[0],
        mixed(stage=1)[0],
        mixed(rank=1, world_size=2)[0],
        mixed()[1],
    ]
    assert not any(same(a, b) for i, a in enumerate(batches) for b in batches[:i])


def test_ranks_share_the_frames_of_a_step():
    """Two processes with 5 images each see all of 10 frames in every step."""
    frames = [RgbdFrame(np.full((8, 8, 3), 20 * i, np.uint8), np.ones((8, 8), np.float32), 8.0) for i in range(10)]
    sources = [Source(MemorySet(frames), "real_metric")]
    for step in range(3):
        seen = Counter()
        for rank in range(2):
            data = StepData(sources, size_px=8, batch=5, rates=NEVER, rank=rank, world_size=2)
            seen.update((data[step].rgb[:, 0, 0, 0] // 20).tolist())
        assert seen == Counter(range(10))


def test_weights_decide_how_often_a_set_is_seen():
    sources = [Source(ROOMS, "real_metric", 3.0), Source(MemorySet([room()]), "non_metric", 1.0)]
    data = StepData(sources, size_px=4, batch=16)
    kinds = Counter(kind for step in range(64) for kind in data[step].kind)
    assert kinds == {"real_metric": 768, "non_metric": 256}


def test_a_batch_without_changes_is_the_frame():
    batch = StepData(
        [Source(MemorySet([room(height=SIZE, width=SIZE)]), "synthetic")], size_px=SIZE, batch=1, rates=NEVER
    )[7]
    frame = room(height=SIZE, width=SIZE)
    assert np.array_equal(batch.rgb[0].numpy(), frame.rgb)
    assert np.allclose(batch.canonical[0].numpy(), frame.fx_px / (SIZE * frame.depth_m), rtol=1e-6)


@pytest.mark.parametrize("bad", [None, HOLE])
def test_frames_that_cannot_be_used_are_replaced_and_counted(bad, caplog):
    good = MemorySet([room(height=8, width=8, fx_px=8.0), bad])
    data = StepData([Source(good, "real_metric")], size_px=8, batch=4, rates=NEVER)
    for step in range(3):
        batch = data[step]
        assert batch.valid.all() and len(batch) == 4
        # each of the two frames is drawn twice; a replacement may be the bad one again
        assert batch.replaced >= 2
    assert "frame 1 of memory is replaced by another" in caplog.text


def test_a_set_without_usable_frames_stops_the_run():
    with pytest.raises(InputError, match=f"{TRIES} frames of memory in a row.*damaged"):
        StepData([Source(MemorySet([None, None]), "real_metric")], size_px=8, batch=1)[0]


@pytest.mark.parametrize(
    ("sources", "options", "problem"),
    [
        ([], {}, "no data set"),
        ([Source(MemorySet([]), "real_metric")], {}, "memory is empty"),
        ([Source(ROOMS, "real_metric", 0.0)], {}, "weight 0.0"),
        ([Source(ROOMS, "real_metric")], {"rank": 2, "world_size": 2}, "rank 2 of 2"),
    ],
)
def test_mixtures_that_make_no_sense(sources, options, problem):
    with pytest.raises(InputError, match=problem):
        StepData(sources, size_px=8, batch=1, **options)


def test_workers_cannot_render_on_a_gpu():
    data = StepData([Source(SceneSet(device="cuda"), "synthetic_metric")], size_px=8, batch=1)
    with pytest.raises(InputError, match="set workers to 0"):
        list(DataLoader(data, batch_size=None, sampler=range(1), num_workers=1))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_scenes_on_a_gpu_are_those_of_the_cpu():
    there, here = (
        StepData([Source(SceneSet(device=d), "synthetic_metric"), Source(ROOMS, "real_metric")], size_px=32, batch=6)[2]
        for d in ("cuda", "cpu")
    )
    assert there.rgb.is_cuda and there.canonical.is_cuda
    there = there.to("cpu")
    assert there.kind == here.kind and torch.allclose(there.fov_deg, here.fov_deg)
    both = there.valid & here.valid
    assert (there.valid == here.valid).float().mean() > 0.99
    assert torch.isclose(there.canonical, here.canonical, rtol=1e-3, atol=1e-5)[both].float().mean() > 0.99
    assert (there.rgb.float() - here.rgb.float()).abs().median() <= 2
