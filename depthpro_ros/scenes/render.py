# SPDX-License-Identifier: Apache-2.0
"""Layouts to images with exact depth: one ray per pixel through the pixel centre, then light and sensor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from depthpro_ros.scenes.layout import Layout, Solid, layout_from_seed
from depthpro_ros.scenes.raycast import BOX, SPHERE, SolidTable, nearest_hit, surface_at
from depthpro_ros.scenes.textures import Material, albedo, noise_table, value_noise

# Rays that meet the ground further off than this are the horizon's last sliver; they count as sky.
_HORIZON_M = 1e5
# Shadow rays start this far off the surface, so that it does not shade itself.
_LIFT_M = 2e-3
_SHADOW_M = 150.0


@dataclass(frozen=True)
class SceneBatch:
    """Rendered scenes.

    Attributes:
        rgb: uint8 [B, H, W, 3].
        depth_m: float32 [B, H, W], depth along the optical axis in metres, +inf for sky.
        focal_px: float32 [B], fx = fy; the principal point is ((W - 1) / 2, (H - 1) / 2), pixel centres at integers.
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


def render_scenes(
    seeds: Sequence[int], *, height: int, width: int, device: str | torch.device = "cpu"
) -> SceneBatch:
    """Render the scene of each seed; a scene depends on its own seed only.

    Args:
        seeds: non-negative integers, at least one.
        height, width: image size in pixels; the horizontal field of view does not depend on it.
        device: where to render and where the tensors of the result lie.

    Raises:
        ValueError: no seeds, a negative seed, or a size below one pixel.
    """
    return render_layouts(
        [layout_from_seed(int(s)) for s in seeds], height=height, width=width, device=device
    )


@torch.no_grad()
def render_layouts(
    layouts: Sequence[Layout], *, height: int, width: int, device: str | torch.device = "cpu"
) -> SceneBatch:
    """Render given layouts; as `render_scenes` otherwise."""
    if not layouts:
        raise ValueError("got no scenes to render, expected at least one seed or layout")
    if height < 1 or width < 1:
        raise ValueError(f"image size is {height} x {width}, expected at least 1 x 1 pixels")
    device = torch.device(device)
    table = noise_table(device)
    # A CPU works best on one scene that fits its cache; a GPU wants few large launches.
    step = 1 if device.type == "cpu" else 32
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


def _rows(device: torch.device, values: Sequence[Sequence[float]]) -> torch.Tensor:
    """One row of K numbers per scene, as [K, B, 1] to broadcast over pixels."""
    return torch.tensor(values, dtype=torch.float32, device=device).T[:, :, None]


def _focal_px(layout: Layout, width: int) -> float:
    return 0.5 * width / math.tan(0.5 * layout.camera.hfov_rad)


def _world_from_optical(layout: Layout) -> np.ndarray:
    """Rotation [3, 3] whose columns are the optical x (right), y (down), z (forward) in the world (REP 103)."""
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
    return SolidTable(
        send(kind), send(centre), send(cos), send(sin), send(half), send(bound.astype(np.float32))
    )


def _shell(layout: Layout) -> Solid:
    """The room, or the ground as the top of a vast slab, as one more box to read normals and textures from."""
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

    focal = _rows(device, [(_focal_px(layout, width),) for layout in layouts])[0]
    x_px = torch.arange(width, device=device, dtype=torch.float32) - 0.5 * (width - 1)
    y_px = torch.arange(height, device=device, dtype=torch.float32) - 0.5 * (height - 1)
    x = x_px.repeat(height) / focal  # [B, R]
    y = y_px.repeat_interleave(width) / focal
    turn = _rows(device, [tuple(_world_from_optical(layout).flatten()) for layout in layouts])
    d = torch.stack([turn[3 * k] * x + turn[3 * k + 1] * y + turn[3 * k + 2] for k in range(3)])
    eye = _rows(device, [(s.camera.x_m, s.camera.y_m, s.camera.height_m) for s in layouts])
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
    used = torch.where(
        is_shell, torch.where(surface.axis_z, torch.where(point[2] > 1.0, 2, 0), 1), 3 + slot
    )
    finish = _finish_of(layouts, slots, scene_of * (slots + 3) + used, device)
    colour = albedo(table, finish, surface.u, surface.v, pixel_m)

    colour = (colour * _light(layouts, solids, point, surface.normal)).view(3, scenes, rays)
    colour = _air(layouts, table, colour, d.view(3, scenes, rays), depth.view(scenes, rays))
    rgb = _sensor(layouts, colour, x_px, y_px)
    return rgb.view(scenes, height, width, 3), depth.view(scenes, height, width)


def _finish_of(
    layouts: Sequence[Layout], slots: int, index: torch.Tensor, device: torch.device
) -> torch.Tensor:
    """The material's row of numbers at each ray, float32 [fields of Material, N]."""
    values = np.zeros((len(layouts), slots + 3, len(Material._fields)), np.float32)
    for row, layout in enumerate(layouts):
        used = [layout.floor, layout.wall, layout.ceiling, *(s.material for s in layout.solids)]
        values[row, : len(used)] = used
    columns = torch.from_numpy(values).to(device).flatten(0, 1).T.contiguous()
    return columns.index_select(1, index)


