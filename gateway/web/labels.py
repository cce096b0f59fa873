"""Codes, state words and times as a person reads them, in the person's language."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup

from gateway.locale import N_, Translator
from parsers import Codebook

WORDS: Mapping[str, str] = {
    # message
    "read": N_("read"), "asked": N_("asked"), "held": N_("held"), "duplicate": N_("repeat"),
    "zero": N_("nothing to report"),
    "unread": N_("unread"), "spam": N_("spam"), "auto_reply": N_("automatic mail"),
    # report
    "draft": N_("draft"), "open": N_("open"), "closed": N_("closed"), "withdrawn": N_("withdrawn"),
    # verification
    "unverified": N_("unverified"), "corroborated": N_("corroborated"), "verified": N_("verified"),
    "refuted": N_("refuted"),
    # alert
    "seen": N_("seen"), "handled": N_("handled"),
    # outbox
    "queued": N_("queued"), "sending": N_("sending"), "sent": N_("sent"), "delivered": N_("delivered"),
    "failed": N_("failed"), "expired": N_("expired"), "cancelled": N_("cancelled"),
    "alert": N_("alert"), "confirmation": N_("confirmation"), "question": N_("question"), "notice": N_("notice"),
    "digest": N_("digest"), "reminder": N_("reminder"), "announcement": N_("announcement"), "test": N_("test"),
    # channel, contact
    "active": N_("active"), "paused": N_("paused"), "disabled": N_("disabled"), "pending": N_("pending"),
    "suspended": N_("suspended"), "left": N_("left"),
    "monitor": N_("monitor"), "coordinator": N_("coordinator"), "admin": N_("admin"),
    "analyst": N_("analyst"), "signatory": N_("signatory"), "auditor": N_("auditor"),
    # marks of a text
    "borrowed": N_("from a borrowed phone, by a personal number"), "pin_wrong": N_("wrong personal number"),
    "pin_locked": N_("personal numbers are locked"), "unregistered": N_("not registered"),
    "unproved": N_("our mail server does not vouch for the author"),
    "same_id": N_("the delivery's id was used before for another text"),
    # two reports of one event
    "corroborates": N_("another source"), "possible_duplicate": N_("possible duplicate"), "proposed": N_("proposed"),
    "confirmed": N_("confirmed"),
    # report events
    "drafted": N_("draft made"), "accepted": N_("accepted"), "completed": N_("completed"),
    "corrected": N_("corrected"), "reopened": N_("opened again"), "noted": N_("note added"),
    "reread": N_("read again"), "erased": N_("erased"),
    # how a value was found
    "exact": N_("as written"), "alias": N_("another name"), "repaired": N_("misspelling repaired"),
    "inferred": N_("understood from the text"), "sender": N_("from the sender"), "default": N_("not said: usual value"),
    "answer": N_("from the answer"),
    # outcomes and reasons
    "accept": N_("understood"), "ask": N_("one question asked"),
    "reject": N_("not understood"), "hold": N_("waits for its other parts"),
    "unknown": N_("no form recognised"), "empty": N_("empty text"), "nothing_to_report": N_("nothing to report"),
    "thanks": N_("thanks or a greeting"),
    "part": N_("part of a longer text"), "parts": N_("the other parts never came"),
    "poison": N_("kept unread after a crash"), "by_hand": N_("by hand"), "unknown_language": N_("unknown language"),
    # how a try at sending ended
    "offline": N_("no connection"), "unreachable": N_("cannot be reached"),
    "captive_portal": N_("a log-in page stands in the way"),
    "insecure": N_("no safe connection"), "throttled": N_("too fast for the provider"),
    "auth_failed": N_("the provider refused our password"), "misconfigured": N_("the settings are wrong"),
    "unavailable": N_("the provider is out of order"), "deferred": N_("put off by the provider"),
    "unknown_result": N_("nobody knows whether it arrived"), "invalid_address": N_("no such address"),
    "opted_out": N_("does not want messages"), "refused": N_("refused by the provider"), "too_long": N_("too long"),
    "handed_over": N_("fetched by the device"),
    "bounced": N_("sent back by the mail server"), "bounced_temporary": N_("its mail server could not be reached"),
    "bounces": N_("nothing reaches the address"),
    "stale": N_("no longer true"), "merged": N_("told together with others"), "unreadable": N_("cannot be opened"),
    "unsupported": N_("the channel cannot send this"), "error": N_("failed"),
    # what a modem's program tells
    "waiting in the folders": N_("waiting in the folders"), "waiting in the database": N_("waiting in the database"),
    "database": N_("database"), "cannot be read": N_("cannot be read"), "modem": N_("modem"), "here": N_("here"),
    "away": N_("away"),
    # fields
    "form": N_("form"), "category": N_("category"), "place": N_("place"), "date": N_("date"),
    "locality": N_("locality"), "rhythm_days": N_("days until a sign of life"), "zone": N_("time zone"),
    "answer_by": N_("Answers go by"),
    "dead": N_("dead"), "injured": N_("injured"), "detained": N_("detained"), "missing": N_("missing"),
    "families": N_("families"), "people": N_("people"), "women": N_("women"),
    "reported": N_("reported to the authorities"),
    "note": N_("note"), "name": N_("name"), "village": N_("village"), "status": N_("status"), "topic": N_("topic"),
    "commitment": N_("commitment"), "agreement": N_("agreement"), "victim": N_("victim"), "reason": N_("reason"),
    "trust": N_("trust in justice"), "ref": N_("report number"), "text": N_("text"), "keyword": N_("keyword"),
    "email": N_("e-mail"), "sms": N_("SMS"),
    # by which way somebody acted
    "mail": N_("e-mail"), "page": N_("page"), "link": N_("link of the mail"), "command": N_("command line"),
    # why a digest is paused
    "self": N_("by its reader"), "unsubscribed": N_("by the link in a mail"),
}  # fmt: skip


class Labels:
    """Labels in one language over one codebook."""

    def __init__(self, codebook: Codebook, t: Translator) -> None:
        self.codebook = codebook
        self.t = t
        self.english = t.language == "en"
        self.zone = ZoneInfo(codebook.zone)

    def word(self, word: str | None) -> str:
        """A state word, field name or other word of the glossary; an unknown one as it stands."""
        return "" if word is None else self.t(WORDS[word]) if word in WORDS else word.replace("_", " ")

    def form(self, name: str | None) -> str:
        found = self.codebook.forms.get(name or "")
        return (found.title_en if self.english else found.title) if found else (name or "")

    def category(self, code: str | None) -> str:
        found = self.codebook.categories.get(code or "")
        return (found.name_en if self.english else found.name) if found else (code or "")

    def place(self, code: str | None) -> str:
        found = self.codebook.places.get(code or "")
        if found is None:
            return code or ""
        above = self.codebook.places.get(found.department)
        return found.name if above is None or above is found else f"{found.name}, {above.name}"

    def value(self, form: str, field: str, value: object) -> str:
        """A value of a form's field: a code by its name, yes and no, a count as a number."""
        if value is None:
            return ""
        if isinstance(value, bool):
            return self.t("yes") if value else self.t("no")
        if field == "category":
            return self.category(str(value))
        if field == "place":
            return self.place(str(value))
        if field == "commitment" and str(value) in self.codebook.commitments:
            found = self.codebook.commitments[str(value)]
            return f"{found.code} {found.text_en if self.english else found.text}"
        choice = self.codebook.choices.get(f"{form}.{field}", {}).get(str(value))
        return (choice.label_en if self.english else choice.label) if choice else str(value)

    def when(self, at: datetime | None) -> Markup:
        """A moment in the local calendar, with the exact one in UTC for machines."""
        if at is None:
            return Markup()
        local = at.astimezone(self.zone)
        return Markup('<time datetime="{}">{}</time>').format(
            f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", f"{local:%Y-%m-%d %H:%M}"
        )

    def day(self, day: date | None) -> str:
        return day.isoformat() if day else ""


def mask(address: str | None) -> str:
    """An address for a list: enough to tell two apart, too little to call. `tel:+50255550101` -> `+502 5555 **01`."""
    scheme, _, value = (address or "").partition(":")
    if scheme == "tel" and len(value) > 6:
        head = f"{value[:4]} {value[4:8]}" if value.startswith("+502") and len(value) == 12 else value[: len(value) - 4]
        return f"{head} **{value[-2:]}"
    if scheme == "mailto":
        local, _, domain = value.partition("@")
        return f"{local[:1]}***@{domain}"
    return f"{value[:1]}***" if value else ""
