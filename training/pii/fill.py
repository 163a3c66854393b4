"""Fills the slots of the templates with made-up people, and remembers where each piece of personal data came to stand."""

# ruff: noqa: E501 - a line of a table

import random
import re
import string
import unicodedata
from collections.abc import Callable, Mapping

from faker import Faker

_SLOT = re.compile(r"\[([A-Z]+)\]")

LOCALES = [
    "en_US",
    "en_US",
    "en_US",
    "en_GB",
    "en_GB",
    "en_AU",
    "en_CA",
    "en_IE",
    "en_NZ",
    "en_IN",
    "de_DE",
    "de_AT",
    "de_CH",
    "fr_FR",
    "fr_CH",
    "es_ES",
    "es_MX",
    "it_IT",
    "nl_NL",
    "nl_BE",
    "sv_SE",
    "da_DK",
    "no_NO",
    "fi_FI",
    "pl_PL",
    "cs_CZ",
    "hu_HU",
    "hr_HR",
    "sl_SI",
    "pt_BR",
    "pt_PT",
    "tr_TR",
    "ro_RO",
    "ru_RU",
    "el_GR",
    "en_PH",
    "id_ID",
]

LABELS = {
    "PERSON": "PERSON", "FIRST": "PERSON", "LAST": "PERSON", "ADDRESS": "STREET_ADDRESS", "STREET": "STREET_ADDRESS",
    "ZIP": "ZIP_CODE", "CITY": "GPE", "COUNTRY": "GPE", "ORG": "ORGANIZATION", "DATE": "DATE_TIME", "DATETIME": "DATE_TIME",
    "YEAR": "DATE_TIME", "TIME": "", "MONTH": "DATE_TIME", "WEEKDAY": "", "PHONE": "PHONE_NUMBER", "CARD": "CREDIT_CARD",
    "IBAN": "IBAN_CODE", "EMAIL": "EMAIL_ADDRESS", "URL": "DOMAIN_NAME", "IP": "IP_ADDRESS", "AGE": "AGE", "NRP": "NRP",
    "TITLE": "TITLE", "JOB": "TITLE", "SSN": "US_SSN", "LICENSE": "ID", "PASSPORT": "ID", "ID": "ID", "USER": "USERNAME",
    "PLATE": "ID", "EXPIRY": "",
}  # fmt: skip
"""Slot → label; an empty one is text without a label."""

NATIONS = [
    "American",
    "British",
    "German",
    "French",
    "Spanish",
    "Italian",
    "Dutch",
    "Swedish",
    "Danish",
    "Norwegian",
    "Finnish",
    "Polish",
    "Czech",
    "Hungarian",
    "Croatian",
    "Slovenian",
    "Portuguese",
    "Brazilian",
    "Turkish",
    "Russian",
    "Greek",
    "Irish",
    "Scottish",
    "Welsh",
    "Canadian",
    "Mexican",
    "Indian",
    "Chinese",
    "Japanese",
    "Korean",
    "Nigerian",
    "Kenyan",
    "Egyptian",
    "Iranian",
    "Iraqi",
    "Israeli",
    "Australian",
    "Icelandic",
    "Belgian",
    "Swiss",
    "Austrian",
    "Ukrainian",
    "Romanian",
    "Bulgarian",
    "Cuban",
    "Chilean",
    "Peruvian",
    "Vietnamese",
    "Thai",
    "Pakistani",
    "Moroccan",
    "Catholic",
    "Muslim",
    "Jewish",
    "Buddhist",
    "Hindu",
    "Christian",
    "Republican",
    "Democrat",
    "Argentinian",
    "Estonian",
]
UNITS = ("Suite {n}", "Apt. {n}", "Apt {n}", "Unit {n}", "Flat {n}", "Floor {n}", "# {n}", "App. {n}")
FIRMS = (
    "{w} Inc", "{w} Ltd", "{w} GmbH", "{w} Group", "{w} & {v}", "{w} Bank", "Bank of {c}", "{w} Systems", "{w} Labs", "{w} Software",
    "University of {c}", "{w} Airlines", "{w} Hospital", "{w} Insurance", "{w} {v}", "{w}", "{w} Foods", "{w} Motors", "{c} {w} Club",
    "{w} Holdings", "{w}, Inc.", "{w} Media", "{c} City Council", "The {w} Company", "{w} Consulting", "{w} Energy", "{w}.com",
)  # fmt: skip
TITLES = ("Mr.", "Mrs.", "Ms.", "Dr.", "Prof.", "Mr", "Mrs", "Ms", "Dr", "Professor", "Sir", "Miss")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DATES = (
    "%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%B %d, %Y", "%d %B %Y", "%b %d %Y", "%d %b %Y", "%m/%d/%y", "%B %d", "%A, %d %B",
    "%B %Y", "%d-%m-%Y", "%Y/%m/%d", "%B %d %Y", "%d %b",
)  # fmt: skip

