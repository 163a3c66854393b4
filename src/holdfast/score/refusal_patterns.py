"""How answers decline, and how they say that they do not know, in two dozen languages.

Patterns are for `re2` and for text in lower case. There `\\b` knows the letters of ASCII only: a pattern whose first or last
letter is another one does without.
"""

_FR_SORRY = r"(?:désolé|regrette|malheureusement|navré)"
_SOME = r"(?: [^ .!?]+)"

_EN_CANNOT = (
    r"(?:can(?:['’]?t|not| not)|could(?:n['’]t| not)|won['’]t|will not|(?:am|are|['’]m|['’]re) (?:not able|unable"
    r"|not allowed|not permitted)|do not have the ability|don['’]t have the ability|must decline|have to decline"
    r"|refuse)"
)
_EN_HELP = (
    r"(?:help|assist|provide|answer|support|do that|do this|comply|fulfil|generate|create|discuss|share|offer|engage"
    r"|continue|process|give|respond|complete|advise|talk about|write|access|make that|recommend|speculate|disclose"
    r"|reveal|be used)"
)

DECLINES: dict[str, tuple[str, ...]] = {
    "en": (
        r"\b(?:i|we) can only (?:discuss|answer|help|talk|assist|handle)|\b(?:i|we) (?:have|need) to pass on (?:this|that)",
        r"\b(?:not|isn['’]t) something (?:that )?(?:i|we)(?:['’](?:m|re)| am| are) (?:able|allowed|permitted)",
        (
            r"\b(?:i|we)(?:['’](?:m|re)| am| are) only (?:able|allowed|here|designed|set up) to (?:help|assist|answer"
            r"|discuss|talk|handle)"
        ),
        rf"\b(?:i|we)(?: {_EN_CANNOT}|{_EN_CANNOT})(?: \w+){{0,3}} {_EN_HELP}",
        r"\b(?:i|we) (?:must|have to|need to|will have to|respectfully) (?:respectfully )?(?:decline|refuse)",
        r"\bas an? (?:ai|language model|virtual assistant)[^.]{0,60}(?:can['’]?t|cannot|not able|unable|don['’]t|do not)",
        r"\b(?:goes|is) against (?:my|our) (?:policy|policies|guidelines|programming)",
        r"\b(?:not|isn['’]t) (?:something (?:that )?)?(?:i|we) (?:can|am able to|are able to) (?:help|assist|do|provide|discuss)",
        (
            r"\bi(?:['’]m| am) (?:afraid|sorry),? (?:but )?(?:i|we|that)(?: |['’])(?:\w+['’]?\w* ){0,2}?(?:can['’]?t|cannot"
            r"|can not|unable|not able|won['’]t)"
        ),
        (
            r"\b(?:this|that|your) (?:request|question|message|content)[^.]{0,40}(?:blocked|not allowed|not permitted|violates"
            r"|against (?:our|my)|cannot be (?:processed|answered|completed)|can['’]?t be (?:processed|answered))"
        ),
        (
            r"\b(?:outside|beyond) (?:of )?(?:what (?:i|we) (?:can|am|are)|(?:my|our) (?:scope|remit|abilities|capabilities"
            r"|expertise))"
        ),
        r"\b(?:i|we)(?: would|['’]d) (?:rather|prefer) not(?: to)? (?:\w+ )?(?:talk|discuss|answer|say|go into|share|comment)",
    ),
    "de": (
        (
            r"\b(?:mir|uns) (?:leider )?nicht (?:gestattet|erlaubt|möglich)|übersteigt meine"
            r"|\bkann ich (?:leider )?nicht (?:beurteilen|sagen)"
        ),
        r"\b(?:anfrage|frage|bitte)[^.]{0,30}\bkann (?:leider )?nicht (?:bearbeitet|beantwortet|verarbeitet)",
        (
            r"\bmöchte (?:ich|ich mich)[^.]{0,40}\bnicht (?:sprechen|äußern|beantworten)|\b(?:ich"
            r"|wir) möchte[nt]? [^.]{0,40}\bnicht (?:sprechen|äußern)"
        ),
        (
            r"\b(?:es tut mir leid|tut mir leid|leider|entschuldigung)[^.]{0,60}\b(?:kann|darf|können|dürfen) (?:ich"
            r"|wir)?[^.]{0,60}\b(?:nicht|kein)"
        ),
        (
            r"\b(?:ich|wir) (?:kann|können|darf|dürfen)[^.]{0,50}\b(?:nicht|keine[nr]?) (?:\w+ ){0,2}(?:helfen|beantworten"
            r"|unterstützen|weiterhelfen|anbieten|geben|mitteilen|nennen|bearbeiten|sprechen|weitergeben)"
        ),
        (
            r"\b(?:kann|können|darf|dürfen) (?:ich|wir)[^.?!]{0,40}\b(?:nicht|keine[nr]?) (?:[^ .]+ ){0,2}(?:helfen|beantworten"
            r"|mitteilen|geben|bearbeiten|weitergeben|nennen|erstellen|sprechen|preisgeben|unterstützen|sagen)"
        ),
        r"\b(?:bin ich|ich bin|sind wir|wir sind) (?:leider )?nicht (?:befugt|berechtigt|in der lage|autorisiert|imstande)",
        r"\bist (?:es )?(?:mir|uns) (?:leider )?nicht (?:möglich|erlaubt|gestattet)",
    ),
    "fr": (
        (
            r"\b(?:je|nous) n['’](?:ai|avons) pas le droit|\b(?:je|nous) ne (?:peux|pouvons) (?:vous"
            r"|pas vous) (?:donner|aider|répondre)"
        ),
        r"\bdépasse (?:mes|nos) compétences",
        r"\b(?:je|nous) (?:préfère|préférons|souhaite|souhaitons) ne pas (?:[^ .]+ ){0,2}(?:répondre|parler|discuter|aborder)",
        r"\b(?:hors|dépasse|en dehors) (?:de )?(?:mon|mes|notre|nos|du) (?:domaine|compétences?|périmètre|cadre|champ)",
        rf"{_FR_SORRY}[^.]{{0,60}}\bne (?:peux|pouvons|suis|sommes)[^.]{{0,20}}\bpas",
        (
            rf"\b(?:je|nous) ne (?:peux|pouvons|suis|sommes){_SOME}{{0,2}} pas{_SOME}{{0,3}} (?:aider|répondre|fournir|mesure"
            r"|autorisé|traiter|donner|communiquer|partager|habilité|divulguer)"
        ),
        r"\bje ne (?:peux|suis) pas[^.]{0,40}(?:aider|répondre|fournir|mesure|autorisé|traiter)",
        r"\bil (?:m['’]|nous )est (?:malheureusement )?impossible",
        (
            r"\b(?:cette|votre) (?:demande|question|requête)[^.]{0,20}\bne peut (?:malheureusement )?pas être (?:trait"
            r"|satisf|accept)"
        ),
    ),
    "es": (
        r"\bno se me permite|\bme temo que no (?:puedo|podemos)|\bfuera de mis? (?:competencias?|alcance|ámbito)",
        (
            r"\b(?:solicitud|petición|pregunta|consulta)[^.]{0,20} no puede ser (?:procesad|atendid|tramitad|respondid)"
            r"|\blamentamos no poder"
        ),
        (
            rf"\bno (?:puedo|podemos) dar(?:le|te|les)?{_SOME}{{0,2}} (?:respuesta|informaci)|\bprefiero no (?:hablar"
            rf"|responder|opinar)"
        ),
        (
            r"\b(?:lo siento|lamento|lamentamos|lamentablemente|desafortunadamente|disculp[ea]|perdón)[^.]{0,60}"
            r"\bno (?:puedo|podemos|estoy|estamos|es posible|me es)"
        ),
        (
            rf"\bno (?:puedo|podemos){_SOME}{{0,2}} (?:ayud|respond|proporcion|ofrecer|asist|compart|facilit|tramit|proces"
            rf"|atender"
            r"|revelar)"
        ),
        r"\bno (?:estoy|estamos) (?:[^ .]+ )?(?:autorizad|en condiciones|facultad)|\bno (?:me|nos) (?:es posible|está permitid)",
    ),
    "it": (
        r"\bnon ho il permesso|\besula dal(?:le|la) mi[ae]|\btemo di non poter",
        r"\b(?:richiesta|domanda)[^.]{0,20} non può essere (?:elaborat|soddisfatt|accolt|evas)",
        rf"\bnon (?:posso|possiamo) dar[^ .]*{_SOME}{{0,2}} (?:risposta|informazion)|\bpreferisco non (?:parlar|risponder)",
        r"\b(?:mi dispiace|mi spiace|spiacente|purtroppo)[^.]{0,60}\bnon (?:posso|possiamo|sono|è possibile|(?:mi|ci) è|riesco)",
        (
            rf"\bnon (?:posso|possiamo|riesco a){_SOME}{{0,2}} (?:aiutar|rispondere|fornir|assister|condivider|divulgar|comunicar"
            r"|soddisfar|elaborar)"
        ),
        (
            r"\bnon (?:sono|siamo) (?:[^ .]+ )?(?:in grado|autorizzat|abilitat)|\bnon (?:mi|ci) è (?:[^ .]+ )?(?:possibile"
            r"|consentit)"
        ),
    ),
    "pt": (
        r"\breceio que não (?:possa|posso)|\bfora do meu (?:âmbito|alcance)|\bnão (?:me|nos) é permitido|\bnão tenho permissão",
        (
            r"\b(?:pedido|solicitação|pergunta)[^.]{0,20} não pode ser (?:processad|atendid|respondid)"
            r"|\bprefiro não (?:falar|responder)"
        ),
        (
            r"\b(?:desculp[ea]|lamento|lamentamos|sinto muito|infelizmente)[^.]{0,60}"
            r"\bnão (?:posso|podemos|consigo|é possível|(?:me|nos) é|estou)"
        ),
        (
            rf"\bnão (?:posso|podemos|consigo){_SOME}{{0,2}} (?:ajud|respond|fornec|partilh|compartilh|divulg|process|atend"
            r"|revelar)"
        ),
        r"\bnão (?:estou|estamos) (?:[^ .]+ )?(?:autorizad|em condições|habilitad)|\bnão (?:me|nos) é (?:possível|permitid)",
    ),
    "nl": (
        r"\bbuiten mijn (?:bevoegdheid|mogelijkheden)|\bgeen toestemming (?:voor|om)|\bik ben bang dat ik",
        r"\b(?:verzoek|vraag)[^.]{0,20}\bkan (?:helaas )?niet (?:worden )?(?:verwerkt|beantwoord|behandeld)",
        r"\b(?:het spijt (?:me|mij|ons)|sorry|helaas)[^.]{0,60}\b(?:kan|kunnen|mag) (?:ik|we|wij)?[^.]{0,50}\b(?:niet|geen)",
        (
            r"\b(?:(?:ik|we|wij) (?:kan|kunnen|mag|mogen)|(?:kan|kunnen|mag|mogen) (?:ik|we|wij))[^.]{0,40}\b(?:niet|geen)"
            rf"{_SOME}{{0,2}} (?:helpen|beantwoorden|delen|geven|verstrekken|verwerken|bespreken|zeggen)"
        ),
    ),
    "pl": (
        r"\bnie wolno mi\b|\bobawiam się, że nie (?:mog|jest)",
        (
            r"\bwykracza poza (?:moje|nasze|zakres)|\bwol(?:ę|ałbym|ałabym) nie (?:rozmawia|odpowiada)"
            r"|prośb[^.]{0,20} nie może zostać"
        ),
        r"\b(?:przykro mi|niestety|przepraszam)[^.]{0,60}\bnie (?:mog|możem|jestem|jesteśmy|potrafi)",
        (
            rf"\bnie (?:mogę|możemy|jestem w stanie|jesteśmy w stanie|potrafię){_SOME}{{0,3}} (?:pomóc|odpowiedzieć|udzieli"
            r"|udostępni|poda[ćj]|spełni|zrealizowa|przetworzy|ujawni|przekaza|rozmawia)"
        ),
        r"\bnie (?:jestem|jesteśmy) (?:upoważnion|uprawnion|w stanie)",
    ),
    "cs, sk": (
        (
            r"(?:bohužel|omlouvám se|je mi líto|ľutujem|bohužiaľ)[^.]{0,60}"
            r"(?:nemohu|nemůžu|nemůžeme|nemôžem|nejsem (?:oprávněn|schop))"
        ),
        rf"(?:nemohu|nemůžu|nemůžeme|nemôžem){_SOME}{{0,3}} (?:pomo[cô]|odpov|poskytn|sdělit|zpracovat)",
    ),
    "sv, da, nb": (
        (
            r"\b(?:tyvärr|jag är ledsen|jag beklagar|beklager|desværre|dessverre|undskyld|förlåt)[^.]{0,50}"
            r"\b(?:kan|får|må)(?: jag| jeg| vi)? (?:[^ .]+ )?(?:inte|ikke)"
        ),
        (
            r"\b(?:(?:jag|jeg|vi) (?:kan|får|må)|(?:kan|får|må) (?:jag|jeg|vi)) (?:[^ .]+ )?(?:inte|ikke)"
            rf"{_SOME}{{0,2}} (?:hjälpa|hjælpe|hjelpe|svara|svare|lämna ut|dela|dele|oplyse|opplyse|behandla|behandle)"
        ),
    ),
    "fi": (r"\b(?:valitettavasti|pahoittelen|anteeksi)[^.]{0,60}\b(?:en|emme) (?:voi|pysty|saa)\b",),
    "tr": (
        r"(?:maalesef|üzgünüm|özür dilerim)[^.]{0,80}(?:[ae]m[ae]m|[ae]m[ıi]yoru[mz]|mümkün değil)",
        r"(?:yardımcı|cevap|yanıt|bilgiyi?|bilgi) (?:ol|ver|sağlay|paylaş)(?:[ae]m(?:[ae]m|[ıi]yor)|m[ae]m mümkün değil)",
    ),
    "ru": (
        r"мне не (?:разрешено|позволено)|боюсь,? (?:что )?(?:я|мы) не (?:могу|можем|смогу)",
        r"запрос[^.]{0,20} не может быть (?:обработ|выполн)|вне (?:моей|нашей) компетенции",
        (
            r"(?:к сожалению|извините|простите|сожалею)[^.]{0,60} не (?:могу|имею права|смогу|в состоянии|можем (?:помо"
            r"|отве|предо|обраб))"
        ),
        (
            rf"(?:я|мы) (?:[^ .]+ )?не (?:могу|можем|смогу|сможем){_SOME}{{0,3}} (?:помо|отве[тч]|предостав|выполн|раскры|сообщ"
            r"|обработ|обсужд|подел)"
        ),
        r"(?:я|мы) не (?:имею|имеем) права|не уполномочен",
    ),
    "uk": (
        r"(?:на жаль|вибачте|перепрошую)[^.]{0,60} не (?:можу|можемо (?:допо|відпо|нада|обро))",
        rf"(?:я|ми) не (?:можу|можемо){_SOME}{{0,3}} (?:допомо|відпов|нада|викона|повідом)",
    ),
    "ar": (
        r"غير (?:مسموح|مصرح) لي|أخشى أن(?:ني|نا) لا",
        r"خارج (?:نطاق )?(?:صلاحيات|اختصاص|قدرات)",
        (
            r"لا (?:أستطيع|استطيع|يمكنني|يمكننا|نستطيع)[^.؟]{0,25}"
            r"(?:مساعد|إجاب|اجاب|تقديم|معالج|تلبي|مشارك|الرد|إعطا|توفير|تنفيذ|إفصاح|كشف)"
        ),
        r"(?:عذر|آسف|نعتذر|أعتذر|للأسف)[^.؟]{0,30}لا (?:أستطيع|استطيع|يمكنني|يمكننا|نستطيع)|لست (?:مخول|مصرح|قادر)|غير مخول",
    ),
    "he": (r"(?:איני|אינני|אני לא|לא אוכל|איננו)[^.]{0,30}(?:לעזור|לענות|לספק|למסור|לסייע)",),
    "hi": (r"(?:मदद|सहायता|उत्तर|जवाब|जानकारी)[^।]{0,30}नहीं (?:कर|दे) ?(?:सकत|पा)",),
    "ja": (
        r"(?:回答|お答え)を?(?:差し)?控え",
        r"お答え(?:する(?:こと)?[はが])?(?:でき(?:ません|かねます)|いたしかね)|お手伝い(?:する(?:こと)?[はが])?でき(?:ません|かね)",
        r"(?:対応|ご案内|回答|ご提供|ご説明)(?:する(?:こと)?)?[はが]?(?:でき(?:ません|かねます)|いたしかねます)",
        r"お(?:教え|伝え|話し)(?:する)?(?:こと)?[はが]?できません|申し訳(?:ございません|ありません)が[^。]{0,40}(?:できません|できかね|いたしかね)",
    ),
    "zh": (
        r"我(?:们)?(?:无权|無權|没有权限|沒有權限)",
        r"(?:回答|解答|帮|办|做)不了|(?:我们?|我們|抱歉|对不起|對不起)[^。]{0,8}(?:无法|無法|不能)(?:完成|为您|帮您|帮你|給您|给您)",
        r"(?:无法|無法)(?:为您|向您|帮您|给您|為您|幫您)?(?:提供|回答|帮助|幫助|协助|協助|处理|處理)",
        (
            r"(?:我们?|我們|抱歉|对不起|對不起|恕|很遗憾|不好意思)[^。]{0,12}(?:无法|無法|不能|没法|不便|不可以)[^。]{0,12}"
            r"(?:提供|回答|帮助|幫助|协助|处理|透露|分享|满足|讨论|告知|告诉)"
        ),
    ),
    "ko": (r"(?:도와|도움을|답변|대답|제공|안내|처리|공유|말씀)[^.]{0,12}(?:수 없|수가 없|어렵|불가)",),
    "vi": (
        r"(?:xin lỗi|rất tiếc)[^.]{0,50}không (?:thể|được phép)",
        r"(?:tôi|chúng tôi) không (?:thể|được phép) (?:giúp|trả lời|cung cấp|hỗ trợ|chia sẻ|xử lý)",
    ),
    "id, ms": (
        r"\b(?:maaf|mohon maaf|sayangnya)[^.]{0,30}\b(?:saya|kami) (?:[^ .]+ )?(?:tidak|tak) (?:dapat|bisa|boleh)",
        r"\b(?:saya|kami) tidak (?:dapat|bisa|boleh) (?:[^ .]+ )?(?:membantu|menjawab|memberikan|memproses|membagikan)",
    ),
}
"""Languages → patterns of answers that will not or may not help."""

