# SPDX-License-Identifier: Apache-2.0
"""Scenes: depth against closed forms, and a scene that depends on nothing but its seed."""

from __future__ import annotations

import math

import pytest
import torch

from depthpro_ros.scenes import (
    Camera,
    Layout,
    Room,
    Solid,
    layout_from_seed,
    render_layouts,
    render_scenes,
)
from depthpro_ros.scenes.raycast import BOX, CYLINDER, SPHERE

SIZE = 48
FIELDS = ("rgb", "depth_m", "focal_px", "camera_height_m", "pitch_rad", "roll_rad", "indoor", "valid", "principal_px")


def _pixels(height: int, width: int, focal_px: float) -> tuple[torch.Tensor, torch.Tensor]:
    rows, columns = torch.meshgrid(torch.arange(height).double(), torch.arange(width).double(), indexing="ij")
    return (columns - (width - 1) / 2) / focal_px, (rows - (height - 1) / 2) / focal_px


def _centre_depth(solid: Solid, *, room: Room | None = None) -> float:
    layout = Layout(Camera(height_m=1.0), room=room, solids=(solid,))
    # An odd size puts a pixel centre on the optical axis.
    return float(render_layouts([layout], height=31, width=31).depth_m[0, 15, 15])


@pytest.mark.parametrize(("pitch_deg", "roll_deg"), [(0, 0), (20, 0), (-8, 3), (35, -4)])
def test_ground_depth_equals_closed_form(pitch_deg: float, roll_deg: float) -> None:
    pitch, roll, height_m = math.radians(pitch_deg), math.radians(roll_deg), 1.3
    layout = Layout(Camera(height_m=height_m, yaw_rad=0.7, pitch_rad=pitch, roll_rad=roll))
    batch = render_layouts([layout], height=SIZE, width=64)
    x, y = _pixels(SIZE, 64, float(batch.focal_px[0]))
    # How fast the ray (x, y, 1) sinks per unit depth: its product with the world's down in the optical frame.
    sinks = math.sin(pitch) + math.cos(pitch) * (math.sin(roll) * x + math.cos(roll) * y)
    ground = sinks > 1e-3
    depth = batch.depth_m[0].double()
    assert ground.any()
    torch.testing.assert_close(depth[ground], height_m / sinks[ground], rtol=1e-4, atol=0)
    assert depth[sinks < 0].isinf().all()


def test_focal_follows_horizontal_field_of_view() -> None:
    batch = render_layouts([Layout(Camera(hfov_rad=math.radians(90)))], height=10, width=64)
    assert float(batch.focal_px[0]) == pytest.approx(32.0)


def test_sphere_on_the_axis_starts_one_radius_before_its_centre() -> None:
    assert _centre_depth(Solid(SPHERE, (7.0, 0.0, 1.0), (0.4, 0.4, 0.4))) == pytest.approx(6.6, rel=1e-5)


def test_cylinder_on_the_axis_starts_one_radius_before_its_centre() -> None:
    assert _centre_depth(Solid(CYLINDER, (7.0, 0.0, 1.0), (0.3, 0.3, 1.0))) == pytest.approx(6.7, rel=1e-5)


def test_sphere_silhouette_depth_off_the_axis() -> None:
    layout = Layout(Camera(height_m=1.0), solids=(Solid(SPHERE, (4.0, 0.0, 1.0), (1.0, 1.0, 1.0)),))
    batch = render_layouts([layout], height=63, width=63)
    x, y = _pixels(63, 63, float(batch.focal_px[0]))
    # |z (x, y, 1) - (0, 0, 4)|^2 = 1, the nearer root.
    square = 1 + x * x + y * y
    root = 16 - 15 * square
    inside = root > 0.05
    torch.testing.assert_close(
        batch.depth_m[0].double()[inside], ((4 - root.sqrt()) / square)[inside], rtol=1e-4, atol=0
    )
    # In the upper half only sky is beside it.
    assert batch.depth_m[0][:31][root[:31] < -0.05].isinf().all()


def test_box_face_is_flat_in_depth() -> None:
    layout = Layout(Camera(height_m=1.0), solids=(Solid(BOX, (5.0, 0.0, 1.0), (0.5, 9.0, 1.0)),))
    batch = render_layouts([layout], height=31, width=31)
    assert batch.depth_m[0, 12:19].sub(4.5).abs().max() < 1e-4


def test_turned_box_shows_its_edge() -> None:
    box = Solid(BOX, (5.0, 0.0, 1.0), (0.5, 0.5, 1.0), yaw_rad=math.pi / 4)
    assert _centre_depth(box) == pytest.approx(5 - math.sqrt(0.5), rel=1e-4)


