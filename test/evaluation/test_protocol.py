# SPDX-License-Identifier: Apache-2.0
"""Protocol files: the published numbers, their bands, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

pytest.importorskip("pydantic")

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.protocol import PROTOCOLS, protocol_names, read_protocol
from depthpro_ros.evaluation.protocol_table import protocol_table

ZERO_SHOT = {
    "DepthAnything": (52.3, 9.3, 39.3, 35.4, 6.9, 85.0),
    "DepthAnything v2": (59.5, 36.3, 37.2, 17.7, 5.9, 72.4),
    "Metric3D": (4.7, 34.2, 13.6, 64.4, 17.3, 16.9),
    "Metric3D v2": (39.4, 87.7, 29.9, 82.6, 38.3, 75.6),
    "PatchFusion": (22.6, 51.8, 49.9, 20.4, 14.0, 53.6),
    "UniDepth": (27.6, 25.3, 31.9, 83.6, 16.5, 95.8),
    "ZeroDepth": (None, None, 46.5, 64.3, 12.9, None),
    "ZoeDepth": (21.6, 34.2, 53.8, 28.1, 7.8, 85.7),
    "Depth Pro": (46.6, 41.5, 60.5, 49.1, 40.0, 89.0),
}
"""arXiv 2410.02073, table 1: Booster, ETH3D, Middlebury, nuScenes, Sintel, Sun-RGBD."""


def test_all_protocols_can_be_read() -> None:
    assert set(protocol_names()) == {
        "depth_pro_zero_shot",
        "depth_pro_other_sets",
        "depth_pro_boundaries",
        "depth_pro_focal",
        "depthart",
    }
    for name in protocol_names():
        assert read_protocol(name).source


def test_the_zero_shot_table_is_the_papers() -> None:
    protocol = read_protocol("depth_pro_zero_shot")
    for system, row in ZERO_SHOT.items():
        assert tuple(each.value(system, "delta1") for each in protocol.sets) == row
    assert protocol.systems == tuple(ZERO_SHOT)
    assert [each.images for each in protocol.sets] == [228, 454, 15, 881, 1064, 5050]
    assert protocol.alignment == "none"


def test_average_ranks_follow_from_the_values() -> None:
    """The paper's last column, of systems of which it does; equal values share the mean of their ranks."""
    protocol = read_protocol("depth_pro_zero_shot")
    ranks = dict.fromkeys(ZERO_SHOT, 0.0)
    for column in range(6):
        values = {name: row[column] for name, row in ZERO_SHOT.items()}
        for name, value in values.items():
            others = [other for key, other in values.items() if key != name and other is not None]
            if value is not None:
                ranks[name] += (1 + sum((other > value) + 0.5 * (other == value) for other in others)) / 6
    for name in ("Depth Pro", "Metric3D v2", "UniDepth", "ZoeDepth", "PatchFusion", "DepthAnything v2"):
        assert ranks[name] == pytest.approx(protocol.average_rank[name], abs=0.0501)


def test_depthart_makes_errors_of_delta1() -> None:
    protocol = read_protocol("depthart")
    assert protocol.alignment == "median_ratio"
    own = [(each.value("DepthART", "delta1_complement"), each.value("DepthART", "abs_rel")) for each in protocol.sets]
    assert own == [(0.196, 0.177), (0.275, 0.178), (0.141, 0.115), (0.129, 0.106)]
    ibims = protocol.of("iBims")
    assert (ibims.value("DepthART", "pe_fla"), ibims.value("DepthART", "pe_ori")) == (1.91, 7.27)
    assert len(protocol.systems) == 7


def test_depthart_sees_256_pixels_and_scores_ibims_at_its_own_size() -> None:
    protocol = read_protocol("depthart")
    assert [each.size for each in protocol.sets] == [(256, 256)] * 3 + [None]
    ibims = protocol.of("iBims")
    assert (ibims.photo_size, ibims.aligned_corners) == ((256, 256), True)
    assert [each.cut_border_px for each in protocol.sets] == [0, 0, 8, 0]


def test_published_boundaries_have_no_mask() -> None:
    assert not read_protocol("depth_pro_boundaries").masked_boundaries


