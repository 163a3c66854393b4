"""What watches Holdfast itself: a Grafana dashboard and Prometheus alert rules over the metrics of server, receiver and gateways.

A table each; a test asks the running expositions for every metric that is named here.
"""

import json
from typing import Any, Literal

import msgspec

Kind = Literal["grafana", "prometheus"]
FILES: dict[Kind, tuple[str, str]] = {
    "grafana": ("holdfast-dashboard.json", "application/json"),
    "prometheus": ("holdfast-rules.yaml", "application/yaml"),
}
"""Kind of export to the file's name and media type."""

SCHEMA_VERSION = 39
"""Of Grafana's dashboards; newer versions of Grafana read older ones."""
WIDTH, HEIGHT = 8, 7
SOURCE = {"type": "prometheus", "uid": "${source}"}


class Rule(msgspec.Struct, frozen=True):
    """An alert. `lasting` is how long `when` must hold, in Prometheus' notation; `advice` is the first thing to do."""

    name: str
    when: str
    lasting: str
    severity: Literal["critical", "warning"]
    summary: str
    advice: str


class Panel(msgspec.Struct, frozen=True):
    """A chart. `lines` are expression and legend; `unit` is Grafana's name of it."""

    title: str
    unit: str
    lines: tuple[tuple[str, str], ...]


RULES = (
    Rule(
        "HoldfastMetricsMissing",
        "absent(holdfast_pipeline_up)",
        "5m",
        "critical",
        "Nothing scrapes a Holdfast server",
        "See whether the server runs, and whether Prometheus has a token for its /metrics.",
    ),
    Rule(
        "HoldfastPipelineStopped",
        "holdfast_pipeline_up == 0",
        "2m",
        "critical",
        "The pipeline does not read its journal: no incident will open",
        "Ask /readyz for the reason, then the server's log.",
    ),
    Rule(
        "HoldfastStoreDown",
        "holdfast_store_up == 0",
        "1m",
        "critical",
        "The {{ $labels.store }} store does not answer",
        "Run holdfast doctor on the server.",
    ),
    Rule(
        "HoldfastJournalFailing",
        "holdfast_ingest_journal_failing == 1",
        "1m",
        "critical",
        "The receiver cannot write its journal: senders are refused",
        "Look for a full or failing disk below server.data_dir.",
    ),
    Rule(
        "HoldfastBehind",
        "holdfast_ingest_lag_bytes > 100e6",
        "10m",
        "warning",
        "The pipeline is {{ $value | humanize1024 }}B behind: alarms come late",
        "See whether the telemetry store is slow, or traffic has grown.",
    ),
    Rule(
        "HoldfastSendersWait",
        'sum(rate(holdfast_ingest_requests_total{code=~"429|503|RESOURCE_EXHAUSTED|UNAVAILABLE"}[5m])) > 0',
        "10m",
        "warning",
        "Senders are asked to wait or turned away",
        "The journal is full, or cannot be written: see HoldfastBehind and HoldfastJournalFailing.",
    ),
    Rule(
        "HoldfastTelemetryInvalid",
        'sum(rate(holdfast_ingest_rejected_total{reason="invalid"}[15m])) '
        "/ (sum(rate(holdfast_ingest_rejected_total[15m])) + sum(rate(holdfast_ingest_accepted_total[15m]))) > 0.01",
        "15m",
        "warning",
        "More than one item in a hundred is not taken",
        "The answers to the senders say what is wrong with each item.",
    ),
    Rule(
        "HoldfastAcknowledgesSlowly",
        "histogram_quantile(0.99, sum by (le) (rate(holdfast_ingest_ack_seconds_bucket[5m]))) > 1",
        "10m",
        "warning",
        "One acknowledgement in a hundred takes over a second",
        "See whether the disk of the journal is slow.",
    ),
    Rule(
        "HoldfastScorerFailing",
        'holdfast_scorer_traces{outcome="failed"} / ignoring (outcome) sum without (outcome) (holdfast_scorer_traces) > 0.05',
        "15m",
        "warning",
        "Scorer {{ $labels.scorer }} fails on more than one trace in twenty: its metrics are blind",
        "Calls show the error of each scorer that failed.",
    ),
    Rule(
        "HoldfastNothingScored",
        'sum(rate(holdfast_ingest_accepted_total{feed="traces"}[15m])) > 0 unless sum(holdfast_scorer_traces{outcome="ran"}) > 0',
        "30m",
        "critical",
        "Traces come in and no scorer runs",
        "Ask /readyz, then the server's log.",
    ),
    Rule(
        "HoldfastIncidentNotAcknowledged",
        "holdfast_incidents_unacknowledged > 0",
        "15m",
        "warning",
        "{{ $value }} open incidents that nobody has acknowledged for a quarter of an hour",
        "Open the console: Incidents, state open.",
    ),
    Rule(
        "HoldfastFalseAlarmBudgetSpent",
        "holdfast_false_alarms_spent_today > 3 * holdfast_false_alarm_budget_per_day",
        "1h",
        "warning",
        "{{ $value }} false alarms were to be expected in the last day, three times what a day may bring",
        "New applications spend more in their first day; otherwise see detection.false_alarms_per_day.",
    ),
    Rule(
        "HoldfastControlPlaneDown",
        "holdfast_control_up == 0",
        "1m",
        "critical",
        "The control plane cannot be served: gateways keep their last good snapshot, nothing can be contained",
        "Run holdfast ledger verify.",
    ),
    Rule(
        "HoldfastAutomationStopped",
        "holdfast_control_automation == 0",
        "4h",
        "warning",
        "The red button has been pressed for hours: nothing is contained without a person",
        "Resume automation on the page Control, or silence this.",
    ),
    Rule(
        "HoldfastGatewaySilent",
        'holdfast_control_gateways{state="silent"} > 0',
        "2m",
        "warning",
        "{{ $value }} gateways have stopped reporting",
        "A gateway serves on without the server; containments no longer reach it.",
    ),
    Rule(
        "HoldfastGatewayNotCurrent",
        'sum(holdfast_control_gateways{state=~"behind|refusing"}) > 0',
        "5m",
        "warning",
        "{{ $value }} gateways do not run the snapshot in force",
        "The page Control says which, and why a snapshot was refused.",
    ),
    Rule(
        "HoldfastGatewayInternalErrors",
        "sum by (where) (rate(holdfast_gateway_internal_errors_total[5m])) > 0",
        "5m",
        "warning",
        "The gateway makes mistakes of its own in {{ $labels.where }}",
        "Requests are served; see the gateway's log.",
    ),
    Rule(
        "HoldfastGatewayTelemetryLost",
        "delta(holdfast_gateway_telemetry_dropped[15m]) > 0",
        "1m",
        "warning",
        "The gateway's spool is full: {{ $value }} calls without telemetry",
        "See whether the receiver answers, or raise gateway.spool_bytes.",
    ),
    Rule(
        "HoldfastGuardBlocksTheHarmless",
        "holdfast_gateway_guard_relaxed == 1",
        "1m",
        "warning",
        "Guard {{ $labels.guard }} has spent its budget of harmless requests and only watches now",
        "Look at what it blocked, then change its threshold or label the calls.",
    ),
)
"""Every alert. Names begin with Holdfast, so that a route of Alertmanager can take them together."""

