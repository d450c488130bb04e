import io

from infra.local.qscanner.log import Log


def test_a_message_stays_one_line() -> None:
    stream = io.StringIO()
    Log(stream).write("warn", "package.json\n2026-11-21T00:00:00Z ERROR forged\r\x0b line")
    assert len(stream.getvalue().splitlines()) == 1


def test_lines_below_the_level_are_left_out() -> None:
    stream = io.StringIO()
    log = Log(stream, "warn")
    log.write("info", "quiet")
    log.write("error", "loud")
    assert stream.getvalue().endswith("ERROR loud\n")
    assert "quiet" not in stream.getvalue()
