"""How mail programs and people mark what is not the message: quotations, forwards, signatures, disclaimers.

Spanish and English by rule, other languages' answer lines by quotequail. All patterns match at a line's start and are
bounded. Reports are labelled lists too (`Fecha: ayer`, `AVISO robo en Nebaj`, `--` between two of them), so every rule
asks for evidence that a report would not carry.
"""

import re
from collections.abc import Sequence

import quotequail

INTRO_LINES = 3
INTRO_CHARS = 300
BLOCK_LINES = 14

_HEADER_NAMES = {
    "from": "de|from|von|remitente",
    "date": r"enviad[oa](?: el)?|fecha(?: de env[ií]o)?|sent|date|datum|gesendet",
    "to": "para|to|an|destinatario",
    "subject": "asunto|subject|betreff|tema",
    "other": "cc|cco|bcc|responder a|reply-to|importancia|importance|adjuntos|datos adjuntos|attachments|prioridad",
}
_HEADER = re.compile(
    r"\s*\*?(?:" + "|".join(f"(?P<{name}>{words})" for name, words in _HEADER_NAMES.items()) + r")\s*\*?:\*?(?:\s|$)",
    re.I,
)

FORWARD = re.compile(
    r"\s*(?:[-_=*—–]{2,}\s*(?:forwarded message|forwarded mail|mensaje reenviado|correo reenviado|mensaje remitido"
    r"|begin forwarded message|inicio del mensaje reenviado)\b[^\n]{0,80}"
    r"|(?:begin forwarded message|inicio del mensaje reenviado|mensaje reenviado|forwarded message)\s*:?\s*)$",
    re.I,
)
ORIGINAL = re.compile(
    r"\s*[-_=*—–]{2,}\s*(?:mensaje original|original message|original appointment|correo original)\b[^\n]{0,40}$"
    r"|\s*_{20,}\s*$",
    re.I,
)

_WROTE = re.compile(
    r"\s*[-—*]*\s*(?:el|on|le|a la\(s\)|con fecha|en fecha|\d|.{1,80}<[^<>\s]+@[^<>\s]+>"
    r"|.{1,60}\b(?:escribi[oó]|wrote) (?:el|on)\b).{0,300}",
    re.I,
)
_WROTE_VERB = re.compile(
    r"\b(?:(?:escribi[oó]|wrote|ha escrito|escribe|a [eé]crit|dijo|said)(?: lo siguiente)?"
    r"|(?:escribi[oó]|wrote) (?:el|on) [^\n]{4,60})\s*[-—*]*\s*:?\s*[-—*]*\s*$",
    re.I,
)
_WROTE_ADDRESS = re.compile(r"<[^<>\s]+@[^<>\s]+>\s*\)?\s*:\s*$")
_TIME = re.compile(r"\b\d{1,2}[:.h]\d{2}\b")
_YEAR = re.compile(r"\b(?:19|20)\d{2}\b|\b\d{1,2}/\d{1,2}/\d{2,4}\b")
_MAILBOX = re.compile(r"[^\s<>()]+@[^\s<>()]+")

_DEVICE = (
    "iphone|ipad|android|samsung|galaxy|huawei|xiaomi|motorola|nokia|outlook|yahoo|correo|gmail|proton|dispositivo"
    "|tel[eé]fono|tel[eé]f|celular|m[oó]vil|tablet|smartphone|blackberry"
)
MOBILE = re.compile(
    r"\s*[-_]*\s*(?:(?:enviado|mandado|escrito) (?:desde|de|con|por) mi(?: [\w.-]+){1,4}"
    rf"|(?:enviado|mandado) (?:desde|de|con|por) (?:(?:mi|el|la|un) )?(?:{_DEVICE})\b[^\n]{{0,60}}"
    rf"|sent (?:from|via|with) (?:(?:my|the|an?) )?(?:mail\b|{_DEVICE}|phone|[\w.-]+(?: [\w.-]+)?)[^\n]{{0,40}}"
    r"|(?:get|obtener|obt[eé]n|obtenga|descargar) (?:outlook|yahoo)[^\n]{0,60})\s*\.?\s*$",
    re.I,
)
SIGNATURE_STRICT = re.compile(r"-- $")
SIGNATURE_LOOSE = re.compile(r"\s*(?:--|—|––|_{3,19}|-{3,30}|={3,30})\s*$")
SIGN_OFF = re.compile(
    r"\s*(?:(?:muy )?(?:atentamente|respetuosamente|cordialmente|sinceramente)|atte?|atentos saludos|cordial saludo"
    r"|(?:best |kind |warm )?regards|sincerely|yours (?:truly|sincerely)|se despide)\b\s*[,.:;]*\s*(?P<rest>.{0,80})$",
    re.I,
)
FAREWELL = re.compile(
    r"\s*(?:(?:muchos |un |con )?(?:cordial(?:es)? |atento )?saludos?(?: cordial(?:es)?| a todos)?|(?:muchas )?gracias"
    r"|bendiciones|un (?:fuerte )?abrazo|abrazos|que dios (?:le|les|los) bendiga|thanks|thank you|best|cheers|maltyox"
    r"|matyox|mantyox|b'?antiox|hasta pronto|quedo (?:atent[oa]|a (?:sus|la) [oó]rdenes?))\s*[,.:;!]*\s*$",
    re.I,
)
_ALL = r"(?:a tod[oa]s|compañer[oa]s?|amig[oa]s?|herman[oa]s?|lic\w{0,12}\.?|señor(?:es|a|as)?|sr[ae]?s?\.?|equipo)"
GREETING = re.compile(
    r"\s*(?:(?:hola|buen[oa]s?\s+(?:d[ií]as?|tardes?|noches?)|good (?:morning|afternoon)|hello|hi)"
    rf"(?:[ ,]+{_ALL}){{0,3}}"
    rf"|(?:estimad|apreciad|respetad)[oa]s?(?:[ ,]+{_ALL}){{0,3}}|compañer[oa]s"
    r"|(?:estimad[oa]s?|apreciad[oa]s?|dear)(?:\s\w+){0,3}\s*[,:])\s*[,.:;!]*\s*$",
    re.I,
)
HANDOVER = re.compile(
    r"\s*(?:fyi|fwd?|para (?:su|tu) (?:informaci[oó]n|conocimiento)|(?:le |les |te )?(?:reenv[ií]o|comparto|adjunto)"
    r"(?: (?:el|este|lo que) ?\w{0,12})?|ver (?:abajo|m[aá]s abajo|adjunto)|see below)\s*[,.:;!]*\s*$",
    re.I,
)