PANELS = (
    Panel("Incidents by state", "none", (('holdfast_incidents{state=~"candidate|open|mitigated"}', "{{state}}"),)),
    Panel("Pipeline and stores", "bool_yes_no", (("holdfast_pipeline_up", "pipeline"), ("holdfast_store_up", "{{store}}"))),
    Panel("Records through the pipeline", "ops", (("rate(holdfast_pipeline_records_total[5m])", "records/s"),)),
    Panel("Accepted", "ops", (("sum by (feed) (rate(holdfast_ingest_accepted_total[5m]))", "{{feed}}"),)),
    Panel("Rejected", "ops", (("sum by (feed, reason) (rate(holdfast_ingest_rejected_total[5m]))", "{{feed}} {{reason}}"),)),
    Panel("Behind", "bytes", (("holdfast_ingest_lag_bytes", "journal"), ("holdfast_ingest_buffered_bytes", "in memory"))),
    Panel(
        "Acknowledgement",
        "s",
        tuple(
            (f"histogram_quantile({q}, sum by (le) (rate(holdfast_ingest_ack_seconds_bucket[5m])))", f"p{100 * q:.0f}")
            for q in (0.5, 0.99)
        ),
    ),
    Panel("Body bytes", "Bps", (("sum by (feed) (rate(holdfast_ingest_body_bytes_total[5m]))", "{{feed}}"),)),
    Panel("Receiver's answers", "reqps", (("sum by (code) (rate(holdfast_ingest_requests_total[5m]))", "{{code}}"),)),
    Panel("Originals to be sealed", "ops", (("sum by (fate) (rate(holdfast_ingest_originals_total[5m]))", "{{fate}}"),)),
    Panel("Scorers that fail", "short", (('holdfast_scorer_traces{outcome="failed"} > 0', "{{scorer}}"),)),
    Panel("Traces scored, last hour", "short", (('holdfast_scorer_traces{outcome="ran"}', "{{scorer}}"),)),
    Panel(
        "False alarms to be expected",
        "short",
        (("holdfast_false_alarms_spent_today", "last day"), ("holdfast_false_alarm_budget_per_day", "budget of a day")),
    ),
    Panel(
        "Containments in force",
        "none",
        (("sum by (action, automatic) (holdfast_control_leases)", "{{action}} auto={{automatic}}"),),
    ),
    Panel("Gateways", "none", (("holdfast_control_gateways", "{{state}}"),)),
    Panel(
        "Gateway requests",
        "reqps",
        (("sum by (code, reason) (rate(holdfast_gateway_requests_total[5m]))", "{{code}} {{reason}}"),),
    ),
    Panel(
        "Gateway latency, p95",
        "s",
        (
            ("histogram_quantile(0.95, sum by (le, route) (rate(holdfast_gateway_request_seconds_bucket[5m])))", "{{route}}"),
            ("histogram_quantile(0.95, sum by (le) (rate(holdfast_gateway_first_byte_seconds_bucket[5m])))", "first byte"),
        ),
    ),
    Panel(
        "Tries at targets",
        "reqps",
        (("sum by (target, outcome) (rate(holdfast_gateway_attempts_total[5m]))", "{{target}} {{outcome}}"),),
    ),
    Panel("Breakers", "none", (("sum by (state) (holdfast_gateway_breakers)", "{{state}}"),)),
    Panel(
        "Guards",
        "reqps",
        (
            (
                "sum by (guard, verdict, enforced) (rate(holdfast_gateway_guard_verdicts_total[5m]))",
                "{{guard}} {{verdict}} enforced={{enforced}}",
            ),
        ),
    ),
    Panel("Harmless requests blocked", "percentunit", (("holdfast_gateway_over_blocking_share", "{{guard}} {{segment}}"),)),
    Panel("Tokens", "ops", (("sum by (target, kind) (rate(holdfast_gateway_tokens_total[5m]))", "{{target}} {{kind}}"),)),
    Panel("Cost an hour", "currencyUSD", (("sum by (target) (rate(holdfast_gateway_cost_usd_total[1h])) * 3600", "{{target}}"),)),
)
"""Every chart, three in a row: the server's, the receiver's, the gateways'."""


