# SPDX-License-Identifier: Apache-2.0
"""Layouts to images with exact depth: one ray per pixel through the pixel centre, then light and sensor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from depthpro_ros.scenes.layout import Layout, Solid
from depthpro_ros.scenes.raycast import BOX, SPHERE, SolidTable, nearest_hit, surface_at
from depthpro_ros.scenes.seeds import layout_from_seed
from depthpro_ros.scenes.shading import air, light, rows, sensor
from depthpro_ros.scenes.textures import Material, albedo, noise_table

# Rays that meet the ground further off than this are the horizon's last sliver; they count as sky.
_HORIZON_M = 1e5


@dataclass(frozen=True)
class SceneBatch:
    """Rendered scenes.

    Attributes:
        rgb: uint8 [B, H, W, 3].
        depth_m: float32 [B, H, W], depth along the optical axis in metres, +inf for sky.
        focal_px: float32 [B], fx = fy; the principal point is ((W - 1) / 2, (H - 1) / 2),
            pixel centres at integers.
        camera_height_m: float32 [B] above the floor.
        pitch_rad: float32 [B], positive looks down.
        roll_rad: float32 [B], positive turns the camera's x (right) towards its y (down).
        indoor: bool [B].
    """

    rgb: torch.Tensor
    depth_m: torch.Tensor
    focal_px: torch.Tensor
    camera_height_m: torch.Tensor
    pitch_rad: torch.Tensor
    roll_rad: torch.Tensor
    indoor: torch.Tensor


def render_scenes(seeds: Sequence[int], *, height: int, width: int, device: str | torch.device = "cpu") -> SceneBatch:
    """Render the scene of each seed; a scene depends on its own seed only.

    Args:
        seeds: non-negative integers, at least one.
        height, width: image size in pixels; the horizontal field of view does not depend on it.
        device: where to render and where the tensors of the result lie.

    Raises:
        ValueError: no seeds, a negative seed, or a size below one pixel.
    """
    return render_layouts([layout_from_seed(int(s)) for s in seeds], height=height, width=width, device=device)


@torch.no_grad()
def render_layouts(
    layouts: Sequence[Layout],
    *,
    height: int,
    width: int,
    device: str | torch.device = "cpu",
    at_once: int | None = None,
) -> SceneBatch:
    """Render given layouts, `at_once` of them in each launch; as `render_scenes` otherwise."""
    if not layouts:
        raise ValueError("got no scenes to render, expected at least one seed or layout")
    if height < 1 or width < 1:
        raise ValueError(f"image size is {height} x {width}, expected at least 1 x 1 pixels")
    device = torch.device(device)
    table = noise_table(device)
    # A CPU works best on one scene that fits its cache; a GPU wants few large launches.
    step = at_once or (1 if device.type == "cpu" else 32)
    parts = [_render_chunk(layouts[i : i + step], height, width, table) for i in range(0, len(layouts), step)]
    cameras = [layout.camera for layout in layouts]

    def column(values: list[float]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float32, device=device)

    return SceneBatch(
        rgb=torch.cat([rgb for rgb, _ in parts]),
        depth_m=torch.cat([depth for _, depth in parts]),
        focal_px=column([_focal_px(layout, width) for layout in layouts]),
        camera_height_m=column([c.height_m for c in cameras]),
        pitch_rad=column([c.pitch_rad for c in cameras]),
        roll_rad=column([c.roll_rad for c in cameras]),
        indoor=torch.tensor([layout.room is not None for layout in layouts], device=device),
    )


def _focal_px(layout: Layout, width: int) -> float:
    return 0.5 * width / math.tan(0.5 * layout.camera.hfov_rad)


def _world_from_optical(layout: Layout) -> np.ndarray:
    """Rotation [3, 3]: columns are the optical x (right), y (down), z (forward) in the world (REP 103)."""
    c = layout.camera
    cos_pitch, sin_pitch = math.cos(c.pitch_rad), math.sin(c.pitch_rad)
    forward = np.array([cos_pitch * math.cos(c.yaw_rad), cos_pitch * math.sin(c.yaw_rad), -sin_pitch])
    level_right = np.array([math.sin(c.yaw_rad), -math.cos(c.yaw_rad), 0.0])
    level_down = np.cross(forward, level_right)
    cos_roll, sin_roll = math.cos(c.roll_rad), math.sin(c.roll_rad)
    right = cos_roll * level_right + sin_roll * level_down
    down = cos_roll * level_down - sin_roll * level_right
    return np.stack([right, down, forward], axis=1)


def _solid_table(scenes: list[list[Solid]], device: torch.device) -> SolidTable:
    """Pack solids, padding each scene to the longest."""
    slots = max(len(solids) for solids in scenes)
    kind = np.zeros((len(scenes), slots), np.int64)
    centre, half = np.zeros((2, 3, len(scenes), slots), np.float32)
    half += 1.0
    yaw, bound = np.zeros((2, len(scenes), slots), np.float64)
    bound -= 1.0
    for row, solids in enumerate(scenes):
        for slot, solid in enumerate(solids):
            kind[row, slot] = solid.kind
            centre[:, row, slot] = solid.centre
            half[:, row, slot] = solid.half
            yaw[row, slot] = solid.yaw_rad
            hx, hy, hz = solid.half
            bound[row, slot] = {BOX: math.hypot(hx, hy, hz), SPHERE: hx}.get(solid.kind, math.hypot(hx, hz))

    def send(array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(array).to(device)

    cos, sin = np.cos(yaw).astype(np.float32), np.sin(yaw).astype(np.float32)
    return SolidTable(send(kind), send(centre), send(cos), send(sin), send(half), send(bound.astype(np.float32)))


def _shell(layout: Layout) -> Solid:
    """The room, or the ground as the top of a vast slab: one more box to read normals and textures from."""
    if layout.room is None:
        return Solid(BOX, (0.0, 0.0, -1.0), (1e9, 1e9, 1.0))
    room = layout.room
    half = (0.5 * (room.x1_m - room.x0_m), 0.5 * (room.y1_m - room.y0_m), 0.5 * room.height_m)
    return Solid(BOX, (room.x0_m + half[0], room.y0_m + half[1], half[2]), half)


def _shell_exit(layouts: Sequence[Layout], o: torch.Tensor, d: torch.Tensor) -> torch.Tensor:
    """Ray parameter [B, R] at which rays [3, B, R] reach the room's inside or the ground; +inf for sky."""
    low = [(s.room.x0_m, s.room.y0_m, 0.0) if s.room else (-math.inf, -math.inf, 0.0) for s in layouts]
    high = [(s.room.x1_m, s.room.y1_m, s.room.height_m) if s.room else (math.inf,) * 3 for s in layouts]
    low_t, high_t = (torch.tensor(v, dtype=torch.float32, device=d.device).T[:, :, None] for v in (low, high))
    d = torch.where(d.abs() < 1e-9, 1e-9, d)
    t = (torch.where(d > 0, high_t, low_t) - o) / d
    t = t.amin(0)
    return torch.where(t < _HORIZON_M, t, torch.inf)


