"""Dashboard and alert rules are what Grafana and Prometheus take."""

import json
import re

import promql_parser
import pytest
import yaml

from holdfast.report.monitoring import FILES, PANELS, RULES, Panel, Rule, dashboard, exported, rules

EXPRESSIONS = {rule.name: rule.when for rule in RULES} | {
    f"{panel.title}, {number}": line for panel in PANELS for number, (line, _) in enumerate(panel.lines)
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_every_expression_is_promql(name: str) -> None:
    promql_parser.parse(EXPRESSIONS[name])


def test_an_expression_that_is_none_would_be_noticed() -> None:
    with pytest.raises(ValueError, match="unclosed"):
        promql_parser.parse("sum by (rate(x[5m])")


def test_the_rules_are_yaml_as_prometheus_reads_it() -> None:
    (group,) = yaml.safe_load(rules())["groups"]
    assert [rule["alert"] for rule in group["rules"]] == [rule.name for rule in RULES]
    for written, rule in zip(group["rules"], RULES, strict=True):
        assert written == {
            "alert": rule.name,
            "expr": rule.when,
            "for": rule.lasting,
            "labels": {"severity": rule.severity},
            "annotations": {"summary": rule.summary, "description": rule.advice},
        }


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_alert_says_what_is_wrong_and_what_to_do_first(rule: Rule) -> None:
    assert re.fullmatch(r"Holdfast[A-Z]\w+", rule.name)
    assert re.fullmatch(r"\d+[mh]", rule.lasting)
    assert rule.advice.endswith(".")
    assert not rule.summary.endswith(".")
    told = set(re.findall(r"\$labels\.(\w+)", rule.summary))
    assert all(label in rule.when or rule.when.startswith("holdfast_") for label in told)


def test_no_two_alerts_have_a_name() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_the_dashboard_is_json_with_panels_side_by_side() -> None:
    made = json.loads(dashboard())
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in made["panels"]}
    assert len(places) == len(PANELS) == len({panel["id"] for panel in made["panels"]})
    assert {target["expr"] for panel in made["panels"] for target in panel["targets"]} <= set(EXPRESSIONS.values())


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.title)
def test_every_legend_names_labels_that_the_expression_keeps(panel: Panel) -> None:
    for line, legend in panel.lines:
        for label in re.findall(r"{{(\w+)}}", legend):
            kept = re.search(r"by \(([^)]*)\)", line)
            assert kept is None or label in kept.group(1).split(", ")


def test_each_kind_is_a_file() -> None:
    assert {kind: exported(kind) for kind in FILES} == {"grafana": dashboard(), "prometheus": rules()}