UNKNOWN: dict[str, tuple[str, ...]] = {
    "en": (
        r"\bthere(?: is|['’]s) nothing (?:about|on|regarding) (?:that|this|it) in",
        (
            r"\b(?:i|we) (?:do not|don['’]t|currently (?:do not|don['’]t)) have (?:\w+ )?(?:access|insight"
            r"|visibility) (?:to|into)|\b(?:i|we) have no (?:\w+ )?(?:access|information|knowledge|record|data)"
        ),
        r"\b(?:is|are|was|were)(?: not|n['’]t) (?:mentioned|specified|covered|stated|listed) (?:by|anywhere)",
        (
            r"\b(?:i|we) (?:do not|don['’]t|did not|didn['’]t) (?:know|have (?:(?:any|enough|sufficient|that|the|access to"
            r"|specific|relevant) )*(?:information|data|details|answer|context|knowledge|record)|find (?:any|that|this"
            r"|relevant))"
        ),
        (
            r"(?:\b(?:i|we)(?: am| are| was| were|['’](?:m|re|ve))? |(?:^|[.!?\n] ?))"
            r"(?:could not|couldn['’]t|cannot|can['’]t|unable to|was not able to|not able to) (?:find|locate|determine"
            r"|verify|confirm|retrieve|look up|check|reach|load|access)"
        ),
        (
            r"\b(?:no|not enough|insufficient) (?:relevant )?(?:information|data|context|documents?|results?|records?) (?:is "
            r"|are |was |were )?(?:available|found|provided|in the|about|on|to answer)"
        ),
        (
            r"\b(?:is|are|was|were)(?: not|n['’]t) (?:mentioned|specified|provided|included|covered|stated|available|contained"
            r"|found|listed) in (?:the|my|our|these|this)"
        ),
        (
            r"\b(?:context|documents?|articles?|passages?|sources?|knowledge base|information provided|provided information)"
            r"(?: \w+){0,4} (?:do(?:es)?(?: not|n['’]t)) (?:contain|mention|include|provide|specify|cover|say|state)"
        ),
        (
            r"\b(?:leaflet|page|text|policy|policies|manual|guide|excerpts?|handbook|faq|report|transcript)"
            r"(?: \w+){0,3} (?:do(?:es)?(?: not|n['’]t)) (?:mention|specify|say|state|address)"
        ),
        r"\b(?:i['’]?m|i am) not (?:sure|certain|aware)\b",
    ),
    "de": (
        (
            r"\b(?:ich|wir) (?:habe|haben) (?:[^ .]+ ){0,3}keinen (?:zugriff|zugang|einblick)|\bkenne ich (?:leider )?nicht"
            r"|\bdavon weiß"
        ),
        (
            r"\b(?:ich|wir) (?:(?:weiß|weiss|wissen)[^.]{0,20}\bnicht|(?:habe|haben|finde"
            r"|finden)[^.:]{0,40}\bkeine (?:information|daten|angaben))"
        ),
        r"\b(?:weiß|weiss) ich (?:leider |das )?nicht",
        r"\bkeine (?:informationen|angaben)\b|\bliegen (?:mir|uns)[^.]{0,30}\bkeine",
        r"\bin (?:den|meinen|unseren|diesen) (?:unterlagen|dokumenten|quellen|texten)[^.]{0,40}\b(?:nichts|nicht|keine)\b",
        (
            r"\b(?:unterlagen|dokumente|quellen|texte) (?:\w+ )?(?:enthalten|erwähnen|nennen|sagen)[^.]{0,30}\b(?:nicht"
            r"|nichts|keine)\b"
        ),
    ),
    "fr": (
        r"\b(?:je|nous) n['’](?:ai|avons) (?:malheureusement )?rien trouvé",
        (
            r"\b(?:je|nous) n['’](?:ai|avons) (?:[^ .]+ )?pas accès|\bje ne (?:connais|dispose) "
            r"|\bne figure(?:nt)? pas dans (?:mes|nos|les)"
        ),
        r"\bje ne (?:sais|trouve|dispose)\b",
        (
            rf"\b(?:je|nous) n['’](?:ai|avons|en ai){_SOME}{{0,1}} (?:pas|aucune?) [^.]{{0,16}}(?:information|donnée"
            rf"|précision|détail|élément)"
        ),
        (
            rf"\b(?:documents?|sources?|textes?|extraits?|notice){_SOME}{{0,2}} ne (?:mentionne|contien|précise|indique|dit"
            rf"|disent|parle)"
        ),
        r"\baucune? (?:information|donnée|résultat)[^.]{0,20}(?:trouv|disponible|à ce sujet)",
    ),
    "es": (
        r"\bno (?:he|hemos) podido encontrar|\bno pude encontrar",
        r"\bno (?:tengo|tenemos) acceso|\bdesconozco\b|\bno (?:conozco|figura en (?:los|mis)|aparece en (?:los|mis))",
        r"\bno (?:lo )?sé",
        (
            rf"\bno (?:tengo|tenemos|encuentro|encontramos|dispongo|disponemos|he encontrado|hay){_SOME}{{0,3}} "
            r"(?:informaci|detalles al|datos (?:sobre|al respecto))"
        ),
        r"\bno (?:encuentro|he encontrado|encontré) nada",
        (
            rf"\b(?:documentos?|fuentes?|textos?|prospecto|contexto){_SOME}{{0,2}} no (?:mencion|contien|indica|especific"
            rf"|dice|recog)"
        ),
    ),
    "it": (
        r"\bnon sono riuscit[oa] a trovare|\bnon (?:mi|ci) risulta (?:alcuna|nessuna)",
        r"\bnon (?:ho|abbiamo) (?:[^ .]+ )?accesso|\bnon conosco|\bnon figura (?:nei|tra)",
        (
            r"\bnon lo so\b|\bnon so (?:rispond|dir)|\bnon sono disponibili|\bnon (?:trovo|ho trovato) (?:nulla|niente)"
            r"|nessuna informazione"
        ),
        (
            rf"\bnon (?:ho|abbiamo|dispongo|disponiamo|trovo|ho trovato|possiedo){_SOME}{{0,3}} (?:informazion|dettagli"
            rf"|dati (?:su|in))"
        ),
        (
            rf"\b(?:document[oi]|fonti|testo|contesto|foglietto){_SOME}{{0,2}} non (?:conten|contien|menzion|riport|indic"
            rf"|specific|dic)"
        ),
    ),
    "pt": (
        r"\bnão (?:consegui|conseguimos|consigo) encontrar",
        r"\bnão (?:tenho|temos) acesso|\bdesconheço|\bnão conheço",
        r"\bnão (?:sei\b|encontrei nada)",
        rf"\bnão (?:tenho|temos|encontrei|encontro|disponho|há){_SOME}{{0,2}} (?:informaç|detalhes sobre|dados sobre)",
        rf"\b(?:documentos?|fontes?|textos?|bula){_SOME}{{0,2}} não (?:mencion|cont[ée]|indica|especific|diz|refer)",
    ),
    "nl": (
        r"\b(?:kan|kon) (?:het antwoord|dat|dit|hier) (?:[^ .]+ )?niet vinden",
        (
            r"\b(?:heb ik|ik heb|hebben we|we hebben) (?:[^ .]+ ){0,2}geen (?:gegevens|toegang|info)"
            r"|\bik ken (?:het antwoord|dat) niet"
        ),
        r"\bik weet (?:het )?niet|\bweet ik (?:helaas )?niet|\bgeen informatie",
        r"\b(?:documenten|bronnen|tekst) (?:\w+ )?(?:vermeld|bevat|noem)[^.]{0,20} (?:niet|niets|geen)\b",
    ),
    "pl": (
        r"\bnie udało (?:mi|nam) się znaleźć|\bbrak mi (?:informacji|danych)",
        r"\bnie (?:mam|mamy) (?:[^ .]+ )?dostępu|\bnie znam\b|(?:dokument|źródł)[^ .]* nie ma (?:informacji|nic)",
        r"\bnie wiem\b|\bbrak (?:informacji|danych) (?:o|na|w|dotycz)",
        (
            rf"\bnie (?:mam|mamy|posiadam|posiadamy|znalazł[^ .]*|znajduj[^ .]+|dysponuj[^ .]+){_SOME}{{0,3}} "
            r"(?:informacj|danych|odpowiedzi|wiedzy|nic)"
        ),
        rf"(?:dokument|źródł|tekst|ulotk)[^ .]*{_SOME}{{0,2}} nie (?:zawier|wspomin|podaj|wymieni|określ|mówi)",
    ),
    "cs, sk": (rf"(?:nemám|nemáme){_SOME}{{0,3}} (?:informac|údaj|informác)|\bnevím\b|\bneviem\b",),
    "sv, da, nb": (
        (
            r"\b(?:jag|jeg) (?:saknar|mangler) (?:information|oplysninger|opplysninger)|\b(?:jag|jeg|vi) har (?:inte"
            r"|ikke) (?:tillgång|adgang|tilgang)"
        ),
        r"\b(?:jag|jeg|vi) har (?:[^ .]+ )?(?:ingen|inga|ikke nogen) (?:information|uppgift|oplysning|opplysning|informasjon)",
        r"\b(?:jag vet|jeg ved|jeg vet) (?:tyvärr |desværre )?(?:inte|ikke)\b",
    ),
    "fi": (r"\ben tiedä|\b(?:minulla|meillä) ei ole (?:[^ .]+ )?tieto",),
    "tr": (
        r"(?:bilgim|bilgimiz|bilgi) (?:maalesef )?yok|bilmiyorum|bilgiye sahip değil|bilgi bulamadım",
        r"(?:bilgiye|verilere|verilerine|bilgilere) (?:erişim|erişe)[^.]{0,12}(?:yok|mem|miyor)",
    ),
    "ru": (
        r"(?:я|мы) (?:[^ .]+ )?не наш(?:ёл|ел|ла|ли)",
        r"у (?:меня|нас) нет доступа|мне неизвест|нам неизвест",
        r"у (?:меня|нас) нет (?:[^ .]+ )?(?:информации|данных|сведений|ответа)|не знаю|не удалось найти",
        r"в (?:документ|источник|текст)[^ .]* [^.]{0,30}(?:не сказано|не указан|не упомина|нет информации|не содерж)",
    ),
    "uk": (r"не (?:маю|маємо) (?:[^ .]+ )?(?:інформації|даних)|не знаю|у (?:мене|нас) немає (?:[^ .]+ )?(?:інформації|даних)",),
    "ar": (
        r"لم (?:أتمكن|نتمكن) من (?:العثور|إيجاد)|ليست? لد(?:ي|ينا) (?:إجابة|اجابة)",
        r"لا تتوفر (?:هذه|تلك) المعلوم|ليس لد(?:ي|ينا) (?:صلاحية|وصول|إمكانية)",
        r"ليست? لد(?:ي|ينا) [^.]{0,20}(?:معلومات|بيانات)|لا (?:أعرف|أعلم)|لم أجد|لا (?:توجد|تتوفر) [^.]{0,12}معلومات",
        (
            r"لا (?:تحتوي|يحتوي|تذكر|يذكر|تتضمن|يتضمن) (?:الوثائق|الوثيقة|المستندات|المستند|المصادر|النشرة)"
            r"|(?:الوثائق|المستندات|المصادر|النشرة) لا (?:تحتوي|تذكر|تتضمن)"
        ),
    ),
    "he": (r"אין (?:לי|לנו) (?:[^ .]+ )?(?:מידע|נתונים)|אני לא יודע",),
    "hi": (r"(?:मेरे|हमारे) पास[^।]{0,40}(?:जानकारी|सूचना)[^।]{0,20}नहीं|मुझे नहीं पता",),
    "ja": (
        r"存じ上げません|存じません|(?:該当する|関連する)(?:情報|資料)[がは](?:ございません|ありません)",
        r"(?:わか|分か)り(?:ません|かねます)|存じません",
        r"(?:情報|記載|記述)[がはも][^。]{0,10}(?:ありません|ございません|見つかりません|見当たりません|含まれて)|情報は見つかり",
    ),
    "zh": (
        r"(?:没有|沒有|未能?|没)(?:查到|找到)(?:答案|相关)",
        r"(?:我|我们|我們)(?:这里|目前|暂时|暫時)?(?:没有|沒有|无|無)[^。]{0,8}(?:信息|资料|数据|資訊|資料|权限)",
        r"不知道|(?:没有|沒有|未)(?:找到)?(?:任何)?(?:相关|有关|相關)的?(?:信息|资料|记录|資訊|資料)",
        r"(?:文档|资料|文件|来源|文檔)[中里裡]?[^。]{0,4}(?:没有|沒有|未)(?:提到|提及|说明|包含|找到)",
    ),
    "ko": (
        r"모르겠|(?:관련|해당) (?:정보|내용|자료)[^.]{0,8}(?:없|찾)|정보를? 찾(?:을 수 없|지 못)",
        r"(?:정보|자료|데이터)를? (?:가지고 있지|보유하고 있지|알지 못)|접근할 (?:수|권한)[^.]{0,4}없",
    ),
    "vi": (r"(?:tôi|chúng tôi) không (?:biết|có (?:[^ .]+ ){0,2}thông tin)",),
    "id, ms": (r"\b(?:saya|kami) tidak (?:tahu|mengetahui|memiliki (?:[^ .]+ )?informasi|menemukan)",),
}
"""Languages → patterns of answers that say that they have nothing to say."""

TOGETHER = (
    ("en",),
    ("de", "nl", "sv, da, nb", "fi"),
    ("fr", "es", "it", "pt"),
    ("pl", "cs, sk", "tr", "vi", "id, ms"),
    ("ru", "uk", "ar", "he", "hi", "ja", "zh", "ko"),
)
"""Languages whose patterns are looked for in one pass. All in one would need more states than it may have memory for."""
