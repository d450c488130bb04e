from pathlib import Path

import pytest

from infra.permissions.code import UnknownCode, Use

CODE = '''\
class Queue:
    async def park(self, message):
        """Said here, not called: send_message."""
        async def inner():
            return None
        await self._client.send_message(
            QueueUrl=self._url,
        )

    async def pages(self):
        return self._read(self._client.query, {"SSEKMSKeyId": 1})

    async def twice(self):
        await self._client.get_item()
        await self._client.get_item()
'''


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "queue.py").write_text(CODE)
    return tmp_path


@pytest.mark.parametrize(
    ("written", "line"),
    [
        ("hub/queue.py Queue.park send_message", 6),
        ("hub/queue.py Queue.pages query", 11),
        ("hub/queue.py Queue.pages SSEKMSKeyId", 11),
        ("hub/queue.py Queue.park", 2),
        ("hub/queue.py Queue.park.inner", 4),
    ],
)
def test_a_line_is_found_by_what_stands_there(root: Path, written: str, line: int) -> None:
    use = Use.parse(written)
    assert str(use) == written
    assert use.line(root) == line


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("hub/topic.py Topic.notify publish", "no such file"),
        ("hub/queue.py Queue.give_back publish", "no such function"),
        ("hub/queue.py Queue.park publish", "stands on 0 lines"),
        ("hub/queue.py Queue.twice get_item", "stands on 2 lines"),
    ],
)
def test_code_that_is_not_there_or_not_clear_is_told(root: Path, written: str, said: str) -> None:
    with pytest.raises(UnknownCode, match=said):
        Use.parse(written).line(root)
