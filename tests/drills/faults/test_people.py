import re
from random import Random

from holdfast.drills.faults.people import person


def test_people_are_made_up_with_addresses_and_numbers_that_are_reserved_for_it() -> None:
    for seed in range(50):
        name, contact = person(Random(seed))
        assert len(name.split()) == 2
        assert re.fullmatch(r"[a-z.]+\d\d@example\.org, phone \+1 202 555 01\d\d", contact)
