# SPDX-License-Identifier: Apache-2.0
"""What the node costs beside its model: from the arrival of an image to all three messages published.

The node runs in a process of its own, with a model that returns a random depth map at once. A camera and a
listener in this process send one image after another through real topics, with the package's Fast DDS
profile on both sides. In the same run the usual way to make the cloud alone: NumPy back-projection into a
structured array and its bytes into a PointCloud2.

    python -m benchmarks.bench_node
"""

from __future__ import annotations

import argparse
import array
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from depthpro_ros.models.estimator import EstimatorInfo, Focal, Prediction, Rgb

SIZES = {(640, 480): 6.0, (1280, 720): 20.0, (1920, 1080): 60.0}
"""Width and height to what the node may take, milliseconds."""
ROOT = Path(__file__).resolve().parents[1]


class RandomDepth:
    """A model that takes no time worth counting; what it takes is subtracted."""

    info = EstimatorInfo("random", "none", 0, "cpu", "float32")

    def __init__(self) -> None:
        self._depth = torch.empty(0)

    def predict(self, rgb: Rgb, focal_px: Focal = None) -> Prediction:
        """Depth of one image."""
        if self._depth.shape != rgb.shape[:2]:
            # as smooth as real depth: a third of the picture is beyond the range, some of it is edges
            coarse = torch.rand(1, 1, 12, 16, generator=torch.Generator().manual_seed(0)) * 120 + 1
            self._depth = torch.nn.functional.interpolate(coarse, rgb.shape[:2], mode="bilinear")[0, 0]
        focal = torch.tensor(float(focal_px))  # type: ignore[arg-type]
        return Prediction(torch.from_numpy(self._depth.numpy().copy()), focal, None)


def serve() -> None:
    """The node's process."""
    from depthpro_ros.node.depth_node import run

    sys.exit(run([sys.argv[0], *sys.argv[2:]], load=lambda model, **_: RandomDepth()))


def usual_cloud(depth: np.ndarray, rgb: np.ndarray, k: tuple[float, float, float, float]) -> Any:
    """A cloud as most Python nodes make it, see sensor_msgs_py.create_cloud."""
    from sensor_msgs.msg import PointCloud2, PointField

    fx, fy, cx, cy = k
    height, width = depth.shape
    u, v = np.meshgrid(np.arange(width), np.arange(height))
    dtype = np.dtype([(n, np.float32) for n in ("x", "y", "z")] + [("rgb", np.uint32)])
    points = np.empty((height, width), dtype)
    points["x"], points["y"], points["z"] = (u - cx) * depth / fx, (v - cy) * depth / fy, depth
    r, g, b = (rgb[..., i].astype(np.uint32) for i in range(3))
    points["rgb"] = r << 16 | g << 8 | b
    cloud = PointCloud2(height=height, width=width, point_step=16, row_step=16 * width)
    cloud.fields = [PointField(name=n, offset=4 * i, datatype=7, count=1) for i, n in enumerate("xyz")]
    data = array.array("B")
    data.frombytes(memoryview(points).cast("B"))
    cloud.data = data
    return cloud


def median_ms(action: Any, repeats: int) -> float:
    """Median time of an action, milliseconds."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        action()
        times.append((time.perf_counter() - started) * 1e3)
    return statistics.median(times)


def measure(width: int, height: int, frames: int) -> tuple[float, float, float]:
    """Median milliseconds in the node beside its model, to the arrival in this process, and the usual way."""
    import rclpy
    from diagnostic_msgs.msg import DiagnosticArray
    from sensor_msgs.msg import CameraInfo, Image

    from depthpro_ros.camera import CameraModel, Intrinsics
    from depthpro_ros.node.messages import camera_info
    from depthpro_ros.node.outputs import DEPTH, DEPTH_INFO, POINTS, TOPICS

    node = rclpy.create_node("bench")
    received: dict[str, int] = {}
    said: dict[str, str] = {}

    def listen(name: str) -> None:
        node.create_subscription(TOPICS[name], name, lambda m: received.update({name: m.header.stamp.sec}), 2)

    def on_diagnostics(message: DiagnosticArray) -> None:
        said.update({v.key: v.value for v in message.status[0].values})

    def until(condition: Any) -> None:
        end = time.monotonic() + 60
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"the node does not answer; it said {said}")
            rclpy.spin_once(node, timeout_sec=0.1)

    outputs = (DEPTH, DEPTH_INFO, POINTS)
    for name in outputs:
        listen(name)
    node.create_subscription(DiagnosticArray, "/diagnostics", on_diagnostics, 10)
    images, infos = node.create_publisher(Image, "image", 2), node.create_publisher(CameraInfo, "camera_info", 2)
    arguments = [sys.executable, "-m", "benchmarks.bench_node", "--serve", "--ros-args", "--log-level", "warn"]
    with subprocess.Popen([*arguments, "-p", "diagnostics_period_s:=0.2"], cwd=ROOT) as process:
        try:
            until(lambda: said.get("subscribed outputs") == ", ".join(sorted(outputs)))
            until(lambda: images.get_subscription_count() and infos.get_subscription_count())
            rgb = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
            intrinsics = Intrinsics.from_focal(width, height, 0.8 * width)
            image = Image(height=height, width=width, encoding="rgb8", step=3 * width)
            image.data.frombytes(rgb.tobytes())
            arrivals = []
            for number in range(1, frames + 1):
                image.header.stamp.sec = number
                infos.publish(camera_info(CameraModel.from_intrinsics(intrinsics), image.header))
                started = time.perf_counter()
                images.publish(image)
                until(lambda n=number: all(received.get(name) == n for name in outputs))
                arrivals.append((time.perf_counter() - started) * 1e3)
            until(lambda: said["frames out"] == str(frames))
        finally:
            process.terminate()
    node.destroy_node()
    depth = np.random.default_rng(0).random((height, width), np.float32) * 10
    k = (intrinsics.fx, intrinsics.fy, intrinsics.cx, intrinsics.cy)
    usual = median_ms(lambda: usual_cloud(depth, rgb, k), frames // 2)
    return float(said["beside the model p50 (ms)"]), statistics.median(arrivals), usual


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--frames", type=int, default=60)
    options = parser.parse_args()
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % 100)
    os.environ.setdefault("FASTDDS_DEFAULT_PROFILES_FILE", str(ROOT / "config" / "fastdds.xml"))
    import rclpy

    rclpy.init()
    print(
        f"{'image':>10}  {'node beside its model':>22}  {'allowed':>8}  {'usual cloud alone':>18}  {'round trip':>11}"
    )
    for (width, height), allowed in SIZES.items():
        inside, round_trip, usual = measure(width, height, options.frames)
        print(
            f"{f'{width}x{height}':>10}  {inside:18.1f} ms  {allowed:6.0f} ms  {usual:16.1f} ms  {round_trip:8.1f} ms",
            flush=True,
        )
    rclpy.shutdown()


if __name__ == "__main__":
    serve() if sys.argv[1:2] == ["--serve"] else main()
