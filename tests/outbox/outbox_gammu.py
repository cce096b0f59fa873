"""The tables that gammu-smsd 1.42 and this gateway both touch (schema version 17), as its manual describes them."""

import sqlite3
from pathlib import Path

TABLES = """
CREATE TABLE inbox (ID INTEGER PRIMARY KEY AUTOINCREMENT, UpdatedInDB TEXT, ReceivingDateTime TEXT, Text TEXT,
    SenderNumber TEXT, Coding TEXT, UDH TEXT, TextDecoded TEXT, RecipientID TEXT, Processed TEXT DEFAULT 'false');
CREATE TABLE outbox (ID INTEGER PRIMARY KEY AUTOINCREMENT, UpdatedInDB TEXT, InsertIntoDB TEXT, SendingDateTime TEXT,
    Text TEXT, DestinationNumber TEXT, Coding TEXT, UDH TEXT, TextDecoded TEXT, MultiPart TEXT DEFAULT 'false',
    SendingTimeOut TEXT, DeliveryReport TEXT, CreatorID TEXT, Retries INTEGER DEFAULT 0, Priority INTEGER DEFAULT 0,
    Status TEXT DEFAULT 'Reserved', StatusCode INTEGER DEFAULT -1);
CREATE TABLE outbox_multipart (ID INTEGER, SequencePosition INTEGER, Text TEXT, Coding TEXT, UDH TEXT, TextDecoded TEXT,
    PRIMARY KEY (ID, SequencePosition));
CREATE TABLE sentitems (ID INTEGER, SequencePosition INTEGER, UpdatedInDB TEXT, SendingDateTime TEXT, Text TEXT,
    DestinationNumber TEXT, TextDecoded TEXT, CreatorID TEXT, Status TEXT, StatusCode INTEGER,
    PRIMARY KEY (ID, SequencePosition));
CREATE TABLE phones (ID TEXT, UpdatedInDB TEXT, TimeOut TEXT, Battery INTEGER, Signal INTEGER, IMEI TEXT PRIMARY KEY);
"""


def make_tables(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.executescript(TABLES)
    connection.close()
