import pytest

from holdfast.context.language import UNDETERMINED, identify, load

SENTENCES = {
    "en": "Where is my parcel? I have been waiting for it since Monday.",
    "de": "Wo ist mein Paket? Ich warte schon seit Montag darauf.",
    "fr": "Où est mon colis ? Je l'attends depuis lundi dernier.",
    "es": "¿Dónde está mi paquete? Lo espero desde el lunes pasado.",
    "it": "Dov'è il mio pacco? Lo aspetto da lunedì scorso.",
    "pt": "Onde está a minha encomenda? Estou à espera desde segunda-feira.",
    "nl": "Waar is mijn pakket? Ik wacht er al sinds maandag op.",
    "pl": "Gdzie jest moja paczka? Czekam na nią od poniedziałku.",
    "ru": "Где моя посылка? Я жду её с понедельника.",
    "zh": "我的包裹在哪里？我从星期一就开始等了。",
    "ja": "荷物はどこですか。月曜日から待っています。",
    "ko": "제 소포는 어디에 있나요? 월요일부터 기다리고 있습니다.",
    "ar": "أين طردي؟ أنا أنتظره منذ يوم الاثنين.",
    "tr": "Paketim nerede? Pazartesiden beri bekliyorum.",
    "hi": "मेरा पार्सल कहाँ है? मैं सोमवार से इंतज़ार कर रहा हूँ।",
}


@pytest.fixture(scope="module", autouse=True)
def model() -> None:
    load()


@pytest.mark.parametrize("code", SENTENCES)
def test_two_sentences_are_enough(code: str) -> None:
    found, confidence = identify(SENTENCES[code])
    assert found == code
    assert 0.45 <= confidence <= 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "OK",
        "hello",
        "12345 67890 12345",
        '{"a": 1, "b": [2, 3]}',
        "https://example.com/where/is/my/parcel",
        "a" * 1000,
        "\x00" * 100,
    ],
)
def test_what_is_short_or_no_prose_is_undetermined(text: str) -> None:
    assert identify(text)[0] == UNDETERMINED


def test_placeholders_and_links_do_not_count() -> None:
    text = "Wo bleibt mein Paket? <EMAIL_ADDRESS:3fa9c1d2> https://example.com/where-is-the-parcel-that-was-sent"
    assert identify(text)[0] == "de"


def test_lone_surrogates_are_no_obstacle() -> None:
    assert identify("\ud800 Where is my parcel, please? \udfff")[0] == "en"


def test_a_long_text_is_judged_by_its_beginning() -> None:
    assert identify(SENTENCES["de"] * 20 + SENTENCES["en"] * 1000)[0] == "de"
