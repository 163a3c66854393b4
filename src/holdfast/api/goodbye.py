"""How a server stops: streams that never end by themselves are ended first, so that stopping takes no longer than the answers."""

import socket

import uvicorn
from fastapi import FastAPI


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
