"""HTML of a mail to lines that know whether they are the writer's, a quotation or a signature.

A tokeniser of its own: it must stay linear on hostile markup (the HTML5 tree builder is quadratic in nesting depth,
1 s for 100 kB of `<div>`; the standard library's scanner in unclosed declarations), and all that is kept is text.
Nothing is fetched, styles are not applied beyond an element's own `style`.
"""

import html
import re
from enum import IntEnum

from parsers.mail_charset import visible

MAX_FRAMES = 50


class Kind(IntEnum):
    """Whose a line is. The higher one wins where elements stand in each other."""

    OWN = 0
    SIGNATURE = 1
    QUOTE = 2
    HIDDEN = 3


_TOKEN = re.compile(r"<(?:(/?)([a-zA-Z][\w:.-]*+)((?:[^<>\"']|\"[^\"<]*+\"|'[^'<]*+')*+|[^<>]*+)>|(!--)|[!?][^<>]*+>)")
_ATTRIBUTE = re.compile(r"\b(class|id|style|type|hidden)\b(?:\s*=\s*(\"[^\"]*+\"|'[^']*+'|[^\s>]++))?", re.I)
_SPACES = re.compile(r"[ \t\r\n\f]+")
# fmt: off
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt",
    "fieldset", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "li",
    "main", "nav", "ol", "p", "pre", "section", "table", "tbody", "tfoot", "thead", "tr", "ul",
})
# fmt: on
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6"})
_SILENT = frozenset({"style", "script", "title", "template", "noscript", "textarea", "select", "svg", "math", "object"})
_VOID = frozenset(
    {"br", "hr", "img", "input", "meta", "link", "area", "base", "col", "wbr", "source", "embed", "param"}
)
_UNCLOSED = frozenset({"p", "li", "td", "th", "tr", "dd", "dt"})
_CONTAINERS = frozenset({"div", "td", "tr", "table", "body", "html", "blockquote", "ul", "ol", "section", "article"})

_HIDDEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|font-size\s*:\s*0(?![.\d])|opacity\s*:\s*0(?![.\d])"
)
_QUOTE_NAME = re.compile(
    r"(?:^|\s)(?:x_)*(?:gmail_quote|gmail_attr|yahoo_quoted|moz-cite-prefix|moz-forward-container|protonmail_quote"
    r"|outlookmessageheader|zmail_extra|tutanota_quote|mail-quote|quoted-?text|reply-quote)"
)
_QUOTE_REST = re.compile(r"(?:^|\s)(?:x_)*(?:divrplyfwdmsg|appendonsend|mail-editor-reference-message-container)")
_SIGNATURE_NAME = re.compile(
    r"(?:^|\s)(?:x_)*(?:gmail_signature|moz-signature|ms-outlook-mobile-signature|ymail_android_signature"
    r"|applemailsignature|protonmail_signature_block|zmail_signature|signature|firma|emailsignature)"
)


class _Frame:
    """An element that changes the kind of what stands in it, until it closes."""

    def __init__(self, name: str, kind: Kind) -> None:
        self.name = name
        self.kind = kind
        self.open: dict[str, int] = {}


