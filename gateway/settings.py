"""Settings from the environment and a `.env` file; each is `VOCERO_` and the field's name in capitals."""

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What an operator decides before the start. Times in the unit the name says."""

    model_config = SettingsConfigDict(env_prefix="VOCERO_", env_file=".env", extra="ignore")

    data_dir: Path = Field(default=Path("./data"), description="Folder of the database, key, locks and backups.")
    database_url: str | None = Field(
        default=None, description="SQLAlchemy or `postgresql://` address; default SQLite in the data dir."
    )
    key_file: Path | None = Field(default=None, description="File of the sealing keys; default DATA_DIR/vocero.key.")
    host: str = Field(default="127.0.0.1", description="Address the web server listens on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port the web server listens on.")
    public_url: str | None = Field(
        default=None, description="Address under which others reach this gateway; default http://HOST:PORT."
    )
    allow_http: bool = Field(default=False, description="Allow logins over plain http on private addresses.")
    node_name: str = Field(default="oficina", max_length=64, description="Name of this installation.")
    pack: str = Field(default="gt", max_length=64, description="Codebook pack a new database starts with.")
    ref_start: int = Field(default=3000, ge=1, description="First report number of a new database.")
    question_hours: int = Field(default=24, ge=1, le=168, description="Hours an open question waits for its answer.")
    repeat_hours: int = Field(
        default=24, ge=1, le=168, description="Hours within which the same text of a sender is a repeat."
    )
    intake_queue: int = Field(default=2000, ge=1, description="Texts that may wait to be kept before callers get 503.")
    intake_batch: int = Field(default=96, ge=1, le=1000, description="Texts kept in one transaction at most.")
    disk_reserve_mb: int = Field(default=200, ge=0, description="Free space below which nothing more is accepted.")
    read_limit_s: float = Field(
        default=5.0, gt=0, description="Seconds one text may take to read before the process is ended."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level that is logged."
    )
    log_format: Literal["json", "console"] = Field(default="json", description="Form of the log lines.")
    simulator: bool = Field(default=False, description="Offer the phone simulator and the mailbox page.")

    @field_validator("public_url")
    @classmethod
    def _without_slash(cls, value: str | None) -> str | None:
        return value.rstrip("/") if value else None

    @property
    def sqlite_path(self) -> Path | None:
        """File of the SQLite database, None on Postgres."""
        url = self.url
        return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite") else None

    @property
    def url(self) -> str:
        """SQLAlchemy address with the driver named."""
        if not self.database_url:
            return f"sqlite:///{self.data_dir.absolute() / 'vocero.db'}"
        for plain in ("postgresql://", "postgres://"):
            if self.database_url.startswith(plain):
                return "postgresql+psycopg://" + self.database_url.removeprefix(plain)
        return self.database_url

    @property
    def key_path(self) -> Path:
        return self.key_file or self.data_dir / "vocero.key"

    @property
    def base_url(self) -> str:
        return self.public_url or f"http://{self.host}:{self.port}"
