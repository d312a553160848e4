# SPDX-License-Identifier: Apache-2.0
"""A cloud thinned by a grid of cubes, on the device that it is on."""

from __future__ import annotations

import torch
from torch import Tensor

from depthpro_ros.errors import InputError

OFFSET_STEPS = 1 << 20
"""A point's place in its cube is counted in so many steps along each axis, since sums of whole numbers are exact (below
2^53), and so the same in any order."""
FARTHEST_CUBE = 1_000_000
"""Numbers of cubes along an axis, either way: three of them fit into 63 bits, and each with a fraction into float32."""


def voxel_grid(points: Tensor, edge_m: float) -> Tensor:
    """One point for each cube with points in it: their mean, with their mean colour.

    The cubes begin at multiples of the edge. The result is the same to the last bit in whatever order the points are.

    Args:
        points: float32 [N, 4], finite, as `depthpro_ros.cloud` packs them.
        edge_m: edge of the cubes, metres.

    Returns:
        float32 [M, 4] with M <= N, by cube: in the order of z, then y, then x.

    Raises:
        InputError: the grid is too fine for points as far as these.
    """
    if not len(points):
        return points
    # an axis a row, which is read in one go
    offsets = torch.div(points.T[:3], edge_m, out=torch.empty((3, len(points)), device=points.device))
    corners = offsets.floor()
    offsets = ((offsets - corners) * OFFSET_STEPS).round_()
    low, extent = _extent(corners, edge_m)
    x, y, z = (corners - low[:, None]).long()
    cubes, places = _numbered((z * extent[1] + y) * extent[0] + x)
    count = torch.bincount(places, minlength=len(cubes))
    bits = points[:, 3].contiguous().view(torch.int32)
    colours = (bits >> shift & 0xFF for shift in (16, 8, 0))
    means = [torch.bincount(places, values.double(), len(cubes)) / count for values in (*offsets, *colours)]
    result = torch.empty((len(cubes), 4), dtype=torch.float32, device=points.device)
    found = (cubes % extent[0], cubes // extent[0] % extent[1], cubes // (extent[0] * extent[1]))
    for axis, corner in enumerate(found):
        result[:, axis] = (corner + low[axis].double() + means[axis] / OFFSET_STEPS) * edge_m
    red, green, blue = (mean.round_().int() for mean in means[3:])
    result.view(torch.int32)[:, 3] = red << 16 | green << 8 | blue
    return result


def _extent(corners: Tensor, edge_m: float) -> tuple[Tensor, tuple[int, int]]:
    """The lowest corner, float32 [3], and how many cubes there are along x and y."""
    low, high = corners.amin(1), corners.amax(1)
    (x0, y0, z0), (x1, y1, z1) = low.tolist(), high.tolist()
    farthest = max(-x0, -y0, -z0, x1, y1, z1)
    if farthest > FARTHEST_CUBE:
        raise InputError(
            f"cloud_voxel_m {edge_m:g} is too small for points {farthest * edge_m:.3g} m away: choose at least "
            f"{farthest * edge_m / FARTHEST_CUBE:.3g}"
        )
    return low, (int(x1 - x0) + 1, int(y1 - y0) + 1)


def _numbered(keys: Tensor) -> tuple[Tensor, Tensor]:
    """The different keys in ascending order, and for each key its place among them.

    Neighbours in the image are in the same cube more often than not, so runs are sorted rather than points.
    """
    first = torch.ones_like(keys, dtype=torch.bool)
    torch.ne(keys[1:], keys[:-1], out=first[1:])
    starts = first.nonzero()[:, 0]
    cubes, places = keys[starts].unique(return_inverse=True)
    return cubes, places[first.cumsum(0) - 1]
