"""What the exported dashboard and rules ask for is there: every metric, and every label."""

import json
import re

import promql_parser
import pytest
import yaml
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from holdfast.api.context import ApiContext
from holdfast.control.gateways import Gateways
from holdfast.detect.budget import BudgetReport, Spent
from holdfast.gateway.meters import Meters as GatewayMeters
from holdfast.ingest.meters import Meters as ReceiverMeters

METRIC = re.compile(r"\bholdfast_[a-z0-9_]+")


def samples(text: str) -> set[str]:
    """Names under which Prometheus can be asked, families without a value included."""
    found = set()
    for family in text_string_to_metric_families(text):
        name = family.name
        found |= {f"{name}_total"} if family.type == "counter" else {name}
        if family.type == "histogram":
            found |= {f"{name}_bucket", f"{name}_sum", f"{name}_count"}
    return found


@pytest.fixture
def there(client: TestClient, context: ApiContext) -> set[str]:
    context.progress.budget = BudgetReport(per_day=0.2, spent=Spent(), alarms=0, app_streams=0, segment_streams=0)
    server = client.get("/metrics").text
    receiver, gateway = ReceiverMeters().exposition().decode(), GatewayMeters().exposition().decode()
    return samples(server) | samples(receiver) | samples(gateway)


@pytest.mark.parametrize("kind", ["grafana", "prometheus"])
def test_every_metric_that_is_named_is_exposed(client: TestClient, there: set[str], kind: str) -> None:
    text = client.get(f"/api/v1/monitoring/{kind}").text
    named = set(METRIC.findall(text))
    assert len(named) > 10
    assert named - there == set()


def test_every_metric_of_ours_is_in_the_dashboard_or_a_rule(client: TestClient, there: set[str]) -> None:
    named = set(METRIC.findall(client.get("/api/v1/monitoring/grafana").text + client.get("/api/v1/monitoring/prometheus").text))
    ours = {name for name in there if name.startswith("holdfast_") and not name.endswith(("_sum", "_count"))}
    histograms = {name.removesuffix("_bucket") for name in named if name.endswith("_bucket")}
    unwatched = {name for name in ours - named - histograms if not name.endswith(("_timestamp_seconds", "_created"))}
    assert unwatched <= {
        "holdfast_control_version",
        "holdfast_gateway_changes_total",
        "holdfast_gateway_guard_processes",
        "holdfast_gateway_in_flight",
        "holdfast_gateway_snapshot_version",
        "holdfast_false_alarms_spent",
        "holdfast_ledger_events",
    }


def test_both_are_downloads_of_their_kind(client: TestClient) -> None:
    for kind, media_type in (("grafana", "application/json"), ("prometheus", "application/yaml")):
        answer = client.get(f"/api/v1/monitoring/{kind}")
        assert answer.headers["content-type"].startswith(media_type)
        assert "attachment" in answer.headers["content-disposition"]
    assert json.loads(client.get("/api/v1/monitoring/grafana").text)["uid"] == "holdfast"
    assert yaml.safe_load(client.get("/api/v1/monitoring/prometheus").text)["groups"]
    assert client.get("/api/v1/monitoring/nagios").status_code == 422


def test_labels_that_are_asked_for_are_those_of_the_metric(client: TestClient, context: ApiContext) -> None:
    server = client.get("/metrics").text
    for asked in (
        'holdfast_incidents{state="open"}',
        'holdfast_store_up{store="ledger"}',
        'holdfast_control_gateways{state="silent"}',
    ):
        assert asked in server
        promql_parser.parse(asked)
    assert 'outcome="failed",scorer="' in server
    assert Gateways(context.clock).known() == []
