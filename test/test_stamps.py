# SPDX-License-Identifier: Apache-2.0
"""Pairs of stamps."""

from depthpro_ros.stamps import nearest_pairs


def test_the_closest_wins_and_each_is_used_once():
    # 100 is nearer to 98 than 95 is; 95 then has nothing left within 4
    assert nearest_pairs([95, 100, 200], [98, 203, 300], 5) == [(1, 0), (2, 1)]


def test_the_tolerance_belongs_to_the_pair():
    assert nearest_pairs([0], [10], 10) == [(0, 0)]
    assert nearest_pairs([0], [11], 10) == []


def test_order_is_that_of_the_first_stamps():
    assert nearest_pairs([30, 10, 20], [21, 11, 31], 2) == [(1, 1), (2, 0), (0, 2)]


def test_a_stamp_whose_nearest_is_taken_gets_its_second_best():
    # 1010 is nearest to both: the closer one takes it
    assert nearest_pairs([1000, 1012], [985, 1010], 20) == [(0, 0), (1, 1)]


def test_nothing_has_no_partner():
    assert nearest_pairs([], [1], 20) == []
    assert nearest_pairs([1], [], 20) == []


def test_equal_stamps_come_before_all_others():
    # 9 comes first and is near 10, which has a partner of its very stamp
    assert nearest_pairs([9, 10], [10, 12], 5) == [(0, 1), (1, 0)]
