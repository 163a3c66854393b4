"""Commands find the server that runs with their settings, and say what it says."""

from pathlib import Path

import pytest

from holdfast.app.access import local_token_file
from holdfast.cli.serving import serving
from holdfast.core.errors import InputError, NotFoundError, StoreError, UnavailableError
from holdfast.settings import load
from tests.cli.served import configured, serving_api


def test_without_a_server_there_is_none(tmp_path: Path) -> None:
    with serving(load(configured(tmp_path))) as server:
        assert server is None


def test_a_server_is_asked_with_the_token_of_this_machine(tmp_path: Path) -> None:
    config = configured(tmp_path)
    with serving_api(config, []), serving(load(config)) as server:
        assert server is not None
        assert server.ask("GET", "/api/v1/labels") == []


REFUSED: tuple[tuple[str, str, dict[str, object], type[Exception]], ...] = (
    ("GET", "/api/v1/nothing", {}, NotFoundError),
    ("POST", "/api/v1/labels", {"json": {}}, InputError),
    ("POST", "/api/v1/calibrations", {"json": {"application": "nobody"}}, NotFoundError),
    ("DELETE", "/api/v1/labels", {}, UnavailableError),
)
"""An unknown path, a wrong body, nothing to learn, not allowed."""


def test_what_the_server_refuses_is_told_as_what_it_is(tmp_path: Path) -> None:
    config = configured(tmp_path)
    with serving_api(config, []), serving(load(config)) as server:
        assert server is not None
        for method, path, what, error in REFUSED:
            with pytest.raises(error):
                server.ask(method, path, **what)


def test_a_server_whose_token_cannot_be_read_is_told(tmp_path: Path) -> None:
    config = configured(tmp_path)
    settings = load(config)
    with serving_api(config, []):
        local_token_file(settings).unlink()
        with pytest.raises(StoreError, match=r"local\.token cannot be read"), serving(settings):
            pass


def test_a_server_that_goes_away_is_told(tmp_path: Path) -> None:
    config = configured(tmp_path)
    with serving_api(config, []):
        found = serving(load(config))
        server = found.__enter__()
    assert server is not None
    with pytest.raises(UnavailableError, match="does not answer"):
        server.ask("GET", "/api/v1/labels")
    found.__exit__(None, None, None)