PHONES = (
    "+## ### ### ###",
    "### ### ####",
    "###-###-####",
    "(###) ###-####",
    "##-##-##-##",
    "0## #### ####",
    "## ### ###",
    "+1-###-###-####",
)

Span = tuple[int, int, str]


class People:
    """Made-up values, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.fakers = [Faker(name) for name in dict.fromkeys(LOCALES)]
        for number, faker in enumerate(self.fakers):
            faker.seed_instance(seed + number)
        self.places = {name: i for i, name in enumerate(dict.fromkeys(LOCALES))}
        self.english = self.fakers[0]
        self.makers: Mapping[str, Callable[[Faker], str]] = {
            "PERSON": self._person, "FIRST": lambda f: f.first_name(), "LAST": lambda f: f.last_name(), "ADDRESS": self._address,
            "STREET": self._street, "ZIP": lambda f: f.postcode(), "CITY": lambda f: f.city(),
            "COUNTRY": lambda _: self.english.country(), "ORG": self._firm, "DATE": self._date, "DATETIME": self._moment,
            "YEAR": lambda _: str(self.rng.randint(1850, 2026)), "TIME": self._time, "MONTH": lambda _: self.english.month_name(),
            "WEEKDAY": lambda _: self.rng.choice(DAYS), "PHONE": self._phone, "CARD": self._card,
            "IBAN": lambda f: f.iban(), "EMAIL": lambda f: f.email(), "URL": self._url, "IP": self._ip,
            "AGE": lambda _: str(self.rng.randint(1, 99)), "NRP": lambda _: self.rng.choice(NATIONS),
            "TITLE": lambda _: self.rng.choice(TITLES), "JOB": lambda _: self.english.job(), "SSN": lambda _: self.english.ssn(),
            "LICENSE": self._code, "PASSPORT": self._code, "ID": self._code, "USER": lambda f: f.user_name(), "PLATE": self._plate,
            "EXPIRY": lambda _: self.english.credit_card_expire(),
        }  # fmt: skip

    def faker(self) -> Faker:
        """A maker of values of one country, English-speaking ones more often."""
        return self.fakers[self.places[self.rng.choice(LOCALES)]]

    def filled(self, template: str) -> tuple[str, tuple[Span, ...]]:
        """`template` with every slot filled by people of one country, at times plain ASCII or in lower case; and the spans.

        Raises:
            KeyError: a slot that nobody defined.
        """
        faker, plain, text = self.faker(), self.rng.random() < 0.3, ""
        spans: list[Span] = []
        end = 0
        for match in _SLOT.finditer(template):
            text += template[end : match.start()]
            value = " ".join(self.makers[match[1]](faker).split(" ")).strip()
            value = self._written(value, plain)
            if LABELS[match[1]]:
                spans.append((len(text), len(text) + len(value), LABELS[match[1]]))
            text, end = text + value, match.end()
        text += template[end:]
        lower = text.lower()
        if self.rng.random() < 0.15 and len(lower) == len(text):
            text = lower
        return text, tuple(spans)

    def _written(self, value: str, plain: bool) -> str:
        if self.rng.random() < 0.04:
            value = value.upper()
        if plain:
            value = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode().strip() or value
        return value

    def _person(self, faker: Faker) -> str:
        first, last = faker.first_name(), faker.last_name()
        middle = self.rng.choice((string.ascii_uppercase, [faker.first_name()]))
        forms = (f"{first} {last}",) * 5 + (
            f"{first} {self.rng.choice(middle)}. {last}"[:80], f"{last}, {first}", f"{first[0]}. {last}", f"{first} {last}-{faker.last_name()}",
            f"{first} {last}".upper(), f"{first} {self.rng.choice(string.ascii_uppercase)} {last}",
        )  # fmt: skip
        return self.rng.choice(forms)

    def _street(self, faker: Faker) -> str:
        name, number = (
            faker.street_name(),
            str(self.rng.randint(1, 9999) if self.rng.random() < 0.3 else self.rng.randint(1, 250)),
        )
        return self.rng.choice(
            (f"{number} {name}", f"{name} {number}", f"{name} {number}", faker.street_address(), f"{number} {name}")
        )

    def _address(self, faker: Faker) -> str:
        parts = [self._street(faker)]
        if self.rng.random() < 0.5:
            parts.append(self.rng.choice(UNITS).format(n=self.rng.randint(1, 999)))
        code, city = faker.postcode(), faker.city()
        parts.append(self.rng.choice((city, f"{city} {code}", f"{code} {city}", f"{city}, {code}", city)))
        if self.rng.random() < 0.5:
            parts.append(self.rng.choice((self.english.country(), f"{self.english.country()} {code}", self.english.state_abbr())))
        if self.rng.random() < 0.2:
            return faker.address()
        return self.rng.choice((", ", "\n", "\n ", ", ", " ")).join(parts)

    def _firm(self, faker: Faker) -> str:
        if self.rng.random() < 0.3:
            return faker.company()
        word = self.rng.choice((faker.last_name(), self.english.last_name(), self.english.word().capitalize() + self.english.word(),
                                self.english.word().capitalize(), self.english.word().capitalize() + self.rng.choice(("ly", "ify", "io", "soft", "tech", "net", "ware"))))  # fmt: skip
        return self.rng.choice(FIRMS).format(w=word, v=faker.last_name(), c=faker.city())

    def _date(self, _: Faker) -> str:
        return self.english.date_between("-80y", "+2y").strftime(self.rng.choice(DATES))

    def _moment(self, _: Faker) -> str:
        return self.english.date_time().strftime(
            self.rng.choice(("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%a, %d %b %Y %H:%M"))
        )

    def _time(self, _: Faker) -> str:
        return f"{self.rng.randint(1, 23)}:{self.rng.randint(0, 59):02d}" + self.rng.choice(("", "", " pm", " am"))

    def _phone(self, faker: Faker) -> str:
        own = getattr(faker, "phone_number", self.english.phone_number)
        return str(own()) if self.rng.random() < 0.8 else self._shaped(self.rng.choice(PHONES))

    def _card(self, faker: Faker) -> str:
        number = faker.credit_card_number()
        return self.rng.choice(
            (number, number, number, " ".join(re.findall("....?", number)), "-".join(re.findall("....?", number)))
        )

    def _url(self, faker: Faker) -> str:
        name = self.rng.choice(
            (faker.domain_name(), f"{self.english.word().capitalize()}{self.english.word().capitalize()}.{faker.tld()}")
        )
        return self.rng.choice((f"https://www.{name}/", f"http://{name}", f"www.{name}", name, f"https://{name}/"))

    def _ip(self, faker: Faker) -> str:
        return faker.ipv6() if self.rng.random() < 0.15 else faker.ipv4()

    def _code(self, _: Faker) -> str:
        shape = self.rng.choice(
            ("########", "?########", "??######", "#########", "?#######", "###-####-####", "?-######", "#######", "??-####-##")
        )
        return self._shaped(shape)

    def _plate(self, _: Faker) -> str:
        return self._shaped(self.rng.choice(("???-####", "?? ## ???", "?-?? ###", "###-???", "?? ####")))

    def _shaped(self, shape: str) -> str:
        choose = {"#": string.digits, "?": string.ascii_uppercase}
        return "".join(self.rng.choice(choose[c]) if c in choose else c for c in shape)
