"""Where sentences end: rules over whitespace-separated tokens, no model, one linear pass.

Abbreviations are English; full stops, question marks and dandas of other scripts end a sentence wherever they stand.
"""

import re
from itertools import pairwise

_MARKS = ".!?…।॥؟۔։።၊။។‽"
_CLOSERS = "\"'”’»)]}*_"
# These end a sentence without a space after them; closing quotes and brackets still belong to it.
_WIDE_END = re.compile(r"[。！？｡]+[」』”’）】》〉]*")
_ENDINGS = frozenset(_MARKS + _CLOSERS)
_OPENERS = "\"'“‘«([{*_-–—"


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# The name that these introduce follows them, so they never end a sentence.
_TITLES = _words(
    """
    mr mrs ms mx messrs mme mlle dr prof rev fr hon pres gov sen rep reps amb atty supt gen maj col lt
    capt cpt cmdr cdr adm sgt cpl pvt pte vs viz cf e.g eg i.e ie ca approx attn var subsp
    """
)
# Abbreviations before a figure only ("No. 4", "Sat. 12 May"); otherwise ordinary words.
_NUMBERED = _words(
    """
    no nos nr fig figs eq eqs sec ch chap vol vols p pp art op ver ext mar sat sun fri
    """
)
# These end a sentence only when the next word looks like the start of one.
_ABBREVIATIONS = _words(
    """
    jr sr esq inc ltd co corp bros llc plc assn dept univ est ave blvd rd st mt ft hwy bldg apt dist div
    govt etc al jan feb apr jun jul aug sept oct nov dec mon tue tues wed thu thur thurs ph.d m.sc b.sc oz
    lb lbs hr hrs yr yrs mi km kg cm mm mph sq eds trans ala ariz ark calif colo conn fla ga ind
    kan ky la md mich minn mont neb nev okla penn pa tenn tex va vt wis wyo
    """
)
_STARTERS = _words(
    """
    the a an this that these those it its it's he she they we you i his her their our your my there here
    in on at by for from with without within as after before during since until while when where why how
    what who which if although though however but and or so yet then thus therefore also both each every
    all some many most several few one two no not never only even to once another such under between among
    despite because following according first later finally meanwhile moreover furthermore is are was were
    do does did can could will would should please thanks i'm i've i'll i'd we're they're don't let that's
    there's
    """
)
_PARAGRAPH = re.compile(r"\n[^\S\n]*\n")
_TOKEN = re.compile(r"\S+")
_INITIALS = re.compile(r"(?:[^\W\d_]\.-?)*[^\W\d_]")  # "J", "U.S", "J.-P", "a.m"
_ENUMERATOR = re.compile(r"[(\[]?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,5})")
# An emoticon, or marks and closing quotes standing alone: they belong to the sentence before them.
_TRAILER = re.compile(r"[:;=]['-]?[)(DPp/|*]+|\^_*\^|[.!?…\"'”’»)\]}]+")


def split_sentences(text: str) -> list[str]:
    """Sentences of a text, in order: slices of it, between which nothing but whitespace is lost.

    A blank line always ends a sentence; a single line break does not. Full stops of scripts without spaces (。！？)
    do wherever they stand. Otherwise a token that ends in . ! ? … or the like (closing quotes and brackets aside)
    does, unless it is an abbreviation, an initial or the number of a list item, or the next word begins in lower
    case where that means that the sentence goes on.
    """
    sentences = []
    start = 0
    for blank in _PARAGRAPH.finditer(text):
        sentences += _split_paragraph(text[start : blank.start()])
        start = blank.end()
    return sentences + _split_paragraph(text[start:])


def _split_paragraph(text: str) -> list[str]:
    ends = [0, *(match.end() for match in _WIDE_END.finditer(text)), len(text)]
    return [sentence for start, end in pairwise(ends) for sentence in _split_stretch(text[start:end])]


def _split_stretch(text: str) -> list[str]:
    tokens = list(_TOKEN.finditer(text))
    sentences = []
    first = 0
    ended = False
    for i, (here, there) in enumerate(pairwise(tokens)):
        token = here.group()
        if not ended and token[-1] not in _ENDINGS:
            continue
        following = there.group()
        trails = ended and _TRAILER.fullmatch(token) is not None and not following[0].islower()
        ended = trails or _ends_sentence(token, following, opening=i == first)
        if ended and not _TRAILER.fullmatch(following):
            sentences.append(text[tokens[first].start() : here.end()])
            first, ended = i + 1, False
    if tokens:
        sentences.append(text[tokens[first].start() : tokens[-1].end()])
    return sentences


def _ends_sentence(token: str, following: str, *, opening: bool) -> bool:
    core = token.rstrip(_CLOSERS)
    stem = core.rstrip(_MARKS)
    marks = core[len(stem) :]
    if not marks:
        return False
    word = stem.lstrip(_OPENERS)
    lower = word.lower()
    follower = following.lstrip(_OPENERS)
    if marks == ".":
        if lower in _TITLES or (opening and _ENUMERATOR.fullmatch(stem)):
            return False
        if lower in _NUMBERED and follower[:1].isdigit():
            return False
        if lower in _ABBREVIATIONS or (_INITIALS.fullmatch(word) and word != "I"):
            return follower[:1].isupper() and follower.rstrip(",;:").lower() in _STARTERS
    if follower[:1].islower():
        # Careless writers start sentences so; but `Why?" he asked`, `wait ... then` and `Yahoo! is` go on.
        return (
            marks in (".", "!", "?") and core == token and len(word) > 2 and word.isalpha() and word.islower()
        )
    return True