def test_a_band_spans_paper_and_measurements_and_five_percent() -> None:
    protocol = read_protocol("depth_pro_zero_shot")
    assert protocol.band("Booster", "delta1") == pytest.approx((46.6 * 0.95, 48.8 * 1.05))
    # both focal lengths count
    assert protocol.band("ETH3D", "delta1") == pytest.approx((33.4 * 0.95, 41.5 * 1.05))
    # but not a measurement on other images
    assert protocol.band("Sun-RGBD", "delta1") == pytest.approx((86.8 * 0.95, 89.0 * 1.05))


def test_a_band_ends_at_all_of_it_and_needs_a_measurement() -> None:
    others = read_protocol("depth_pro_other_sets")
    assert others.band("NYUv2", "delta1") == pytest.approx((93.5 * 0.95, 100))
    assert others.band("iBims-1", "delta1") == pytest.approx((84.6 * 0.95, 84.6 * 1.05))
    assert others.band("iBims-1", "abs_rel") is None
    assert read_protocol("depth_pro_boundaries").band("Sintel", "boundary_f1") is None


def test_another_number_of_images_is_said() -> None:
    sun = read_protocol("depth_pro_zero_shot").of("Sun-RGBD")
    assert sun.count_warning(5050) is None
    assert "120 images, the published values are of 5050" in (sun.count_warning(120) or "")
    assert read_protocol("depth_pro_boundaries").of("AM").count_warning(3) is None


def test_own_results_stand_beside_the_published_ones() -> None:
    text = protocol_table(read_protocol("depth_pro_zero_shot"), "delta1", {"ours": {"Sintel": 38.25}})
    lines = text.splitlines()
    assert lines[0] == "| delta1 ↑, percent | Booster | ETH3D | Middlebury | nuScenes | Sintel | Sun-RGBD |"
    assert "| ZeroDepth | out of memory | out of memory | 46.5 | 64.3 | 12.9 | out of memory |" in lines
    assert lines[-2] == "| **ours** |  |  |  |  | 38.2 |  |"
    assert lines[-1].startswith("| expected of Depth Pro | 44.3 to 51.2 |")


def test_a_set_with_an_own_value_only_has_a_column() -> None:
    text = protocol_table(read_protocol("depth_pro_other_sets"), "abs_rel", {"ours": {"iBims-1": 0.1}})
    assert text.splitlines()[0] == "| abs_rel ↓ | iBims-1 | NYUv2 |" and "| **ours** | 0.100 |  |" in text


def test_a_table_has_only_the_sets_of_its_metric() -> None:
    protocol = read_protocol("depthart")
    lines = protocol_table(protocol, "pe_ori", {}).splitlines()
    assert lines[0] == "| pe_ori ↓, deg | iBims |"
    assert len(lines) == 2 + 7
    with pytest.raises(InputError, match="no set 'Sintl'"):
        protocol_table(protocol, "pe_ori", {"ours": {"Sintl": 1.0}})


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"aligment": "none"}, "aligment: Extra inputs"),
        ({"alignment": "best"}, "alignment: Input should be"),
        ({"sets": []}, "sets: "),
        ({"band_tolerance": 0.1}, "band_reason"),
        ({"metrics": {"abs_rel": "ratio"}}, "not among the metrics"),
        ({"metrics": {"boundary_f1": "cm", "boundary_recall": "percent"}, "x": 1}, "x: Extra"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, change: dict, problem: str) -> None:
    raw = yaml.safe_load((PROTOCOLS / "depth_pro_boundaries.yaml").read_text())
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(raw | change))
    with pytest.raises(InputError, match=f"own.yaml: .*{problem}"):
        read_protocol(path)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"dataset": "sintl"}, "unknown data set 'sintl'"),
        ({"options": {"colour": 1}}, "no options"),
        ({"depth_m": [10, 1]}, "must be"),
        ({"size": [2, 2], "photo_size": [2, 2]}, "photo_size, of the photograph alone"),
        ({"published": {"A": {"boundary_f1": 1.5}}}, "above 1"),
        ({"published": {"A": {"boundary_f1": "much"}}}, "boundary_f1"),
        ({"title": "Spring"}, "titles of their own"),
    ],
)
def test_a_set_that_does_not_fit_is_named(tmp_path: Path, change: dict, problem: str) -> None:
    raw = yaml.safe_load((PROTOCOLS / "depth_pro_boundaries.yaml").read_text())
    raw["sets"][0] |= change
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(raw))
    with pytest.raises(InputError, match=problem):
        read_protocol(path)


def test_an_unknown_protocol_names_the_known() -> None:
    with pytest.raises(InputError, match="no protocol 'table1'.*depth_pro_zero_shot"):
        read_protocol("table1")
