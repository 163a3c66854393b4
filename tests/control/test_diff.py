import msgspec

from holdfast.control.diff import MAX_SHOWN, described, desired_diff, snapshot_diff
from holdfast.control.snapshot import Desired, GuardMode, PromptVersion, WeightedTarget
from holdfast.testing.control import example_desired
from tests.control.examples import LATER, lease, snapshot

GOOD = example_desired()
replace = msgspec.structs.replace


def test_equal_states_do_not_differ() -> None:
    assert desired_diff(GOOD, example_desired()) == ()


def test_a_change_deep_inside_is_named_by_its_path_with_before_and_after() -> None:
    route = GOOD.routes[0]
    targets = (WeightedTarget(target="large", weight=0.5), route.targets[1])
    changed = replace(GOOD, routes=(replace(route, targets=targets), GOOD.routes[1]))
    assert desired_diff(GOOD, changed) == ("route support: target large: weight: 1.0 → 0.5",)


def test_entries_are_told_apart_by_name_and_not_by_position() -> None:
    changed = replace(GOOD, guards=(replace(GOOD.guards[1], mode=GuardMode.OFF),))
    assert desired_diff(GOOD, changed) == ("guard injection removed", 'guard pii: mode: "enforce" → "off"')
    assert desired_diff(changed, GOOD) == ("guard injection added", 'guard pii: mode: "off" → "enforce"')


def test_another_order_alone_is_a_difference() -> None:
    assert desired_diff(GOOD, replace(GOOD, routes=GOOD.routes[::-1])) == ("route order: search, support",)


def test_a_published_prompt_is_two_lines_and_its_text_is_not_repeated() -> None:
    prompt = GOOD.prompts[0]
    v3 = PromptVersion(version="v3", text="x" * 500, created_ns=3)
    changed = replace(GOOD, prompts=(replace(prompt, current="v3", versions=(*prompt.versions, v3)),))
    assert desired_diff(GOOD, changed) == ('prompt support: current: "v2" → "v3"', "prompt support: version v3 added")


def test_long_values_are_cut_with_their_length() -> None:
    changed = replace(GOOD, templates=(replace(GOOD.templates[0], texts={"": "y" * 500, "fr": "Pardon"}),))
    lines = desired_diff(GOOD, changed)
    assert any("(502 characters)" in line and len(line) < 3 * MAX_SHOWN for line in lines)
    assert "template sorry: texts[de] removed" in lines
    assert 'template sorry: texts[fr] added: "Pardon"' in lines


def test_plain_fields_and_nested_structs_are_told() -> None:
    changed = replace(GOOD, user_limit=replace(GOOD.user_limit, requests_per_s=5.0))
    assert desired_diff(GOOD, changed) == ("user_limit: requests_per_s: 0.0 → 5.0",)
    assert desired_diff(GOOD, replace(GOOD, routes=(replace(GOOD.routes[0], models=("a",)), GOOD.routes[1]))) == (
        'route support: models: ["large-1"] → ["a"]',
    )


def test_everything_from_nothing_is_additions() -> None:
    assert all(line.endswith("added") for line in desired_diff(Desired(), GOOD))


def test_a_lease_in_one_line() -> None:
    assert described(lease(expires_ns=LATER)) == "disable_tool where route=support until 1970-01-01T00:17:40.000Z"
    assert "for 25% of the users" in described(lease(share=0.25))


def test_leases_and_the_red_button_are_part_of_the_difference() -> None:
    before = snapshot(lease(), lease(number=2))
    after = replace(snapshot(lease(number=2, expires_ns=LATER + 5), lease(number=3)), automation=False)
    lines = snapshot_diff(before, after)
    assert lines[0].startswith("lease lse_1 is gone: disable_tool")
    assert lines[1].startswith("lease lse_3 is new: disable_tool")
    assert lines[2] == f"lease lse_2: expires_ns: {LATER} → {LATER + 5}"
    assert lines[3] == "automation: stopped by the red button"
    assert snapshot_diff(after, before)[-1] == "automation: on"
