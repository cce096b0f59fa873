"""PAUSA and REANUDAR: a coordinator's own digests are held back and taken up again; alerts go on."""

from gateway import subscriptions
from gateway.answering import Done
from gateway.keeping import Keeper
from gateway.plan import Heard
from parsers import ReportReading


def pause(keeper: Keeper, heard: Heard, command: ReportReading) -> Done:
    """No digests until further notice."""
    return _set_all(keeper, heard, active=False)


def resume(keeper: Keeper, heard: Heard, command: ReportReading) -> Done:
    """Digests again; the first tells what happened in the pause."""
    return _set_all(keeper, heard, active=True)


def _set_all(keeper: Keeper, heard: Heard, *, active: bool) -> Done:
    """Every digest of the person; one that stands so already is left alone."""
    known = keeper.known(heard)
    if known is None or known.role not in ("coordinator", "admin"):
        return Done(keeper.replies.text("unread"), kind="notice")
    mine = subscriptions.standing(keeper.connection, known.contact_id)
    if not mine:
        return Done(keeper.replies.text("no_digests"), kind="notice")
    for row in mine:
        if row.active != active:
            subscriptions.set_active(
                keeper.connection, row.id, active, now=keeper.now, actor=keeper.actor(heard),
                reason=subscriptions.BY_SELF,
            )  # fmt: skip
    return Done(keeper.replies.form_reply("resume" if active else "pause"), kind="notice")
