"""A server that runs with these settings, for commands whose stores only it may open."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from holdfast.app.access import local_token_file
from holdfast.core.errors import InputError, NotFoundError, StoreError, UnavailableError
from holdfast.settings import Settings

CONNECT_S = 2.0
ANSWER_S = 600.0
EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - what is listened on, turned into what can be asked


class Serving:
    """The API of the server, asked as this machine."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def ask(self, method: str, path: str, **what: Any) -> Any:
        """The JSON of an answer; `what` is `json` or `params`.

        Raises:
            NotFoundError, InputError: the server says so. UnavailableError: it refused, failed, or did not answer.
        """
        try:
            answer = self._client.request(method, path, **what)
        except httpx.HTTPError as error:
            raise UnavailableError(f"the server does not answer: {type(error).__name__}") from None
        if answer.is_success:
            return answer.json() if answer.content else None
        detail = _detail(answer)
        if answer.status_code == 404:
            raise NotFoundError(detail)
        raise InputError(detail) if answer.status_code in (400, 409, 422) else UnavailableError(f"the server refused: {detail}")


@contextmanager
def serving(settings: Settings) -> Iterator[Serving | None]:
    """The server, or None where none runs.

    Raises:
        StoreError: one runs, and its token cannot be read.
    """
    host = EVERY_ADDRESS.get(settings.server.host, settings.server.host)
    address = f"http://{host}:{settings.server.api_port}"
    try:
        httpx.get(f"{address}/healthz", timeout=CONNECT_S)
    except httpx.HTTPError:
        yield None
        return
    file = local_token_file(settings)
    try:
        token = file.read_text().strip()
    except OSError as error:
        raise StoreError(f"a server runs at {address}, and {file} cannot be read: {error.strerror}") from None
    headers = {"authorization": f"Bearer {token}"}
    timeout = httpx.Timeout(ANSWER_S, connect=CONNECT_S)
    with httpx.Client(base_url=address, headers=headers, timeout=timeout) as client:
        yield Serving(client)


def _detail(answer: httpx.Response) -> str:
    try:
        told = answer.json()
    except ValueError:
        told = None
    detail = told.get("detail") if isinstance(told, dict) else None
    return str(detail or f"status {answer.status_code}")