class _Reader:
    def __init__(self) -> None:
        self.lines: list[tuple[Kind, str]] = []
        self._words: list[str] = []
        self._frames: list[_Frame] = []
        self._kind = Kind.OWN
        self._rest = Kind.OWN
        self._pre = 0
        self.written = 0

    def text(self, data: str) -> None:
        if not data or self._kind is Kind.HIDDEN:
            return
        self.written += len(data)
        data = visible(html.unescape(data))
        if self._pre:
            first, *more = data.split("\n")
            self._words.append(first)
            for line in more:
                self.end_line()
                self._words.append(line)
        else:
            self._words.append(_SPACES.sub(" ", data))

    def end_line(self, *, blank: bool = False) -> None:
        line = "".join(self._words)
        self._words.clear()
        line = line.rstrip() if self._pre else _SPACES.sub(" ", line).strip()
        if line:
            self.lines.append((self._kind, line))
        if blank and self.lines and self.lines[-1][1]:
            self.lines.append((self._kind, ""))

    def start(self, name: str, attributes: str) -> None:
        kind, rest = _kind_of(name, attributes)
        self._break(name, opening=True)
        if self._frames and name not in _VOID:
            frame = self._frames[-1]
            if name == frame.name and name in _UNCLOSED and not frame.open.get(name):
                self._leave()
            else:
                frame.open[name] = frame.open.get(name, 0) + 1
        if rest:
            self.end_line()
            self._rest = self._kind = max(self._kind, Kind.QUOTE)
        if kind > self._kind and name not in _VOID and len(self._frames) < MAX_FRAMES:
            self.end_line()
            if self._frames:
                frame = self._frames[-1]
                frame.open[name] = max(0, frame.open.get(name, 0) - 1)
            self._frames.append(_Frame(name, kind))
            self._kind = kind

    def end(self, name: str) -> None:
        self._break(name, opening=False)
        while self._frames:
            frame = self._frames[-1]
            if frame.open.get(name, 0) > 0:
                frame.open[name] -= 1
                return
            if name == frame.name:
                self._leave()
                return
            if name not in _CONTAINERS:
                return
            self._leave()

    def _leave(self) -> None:
        self.end_line()
        self._frames.pop()
        self._kind = max(self._frames[-1].kind if self._frames else Kind.OWN, self._rest)

    def _break(self, name: str, *, opening: bool) -> None:
        if name == "br" and self._kind is not Kind.HIDDEN:
            written = "".join(self._words).strip()
            self.end_line()
            if not written:
                self.written += 1
                self.lines.append((self._kind, ""))
        elif name in _BLOCKS:
            self.end_line(blank=name in _PARAGRAPHS and not opening)
        elif name in ("td", "th"):
            self._words.append(" ")
        if name == "pre":
            self._pre = max(0, self._pre + (1 if opening else -1))


def _kind_of(name: str, attributes: str) -> tuple[Kind, bool]:
    """The kind an element gives its content, and whether all that follows it is quoted (Outlook's divider)."""
    if "=" not in attributes and "hidden" not in attributes:
        return Kind.OWN, False
    given = {key.lower(): value.strip("\"'").lower() for key, value in _ATTRIBUTE.findall(attributes[:2000])}
    if "hidden" in given or _HIDDEN_STYLE.search(given.get("style", "")):
        return Kind.HIDDEN, False
    names = f"{given.get('class', '')} {given.get('id', '')}"
    if _QUOTE_REST.search(names):
        return Kind.QUOTE, True
    if _QUOTE_NAME.search(names) or (name == "blockquote" and given.get("type") == "cite"):
        return Kind.QUOTE, False
    return (Kind.SIGNATURE if _SIGNATURE_NAME.search(names) else Kind.OWN), False


def html_lines(source: str, limit: int = 1_000_000) -> list[tuple[Kind, str]]:
    """Lines of an HTML text with their kind, a little over `limit` characters of them; time linear in its length."""
    reader = _Reader()
    unclosed: set[str] = set()
    position = 0
    while reader.written <= limit and (token := _TOKEN.search(source, position)):
        reader.text(source[position : token.start()])
        position = token.end()
        if token[4]:
            position = _past(source, "-->", position)
        elif token[2]:
            name = token[2].lower()
            if name in _SILENT and not token[1]:
                position = _past_element(source, name, position, unclosed)
            elif token[1]:
                reader.end(name)
            else:
                reader.start(name, token[3])
    reader.text(source[position : position + limit])
    reader.end_line()
    return reader.lines


def _past(source: str, mark: str, position: int) -> int:
    found = source.find(mark, position)
    return len(source) if found < 0 else found + len(mark)


def _past_element(source: str, name: str, position: int, unclosed: set[str]) -> int:
    """Behind an element whose content is not text; one that never closes hides nothing, but style and script all."""
    if name in unclosed:
        return position
    if closing := re.compile(rf"</{name}[^<>]*+>", re.I).search(source, position):
        return closing.end()
    unclosed.add(name)
    return len(source) if name in ("style", "script") else position
