"""How a server stops: streams that never end by themselves are ended first, so that stopping takes no longer than the answers."""

import socket
from typing import Any

import uvicorn
from fastapi import FastAPI

KEEP_ALIVE_S = 75
"""How long a connection may rest. Clients and proxies let go after 60 s or less: it must be they who close it, or a request that
is just on its way is lost. uvicorn's own 5 s are as long as a page waits between two looks."""
GOODBYE_S = 3
"""Streams of events do not end by themselves: so long they may take at shutdown."""


def api_config(app: FastAPI, **more: Any) -> uvicorn.Config:
    """How uvicorn is to serve the API; `more` goes to `uvicorn.Config`."""
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GOODBYE_S,
        **more,
    )


class ApiServer(uvicorn.Server):
    """uvicorn, for an application with streams."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends the streams of the control plane and of the incidents, then waits for all other answers."""
        if isinstance(self.config.app, FastAPI):
            state = self.config.app.state
            if hasattr(state, "control"):
                state.control.feed.end()
            if hasattr(state, "feed"):
                state.feed.end()
        await super().shutdown(sockets)
