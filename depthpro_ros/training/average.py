# SPDX-License-Identifier: Apache-2.0
"""The mean of weights of one line of training: `python -m depthpro_ros.training.average A B -o C`.

It is often better than each of them (Wortsman et al., Model soups, arXiv 2203.05482) where they come from the same
weights by not too many steps, such as those of a stage after half of it and at its end; the mean of strangers is
worthless.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from depthpro_ros.errors import DepthProError, InputError, WeightsError
from depthpro_ros.models.depth_pro.network import DepthPro
from depthpro_ros.models.depth_pro.weights import assemble, load_network, save_network


def average(paths: Sequence[Path], shares: Sequence[float] | None = None) -> DepthPro:
    """The weighted mean of networks, float32.

    Args:
        paths: weights, as `load_network` takes them; at least two.
        shares: a positive weight for each, used as a share of their sum; None for equal ones.

    Raises:
        InputError: fewer than two networks, or shares that are not theirs.
        WeightsError: weights cannot be read, or are of networks of different sizes.
    """
    shares = [1.0] * len(paths) if shares is None else shares
    if len(paths) < 2:
        raise InputError(f"the mean of {len(paths)} weights files: give at least two")
    if len(shares) != len(paths) or not all(0 < share < float("inf") for share in shares):
        raise InputError(f"shares {list(shares)} of {len(paths)} weights files: give a positive number for each")
    total, first = sum(shares), load_network(paths[0])
    mean = {name: tensor.float() * (shares[0] / total) for name, tensor in first.state_dict().items()}
    for path, share in zip(paths[1:], shares[1:], strict=True):
        # one beside the mean at a time
        network = load_network(path)
        if network.config != first.config:
            raise WeightsError(f"weights {path} are of a network of another size than {paths[0]}: they have no mean")
        for name, tensor in network.state_dict().items():
            mean[name] += tensor.float() * (share / total)
    return assemble(first.config, mean, paths[0])


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, nargs="+", help="files or folders, as depthpro image takes them")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the file to write, .safetensors, float32")
    parser.add_argument("--shares", type=float, nargs="+", metavar="W", help="one for each file (default: equal)")
    args = parser.parse_args(argv)
    try:
        save_network(average(args.weights, args.shares), args.output, torch.float32)
    except (DepthProError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(args.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
