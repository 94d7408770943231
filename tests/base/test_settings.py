import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from callcenter.base.settings import BadSettings, read_settings, var_folder


def _env(tmp_path: Path, **more: str) -> dict[str, str]:
    return {
        "DATABASE_URL": "postgresql://convoca:secreto@db.example/convoca",
        "REDIS_URL": "redis://:secreto@cache.example/0",
        "CONVOCA_VAR": str(tmp_path / "var"),
        **more,
    }


def test_every_fault_is_reported_at_once() -> None:
    with pytest.raises(BadSettings) as fault:
        read_settings(
            {
                "REDIS_URL": "http://cache.example",
                "CONVOCA_CARRIER": "pigeon",
                "CONVOCA_LIVE_PORT": "70000",
                "CONVOCA_PUBLIC_URL": "ftp://convoca.example",
                "CONVOCA_SECRET_KEY": "s",
                "CONVOCA_SUPPRESSION_KEY": "s",
            }
        )
    said = str(fault.value)
    for name in ("DATABASE_URL", "REDIS_URL", "CONVOCA_CARRIER", "CONVOCA_LIVE_PORT", "CONVOCA_PUBLIC_URL"):
        assert name in said


def test_a_real_carrier_needs_its_account_and_ends_the_drill(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match=r"CONVOCA_TWILIO_ACCOUNT_SID.*\n.*CONVOCA_TWILIO_AUTH_TOKEN"):
        read_settings(_env(tmp_path, CONVOCA_CARRIER="twilio"))
    account = {"CONVOCA_TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "CONVOCA_TWILIO_AUTH_TOKEN": "invented"}
    assert not read_settings(_env(tmp_path, CONVOCA_CARRIER="twilio", **account)).is_drill
    assert read_settings(_env(tmp_path)).is_drill


@pytest.mark.parametrize(
    ("public", "said", "carrier", "refused"),
    [
        ("", "", "simulated", False),
        ("http://[::1]:8000", "", "simulated", False),
        ("http://127.0.0.2:8000", "", "simulated", False),
        ("http://127.0.0.1:8000", "refused", "simulated", True),
        ("https://convoca.example", "", "simulated", True),
        ("https://convoca.example", "allowed", "simulated", False),
        ("http://127.0.0.1:8000", "allowed", "twilio", True),
    ],
)
def test_public_passwords_are_for_a_drill_that_nobody_else_reaches(
    tmp_path: Path, public: str, said: str, carrier: str, refused: bool
) -> None:
    account = {"CONVOCA_TWILIO_ACCOUNT_SID": "AC" + "1" * 32, "CONVOCA_TWILIO_AUTH_TOKEN": "t"}
    modes = {"CONVOCA_PUBLIC_URL": public, "CONVOCA_DEMO_PASSWORDS": said, "CONVOCA_CARRIER": carrier}
    assert read_settings(_env(tmp_path, **account, **modes)).demo_passwords_refused is refused


def test_a_drills_messages_leave_by_nothing_real(tmp_path: Path) -> None:
    real = {"CONVOCA_TELEGRAM_TOKEN": "1:real", "CONVOCA_SMTP_URL": "smtps://mail.example"}
    drill = read_settings(_env(tmp_path, CONVOCA_SIMULATED_URL="http://127.0.0.1:7", **real))
    assert (drill.telegram.token, drill.telegram.base_url) == ("777000:simulated", "http://127.0.0.1:7")
    assert drill.mail.url == ""
    assert read_settings(_env(tmp_path, **real)).telegram.base_url == "http://127.0.0.1:9"  # nobody answers there


def test_a_bot_and_a_mail_server_are_told_and_checked(tmp_path: Path) -> None:
    account = {"CONVOCA_CARRIER": "twilio", "CONVOCA_TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
               "CONVOCA_TWILIO_AUTH_TOKEN": "invented"}  # fmt: skip
    given = {
        "CONVOCA_TELEGRAM_TOKEN": "123:abc-D_e",
        "CONVOCA_SMTP_URL": "smtp://convoca@mail.example:587",
        "CONVOCA_SMTP_PASSWORD": "invented-too",
        "CONVOCA_MAIL_SENDER": "Encuestas <avisos@example.org>",
    }
    told = read_settings(_env(tmp_path, **account, **given))
    assert (told.telegram.token, told.telegram.base_url) == ("123:abc-D_e", "https://api.telegram.org")
    assert (told.mail.url, told.mail.sender) == (given["CONVOCA_SMTP_URL"], given["CONVOCA_MAIL_SENDER"])
    assert "invented-too" not in repr(told)
    assert "abc-D_e" not in repr(told)
    none = read_settings(_env(tmp_path, **account))
    assert (none.telegram.token, none.mail.url) == ("", "")
    odd = {"CONVOCA_TELEGRAM_TOKEN": "no token", "CONVOCA_SMTP_URL": "http://mail.example", "CONVOCA_MAIL_SENDER": ""}
    with pytest.raises(BadSettings) as fault:
        read_settings(_env(tmp_path, **account, **odd))
    for name in ("CONVOCA_TELEGRAM_TOKEN", "CONVOCA_SMTP_URL", "CONVOCA_MAIL_SENDER"):
        assert name in str(fault.value)


def test_the_simulated_carriers_webhooks_are_signed_with_the_token_of_this_start(tmp_path: Path) -> None:
    assert read_settings(_env(tmp_path, CONVOCA_SIMULATED_TOKEN="t1")).twilio.auth_token == "t1"


def test_keys_are_made_once_and_for_their_owner_only(tmp_path: Path) -> None:
    first, second = read_settings(_env(tmp_path)), read_settings(_env(tmp_path))
    assert (first.secret_key, first.suppression_key) == (second.secret_key, second.suppression_key)
    assert first.secret_key != first.suppression_key.decode()
    keys = tmp_path / "var" / "keys"
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys.iterdir()} == {0o600}
    assert {key.name for key in keys.iterdir()} == {"secret_key", "suppression_key"}


def test_processes_that_start_at_once_agree_on_the_keys(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: read_settings(_env(tmp_path)).secret_key, range(16)))
    assert len(set(found)) == 1


def test_a_key_file_that_is_missing_or_empty_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="CONVOCA_SECRET_KEY_FILE"):
        read_settings(_env(tmp_path, CONVOCA_SECRET_KEY_FILE=str(tmp_path / "missing")))
    (tmp_path / "empty").touch()
    with pytest.raises(BadSettings, match="CONVOCA_SUPPRESSION_KEY_FILE"):
        read_settings(_env(tmp_path, CONVOCA_SUPPRESSION_KEY_FILE=str(tmp_path / "empty")))


def test_no_secret_shows_when_settings_are_printed(tmp_path: Path) -> None:
    account = {"CONVOCA_TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "CONVOCA_TWILIO_AUTH_TOKEN": "secreto"}
    settings = read_settings(_env(tmp_path, CONVOCA_CARRIER="twilio", CONVOCA_SECRET_KEY="secreto", **account))
    assert "secreto" not in repr(settings)


def test_the_data_folder_is_beside_the_code_unless_said_otherwise(tmp_path: Path) -> None:
    assert var_folder({}) == Path(__file__).parents[2] / "var"
    assert var_folder({"CONVOCA_VAR": str(tmp_path)}) == tmp_path
