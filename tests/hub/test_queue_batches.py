from hub.queue_batches import ENTRIES_A_BATCH, sized, tens


def test_tens() -> None:
    assert [list(one) for one in tens(range(23))] == [list(range(10)), list(range(10, 20)), [20, 21, 22]]
    assert list(tens([])) == []
    assert ENTRIES_A_BATCH == 10


def test_no_call_is_larger_than_the_limit_and_none_is_empty() -> None:
    assert [list(one) for one in sized([4, 4, 3, 9, 1], int, 10)] == [[4, 4], [3], [9, 1]]
    assert [list(one) for one in sized([11, 1], int, 10)] == [[11], [1]]
    assert [len(one) for one in sized([0] * 21, int, 10)] == [10, 10, 1]
    assert list(sized([], int, 10)) == []
