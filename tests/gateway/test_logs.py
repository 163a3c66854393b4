"""Logs as JSON lines."""

import os
import subprocess
import sys

import orjson

from holdfast.gateway.logs import Lossy, Repeated


def test_an_event_is_one_line_of_json_on_standard_error() -> None:
    program = "import structlog; from holdfast.gateway.logs import log_as_json; log_as_json()\n"
    program += "structlog.get_logger().info('something happened', worker=1); structlog.get_logger().debug('unimportant')"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=30)
    assert ended.stdout == b""
    lines = [orjson.loads(line) for line in ended.stderr.splitlines()]
    assert [(line["event"], line["level"], line["worker"]) for line in lines] == [("something happened", "info", 1)]


def test_a_log_that_cannot_be_written_is_lost_and_stops_nobody() -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        Lossy(theirs).write("nobody reads this\n")
        Lossy(theirs).flush()
    finally:
        os.close(theirs)


def test_what_is_written_arrives_whole_whatever_it_is() -> None:
    ours, theirs = os.pipe()
    try:
        Lossy(theirs).write("one \ud800 line\n")
        assert os.read(ours, 100) == b"one ? line\n"
    finally:
        os.close(ours)
        os.close(theirs)


def test_the_same_complaint_is_made_once_in_a_while_and_another_at_most_once_a_second() -> None:
    repeated = Repeated(again_s=300)
    assert repeated.due("disk full", 0.0)
    assert [repeated.due("disk full", s / 20) for s in range(1, 5900)] == [False] * 5899
    assert repeated.due("disk full", 300.0)
    assert not repeated.due("no such file", 300.5)
    assert repeated.due("no such file", 301.0)
    told = sum(repeated.due(f"attempt {n}", 302.0 + n / 20) for n in range(2000))
    assert told == 100
