"""Logs as JSON lines."""

import subprocess
import sys

import orjson


def test_an_event_is_one_line_of_json_on_standard_error() -> None:
    program = "import structlog; from holdfast.gateway.logs import log_as_json; log_as_json()\n"
    program += "structlog.get_logger().info('something happened', worker=1); structlog.get_logger().debug('unimportant')"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=30)
    assert ended.stdout == b""
    lines = [orjson.loads(line) for line in ended.stderr.splitlines()]
    assert [(line["event"], line["level"], line["worker"]) for line in lines] == [("something happened", "info", 1)]
