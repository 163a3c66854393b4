"""Small word lists of the languages that the lexical scorers read."""

from holdfast.score.text import listed

FUNCTION_WORDS: dict[str, frozenset[str]] = {
    "en": listed("""
    the of and to in is that for it with as was are on be this by at from or an not you have can your will we they
    their which has our been would there what if all do does how i my me am about into than then its when who where
"""),
    "de": listed("""
    der die das und ist nicht ein eine zu den von mit sich auf für dem des im es sie er ich wir ihr werden wird sind
    kann können auch als an bei nach aus einer einen über oder nur noch mein ihre ihnen bitte wie
"""),
    "fr": listed("""
    le la les des et est une un du dans pour que qui pas ne vous nous sur avec par au aux ce cette sont plus votre vos
    je il elle être avoir mais ou où comment quel quelle mon ma leur
"""),
    "es": listed("""
    el la los las de y es en que un una por para con no se su del al lo como más pero sus le ya o este sí porque esta
    son entre está cuando muy sin sobre también puede usted mi cómo qué
"""),
    "it": listed("""
    il la le gli di e è che un una per con non si del della dei nel sono come più ma anche questo questa suo può
    essere dal alla ai da ha se lo mio come cosa vostro
"""),
    "pt": listed("""
    o a os as de e é que um uma para com não do da dos das em no na por mais se como mas foi ao ele seu sua ou ser
    está você são pode meu minha isso quando muito também
"""),
    "nl": listed("""
    de het een en van is dat in te op niet met voor zijn aan er ook door maar om bij als uit naar kan deze dit wordt u
    uw je we ik worden hoe wat mijn kunt
"""),
    "pl": listed("""
    i w na nie się z do jest to że jak o co po ale za od czy dla tak przez przy może są być oraz jego jej ten ta te
    mój
"""),
    "sv": listed("""
    och i att det som en på är av för med den till inte har de ett om du kan men var jag vi från så eller ni ska din
"""),
    "tr": listed("""
    ve bir bu için ile da de ne mi çok gibi daha olarak var ama ben siz sen en kadar sonra olan değil nasıl
"""),
}
"""Language → frequent words that carry no content; used to tell languages apart and to leave such words out."""

STOPWORDS: frozenset[str] = frozenset().union(*FUNCTION_WORDS.values()) | listed("""
    a any some such so more most other these those them he she his her him us could should may might must shall also
    no nor but because while during before after between through each few both only own same just here very s t don't
    doesn't isn't aren't it's i'm i'd i'll you're we're they're let's please thanks thank hi hello get got make made
    use used using want need know tell give like one two per via etc yes okay many much long
""")
"""Words that say nothing about what a text is about."""

NEGATIONS = listed("""
    not no never none nothing neither nor cannot can't don't doesn't didn't isn't aren't wasn't weren't won't wouldn't
    shouldn't couldn't hasn't haven't without unable fails nicht kein keine nie ne pas jamais no nunca sin non mai não
    nunca niet geen
""")
"""Words that turn a statement round."""

_OPPOSITES = (
    (
        "increase/increased/increases/increasing/rise/rose/rising/grew/grow/growth/up/higher"
        " decrease/decreased/decreases/decreasing/fall/fell/falling/declined/decline/drop/dropped/down/lower"
    ),
    "more less/fewer",
    "before after",
    "above below/under",
    "minimum/least maximum/most",
    "allowed/permitted/allow/allows/permits forbidden/prohibited/disallowed/denied/prohibits",
    "included/includes/include/including excluded/excludes/exclude/excluding",
    "accepted/accepts/accept/approve/approved rejected/rejects/reject/declines/refused/refuse/disapproved",
    "free/complimentary paid/chargeable",
    "open/opens/opened closed/closes/close",
    "enabled/enable/enables/activate/activated disabled/disable/disables/deactivate/deactivated",
    "always never",
    "first last",
    "buy/bought/purchase/purchased sell/sold/sale",
    "win/won/gain/gained/gains lose/lost/loss/losses",
    "success/successful/succeeded failure/failed/unsuccessful",
    "early/earlier late/later",
    "support/supports/supported oppose/opposes/opposed",
    "male/man/he/his/him female/woman/she/her",
    "positive negative",
    "new/newer old/older",
    "high low",
    "large/larger/big/bigger small/smaller",
    "required/mandatory/requires optional/voluntary",
    "public private",
    "start/started/starts/begin/begins/began end/ended/ends/finish/finished/stop/stopped",
    "import/imported export/exported",
    "agree/agreed/agrees disagree/disagreed/disagrees",
    "possible impossible",
    "able unable",
    "likely unlikely",
    "safe unsafe/dangerous",
    "same different",
    "inside/within outside",
    "happy/pleased/glad unhappy/sad/disappointed/upset",
    "love/loves/like/likes hate/hates/dislike/dislikes",
    "improve/improved/improves/improvement worsen/worsened/deteriorate/deteriorated",
    "strong/stronger weak/weaker",
    "remember/remembered forget/forgot",
)


def _opposites() -> dict[str, frozenset[str]]:
    table: dict[str, set[str]] = {}
    for line in _OPPOSITES:
        left, right = (side.split("/") for side in line.split())
        for word in left:
            table.setdefault(word, set()).update(right)
        for word in right:
            table.setdefault(word, set()).update(left)
    return {word: frozenset(others) for word, others in table.items()}


OPPOSITES: dict[str, frozenset[str]] = _opposites()
"""Word → words that say the opposite."""