_LEGAL_START = re.compile(
    r"\s*[*_]*\s*(?:aviso|nota|advertencia|cl[aá]usula|confidencial|disclaimer|notice|privacidad|legal"
    r"|(?:este|el presente|esta|el contenido de este) (?:mensaje|correo|e-?mail|comunicaci[oó]n|informaci[oó]n)"
    r"|la informaci[oó]n (?:contenida|transmitida)|this (?:e-?mail|message|communication)"
    r"|the information (?:contained|in)|the contents? of this|if you (?:are not|have received)"
    r"|si (?:usted )?(?:no es el destinatario|ha recibido|recibi[oó]))",
    re.I,
)
_LEGAL_READER = re.compile(
    r"destinatari|recipient|addressee|intended|privileg|exclusiv|[uú]nicamente|s[oó]lo para|solely|unauthori[sz]"
    r"|por error|in error",
    re.I,
)
_LEGAL_WORDS = re.compile(
    r"confiden[ct]i|reservad|privad|prohib|divulg|disclos|unauthori[sz]|elimin|destr[uo]y|borr[ea]|delete|notif"
    r"|difusi[oó]n|copia|copying|destinatari|recipient|intended|s[oó]lo para",
    re.I,
)
_FOOTER = re.compile(
    r"\s*[*_]*\s*(?:antes de imprimir|please consider the env|por favor,? (?:considere|piense en) el medio"
    r"|piense en el medio|libre de virus|virus-free|no virus found"
    r"|(?:este|this) (?:correo|mensaje|e-?mail|message)[^\n]{0,60}\b(?:virus|avast|norton|mcafee)\b)",
    re.I,
)
_LEGAL_SHORT = re.compile(
    r"\s*(?:este|this) (?:mensaje|correo(?: electr[oó]nico)?|e-?mail|message) (?:es|is) (?:estrictamente |strictly )?"
    r"confiden[ct]ial(?: (?:y|and) (?:privado|privada|private|privileged))?\s*[.!]?\s*$",
    re.I,
)
PLACEHOLDER = re.compile(r"\s*\[(?:image|imagen|cid|inline image|imagen en l[ií]nea)\b[^\]\n]{0,200}\]\s*$", re.I)

_NAME_WORD = re.compile(
    r"(?:[^\W\d_a-zà-ÿ](?:[^\W\d_]|[.'’ʼ-])*|d[eo]l?|l[ao]s?|y|e|en|para|por|and|of|the|[-–|/&,.]+)[,.;:]?$"
)
_CODE_FIRST = re.compile(r"\s*[A-ZÑ]{2,4}(?![\w.])")
_CONTACT = re.compile(
    r"https?://\S+|www\.\S+|\S+@\S+|\+?\(?\d[\d ().-]{6,18}\d|\bext\.?\s*\d{1,5}"
    r"|\b(?:tels?|tel[eé]fonos?|cels?|celular|m[oó]vil|whats?app|fax|pbx|correo|e-?mail|phone|mobile|p[aá]gina web)\b"
    r"\.?:?",
    re.I,
)
_STREET = re.compile(
    r"\b(?:zona\s+\d{1,2}|\d{1,3}\s?[aªº.]{0,2}\s*(?:calle|avenida|av\b)|apartado postal|c[oó]digo postal)", re.I
)
_NUMBER = re.compile(r"(?<!\d)\d{1,4}(?!\d)")


