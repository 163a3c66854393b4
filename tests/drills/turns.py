"""Single turns for tests."""

from holdfast.drills.application import load_application
from holdfast.drills.scenario import START_NS
from holdfast.drills.script import begin
from holdfast.drills.traffic import Request, Traffic
from holdfast.drills.turn import Stage, Turn


def a_request(route: str, language: str = "en", seed: int = 1) -> Request:
    """The first request of a seeded day for this route and language."""
    traffic = Traffic(load_application("support"), seed)
    for request in traffic.requests(START_NS, 86400, 4000):
        if request.route == route and request.user.language == language:
            return request
    raise AssertionError(f"no request for {route} in {language}")


def a_turn(route: str, language: str = "en", seed: int = 1) -> Turn:
    """A turn that nothing was done about yet."""
    return begin(load_application("support"), a_request(route, language, seed))


def nothing(turn: Turn, stage: Stage) -> None:
    """A hook that leaves everything as it is."""
