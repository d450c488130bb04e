from hypothesis import given
from hypothesis import strategies as st

from hub.redaction import Redactor
from worker.scanner.redaction import ScanRedaction

WORDS = (b"alpha-secret", b"beta-secret-2", b"secret", b"alpha-", b"x")


@given(st.lists(st.sampled_from(WORDS)), st.integers(1, 30))
def test_a_stream_gives_what_the_whole_gives(words: list[bytes], size: int) -> None:
    redaction = ScanRedaction(Redactor(["alpha-secret"]), ["beta-secret-2"])
    whole = b"".join(words)
    stream = redaction.stream()
    pieces = [stream.feed(whole[at : at + size]) for at in range(0, len(whole), size)]
    assert b"".join(pieces) + stream.flush() == redaction.data(whole)


def test_both_kinds_of_secrets_are_removed_and_the_shared_redactor_learns_nothing() -> None:
    shared = Redactor(["shared-secret"])
    redaction = ScanRedaction(shared, ["session-secret"])
    assert redaction.data(b"shared-secret session-secret") == b"[redacted] [redacted]"
    assert shared.data(b"session-secret") == b"session-secret"
    assert redaction.longest >= len("session-secret")


def test_a_secret_that_the_worker_learns_meanwhile_is_removed_too() -> None:
    shared = Redactor()
    redaction = ScanRedaction(shared, [])
    shared.add("rotated-token")
    assert redaction.data(b"rotated-token") == b"[redacted]"
