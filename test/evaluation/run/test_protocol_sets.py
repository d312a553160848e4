# SPDX-License-Identifier: Apache-2.0
"""Which sets of a protocol are there."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("pydantic")

from depthpro_ros.errors import DataError, InputError
from depthpro_ros.evaluation.datasets import DATASETS
from depthpro_ros.evaluation.protocol import Protocol, protocol_names, read_protocol
from depthpro_ros.evaluation.run.dataset_options import option_help, parse_options
from depthpro_ros.evaluation.run.protocol_sets import Wish, dataset_of, find_sets, folder_names
from test.evaluation.datasets import trees


def own(*sets: tuple[str, str]) -> Protocol:
    return Protocol.model_validate(
        {
            "title": "Own",
            "source": "here",
            "metrics": {"delta1": "percent"},
            "alignment": "none",
            "focal": "unstated",
            "headline_system": "A",
            "sets": [{"title": title, "dataset": name, "published": {}} for title, name in sets],
        }
    )


@pytest.mark.parametrize("name", protocol_names())
def test_every_set_of_a_bundled_protocol_has_a_folder_of_its_own(name):
    names = list(folder_names(read_protocol(name)).values())
    assert len(set(names)) == len(names)


def test_sets_of_one_data_set_have_the_titles_folders():
    names = folder_names(own(("Film", "sintel"), ("Day 1", "photos"), ("Night/2", "photos")))
    assert names == {"Film": "sintel", "Day 1": "Day_1", "Night/2": "Night_2"}
    with pytest.raises(InputError, match="would share a folder"):
        folder_names(own(("Day 1", "photos"), ("Day_1", "photos")))


def test_what_is_there_is_open_and_what_is_not_tells_why(tmp_path: Path):
    trees.sintel(tmp_path / "sintel")
    (tmp_path / "booster").mkdir()
    found, missing = find_sets(read_protocol("depth_pro_zero_shot"), tmp_path, Wish())
    assert [(each.column.title, len(each.dataset)) for each in found] == [("Sintel", 1)]
    reasons = {each.column.title: each.reason for each in missing}
    assert "holds no frame" in reasons["Booster"] and "is no folder" in reasons["ETH3D"]


def test_nothing_there_shows_every_tree(tmp_path: Path):
    with pytest.raises(DataError) as caught:
        find_sets(read_protocol("depth_pro_zero_shot"), tmp_path, Wish())
    for name in ("booster", "eth3d", "middlebury_v3", "sintel"):
        assert DATASETS[name].tree.strip().splitlines()[-1] in str(caught.value)


def test_options_are_added_to_the_protocols(tmp_path: Path):
    trees.nyuv2(tmp_path / "nyuv2")
    wish = Wish(("NYU",), options={"NYU": {"split": "all"}})
    (found,), _ = find_sets(read_protocol("depthart"), tmp_path, wish)
    assert found.options == {"depth": "raw", "split": "all"}


def test_options_are_words_unless_they_are_true_or_false():
    assert parse_options("middlebury_v3", {"occluded": "true", "resolution": "Q"}) == {
        "occluded": True,
        "resolution": "Q",
    }
    with pytest.raises(InputError, match="expected true or false"):
        parse_options("middlebury_v3", {"occluded": "1"})
    with pytest.raises(InputError, match="no option 'root', it has resolution, occluded"):
        parse_options("middlebury_v3", {"root": "x"})
    assert option_help("middlebury_v3") == "resolution=F, occluded=false"


def test_a_title_leads_to_its_data_set():
    assert (dataset_of("Sun-RGBD"), dataset_of("DDDP")) == ("sun_rgbd", "photos")
    with pytest.raises(InputError, match="no data set 'Sun'"):
        dataset_of("Sun")