def test_room_wall_ahead_and_nearer_solid_in_front_of_it() -> None:
    room = Room(-1.0, -2.0, 6.0, 2.0, 2.5)
    assert _centre_depth(Solid(BOX, (2.0, 1.5, 0.2), (0.1, 0.1, 0.2)), room=room) == pytest.approx(6.0, rel=1e-5)
    assert _centre_depth(Solid(BOX, (2.0, 0.0, 1.0), (0.1, 0.1, 1.0)), room=room) == pytest.approx(1.9, rel=1e-5)


def test_shapes_and_dtypes() -> None:
    batch = render_scenes([3, 4, 5], height=24, width=40)
    assert batch.rgb.shape == (3, 24, 40, 3)
    assert batch.rgb.dtype == torch.uint8
    assert batch.depth_m.shape == (3, 24, 40)
    assert batch.depth_m.dtype == torch.float32
    assert batch.indoor.dtype == torch.bool
    assert batch.valid.shape == (3, 24, 40)
    assert batch.valid.dtype == torch.bool
    assert batch.principal_px.shape == (3, 2)
    assert len(batch.kind) == 3
    for name in FIELDS[2:7]:
        assert getattr(batch, name).shape == (3,)


def test_scene_depends_on_its_seed_only() -> None:
    together = render_scenes([11, 12, 13, 14], height=SIZE, width=SIZE)
    reordered = render_scenes([14, 12], height=SIZE, width=SIZE)
    for name in FIELDS:
        assert torch.equal(getattr(together, name)[3], getattr(reordered, name)[0])
        assert torch.equal(getattr(together, name)[1], getattr(reordered, name)[1])
    assert not torch.equal(together.rgb[0], together.rgb[1])


def test_many_at_once_equal_one_by_one() -> None:
    layouts = [layout_from_seed(seed) for seed in range(8)]
    single = render_layouts(layouts, height=SIZE, width=SIZE, at_once=1)
    joint = render_layouts(layouts, height=SIZE, width=SIZE, at_once=8)
    torch.testing.assert_close(joint.depth_m, single.depth_m)
    apart = (joint.rgb.float() - single.rgb.float()).abs()
    assert (apart <= 1).float().mean() > 0.999


def test_same_geometry_at_another_resolution() -> None:
    seeds = range(20, 28)
    coarse = render_scenes(seeds, height=SIZE, width=SIZE)
    fine = render_scenes(seeds, height=3 * SIZE, width=3 * SIZE)
    # Every third pixel centre, from the second on, coincides with one of the coarse image.
    same = torch.isclose(fine.depth_m[:, 1::3, 1::3], coarse.depth_m, rtol=1e-3)
    assert same.float().mean() > 0.998  # rounding may decide otherwise right on an edge
    torch.testing.assert_close(fine.focal_px, 3 * coarse.focal_px)


def test_sky_is_infinite_and_only_outdoors() -> None:
    batch = render_scenes(range(40), height=24, width=24)
    sky = batch.depth_m.isinf().flatten(1).any(1)
    assert not sky[batch.indoor].any()
    assert sky[~batch.indoor].any()
    assert not batch.depth_m.isnan().any()
    assert 10 < int(batch.indoor.sum()) < 34


def test_depths_are_those_of_everyday_scenes() -> None:
    batch = render_scenes(range(100, 180), height=24, width=24)
    assert float(batch.depth_m.min()) > 0.1
    median = batch.depth_m.flatten(1).median(1).values
    assert float(median.quantile(0.1)) < 2.0
    assert float(median.quantile(0.9)) > 3.0
    # No scene is one object right in front of the lens.
    assert float(batch.depth_m.clamp(max=100).flatten(1).quantile(0.9, dim=1).min()) > 0.5


@pytest.mark.parametrize(
    ("seeds", "height", "message"), [([], 8, "no scenes"), ([0], 0, "image size"), ([-1], 8, "seed is -1")]
)
def test_bad_requests_are_refused(seeds: list[int], height: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        render_scenes(seeds, height=height, width=8)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_gpu_agrees_with_cpu() -> None:
    seeds = range(12)
    cpu = render_scenes(seeds, height=SIZE, width=SIZE)
    gpu = render_scenes(seeds, height=SIZE, width=SIZE, device="cuda")
    same = torch.isclose(gpu.depth_m.cpu(), cpu.depth_m, rtol=1e-3)
    assert same.float().mean() > 0.998
    apart = (gpu.rgb.cpu().float() - cpu.rgb.float()).abs()
    assert (apart <= 2).float().mean() > 0.99
