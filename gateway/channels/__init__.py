"""The hearing side. To learn which channels exist, read this literal."""

from collections.abc import Mapping

from gateway.channels import (
    android,
    cht,
    console,
    gammu,
    http,
    imap,
    kannel,
    mailgun,
    postmark,
    simulator,
    smpp,
    smssync,
    smstools,
    smtp,
    twilio,
)
from gateway.channels.base import Kind

CHANNELS: Mapping[str, Kind] = {
    "twilio": twilio.KIND,
    "smtp": smtp.KIND,
    "imap": imap.KIND,
    "mailgun": mailgun.KIND,
    "postmark": postmark.KIND,
    "http": http.KIND,
    "kannel": kannel.KIND,
    "android": android.KIND,
    "cht": cht.KIND,
    "smssync": smssync.KIND,
    "smpp": smpp.KIND,
    "smstools": smstools.KIND,
    "gammu": gammu.KIND,
    "simulator": simulator.KIND,
    "console": console.KIND,
}
