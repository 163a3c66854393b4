"""Offensive words with weights. They stand here to be found, not to be read out."""

import re2

_STRONG = """
nigger niggers nigga niggas faggot faggots fag fags kike kikes spic spics chink chinks gook gooks wetback wetbacks raghead
ragheads towelhead paki pakis tranny trannies dyke dykes retard retards retarded cunt cunts coon coons beaner beaners
sandnigger subhuman subhumans untermensch untermenschen kanake kanaken neger nègre bougnoule youpin negrata sudaca frocio
froci ricchione terrone viado viados macaco nikker flikker mongool missgeburt pédé tapette enculé maricón maricones
motherfucker motherfuckers motherfucking kys
"""
_MEDIUM = """
bitch bitches bitching whore whores slut sluts hoe hoes asshole assholes dickhead dickheads bastard bastards fucker fuckers
wanker wankers twat twats prick pricks cocksucker shithead shitheads dumbass dumbasses scumbag scumbags moron morons
imbecile imbeciles pussy pussies fuck fucks fucked fucking arschloch arschlöcher hurensohn hurensöhne fotze fotzen wichser
schlampe schlampen hure huren fick ficken gefickt drecksau vollidiot salope salopes connard connards connasse pute putes
enfoiré merde bâtard puta putas puto pendejo pendejos cabrón cabrones gilipollas zorra hijueputa stronzo stronzi stronza
puttana troia vaffanculo coglione caralho porra buceta foda fodase otário arrombado hoer hoeren klootzak kut kutwijf kurwa
chuj skurwysyn pizda сука блять хуй пизда ублюдок orospu siktir piç amk
"""
_MILD = """
idiot idiots idiotic stupid dumb dumber loser losers trash garbage pathetic worthless scum filth vermin filthy disgusting
ugly crap shit shitty bullshit damn hell ass dick dicks cock cocks tits suck sucks freak freaks creep creeps pervert
perverts pig pigs savage savages terrorist terrorists parasite parasites cockroach cockroaches degenerate degenerates thug
thugs redneck rednecks hillbilly cracker crackers idiota idiotas imbécil imbecille cretino crétin abruti dummkopf trottel
blöd scheiße scheisse estúpido estúpida stupido debil głupi дурак идиот aptal salak
"""

WEIGHTS: dict[str, float] = (
    dict.fromkeys(_MILD.split(), 0.2)
    | dict.fromkeys(_MEDIUM.split(), 0.9)
    | dict.fromkeys(_STRONG.split(), 2.0)
    | dict.fromkeys(("damn", "hell", "crap", "ass", "trash", "garbage", "cracker", "crackers", "pig", "pigs"), 0.08)
)
"""Word → weight; 1 - exp(-weight) is the probability that a text with this one word is toxic."""

PHRASES = re2.compile(
    r"(?i)\b(?:kill yourself|go die|hope you die|you should die|deserve to die|i(?:'ll| will) (?:kill|hurt|find) you"
    r"|(?:you(?:'re| are)) (?:(?:a|an|so|such a|such an|just a|nothing but a) )?(?:\w+ )?(?:idiot|moron|stupid"
    r"|worthless|pathetic|disgusting|dumb|loser|failure|waste of)|shut (?:the (?:fuck|hell) )?up|nobody (?:likes|loves"
    r"|cares about) you|(?:kill|gas|lynch|hang|exterminate|deport|burn) (?:all |every |the |those "
    r"|these )+(?:\w+ )?(?:jews?|muslims?|blacks?|whites?|gays?|immigrants?|women|trans\w*|mexicans?|asians?|arabs?"
    r"|refugees?|christians?|people)|(?:jews?|muslims?|blacks?|gays?|immigrants?|women|trans people|mexicans?|arabs?"
    r"|refugees?) (?:are|should be|deserve to be|must be|need to be) (?:\w+ )?(?:inferior|subhuman|animals?|vermin"
    r"|killed|eliminated|exterminated|shot|hanged|cockroaches|a disease|a plague|disgusting|filthy|stupid)"
    r"|bring dich um|halt (?:die fresse|dein maul)|va te faire|ta gueule|vete a la mierda|vai se foder|krijg de)\b"
)
"""Threats and insults that single words do not show, in either case."""
