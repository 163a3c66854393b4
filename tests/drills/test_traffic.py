from collections import Counter

import numpy as np
import pytest

from holdfast.core.clock import NS_PER_S
from holdfast.drills.application import load_application
from holdfast.drills.scenario import START_NS
from holdfast.drills.traffic import Mix, Request, Traffic, seed_of

SUPPORT = load_application("support")


def requests(count: int = 2000, hours: float = 24, **options: object) -> list[Request]:
    traffic = Traffic(SUPPORT, 5, **options)  # type: ignore[arg-type]
    return list(traffic.requests(START_NS, hours * 3600, count))


def test_the_same_seed_makes_the_same_requests() -> None:
    assert requests(200) == requests(200)


def test_another_seed_makes_other_requests() -> None:
    assert requests(50) != list(Traffic(SUPPORT, 6).requests(START_NS, 86400, 50))


def test_requests_come_in_order_and_within_the_period() -> None:
    times = [request.time_ns for request in requests(500, hours=2)]
    assert times == sorted(times)
    assert times[0] >= START_NS
    assert times[-1] < START_NS + 2 * 3600 * NS_PER_S


def test_no_two_requests_share_their_seed() -> None:
    assert len({request.seed for request in requests(2000)}) == 2000


def test_the_day_is_busier_than_the_night() -> None:
    hours = Counter(int(request.time_ns // NS_PER_S % 86400 // 3600) for request in requests(5000))
    assert sum(hours[h] for h in range(11, 17)) > 2.5 * sum(hours[h] for h in range(0, 6))


def test_a_few_tenants_make_most_of_the_traffic() -> None:
    shares = Counter(request.user.tenant for request in requests(5000)).most_common()
    assert shares[0][1] > 4 * shares[-1][1]


def test_a_user_keeps_tenant_region_and_language() -> None:
    known: dict[str, object] = {}
    for request in requests(3000):
        assert known.setdefault(request.user.id, request.user) == request.user


def test_a_surge_brings_more_requests_from_its_moment_on() -> None:
    moment = START_NS + 6 * 3600 * NS_PER_S
    calm = sum(r.time_ns >= moment for r in requests(3000, 12))
    surged = sum(r.time_ns >= moment for r in requests(3000, 12, later=Mix(surge=4.0), later_ns=moment))
    assert surged > 1.25 * calm


def test_a_new_mix_holds_from_its_moment_on_only() -> None:
    moment = START_NS + 12 * 3600 * NS_PER_S
    found = requests(6000, 24, later=Mix(tenant_weights={"larch": 50.0}), later_ns=moment)
    share = [np.mean([r.user.tenant == "larch" for r in found if (r.time_ns >= moment) is late]) for late in (False, True)]
    assert share[1] > 5 * share[0]


@pytest.mark.parametrize("parts", [("a", "b"), ("ab",), ("a",)])
def test_a_seed_depends_on_its_parts_alone(parts: tuple[str, ...]) -> None:
    assert seed_of(*parts) == seed_of(*parts)
    assert seed_of(*parts) != seed_of(*parts, "")
