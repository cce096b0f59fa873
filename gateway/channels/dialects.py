"""How gateways name things. A dialect is settings of the `http` channel given once, under a name; yours go over them.

`vocero` is the channel's own form. To learn what each setting does see docs/channels/http.md.
"""

from collections.abc import Mapping
from urllib.parse import quote

DIALECTS: Mapping[str, Mapping[str, str]] = {
    "vocero": {},
    # https://help.textit.com/en/article/sending-and-receiving-messages-via-an-external-channel
    "rapidpro": {
        "fields": "from=from, text=text, sent_at=date", "auth": "query", "auth_name": "token", "methods": "both",
        "receipt_fields": "id=id, status=status",
        "receipt_words": "sent=sent, delivered=delivered, failed=failed",
        "send_as": "json", "send_body": '{"id": "{id}", "text": "{text}", "to": "{digits}", "from": "{from}"}',
        "answer_status": "200",
    },
    # What most aggregators of the region speak: everything in the address, and the word OK for an answer.
    "plain": {
        "fields": "from=from, text=text, id=id, to=to, sent_at=ts", "auth": "query", "auth_name": "token",
        "methods": "both", "receipt_fields": "id=id, status=status, error=error",
        "receipt_words": "DELIVRD=delivered, UNDELIV=failed, EXPIRED=failed, REJECTD=failed, ACCEPTD=sent, "
        "delivered=delivered, sent=sent, failed=failed",
        "send_method": "get", "send_as": "query",
        "send_body": "username={username}&password={password}&from={from}&to={digits}&text={text}&id={id}",
        "answer_status": "200", "answer_body": "OK",
    },
    # https://www.kannel.org/download/kannel-userguide-snapshot/userguide.html
    "kannel": {
        "fields": "from=from, text=text, id=id, to=to, sent_at=ts, charset=charset",
        "auth": "query", "auth_name": "token", "methods": "get",
        "receipt_fields": "id=id, status=status, error=answer",
        # The bits of %d: 1 delivered, 2 not delivered, 4 waits at the SMSC, 8 taken by the SMSC, 16 refused by it.
        "receipt_words": "1=delivered, 2=failed, 4=sent, 8=sent, 16=failed",
        "send_method": "get", "send_as": "query",
        "send_body": "username={username}&password={password}&from={from}&to={digits}&text={text}&charset=UTF-8"
        "&coding={coding}&dlr-mask=31&dlr-url="
        + quote("{receipt_url}?token={token}&id={id}&status=%d&answer=%A", safe="{}"),
        "send_ok": "~0:,3:", "send_errors": "403=auth_failed, 503=unavailable",
        "answer_status": "200",
    },
}  # fmt: skip
