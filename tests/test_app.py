"""Everything is built from the settings, and wrong settings are named."""

from pathlib import Path

import pytest

from holdfast.app import receiver_config, redaction_key, redaction_policy
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


def test_the_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "data" / "redaction.key"
    key = redaction_key(path)
    assert len(key) == 32
    assert redaction_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_key_that_is_too_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "redaction.key"
    path.write_bytes(b"short")
    with pytest.raises(ConfigurationError, match="remove it"):
        redaction_key(path)


def test_only_applications_with_a_token_get_one() -> None:
    config = receiver_config(
        settings(applications={"shop": {"ingest_token_sha256": "a" * 64, "services": ["shop-eu"]}, "bank": {}}), b"k" * 32
    )
    assert [(token.application, token.services) for token in config.tokens] == [("shop", ("shop-eu",))]


def test_secrets_of_the_receiver_are_not_shown() -> None:
    configured = settings(ingest={"github_secret": "hunter2"})
    assert "hunter2" not in repr(configured)
    assert receiver_config(configured, b"k" * 32).github_secret == "hunter2"
