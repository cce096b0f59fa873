"""Dockerfile and docker-compose.yml, checked by schema, by lint and by what they must not do."""

import fnmatch
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from yamllint import linter
from yamllint.config import YamlLintConfig

from gateway.settings import Settings

ROOT = Path(__file__).parent.parent
COMPOSE = ROOT / "docker-compose.yml"
LINT = "{extends: default, rules: {line-length: {max: 120}}}"
SETTINGS = {f"VOCERO_{name.upper()}" for name in Settings.model_fields}

Instruction = tuple[str, str]


def instructions() -> list[Instruction]:
    """The Dockerfile as (word, rest), continued lines joined and comments left out."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(line.split()[0], line.split(None, 1)[1]) for line in joined.splitlines() if line.strip()]


def last_stage() -> dict[str, str]:
    """The last instruction of each kind in the image that is run."""
    found = instructions()
    start = max(number for number, (word, _) in enumerate(found) if word == "FROM")
    return dict(found[start:])


def compose() -> dict[str, Any]:
    document = yaml.safe_load(COMPOSE.read_text())
    assert isinstance(document, dict)
    return document


def services() -> dict[str, dict[str, Any]]:
    found = compose()["services"]
    assert isinstance(found, dict)
    return found


def test_every_instruction_is_one_that_docker_knows() -> None:
    known = {"FROM", "RUN", "COPY", "ENV", "WORKDIR", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
    assert {word for word, _ in instructions()} <= known, "ADD, and what is not listed here, is not used"


def test_base_images_are_pinned_to_a_version() -> None:
    bases = [rest.split()[0] for word, rest in instructions() if word == "FROM"]
    assert bases
    assert [base for base in bases if not re.fullmatch(r"[a-z]+:\d[\w.-]*", base)] == []


def test_libraries_come_by_the_hashes_of_the_lock_alone() -> None:
    installs = [
        step for word, rest in instructions() if word == "RUN" for step in rest.split("&&") if "pip install" in step
    ]
    assert any("--require-hashes -r requirements.lock" in step for step in installs)
    assert [step for step in installs if "--require-hashes" not in step and "--no-deps" not in step] == []


def test_nothing_is_fetched_by_address() -> None:
    assert [rest for word, rest in instructions() if "://" in rest and word != "HEALTHCHECK"] == []


def test_the_image_runs_without_rights_and_says_how_it_is() -> None:
    stage = last_stage()
    user = stage["USER"].split(":")[0]
    assert user not in ("root", "0")
    assert "/healthz" in stage["HEALTHCHECK"]
    assert json.loads(stage["ENTRYPOINT"]) == ["vocero"]
    assert json.loads(stage["CMD"]) == ["serve"]


def test_the_image_holds_no_secret_and_only_known_settings() -> None:
    names = re.findall(r"\b([A-Z][A-Z0-9_]+)=", " ".join(rest for word, rest in instructions() if word == "ENV"))
    assert {name for name in names if name.startswith("VOCERO_")} <= SETTINGS
    assert [name for name in names if re.search("PASSWORD|TOKEN|SECRET", name)] == []


def test_every_copied_path_exists_and_passes_the_ignore_file() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert rules[0] == "*", "what is not named stays outside: data, keys, .env"
    let_in = [rule[1:] for rule in rules if rule.startswith("!")]
    copies = [rest.split() for word, rest in instructions() if word == "COPY" and "--from" not in rest]
    sources = [source for parts in copies for source in parts[:-1]]
    assert sources
    for source in sources:
        name = source.removeprefix("./")
        assert (ROOT / name).exists(), name
        assert any(fnmatch.fnmatch(name, pattern) for pattern in let_in), name


def test_the_compose_file_fits_the_schema_of_the_format() -> None:
    schema = json.loads((ROOT / "tests" / "data" / "compose-schema.json").read_text())
    validator = jsonschema.Draft201909Validator(schema)
    assert [error.message for error in validator.iter_errors(compose())] == []


def test_the_schema_would_refuse_a_misspelt_key() -> None:
    schema = json.loads((ROOT / "tests" / "data" / "compose-schema.json").read_text())
    document = compose()
    document["services"]["gateway"]["heathcheck"] = document["services"]["gateway"].pop("healthcheck")
    assert not jsonschema.Draft201909Validator(schema).is_valid(document)


def test_the_compose_file_passes_the_lint() -> None:
    problems = linter.run(COMPOSE.read_text(), YamlLintConfig(LINT), str(COMPOSE))
    assert [f"line {problem.line}: {problem.desc}" for problem in problems] == []


@pytest.mark.parametrize("name", ["gateway", "database"])
def test_each_service_is_healthy_confined_and_keeps_its_data(name: str) -> None:
    service = services()[name]
    assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert service["user"].split(":")[0] not in ("", "0", "root")
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "privileged" not in service
    assert service["restart"] == "unless-stopped"
    volumes = [volume.split(":")[0] for volume in service["volumes"]]
    assert volumes
    assert set(volumes) <= set(compose()["volumes"])


def test_the_gateway_waits_for_a_healthy_database_and_is_open_to_this_machine_only() -> None:
    gateway = services()["gateway"]
    assert gateway["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert [port for port in gateway["ports"] if not port.startswith("127.0.0.1:")] == []
    assert "ports" not in services()["database"]


def test_compose_and_dockerfile_agree_on_user_and_volumes() -> None:
    gateway = services()["gateway"]
    assert gateway["user"] == last_stage()["USER"]
    assert {volume.split(":")[1] for volume in gateway["volumes"]} == set(json.loads(last_stage()["VOLUME"]))


def test_secrets_come_from_outside_and_settings_are_known() -> None:
    for service in services().values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|DATABASE_URL", name):
                assert "${POSTGRES_PASSWORD:?" in value
            assert not name.startswith("VOCERO_") or name in SETTINGS
    assert services()["gateway"]["env_file"] == [".env"]
