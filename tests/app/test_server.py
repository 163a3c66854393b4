"""The server is built from the settings; its keys are made once and are private."""

from pathlib import Path

import pytest

from holdfast.app.server import receiver_config, redaction_key
from holdfast.core.errors import ConfigurationError
from holdfast.settings import Settings


def settings(**sections: object) -> Settings:
    return Settings.model_validate(sections)


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
