"""An OpenID Connect provider that really signs: discovery, authorization, token and keys, over HTTP on the loopback address."""

import base64
import hashlib
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlencode

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from joserfc import jwt
from joserfc.jwk import RSAKey

from holdfast.core.clock import NS_PER_S, Clock
from holdfast.testing.server import free_ports


class SignOnProvider:
    """Signs in `person` without asking. What a hostile or broken one would do is set by `claims`, `signing` and `description`."""

    def __init__(self, clock: Clock, client_id: str = "holdfast", client_secret: str = "the client's secret") -> None:  # noqa: S107 - a fake
        self.clock = clock
        self.client_id, self.client_secret = client_id, client_secret
        self.issuer = ""
        self.person: dict[str, Any] = {"sub": "42", "preferred_username": "eve", "groups": ["oncall"]}
        self.claims: dict[str, Any] = {}
        """Laid over the claims of the token."""
        self.description: dict[str, Any] = {}
        """Laid over what it says of itself."""
        self.asked: list[str] = []
        """Paths of the requests so far."""
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.signing = self.key
        self._codes: dict[str, tuple[str, str]] = {}

    def app(self) -> FastAPI:
        """The provider as an application."""
        app = FastAPI()
        app.add_api_route("/.well-known/openid-configuration", self._describe)
        app.add_api_route("/keys", self._keys)
        app.add_api_route("/authorize", self._authorize)
        app.add_api_route("/token", self._token, methods=["POST"])
        return app

    def change_key(self) -> None:
        """From now on it signs with another key, under another name."""
        self.key = self.signing = RSAKey.generate_key(2048, {"kid": secrets.token_hex(4)})

    def _keys(self) -> dict[str, Any]:
        self.asked.append("/keys")
        return {"keys": [self.key.as_dict(private=False)]}

    def _describe(self) -> dict[str, Any]:
        self.asked.append("/.well-known/openid-configuration")
        places = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        return {"issuer": self.issuer, **{name: f"{self.issuer}/{path}" for name, path in places.items()}, **self.description}

    def _authorize(self, request: Request) -> Response:
        asked = request.query_params
        code = secrets.token_urlsafe(16)
        self._codes[code] = (asked["nonce"], asked["code_challenge"])
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}", 303)

    async def _token(self, request: Request) -> Response:
        self.asked.append("/token")
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        nonce, challenge = self._codes.pop(form.get("code", ""), ("", ""))
        shown = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        wanted = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        if not challenge or shown != challenge or request.headers.get("authorization") != f"Basic {wanted}":
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = self.clock.now_ns() // NS_PER_S
        claims = {
            "iss": self.issuer,
            "aud": self.client_id,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            **self.person,
            **self.claims,
        }
        token = jwt.encode({"alg": "RS256", "kid": str(self.signing.kid)}, claims, self.signing)
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": token})


@contextmanager
def sign_on_provider(clock: Clock) -> Iterator[SignOnProvider]:
    """A provider on a free port of the loopback address."""
    provider = SignOnProvider(clock)
    (port,) = free_ports(1)
    provider.issuer = f"http://127.0.0.1:{port}"
    server = uvicorn.Server(uvicorn.Config(provider.app(), host="127.0.0.1", port=port, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, name="sign-on provider")
    thread.start()
    pause = threading.Event()
    try:
        for _ in range(400):
            if server.started:
                break
            pause.wait(0.05)
        yield provider
    finally:
        server.should_exit = True
        thread.join(timeout=30)
