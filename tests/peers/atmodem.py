"""A GSM modem that speaks AT commands over TCP, in PDU mode: python -m tests.peers.atmodem PORT FOLDER

A text comes in by a file FOLDER/mo/NAME.json {"from", "text", "udh"?}; what was sent is in FOLDER/mt.jsonl. While
FOLDER/fail exists, sending ends in +CMS ERROR: 500; FOLDER/full makes the memory report that it is full.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from outbox.segments import BASIC, is_gsm7
from outbox.senders.smpp_pdu import from_gsm

PLAIN = {
    "AT+CPIN?": "+CPIN: READY", "AT+CREG?": "+CREG: 0,1", "AT+CSQ": "+CSQ: 21,0", "AT+CIMI": "704010000000001",
    "AT+CGSN": "356938035643809", "AT+GSN": "356938035643809", "AT+CGMI": "EMULATOR", "AT+GMI": "EMULATOR",
    "AT+CGMM": "+CGMM: TESTMODEM", "AT+GMM": "+CGMM: TESTMODEM", "AT+CGMR": "1.0",
    "AT+CSCA?": '+CSCA: "+50230000000",145', "AT+COPS?": '+COPS: 0,0,"Tigo"', "AT+CMGF=?": "+CMGF: (0,1)",
    "AT+CMGF?": "+CMGF: 0", "AT+CSCS=?": '+CSCS: ("GSM","UCS2","HEX")', "AT+CSCS?": '+CSCS: "GSM"',
    "AT+CNMI=?": "+CNMI: (0-2),(0-3),(0,2),(0-2),(0,1)", "AT+CPMS=?": '+CPMS: ("SM","ME"),("SM","ME"),("SM","ME")',
    "AT+CMGL=?": "+CMGL: (0-4)", "AT+CMGD=?": "+CMGD: (1-30),(0-4)", "AT+CBC": "+CBC: 0,90",
    "AT+CCLK?": '+CCLK: "26/03/10,19:00:00+00"',
}  # fmt: skip
SILENT = (
    "ATE", "ATV", "ATZ", "ATS0", "ATH", "AT&F", "AT+CMEE", "AT+CMGF=", "AT+CSCS=", "AT+CSMS", "AT+CREG=", "AT+CSMP",
    "AT+CSCA=", "AT+CFUN", "AT+CUSD", "AT+CMMS", "AT+CLIP", "AT+CPOL", "AT+COPS=", "AT+CHUP", "AT+CNMI=",
)  # fmt: skip
SLOTS = 30


def swapped(digits: str) -> str:
    """Semi-octets: pairs of digits in reverse, filled up with F."""
    even = digits + "F" * (len(digits) % 2)
    return "".join(even[i + 1] + even[i] for i in range(0, len(even), 2))


def address(number: str) -> str:
    digits = number.lstrip("+")
    return f"{len(digits):02X}{'91' if number.startswith('+') else '81'}{swapped(digits)}"


def stamp() -> str:
    return swapped(time.strftime("%y%m%d%H%M%S", time.gmtime()) + "00")


def packed(septets: list[int]) -> str:
    bits = sum(septet << 7 * index for index, septet in enumerate(septets))
    return bits.to_bytes((7 * len(septets) + 7) // 8, "little").hex().upper()


def deliver(sender: str, text: str, udh: str = "") -> str:
    """SMS-DELIVER (TS 23.040, 9.2.2.1) behind an empty centre address."""
    if is_gsm7(text) and not udh and all(c in BASIC for c in text):
        septets = [(code := BASIC.index(c)) + (code >= 27) for c in text]
        coding, length, data = "00", len(septets), packed(septets)
    else:
        octets = bytes.fromhex(udh) + text.encode("utf-16-be")
        coding, length, data = "08", len(octets), octets.hex().upper()
    return f"00{0x44 if udh else 0x04:02X}{address(sender)}00{coding}{stamp()}{length:02X}{data}"


def status_report(reference: int, to: str) -> str:
    return f"0006{reference:02X}{address(to)}{stamp()}{stamp()}00"


def submitted(pdu: str) -> dict[str, object]:
    """To whom an SMS-SUBMIT goes, its text, and whether a report is asked for."""
    octets = bytes.fromhex(pdu)
    octets = octets[1 + octets[0] :]
    first, digits = octets[0], octets[2]
    end = 4 + (digits + 1) // 2
    number = "".join(f"{octet & 15:x}{octet >> 4:x}" for octet in octets[4:end]).rstrip("f")
    coding, at = octets[end + 1], end + 2 + (1 if first & 0x18 == 0x10 else 7 if first & 0x18 else 0)
    length, data = octets[at], octets[at + 1 :]
    skip = data[0] + 1 if first & 0x40 else 0
    if coding & 0x0C == 0x08:
        text = data[skip:].decode("utf-16-be", "replace")
    else:
        bits = int.from_bytes(data, "little")
        septets = bytes(bits >> 7 * index & 127 for index in range(length))
        text = from_gsm(septets[(8 * skip + 6) // 7 :])[0]
    return {"to": number, "text": text, "report": bool(first & 0x20), "type": "91" if octets[3] == 0x91 else "81"}


class Modem:
    """One SIM with its memory; who connects talks to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.memory: dict[int, str] = {}
        self.reference = 0
        (folder / "mo").mkdir(exist_ok=True)

    def store(self, pdu: str) -> int:
        slot = next(number for number in range(1, SLOTS + 1) if number not in self.memory)
        self.memory[slot] = pdu
        return slot

    async def feed(self) -> None:
        """Texts wait in the network while the memory is full."""
        while True:
            for path in sorted((self.folder / "mo").glob("*.json")):
                if len(self.memory) < SLOTS and not (self.folder / "full").exists():
                    told = json.loads(path.read_text())
                    self.store(deliver(told["from"], told["text"], told.get("udh", "")))
                    path.unlink()
            await asyncio.sleep(0.1)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line, sending, echo, memory = b"", False, True, "SM"
        while octet := await reader.read(1):
            if sending:
                if octet in b"\x1a\x1b":
                    self.say(writer, *(self.send(line.decode().strip()) if octet == b"\x1a" else ("OK",)))
                    line, sending = b"", False
                else:
                    line += octet
            elif octet in b"\r\n":
                command, line = line.decode("latin-1").strip(), b""
                if command:
                    if echo:
                        writer.write(f"{command}\r".encode("latin-1"))
                    told = command.upper()
                    echo = {"ATE0": False, "ATE1": True}.get(told[:4], echo)
                    if told.startswith("AT+CPMS="):
                        memory = told.split('"')[1]
                    sending = told.startswith("AT+CMGS=")
                    if sending:
                        writer.write(b"\r\n> ")
                    else:
                        self.say(writer, *self.answer(told, memory))
            else:
                line += octet
            await writer.drain()
        writer.close()

    @staticmethod
    def say(writer: asyncio.StreamWriter, *lines: str) -> None:
        for line in lines:
            writer.write(f"\r\n{line}\r\n".encode("latin-1"))

    def send(self, pdu: str) -> tuple[str, ...]:
        if (self.folder / "fail").exists():
            return ("+CMS ERROR: 500",)
        self.reference = (self.reference + 1) % 256
        told = submitted(pdu)
        with (self.folder / "mt.jsonl").open("a") as log:
            log.write(json.dumps(told) + "\n")
        if told["report"]:
            self.store(status_report(self.reference, ("+" if told["type"] == "91" else "") + str(told["to"])))
        return (f"+CMGS: {self.reference}", "OK")

    def answer(self, command: str, memory: str) -> tuple[str, ...]:
        here = self.memory if memory == "SM" else {}
        counts = f"{len(here)},{SLOTS}"
        if command in PLAIN:
            return (PLAIN[command], "OK")
        if command == "AT+CPMS?":
            return ("+CPMS: " + ",".join(f'"{memory}",{counts}' for _ in range(3)), "OK")
        if command.startswith("AT+CPMS="):
            return (f"+CPMS: {counts},{counts},{counts}", "OK")
        if command.startswith("AT+CMGL"):
            listed = [line for slot, pdu in sorted(here.items()) for line in (self.head("CMGL", pdu, slot), pdu)]
            return (*listed, "OK")
        if command.startswith("AT+CMGR="):
            pdu = here.get(int(command[8:]))
            return (self.head("CMGR", pdu), pdu, "OK") if pdu else ("+CMS ERROR: 321",)
        if command.startswith("AT+CMGD="):
            self.memory.pop(int(command[8:].split(",")[0]), None)
            return ("OK",)
        return ("OK",) if command == "AT" or command.startswith(SILENT) else ("ERROR",)

    @staticmethod
    def head(word: str, pdu: str, slot: int | None = None) -> str:
        return f"+{word}: {'' if slot is None else f'{slot},'}0,,{len(pdu) // 2 - 1}"


async def main(port: int, folder: Path) -> None:
    modem = Modem(folder)
    server = await asyncio.start_server(modem.talk, "127.0.0.1", port)
    async with server, asyncio.TaskGroup() as group:
        group.create_task(modem.feed())
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
