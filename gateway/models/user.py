"""Who may open the pages."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from outbox.tables import words_check

ROLES = ("admin", "coordinator", "analyst", "signatory", "auditor")


class User(SQLModel, table=True):
    """A person with a login. `contact_id` ties a coordinator's login to the contact whose places it may see."""

    __tablename__ = "app_user"
    __table_args__ = (words_check("role", ROLES),)

    id: UUID = Field(primary_key=True)
    name: str = Field(max_length=64, unique=True)
    role: str = Field(max_length=12)
    contact_id: UUID | None = Field(default=None, foreign_key="contact.id")
    password_hash: str | None = Field(default=None, max_length=255)
    language: str = Field(default="es", max_length=8)
    active: bool = True
    failures: int = 0
    locked_until: datetime | None = None
    created_at: datetime


class UserLink(SQLModel, table=True):
    """A one-time link to set a password; only the token's hash is kept."""

    __tablename__ = "user_link"

    token_hash: bytes = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="app_user.id", index=True)
    expires_at: datetime
    used_at: datetime | None = None


class Session(SQLModel, table=True):
    """A login: idle 30 minutes, 12 hours at most, revocable. Only the cookie's hash is kept."""

    __tablename__ = "user_session"

    token_hash: bytes = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="app_user.id", index=True)
    csrf: str = Field(max_length=64)
    created_at: datetime
    seen_at: datetime
    revoked_at: datetime | None = None
