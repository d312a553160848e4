# SPDX-License-Identifier: Apache-2.0
"""Layouts to images with exact depth: one ray per pixel through the pixel centre, then light and sensor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from depthpro_ros.errors import InputError
from depthpro_ros.scenes.culling import keys, touching
from depthpro_ros.scenes.layout import Layout
from depthpro_ros.scenes.raycast import RAYS, SolidTable, nearest_hit, surface_at
from depthpro_ros.scenes.seeds import layout_from_seed
from depthpro_ros.scenes.sensor import sensor
from depthpro_ros.scenes.shading import air, light, rows, sky
from depthpro_ros.scenes.table import finish_table, shell_exit, solid_table
from depthpro_ros.scenes.textures import albedo, noise_table
from depthpro_ros.scenes.view import View


@dataclass(frozen=True)
class SceneBatch:
    """Rendered scenes.

    Attributes:
        rgb: uint8 [B, H, W, 3].
        depth_m: float32 [B, H, W], depth along the optical axis in metres, +inf for sky; on glass and mirrors the
            depth of their surface.
        focal_px: float32 [B], fx; fy = fx * pixel_aspect.
        camera_height_m: float32 [B] above the floor.
        pitch_rad: float32 [B], positive looks down.
        roll_rad: float32 [B], positive turns the camera's x (right) towards its y (down).
        indoor: bool [B].
        valid: bool [B, H, W], False on glass and mirrors.
        principal_px: float32 [B, 2], principal point (cx, cy), pixel centres at integers.
        kind: names of the kinds of scene, B of them.
    """

    rgb: torch.Tensor
    depth_m: torch.Tensor
    focal_px: torch.Tensor
    camera_height_m: torch.Tensor
    pitch_rad: torch.Tensor
    roll_rad: torch.Tensor
    indoor: torch.Tensor
    valid: torch.Tensor
    principal_px: torch.Tensor
    kind: tuple[str, ...]

    @property
    def known_depth_m(self) -> torch.Tensor:
        """`depth_m` with NaN where a sensor would see nothing, or another thing (glass, mirrors)."""
        return torch.where(self.valid, self.depth_m, torch.nan)

    @property
    def fov_deg(self) -> torch.Tensor:
        """Horizontal fields of view, 2 atan(W / 2 fx), float32 [B] degrees."""
        return torch.rad2deg(2 * torch.atan(0.5 * self.rgb.shape[2] / self.focal_px))


def render_scenes(
    seeds: Sequence[int],
    *,
    height: int,
    width: int,
    device: str | torch.device = "cpu",
    pixel_aspect: float = 1.0,
) -> SceneBatch:
    """Render the scene of each seed; a scene depends on its own seed only.

    Args:
        seeds: non-negative integers, at least one.
        height, width: image size in pixels; the horizontal field of view does not depend on it.
        device: where to render and where the tensors of the result lie.
        pixel_aspect: fy / fx. The image of the same view squashed to another height: a view of 4:3 in a square
            has 4 / 3.

    Raises:
        InputError: no seeds, a negative seed, a size below one pixel, or an aspect that is not positive.
    """
    layouts = [layout_from_seed(int(s)) for s in seeds]
    return render_layouts(layouts, height=height, width=width, device=device, pixel_aspect=pixel_aspect)


@torch.no_grad()
def render_layouts(
    layouts: Sequence[Layout],
    *,
    height: int,
    width: int,
    device: str | torch.device = "cpu",
    at_once: int | None = None,
    pixel_aspect: float = 1.0,
) -> SceneBatch:
    """Render given layouts, `at_once` of them in each launch; as `render_scenes` otherwise."""
    if not layouts:
        raise InputError("got no scenes to render, expected at least one seed or layout")
    if height < 1 or width < 1:
        raise InputError(f"image size is {height} x {width}, expected at least 1 x 1 pixels")
    if not (math.isfinite(pixel_aspect) and pixel_aspect > 0):
        raise InputError(f"pixel_aspect is {pixel_aspect}, expected a positive number: fy / fx, 1 for square pixels")
    device = torch.device(device)
    table = noise_table(device)
    # A CPU works best on one scene that fits its cache; a GPU wants few large launches.
    step = at_once or (1 if device.type == "cpu" else 32)
    view = View(height, width, pixel_aspect)
    parts = [_render_chunk(layouts[i : i + step], view, table) for i in range(0, len(layouts), step)]
    cameras = [layout.camera for layout in layouts]

    def column(values: list[float]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float32, device=device)

    return SceneBatch(
        rgb=torch.cat([part[0] for part in parts]),
        depth_m=torch.cat([part[1] for part in parts]),
        focal_px=column([view.focal_px(c) for c in cameras]),
        camera_height_m=column([c.height_m for c in cameras]),
        pitch_rad=column([c.pitch_rad for c in cameras]),
        roll_rad=column([c.roll_rad for c in cameras]),
        indoor=torch.tensor([layout.room is not None for layout in layouts], device=device),
        valid=torch.cat([part[2] for part in parts]),
        principal_px=torch.tensor([view.principal_px(c) for c in cameras], dtype=torch.float32, device=device),
        kind=tuple(layout.kind for layout in layouts),
    )


def _render_chunk(
    layouts: Sequence[Layout], view: View, table: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """RGB uint8 [B, H, W, 3], depth float32 and validity bool [B, H, W] of a few scenes at once."""
    device = table.device
    d = view.rays([layout.camera for layout in layouts], device)
    eye = rows(device, [(s.camera.x_m, s.camera.y_m, s.camera.height_m) for s in layouts])
    # Detail fades where it is finer than the longer side of a pixel.
    focal = rows(device, [(view.focal_px(s.camera) * min(1.0, view.pixel_aspect),) for s in layouts])[0]
    colour, depth, glass = _look(layouts, table, eye, d, 1 / focal, torch.ones_like(d[0], dtype=torch.bool), 1)
    return sensor(layouts, view.image(colour)), view.image(depth).contiguous(), view.image(~glass).contiguous()


def _look(
    layouts: Sequence[Layout],
    table: torch.Tensor,
    o: torch.Tensor,
    d: torch.Tensor,
    spread: torch.Tensor,
    active: torch.Tensor,
    mirrors: int,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What rays see.

    Args:
        layouts: of B scenes.
        table: from `noise_table`.
        o: origins, float32 [3, B, 1] (all rays of a scene start there) or [3, B, R].
        d: directions, float32 [3, B, R].
        spread: widening of a pixel per unit of the ray, float32 [B, 1].
        active: bool [B, R], rays that matter.
        mirrors: how many mirrors a ray may meet; what is seen in the last one has no shadows.

    Returns:
        linear colour [3, B, R], ray parameter [B, R] (+inf for sky), whether it ends on glass or a mirror [B, R].
    """
    device, (scenes, rays) = d.device, d.shape[1:]
    solids = solid_table(layouts, device)
    slots = solids.kind.shape[1]
    far = torch.where(active, shell_exit(layouts, o, d), 0.0)
    if o.shape[2] == 1:
        unused = torch.zeros((scenes, 1), dtype=torch.bool, device=device)
        key = keys(d, torch.zeros_like(o), unused).reshape(3, scenes, -1, RAYS)
        pairs = touching(solids, key, active.view(scenes, -1, RAYS), o, torch.zeros_like(o), unused)
        start = o.expand(3, scenes, rays // RAYS).reshape(3, -1, 1)
    else:
        pairs = _all_pairs(solids, active)
        start = o.reshape(3, -1, RAYS)
    depth, solid = nearest_hit(solids, pairs, start, d.reshape(3, -1, RAYS), far.view(-1, RAYS))
    depth, solid = depth.view(scenes, rays), solid.view(scenes, rays)

    scene_of = torch.arange(scenes, device=device)[:, None]
    on_shell = solid < 0
    solid = torch.where(on_shell, scene_of * slots + slots - 1, solid).flatten()
    sky_seen = depth.isinf()
    reach = torch.where(sky_seen, 1.0, depth)
    point = o + reach * d
    surface = surface_at(solids, solid, point.flatten(1), d.flatten(1))
    normal = surface.normal.view_as(d)

    length = d.square().sum(0).sqrt()
    slant = (-(normal * d).sum(0) / length).clamp(min=0.04)
    pixel_m = reach * length * spread / slant
    part = torch.where(surface.face.view_as(depth) != 2, 1, torch.where(point[2] > 1.0, 2, 0))
    used = torch.where(on_shell, slots + part, solid.view_as(depth) - scene_of * slots) + scene_of * (slots + 3)
    finish = finish_table(layouts, device).index_select(1, used.flatten())
    skin, joint = albedo(table, finish, surface.u, surface.v, pixel_m.flatten())
    skin, joint, finish = skin.view_as(d), joint.view_as(depth), finish.view(-1, scenes, rays)
    glow, glass, mirror = finish[17:20]
    pane = 1 - joint
    colour = skin * (light(layouts, solids, point, normal, shadows=mirrors > 0) + glow)

    shiny = (mirror * pane > 0) & ~sky_seen & active
    if bool(shiny.any()):
        bounce = d - 2 * (normal * d).sum(0) * normal
        seen = _reflection(layouts, table, point + 1e-3 * normal, bounce, spread, shiny, mirrors)
        colour = torch.lerp(colour, seen, torch.where(shiny, mirror * pane, 0.0))
    colour = air(layouts, table, colour, d, depth)
    return colour, depth, (glass > 0) & (joint < 0.5) & ~sky_seen


def _reflection(
    layouts: Sequence[Layout],
    table: torch.Tensor,
    o: torch.Tensor,
    d: torch.Tensor,
    spread: torch.Tensor,
    active: torch.Tensor,
    mirrors: int,
) -> torch.Tensor:
    """Colours [3, B, R] along reflected rays: the room in its mirrors, the sky in panes outdoors."""
    seen = torch.zeros_like(d)
    indoor = [layout.room is not None for layout in layouts]
    inside = [i for i, room in enumerate(indoor) if room and bool(active[i].any())]
    outside = [i for i, room in enumerate(indoor) if not room and bool(active[i].any())]
    if inside and mirrors:
        some = [layouts[i] for i in inside]
        seen[:, inside] = _look(
            some, table, o[:, inside], d[:, inside], 3 * spread[inside], active[inside], mirrors - 1
        )[0]
    if outside:
        some = [layouts[i] for i in outside]
        horizon = rows(d.device, [s.lighting.horizon for s in some])
        down = d[2, outside] < 0
        seen[:, outside] = torch.where(down, 0.35 * horizon, sky(some, table, d[:, outside]))
    return seen


def _all_pairs(solids: SolidTable, active: torch.Tensor) -> torch.Tensor:
    """Every solid for every tile with an active ray: reflected rays are few, and share nothing."""
    tiles = active.view(len(active), -1, RAYS).any(2)
    near = tiles[:, :, None] & (solids.bead_radius > 0)[:, None]
    scene, tile, slot = near.nonzero().T
    return torch.stack([scene * near.shape[1] + tile, scene * near.shape[2] + slot])
