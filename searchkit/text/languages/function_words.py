"""Function words: those that stand in any text of a language, whatever it is about.

Articles, pronouns, auxiliaries, prepositions, conjunctions and the commonest adverbs; written for
searchkit, for the languages of the multilingual model that have spaces between words.
"""

from __future__ import annotations

from functools import cache

from searchkit.text.folding import fold

_WORDS = {
    "ar": (
        "في من على إلى عن مع هذا هذه ذلك تلك التي الذي الذين ما ماذا لا لم لن ليس أن إن أنه "
        "أنها إنه كان كانت يكون تكون هو هي هم نحن أنا أنت قد كل بعض عند عندما حيث بين بعد قبل "
        "أو ثم حتى إذا كما لكن لأن غير مثل أي فيه فيها منه منها به بها له لها وهو وهي وفي ومن "
        "وعلى ولا"
    ),
    "de": (
        "aber alle allem allen aller alles als also am an andere anderen auch auf aus bei beim "
        "bin bis bist da dabei dadurch dafür damit dann daran darauf daraus darin das dass daß "
        "davon dazu dein dem den denn der deren des dessen deshalb die dies diese diesem diesen "
        "dieser dieses doch dort du durch ein eine einem einen einer eines einige er es etwas "
        "euch euer für gegen hab habe haben hat hatte hatten hier ihm ihn ihnen ihr ihre ihrem "
        "ich immer kommt geht gibt ihren ihrer im in indem ins ist ja jede jedem jeden jeder "
        "jedes jedoch jene kann kannst kein keine keinem keinen keiner können könnte man manche "
        "mehr mein meine mich mir mit muss müssen nach nicht nichts noch nun nur ob oder ohne "
        "sehr sein seine seinem seinen seiner seit selbst sich sie sind so sobald solche soll "
        "sollen sondern sonst sowie über um und uns unser unter vom von vor war waren warum was "
        "weil welche welchem welchen welcher welches wenn wer werden wie wieder will wir wird "
        "wo wobei wodurch wurde wurden würde während zu zum zur zwar zwischen"
    ),
    "es": (
        "a al algo algunas algunos ante antes aquel aquella así aun aunque cada como con contra "
        "cual cuales cuando de del desde donde dos durante e el ella ellas ellos en entonces "
        "entre era eran es esa esas ese eso esos esta está estaba están estas este esto estos "
        "fue fueron ha había haber hace hacia han hasta hay la las le les lo los más me "
        "mediante mi mientras mis misma mismo mucho muy nada ni no nos nosotros o otra otras "
        "otro otros para pero poco por porque pues puede pueden que qué quien se sea según ser "
        "si sí sido siempre sin sino sobre solo son su sus también tan tanto te tiene tienen "
        "toda todas todo todos tras tu tus un una unas uno unos ya yo"
    ),
    "fr": (
        "afin ai ainsi alors après au aucun aucune aussi autre autres aux avait avant avec "
        "avoir car ce ceci cela celle celles celui ces cet cette ceux chaque chez comme comment "
        "dans de depuis des donc dont du elle elles en encore entre es est et étaient était "
        "étant été être eu eux fait faire fois font il ils je la le les leur leurs lors lorsque "
        "lui ma mais me même mêmes mes moi moins mon ne ni non nos notre nous on ont or ou où "
        "par parce pas peu peut peuvent plus plusieurs pour pourquoi puis puisque quand que "
        "quel quelle quelles quels qui quoi sa sans se selon sera ses si soit son sont sous sur "
        "ta tandis te tes toi ton tous tout toute toutes très tu un une vers vos votre vous y c "
        "d j l m n s t qu aujourd jusqu lorsqu puisqu"
    ),
    "it": (
        "a ad agli ai al alla alle allo anche ancora avere aveva c che chi ci ciò come con così "
        "cui da dagli dai dal dalla dalle dallo degli dei del dell della delle dello deve di "
        "dopo dove due e ed era erano essere fa fino fra fu già gli ha hanno ho i il in invece "
        "io l la le lei li lo loro lui ma mediante mentre mi mio molto ne negli nei nel nell "
        "nella nelle nello no noi non nostro o ogni oppure perché per però più poi può possono "
        "prima proprio qua quale quali quando quanto quella quelle quelli quello questa queste "
        "questi questo qui quindi se sei sembra senza si sia siamo siano sono sopra sta stata "
        "stati stato su sua sue sugli sui sul sulla suo suoi tale tra tu tutta tutte tutti "
        "tutto un una uno vi viene vengono voi"
    ),
    "ko": (
        "이 그 저 것 수 등 및 또는 그리고 그러나 하지만 때 때문에 위해 "
        "위한 통해 대한 대해 같은 있는 있다 있습니다 없는 없다 하는 한다 합니다 된다 "
        "됩니다 되는 이다 입니다 더 또 모든 각 이러한 그래서 따라서"
    ),
    "nl": (
        "aan al alle alleen als altijd ander andere bij daar daarna dan dat de deze die dit "
        "doen door dus dat een echter elk elke en er erg even geen had hadden haar heb hebben "
        "heeft hem hen het hier hij hoe hun iets ik in is ja je kan kunnen maar meer men met "
        "mijn moet moeten na naar niet niets nog nu of om omdat onder ons ook op over pas te "
        "ten ter tegen terwijl toch toen tot tussen u uit uw van veel via voor vooral waar "
        "waarbij waardoor wanneer want waren was wat we wel welke werd werden wie wij wil wordt "
        "worden zal ze zeer zelf zich zij zijn zo zoals zodat zonder zou zouden zodra"
    ),
    "pl": (
        "a aby albo ale ani bardzo bez bo być był była było były będzie ci co czy czyli dla do "
        "gdy gdzie go i ich ile im inne innych inny ja jak jako je jego jej jest jeszcze jeśli "
        "jeżeli już każda każdy która które którego której który których którym którzy kiedy "
        "lub ma mają mi może można mu my na nad nas nawet nic nie niej niego nim nich niż o od "
        "on ona one oni ono oraz po pod ponieważ poza przed przez przy również są się siebie "
        "sobą swoje swój ta tak także tam te tego tej ten też to tu tych tylko tym tę u w we "
        "więc wszystkie wszystko wtedy z za zanim ze że żeby"
    ),
    "pt": (
        "a à ao aos aquela aquele aquilo as às assim até com como da das de dela dele deles "
        "depois desde dessa desse desta deste do dos e é ela elas ele eles em enquanto entre "
        "era eram essa essas esse esses esta está estão estas este estes eu foi foram há isso "
        "isto já lhe mais mas me mesma mesmo meu minha muito na nas nem no nos nós não num numa "
        "o onde os ou outra outras outro outros para pela pelas pelo pelos pode podem por "
        "porque quais qual quando que quem se seja sem sempre ser será seu seus si sobre são só "
        "sua suas também tão tem têm ter teu toda todas todo todos tu tua um uma umas uns você "
        "vocês"
    ),
    "ru": (
        "а без более бы был была были было быть в вам вас весь во вот все всего всех вы где да "
        "даже для до его ее её если есть еще ещё же за здесь и из или им их к как каждый ко "
        "когда которая которого которой которые который которых кто ли либо между меня мне "
        "может можно мой мы на над надо нас наш не него нее неё ней нет ни нибудь них но ну о "
        "об однако он она они оно от очень по под после потом потому при про с сам свой свои "
        "себя со так также такой там те тем то тогда того тоже той только том тот ты у уже хотя "
        "чего чем через что чтобы эта эти этим этих это этого этой этом этот я"
    ),
    "tr": (
        "acaba ama ancak artık aslında az bana bazı belki ben beni benim bile bir biri biz bize "
        "bizim bu buna bunda bundan bunlar bunu bunun böyle çok çünkü da daha de değil diğer "
        "diye dolayı en fakat gibi göre hala hangi hem hep hepsi her hiç için iki ile ise kadar "
        "karşı kendi ki kim mı mi mu mü nasıl ne neden nerede o olan olarak oldu olduğu olur "
        "olması on ona onlar onu onun önce öyle sadece sen siz sonra şey şu tüm üzere var ve "
        "veya ya yani yok zaman"
    ),
}


@cache
def function_words(language: str | None) -> frozenset[str]:
    """Return the function words of a language, folded; none if they aren't known."""
    if language == "en":
        return _english()
    words = _WORDS.get(language or "", "").split()
    return frozenset(fold(word).text for word in words)


def _english() -> frozenset[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return _MORE_ENGLISH.union(ENGLISH_STOP_WORDS)


# Folded, and missing from scikit-learn's list.
_MORE_ENGLISH = frozenset(
    "arent cant couldnt did didnt does doesnt doing dont hadnt hasnt havent isnt ive lets shouldnt "
    "thats theres theyre theyve wasnt werent whats wont wouldnt youd youll youre youve".split()
)
