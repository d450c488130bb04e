"""The collector is set for the time of a sweep, and as it was afterwards."""

import gc

import pytest

from scanhub.collection import THRESHOLDS, collected_seldom


def test_what_is_there_is_left_out_and_the_rest_is_looked_through_more_seldom() -> None:
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    with collected_seldom():
        assert gc.get_threshold() == THRESHOLDS
        assert gc.get_freeze_count() > frozen + 1000
        assert gc.isenabled()
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)


def test_it_ends_also_with_an_error() -> None:
    before = gc.get_threshold()
    with pytest.raises(ValueError, match="broken"), collected_seldom():
        raise ValueError("broken")
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)