def _light(
    layouts: Sequence[Layout], solids: SolidTable, point: torch.Tensor, normal: torch.Tensor
) -> torch.Tensor:
    """Light arriving at points [3, B * R]: ambient, fill, and the main light with hard shadows; linear RGB."""
    scenes, device = len(layouts), point.device

    lights = [layout.lighting for layout in layouts]
    indoor = _rows(device, [(layout.room is not None,) for layout in layouts])[0] > 0
    half_at = _rows(device, [(light.reach_m,) for light in lights])[0]
    p, n = point.view(3, scenes, -1), normal.view(3, scenes, -1)

    def lambert(towards: torch.Tensor, is_lamp: torch.Tensor) -> torch.Tensor:
        square = (towards * towards).sum(0)
        cosine = ((n * towards).sum(0) * square.clamp(min=1e-6).rsqrt()).clamp(min=0)
        return torch.where(is_lamp, cosine * 2 / (1 + square / (half_at * half_at)), cosine)

    main = _rows(device, [light.main for light in lights])
    towards = torch.where(indoor, main - p, main.expand_as(p))
    strength = lambert(towards, indoor)
    # Only lit faces need a shadow ray, and none beyond the reach of the scene's solids: a limit of 0 idles them.
    needed = (strength > 0) & (p[:2].abs().amax(0) < _SHADOW_M)
    t_max = torch.where(needed, torch.where(indoor, 1.0, 1e6), 0.0).flatten()
    lifted = (p + _LIFT_M * n).reshape(3, -1)
    _, blocker = nearest_hit(solids, lifted, towards.reshape(3, -1), t_max)
    strength = strength * (blocker < 0).view(scenes, -1)

    # Level faces that look up see more of the sky or the ceiling than walls do.
    ambient = _rows(device, [light.ambient for light in lights]) * (0.85 + 0.15 * n[2])
    total = ambient + strength * _rows(device, [light.main_colour for light in lights])
    if any(max(light.fill_colour) > 0 for light in lights):
        fill = lambert(_rows(device, [light.fill for light in lights]) - p, indoor)
        total = total + fill * _rows(device, [light.fill_colour for light in lights])
    return total.view(3, -1)


def _air(
    layouts: Sequence[Layout], table: torch.Tensor, colour: torch.Tensor, d: torch.Tensor, depth: torch.Tensor
) -> torch.Tensor:
    """Haze in front of far surfaces and the sky behind them: colour [3, B, R]."""
    if all(layout.room is not None for layout in layouts):
        return colour
    device = colour.device
    lights = [layout.lighting for layout in layouts]
    length = (d * d).sum(0).sqrt()
    up = d[2] / length
    horizon = _rows(device, [light.horizon for light in lights])
    rise = up.clamp(0, 1).sqrt()
    sky = torch.lerp(
        horizon.expand_as(d), _rows(device, [light.zenith for light in lights]).expand_as(d), rise
    )
    # Clouds lie on a level sheet; towards the horizon they shrink below a pixel and fade.
    flat = up.clamp(min=0.02)
    u, v = (d[0] / length / flat * 1.5).flatten(), (d[1] / length / flat * 1.5).flatten()
    puff = 0.6 * value_noise(table, u, v) + 0.4 * value_noise(table, 2.7 * u + 9, 2.7 * v)
    cover = _rows(device, [(light.cloud,) for light in lights])[0]
    puff = ((puff.view_as(up) - 0.45) * 4).clamp(0, 1) * cover * ((up - 0.05) * 4).clamp(0, 1)
    sky = torch.lerp(sky, (horizon * 1.1).clamp(max=1).expand_as(d), puff)
    visibility = _rows(device, [(s.lighting.visibility_m if s.room is None else 1e9,) for s in layouts])[0]
    clear = torch.exp(-depth * length / visibility)
    return torch.where(depth.isinf(), sky, torch.lerp(horizon.expand_as(d), colour, clear))


def _sensor(
    layouts: Sequence[Layout], colour: torch.Tensor, x_px: torch.Tensor, y_px: torch.Tensor
) -> torch.Tensor:
    """Exposure, white balance, vignette, gamma and noise: linear [3, B, R] to uint8 [B, R, 3]."""
    device = colour.device
    photos = [layout.photo for layout in layouts]
    gain = _rows(device, [tuple(p.exposure * w for w in p.white_balance) for p in photos])
    diagonal = max(float(x_px[-1] ** 2 + y_px[-1] ** 2), 1.0)
    radius = ((x_px**2)[None, :] + (y_px**2)[:, None]).flatten() / diagonal
    vignette = 1 - _rows(device, [(p.vignette,) for p in photos])[0] * radius
    image = (colour * gain * vignette).clamp(1e-4, 1) ** _rows(device, [(1 / p.gamma,) for p in photos])[0]
    seeds = torch.tensor([p.noise_seed for p in photos], dtype=torch.int32, device=colour.device)
    image = image + _rows(device, [(p.noise,) for p in photos])[0] * _gaussian(seeds, colour.shape[2])
    return (image.clamp(0, 1) * 255 + 0.5).to(torch.uint8).permute(1, 2, 0).contiguous()


def _gaussian(seeds: torch.Tensor, count: int) -> torch.Tensor:
    """Unit noise [3, B, count], nearly normal, from an integer hash: the same on every device and in every batch."""
    index = torch.arange(3 * count, dtype=torch.int32, device=seeds.device).view(3, 1, count)
    x = index * 747796405 + seeds[:, None]
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B - 2**32), (16, 1)):
        # int32 shifts drag the sign along; the mask makes them logical.
        x = (x ^ ((x >> shift) & ((1 << (32 - shift)) - 1))) * factor
    total = (x & 255) + ((x >> 8) & 255) + ((x >> 16) & 255) + ((x >> 24) & 255)
    # Sum of four uniform bytes: mean 510, variance 4 (256^2 - 1) / 12.
    return (total.float() - 510) / math.sqrt((256**2 - 1) / 3)
