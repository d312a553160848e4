# SPDX-License-Identifier: Apache-2.0
"""Write a contact sheet of scenes: `python -m depthpro_ros.scenes --out page.png --count 24 --seed 0`."""

from __future__ import annotations

import argparse

import cv2
import numpy as np

from depthpro_ros.scenes.render import SceneBatch, render_scenes


def contact_sheet(batch: SceneBatch, columns: int) -> np.ndarray:
    """Lay scenes out as BGR uint8, each image beside its coloured inverse depth (near is bright)."""
    cells = []
    for rgb, depth in zip(batch.rgb.cpu().numpy(), batch.depth_m.cpu().numpy(), strict=True):
        inverse = 1 / depth
        scaled = np.clip(255 * inverse / max(np.percentile(inverse, 99), 1e-6), 0, 255).astype(np.uint8)
        colour = cv2.applyColorMap(scaled, cv2.COLORMAP_TURBO)
        cells.append(np.concatenate([cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), colour], axis=1))
    while len(cells) % columns:
        cells.append(np.zeros_like(cells[0]))
    rows = [np.concatenate(cells[i : i + columns], axis=1) for i in range(0, len(cells), columns)]
    return np.concatenate(rows)


def main() -> None:
    """Parse the arguments, render, write."""
    parser = argparse.ArgumentParser(prog="python -m depthpro_ros.scenes", description=__doc__)
    parser.add_argument("--out", required=True, help="image file to write")
    parser.add_argument("--count", type=int, default=24, help="number of scenes")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first scene")
    parser.add_argument("--size", type=int, default=256, help="height and width of each scene in pixels")
    parser.add_argument("--columns", type=int, default=4, help="scenes per row")
    args = parser.parse_args()
    seeds = range(args.seed, args.seed + args.count)
    sheet = contact_sheet(render_scenes(seeds, height=args.size, width=args.size), args.columns)
    if not cv2.imwrite(args.out, sheet):
        raise SystemExit(f"could not write {args.out}: expected a writable path that ends in .png or .jpg")


if __name__ == "__main__":
    main()
