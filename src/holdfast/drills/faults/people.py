"""Made-up people whose data must not be shown: addresses at example.org, telephone numbers reserved for fiction."""

from random import Random

SURNAMES = ("Okafor", "Lindqvist", "Marchetti", "Novak", "Fairweather", "Delacroix", "Petrov", "Hoang")
FIRST = ("Amara", "Jonas", "Lucia", "Peter", "Ines", "Tomas", "Mirela", "Quentin")


def person(chaos: Random) -> tuple[str, str]:
    """A made-up customer: a name, and how to reach them (mail at example.org, a number reserved for fiction)."""
    first, last = chaos.choice(FIRST), chaos.choice(SURNAMES)
    contact = f"{first.lower()}.{last.lower()}{chaos.randrange(10, 99)}@example.org"
    return f"{first} {last}", f"{contact}, phone +1 202 555 01{chaos.randrange(10, 99)}"