def _render_chunk(
    layouts: Sequence[Layout], height: int, width: int, table: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """RGB uint8 [B, H, W, 3] and depth float32 [B, H, W] of a few scenes at once."""
    device, scenes, rays = table.device, len(layouts), height * width

    focal = rows(device, [(_focal_px(layout, width),) for layout in layouts])[0]
    x_px = torch.arange(width, device=device, dtype=torch.float32) - 0.5 * (width - 1)
    y_px = torch.arange(height, device=device, dtype=torch.float32) - 0.5 * (height - 1)
    x = x_px.repeat(height) / focal  # [B, R]
    y = y_px.repeat_interleave(width) / focal
    turn = rows(device, [tuple(_world_from_optical(layout).flatten()) for layout in layouts])
    d = torch.stack([turn[3 * k] * x + turn[3 * k + 1] * y + turn[3 * k + 2] for k in range(3)])
    eye = rows(device, [(s.camera.x_m, s.camera.y_m, s.camera.height_m) for s in layouts])
    o = eye.expand_as(d)

    solids = _solid_table([[*s.solids] for s in layouts], device)
    far = _shell_exit(layouts, o, d).flatten()
    o, d = o.reshape(3, -1), d.reshape(3, -1)
    depth, slot = nearest_hit(solids, o, d, far)

    # From here on the room or the ground is one more slot behind the solids.
    slots = solids.bound.shape[1]
    padded = [[*s.solids, *[_shell(s)] * (slots + 1 - len(s.solids))] for s in layouts]
    everything = _solid_table(padded, device)
    scene_of = torch.arange(scenes, device=device).repeat_interleave(rays)
    is_shell = slot < 0
    index = scene_of * (slots + 1) + torch.where(is_shell, slots, slot)
    sky = depth.isinf()
    reach = torch.where(sky, 1.0, depth)
    point = o + reach * d
    surface = surface_at(everything, index, point, d)

    length = (d * d).sum(0).sqrt()
    slant = (-(surface.normal * d).sum(0) / length).clamp(min=0.04)
    pixel_m = reach * length / focal.expand(scenes, rays).flatten() / slant
    used = torch.where(is_shell, torch.where(surface.axis_z, torch.where(point[2] > 1.0, 2, 0), 1), 3 + slot)
    finish = _finish_of(layouts, slots, scene_of * (slots + 3) + used, device)
    colour = albedo(table, finish, surface.u, surface.v, pixel_m)

    colour = (colour * light(layouts, solids, point, surface.normal)).reshape(3, scenes, rays)
    colour = air(layouts, table, colour, d.reshape(3, scenes, rays), depth.reshape(scenes, rays))
    rgb = sensor(layouts, colour, x_px, y_px)
    return rgb.reshape(scenes, height, width, 3), depth.reshape(scenes, height, width)


def _finish_of(layouts: Sequence[Layout], slots: int, index: torch.Tensor, device: torch.device) -> torch.Tensor:
    """The material's row of numbers at each ray, float32 [fields of Material, N]."""
    values = np.zeros((len(layouts), slots + 3, len(Material._fields)), np.float32)
    for row, layout in enumerate(layouts):
        used = [layout.floor, layout.wall, layout.ceiling, *(s.material for s in layout.solids)]
        values[row, : len(used)] = used
    columns = torch.from_numpy(values).to(device).flatten(0, 1).T.contiguous()
    return columns.index_select(1, index)
