"""Values that are written as JSON read as what they were."""

import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from holdfast.drills.encode.otlp import proto_value
from holdfast.ingest.any_value import Value, json_value

VALUES: list[Value] = ["text", "", True, False, 0, 7, -(2**62), 1.5, ["a", "b"], [], ("a", 1, [True]), "Grüße \u0000 漢"]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_is_the_same_in_json_and_protobuf(value: Value) -> None:
    assert ParseDict(json_value(value), AnyValue()) == proto_value(value)
