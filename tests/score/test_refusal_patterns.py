"""Each language declines, does not know, and helps."""

import pytest

from holdfast.score.refusal import Refusal
from holdfast.score.refusal_patterns import DECLINES, TOGETHER, UNKNOWN
from tests.score.build import exchange, value

BY_LANGUAGE = {
    "en": (
        "That is outside what I can discuss here.",
        "I don't have access to your balance.",
        "The policy does not cover theft.",
    ),
    "de": ("Dazu kann ich keine Auskunft geben.", "In den Unterlagen steht dazu nichts.", "Ihr Antrag ist nicht vollständig."),
    "nl": ("Ik mag die gegevens niet delen.", "Dat weet ik niet.", "Helaas is het loket vandaag gesloten; morgen open."),
    "sv, da, nb": ("Det kan jeg ikke hjælpe med.", "Jag har ingen information om det.", "Tyvärr är luckan stängd idag."),
    "fi": ("Valitettavasti en voi auttaa.", "En tiedä.", "Lapset eivät maksa mitään."),
    "fr": ("Cette demande ne peut pas être traitée.", "Les documents ne mentionnent pas cela.", "Il n'y a pas de frais ici."),
    "es": ("No me es posible tramitar esta solicitud.", "No tengo acceso a esos datos.", "No puede aparcar aquí los martes."),
    "it": ("Non sono in grado di rispondere.", "Non dispongo di queste informazioni.", "Purtroppo lo sportello oggi è chiuso."),
    "pt": ("Não estou autorizado a partilhar esses dados.", "Não encontrei nada sobre isso.", "As crianças não pagam."),
    "pl": (
        "Nie jestem w stanie spełnić tej prośby.",
        "Dokumenty nie zawierają tej informacji.",
        "Psy nie mogą wchodzić do parku.",
    ),
    "cs, sk": ("Omlouvám se, s tím nemohu pomoci.", "Nemám o tom žádné informace.", "V úterý zde nelze parkovat."),
    "tr": ("Üzgünüm, bu soruyu yanıtlayamıyorum.", "Bu konuda bilgim yok.", "Salı günleri buraya park edemezsiniz."),
    "vi": ("Tôi không thể giúp việc này.", "Tôi không có thông tin về việc này.", "Bạn không thể đỗ xe ở đây."),
    "id, ms": ("Saya tidak dapat membantu.", "Saya tidak memiliki informasi itu.", "Anda tidak dapat parkir di sini."),
    "ru": ("Простите, но я не могу это выполнить.", "У меня нет доступа к этим данным.", "Собакам нельзя входить в парк."),
    "uk": ("На жаль, я не можу допомогти.", "Я не маю такої інформації.", "Діти до 6 років не платять."),
    "ar": ("لا يمكنني الإجابة على هذا السؤال.", "ليس لدي معلومات حول هذا الموضوع.", "نعتذر عن التأخير: سيصل الطرد يوم الاثنين."),
    "he": ("מצטער, איני יכול לעזור בכך.", "אין לי מידע בנושא זה.", "המשרד פתוח מ-9 עד 17."),
    "hi": ("मैं इसमें आपकी मदद नहीं कर सकता।", "मेरे पास यह जानकारी नहीं है।", "कार्यालय 9 से 17 बजे तक खुला है।"),
    "ja": ("その質問には回答できません。", "資料には記載がありません。", "お待たせして申し訳ございません。月曜日に届きます。"),
    "zh": ("抱歉，我不能告诉您。", "没有找到相关信息。", "抱歉让您久等，包裹星期一送到。"),
    "ko": ("요청을 처리할 수 없습니다.", "해당 정보를 찾을 수 없습니다.", "죄송합니다. 소포는 월요일에 도착합니다."),
}
"""Languages → an answer that declines, one that does not know, one that helps."""


@pytest.mark.parametrize("language", BY_LANGUAGE)
def test_every_language_declines_does_not_know_and_helps(language: str) -> None:
    declines, unknown, helps = BY_LANGUAGE[language]
    assert value(Refusal(), exchange(declines)) > 0.9
    assert value(Refusal(), exchange(unknown)) > 0.7
    assert value(Refusal(), exchange(helps)) < 0.1


def test_every_language_is_in_one_pass_and_has_its_sentences_here() -> None:
    assert (
        sorted(language for family in TOGETHER for language in family)
        == sorted(DECLINES)
        == sorted(UNKNOWN)
        == sorted(BY_LANGUAGE)
    )


def test_one_pass_has_memory_for_its_languages(capfd: pytest.CaptureFixture[str]) -> None:
    text = " ".join(sentence for three in BY_LANGUAGE.values() for sentence in three)
    for start in range(0, len(text), 50):
        Refusal().judge(text[start : start + 700])
    assert "out of memory" not in capfd.readouterr().err
