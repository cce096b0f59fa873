"""A file that came with a mail: kept by name and hash; only tables of reports were read."""

from uuid import UUID

from sqlmodel import Field, SQLModel


class Attachment(SQLModel, table=True):
    """`size` in bytes, `content_hash` the keyed hash of its SHA-256. Its bytes stand in the raw form of the message."""

    id: UUID = Field(primary_key=True)
    message_id: UUID = Field(foreign_key="message.id", index=True)
    name_sealed: bytes
    content_type: str = Field(max_length=200)
    size: int
    content_hash: bytes