def exported(kind: Kind) -> str:
    """The file's text: JSON for Grafana (import it, and choose the data source there), YAML for Prometheus (`rule_files`)."""
    return dashboard() if kind == "grafana" else rules()


def dashboard() -> str:
    """A Grafana dashboard as JSON."""
    made = {
        "uid": "holdfast",
        "title": "Holdfast",
        "tags": ["holdfast"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [{"name": "source", "type": "datasource", "query": "prometheus", "label": "Data source"}]},
        "panels": [_panel(number, panel) for number, panel in enumerate(PANELS)],
    }
    return json.dumps(made, indent=2) + "\n"


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "datasource": SOURCE,
        "gridPos": {"x": WIDTH * (number % 3), "y": HEIGHT * (number // 3), "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": chr(ord("A") + n), "datasource": SOURCE, "expr": line, "legendFormat": legend}
            for n, (line, legend) in enumerate(panel.lines)
        ],
    }


def rules() -> str:
    """A Prometheus rule file. Its texts are JSON strings, which are YAML too."""
    lines = ["groups:", "  - name: holdfast", "    rules:"]
    for rule in RULES:
        lines += [
            f"      - alert: {rule.name}",
            f"        expr: {json.dumps(rule.when)}",
            f"        for: {rule.lasting}",
            f"        labels: {{severity: {rule.severity}}}",
            "        annotations:",
            f"          summary: {json.dumps(rule.summary)}",
            f"          description: {json.dumps(rule.advice)}",
        ]
    return "\n".join(lines) + "\n"
