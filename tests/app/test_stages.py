"""The stages are built from the settings, and wrong settings are named."""

from math import inf

import pytest

from holdfast.app.stages import detect_policy, language_of, redaction_policy, scoring_here
from holdfast.context.entities import Entity, Treatment
from holdfast.core.errors import ConfigurationError
from holdfast.settings import Settings


def settings(**sections: object) -> Settings:
    return Settings.model_validate(sections)


def test_redaction_follows_the_settings_general_and_by_application() -> None:
    policy = redaction_policy(
        settings(
            redaction={"default": "drop", "entities": {"EMAIL_ADDRESS": "keep"}},
            applications={"shop": {"redaction": {"EMAIL_ADDRESS": "pseudonymise"}}},
        )
    )
    assert policy.treatment(Entity.EMAIL_ADDRESS) is Treatment.KEEP
    assert policy.treatment(Entity.EMAIL_ADDRESS, "shop") is Treatment.PSEUDONYMISE
    assert policy.treatment(next(e for e in Entity if e is not Entity.EMAIL_ADDRESS)) is Treatment.DROP


def test_an_entity_that_nobody_knows_is_named_with_its_key() -> None:
    with pytest.raises(ConfigurationError, match=r"applications\.shop\.redaction\.EMIAL"):
        redaction_policy(settings(applications={"shop": {"redaction": {"EMIAL": "drop"}}}))


def test_a_policy_holds_for_all_services_of_an_application() -> None:
    own = {"redaction": {"EMAIL_ADDRESS": "seal"}, "services": ["shop-web", "shop-api"]}
    policy = redaction_policy(settings(applications={"shop": own, "bank": {}}))
    assert {name for name in policy.services if policy.sealed(name)} == {"shop", "shop-web", "shop-api"}


@pytest.mark.parametrize("secret", ["API_KEY", "PRIVATE_KEY", "JWT", "PASSWORD"])
def test_a_secret_cannot_be_sealed(secret: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{secret} opens a door"):
        redaction_policy(settings(applications={"shop": {"redaction": {secret: "seal"}}}))


@pytest.mark.parametrize("section", [{"default": "seal"}, {"entities": {"EMAIL_ADDRESS": "seal"}}], ids=["default", "entities"])
def test_nothing_is_sealed_for_all_applications(section: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="redaction"):
        settings(redaction=section)


@pytest.mark.parametrize("share", [0.0, 0.3, inf])
def test_the_same_scorers_run_whatever_second_opinions_may_cost(share: float) -> None:
    assert set(scoring_here(share).coverage) == set(scoring_here().coverage)


def test_objectives_follow_the_settings() -> None:
    given = {"metric": "latency", "share": 0.99, "bad_from": 5000, "where": {"route": "/chat"}}
    (objective,) = detect_policy(settings(objectives={"fast": given})).objectives
    assert (objective.name, objective.bad_from, objective.days, objective.where) == ("fast", 5000, 30, {"route": "/chat"})
    assert detect_policy(settings()).objectives == ()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Where is my parcel? I have been waiting for it since Monday.", "en"),
        ("Wo ist mein Paket? Ich warte schon seit Montag darauf.", "de"),
        ("Dove si trova il mio pacco? Lo aspetto da lunedi scorso.", "it"),
        ("你好，我的包裹在哪里？我从星期一就开始等了。", "zh"),
        ("OK", "und"),
        ("", "und"),
    ],
)
def test_the_language_of_a_question_is_told_in_english_and_in_others(text: str, code: str) -> None:
    assert language_of(text) == code