def is_intro(lines: Sequence[str], at: int) -> int:
    """How many lines from `at` on announce a quotation (`El mié, ... X escribió:`), 0 when they do not."""
    first = lines[at][: INTRO_CHARS + 1].strip(" \t*")
    if not (_WROTE.match(first) or (first.endswith(":") and len(first) <= INTRO_CHARS)):
        return 0
    joined = ""
    for taken in range(1, INTRO_LINES + 1):
        if at + taken > len(lines) or not (line := lines[at + taken - 1][: INTRO_CHARS + 1].strip()):
            return 0
        joined = f"{joined} {line}".strip()
        if len(joined) > INTRO_CHARS:
            return 0
        if _announces(joined, lines, at + taken):
            return taken
    return 0


def _announces(intro: str, lines: Sequence[str], after: int) -> bool:
    """An answer line with a date and an address in it, or a quoted line next: `El 3 de marzo me escribió:` in a
    report has neither."""
    verb = bool(_WROTE.match(intro) and _WROTE_VERB.search(intro))
    following = next((line for line in lines[after : after + 4] if line.strip()), "")
    quoted = following.lstrip().startswith(">")
    named = bool(_MAILBOX.search(intro))
    dated = bool(_TIME.search(intro)), bool(_YEAR.search(intro))
    if verb:
        return quoted or named or all(dated)
    return (quoted or (named and any(dated))) and (bool(_WROTE_ADDRESS.search(intro)) or _known_elsewhere(intro))


def _known_elsewhere(line: str) -> bool:
    """Whether quotequail knows the line as an answer line of another language."""
    if not line.endswith(":"):
        return False
    return not quotequail.quote(line, limit=None, quote_intro_line=True)[0][1]


def header_block(lines: Sequence[str], at: int) -> tuple[int, dict[str, str]] | None:
    """End and fields of a pasted header block (De, Enviado, Para, Asunto) that starts at `at`; else None."""
    if not (opening := _HEADER.match(lines[at])) or not opening["from"]:
        return None
    end, fields = read_header_lines(lines, at)
    return (end, fields) if {"from", "date"} <= fields.keys() and fields.keys() & {"to", "subject"} else None


def has_time(text: str) -> bool:
    """Whether a time of day stands in the text."""
    return bool(_TIME.search(text[:INTRO_CHARS]))


def read_header_lines(lines: Sequence[str], at: int) -> tuple[int, dict[str, str]]:
    """End of the header lines from `at` on (folded and single blank ones included), and their values by kind."""
    fields: dict[str, str] = {}
    end, current = at, ""
    for index in range(at, min(at + BLOCK_LINES, len(lines))):
        line = lines[index][:INTRO_CHARS]
        if match := _HEADER.match(line):
            current = str(match.lastgroup)
            fields[current] = line[match.end() :].strip()
            end = index + 1
        elif not line.strip():
            if index + 1 == len(lines) or not _HEADER.match(lines[index + 1]) or len(fields) >= 4:
                break
        elif current in ("to", "other", "from") and _MAILBOX.search(line):
            fields[current] += " " + line.strip()
            end = index + 1
        else:
            break
    return end, fields


def mailboxes(text: str) -> set[str]:
    """Addresses named in a text, lower case."""
    found = (match.strip("<>[]()*,;.").lower() for match in _MAILBOX.findall(text[:INTRO_CHARS]))
    return {address.removeprefix("mailto:").partition("]")[0] for address in found}


def opens_disclaimer(line: str) -> bool:
    """Whether a line could open a disclaimer; `is_disclaimer` tells from the paragraph."""
    return bool(_LEGAL_START.match(line) or _FOOTER.match(line))


def is_disclaimer(paragraph: str) -> bool:
    """Whether a paragraph says who may read the mail, not what happened: `AVISO: robo, es confidencial` is none."""
    if _LEGAL_SHORT.match(paragraph) or _FOOTER.match(paragraph):
        return True
    if not (_LEGAL_START.match(paragraph) and _LEGAL_READER.search(paragraph)):
        return False
    words = {word.lower()[:6] for word in _LEGAL_WORDS.findall(paragraph)}
    return len(words) >= 2


def is_name_line(line: str) -> bool:
    """Whether a line after a farewell reads as a name, office, phone, address, not as a sentence or a code."""
    if len(line) > 90 or _CODE_FIRST.match(line):
        return False
    if _STREET.search(line) and len(line) <= 80:
        return True
    words = _CONTACT.sub(" ", line).split()
    return len(words) <= 9 and all(_NAME_WORD.match(word) for word in words)


def is_reportlike(line: str) -> bool:
    """Whether a line under a dash rule could be a further report: a code first, or a short number that is no phone."""
    if is_name_line(line):
        return False
    return bool(_CODE_FIRST.match(line) or _NUMBER.search(_CONTACT.sub(" ", line[:INTRO_CHARS])))
