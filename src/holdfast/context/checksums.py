"""Check digits of cards, accounts and national numbers. Each takes digits only, of the length that its name has."""

from datetime import date

_VERHOEFF_D = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_VERHOEFF_P = ("0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258")
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B."""
    total = sum(_DOUBLED[int(d)] for d in digits[-2::-2]) + sum(map(int, digits[::-2]))
    return total % 10 == 0


def verhoeff(digits: str) -> bool:
    """J. Verhoeff, Error Detecting Decimal Codes (1969): the dihedral group of order 10."""
    check = 0
    for i, digit in enumerate(reversed(digits)):
        check = int(_VERHOEFF_D[check][int(_VERHOEFF_P[i % 8][int(digit)])])
    return check == 0


def mod_97_10(alphanumerics: str) -> bool:
    """ISO 7064 MOD 97-10 as ISO 13616 uses it: the first four characters count last, A is 10 … Z is 35."""
    turned = alphanumerics[4:] + alphanumerics[:4]
    return int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


def ean13(digits: str) -> bool:
    """GS1 modulo 10 with weights 1 and 3."""
    return sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(digits)) % 10 == 0


def weighted(digits: str, weights: tuple[int, ...]) -> int:
    """Sum of digit × weight."""
    return sum(int(d) * w for d, w in zip(digits, weights, strict=False))


def is_date(year: int, month: int, day: int) -> bool:
    """Whether the calendar has such a day."""
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def us_ssn(d: str) -> bool:
    """Social Security Administration: no area 000, 666 or 9xx, no group 00, no serial 0000."""
    return d[:3] not in ("000", "666") and d[0] != "9" and d[3:5] != "00" and d[5:] != "0000"


def nl_bsn(d: str) -> bool:
    """The eleven test with weight -1 on the last digit."""
    return weighted(d, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0 and d != "000000000"


def pt_nif(d: str) -> bool:
    """Modulo 11, weights 9 … 2; 10 and 11 become 0."""
    check = 11 - weighted(d, (9, 8, 7, 6, 5, 4, 3, 2)) % 11
    return d[0] in "1235689" and (check if check < 10 else 0) == int(d[8])


def de_tax_id(d: str) -> bool:
    """§ 139b AO: one digit two or three times in the first ten, then ISO 7064 MOD 11,10."""
    repeats = sorted(d[:10].count(c) for c in set(d[:10]))
    if d[0] == "0" or repeats[-1] not in (2, 3) or repeats[:-1].count(1) != len(repeats) - 1:
        return False
    product = 10
    for digit in d[:10]:
        product = 2 * ((int(digit) + product) % 10 or 10) % 11
    return (11 - product) % 10 == int(d[10])


def pl_pesel(d: str) -> bool:
    """A date with the century in the month, and weights 1 3 7 9."""
    month = int(d[2:4])
    century = (1900, 2000, 2100, 2200, 1800)[month // 20]
    fits = is_date(century + int(d[:2]), month % 20, int(d[4:6]))
    return fits and weighted(d, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def br_cpf(d: str) -> bool:
    """Two modulo 11 digits; eleven equal digits are no number."""
    if d == d[0] * 11:
        return False
    for n in (9, 10):
        check = weighted(d, tuple(range(n + 1, 1, -1))) * 10 % 11 % 10
        if check != int(d[n]):
            return False
    return True


def be_nrn(d: str) -> bool:
    """97 - n mod 97; a leading 2 is put before births since 2000."""
    month, day = int(d[2:4]) % 20, int(d[4:6])
    if month > 12 or day > 31:
        return False
    check = int(d[9:])
    return any(97 - int(lead + d[:9]) % 97 == check for lead in ("", "2"))


def in_aadhaar(d: str) -> bool:
    """Never begins with 0 or 1; Verhoeff."""
    return d[0] not in "01" and verhoeff(d)


def fr_nir(d: str) -> bool:
    """Sex, year, month, place, number, and the key 97 - n mod 97."""
    month = int(d[3:5])
    return d[0] in "12" and (1 <= month <= 12 or 20 <= month <= 42 or month >= 50) and 97 - int(d[:13]) % 97 == int(d[13:])


def ch_ahv(d: str) -> bool:
    """756 is Switzerland's; EAN-13."""
    return d.startswith("756") and ean13(d)


def se_personnummer(d: str) -> bool:
    """A date (day + 60 for co-ordination numbers) and Luhn over the last ten digits."""
    short = d[-10:]
    day = int(short[4:6]) % 60
    return is_date(2000, int(short[2:4]), min(day, 28) or 0) and day <= 31 and luhn(short)


def cn_resident_id(number: str) -> bool:
    """GB 11643: place, date of birth, and ISO 7064 MOD 11-2 with X for 10."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    year = int(number[6:10])
    born = 1900 <= year < 2100 and is_date(year, int(number[10:12]), int(number[12:14]))
    return born and "10X98765432"[weighted(number, weights) % 11] == number[17].upper()


def es_letter(digits: str, letter: str) -> bool:
    """The letter of a Spanish NIF or NIE: number modulo 23."""
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(digits) % 23] == letter.upper()


def fi_hetu(digits: str, check: str) -> bool:
    """Day, month, year and number, modulo 31."""
    fits = is_date(2000, int(digits[2:4]), min(int(digits[:2]), 28)) and int(digits[:2]) <= 31
    return fits and "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(digits) % 31] == check.upper()


_IT_ODD_DIGITS = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)
_IT_ODD_LETTERS = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_IT_ODD = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", (*_IT_ODD_DIGITS, *_IT_ODD_LETTERS), strict=True))


def it_fiscal_code(code: str) -> bool:
    """Decreto ministeriale 12 March 1974: odd and even places weigh differently, modulo 26. Upper case."""
    total = sum(_IT_ODD[c] for c in code[:15:2]) + sum(int(c, 36) - (10 if c > "9" else 0) for c in code[1:15:2])
    return chr(ord("A") + total % 26) == code[15]
