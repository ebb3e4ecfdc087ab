"""The settings file: what it gives, and that a wrong one is refused with every problem named."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.adapters.registry import VENDORS
from bridge.adapters.zammad.adapter import ZammadConfig
from bridge.adapters.zammad.settings import ZammadSettings
from bridge.bootstrap import opened
from bridge.errors import SettingsError
from bridge.policy.service_hours import Hours
from bridge.policy.terms import Terms
from bridge.settings import Purpose, Settings, load_settings
from bridge.settings.secrets import Secrets, secret_variable, warn_of_exposed
from bridge.settings.sections import HelpdeskOptions
from bridge.ticket import Status
from tests.settings_table import Key, tables

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "points-bridge.example.toml"
SECRETS = {
    "POINTS_BRIDGE_SUPPORT_TOKEN": "token-canary",
    "POINTS_BRIDGE_SUPPORT_WEBHOOK_SECRET": "hook-canary-0123456",
}
MINIMAL = """
[defaults]
zone = "Europe/Berlin"
[helpdesks.support]
vendor = "zammad"
url = "https://helpdesk.example.com"
"""

Load = Callable[..., Settings]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load_text(text: str = MINIMAL, environ: Mapping[str, str] = SECRETS) -> Settings:
        path = tmp_path / "points-bridge.toml"
        path.write_text(text, "utf-8")
        return load_settings(path, environ)

    return load_text


def problems(load: Load, text: str, environ: Mapping[str, str] = SECRETS) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load(text, environ)
    return str(refused.value).splitlines()


def zammad(settings: Settings, name: str = "support") -> ZammadSettings:
    vendor_settings = settings.helpdesks[name].vendor_settings
    assert isinstance(vendor_settings, ZammadSettings)
    return vendor_settings


class TestAGoodFile:
    def test_may_be_short_and_then_holds_the_defaults_of_the_terms(self, load: Load) -> None:
        settings = load()
        assert settings.terms == Terms()
        assert settings.helpdesks["support"].options.held_status is None
        assert settings.texts.languages >= {"en", "de"}

    def test_gives_the_terms_in_the_units_that_the_policy_computes_with(self, load: Load) -> None:
        terms = load(
            MINIMAL + "[terms]\nresponse_hours = 1.5\nat_risk_minutes = 30\nlook_back_hours = 24\n"
            'price = 7\nhold_days = 3\nhold_reminder_days = []\nlate_reopen = "refuse"\n'
            "reopen_days = 0\ncredit_days = 5\n"
        ).terms
        assert terms == Terms(
            price=7,
            look_back=timedelta(days=1),
            hold_reminder_days=(),
            hold_days=3,
            response_seconds=5400,
            at_risk_seconds=1800,
            reopen_days=0,
            late_reopen="refuse",
            credit_days=5,
        )

    @pytest.mark.parametrize("given", ["points.db", "data/points.db"])
    def test_places_the_database_beside_itself(
        self, load: Load, tmp_path: Path, given: str
    ) -> None:
        settings = load(f'database = "sqlite:///{given}"\n' + MINIMAL)
        assert settings.database == f"sqlite:///{tmp_path.resolve() / given}"

    def test_may_name_the_database_by_its_full_path(self, load: Load) -> None:
        url = "sqlite:////var/lib/points.db"
        assert load(f'database = "{url}"\n' + MINIMAL).database == url

    def test_may_write_countries_and_states_as_people_do(self, load: Load) -> None:
        place = 'zone = "Europe/Berlin"\ncountry = "Germany"\nsubdivision = "Bayern"'
        defaults = load(MINIMAL.replace('zone = "Europe/Berlin"', place)).defaults
        assert (defaults.country, defaults.subdivision) == ("DE", "BY")

    def test_counts_instants_in_utc(self, load: Load) -> None:
        since = load(MINIMAL + "in_service_since = 2026-11-01T02:00:00+02:00\n")
        instant = since.helpdesks["support"].options.in_service_since
        assert instant == datetime(2026, 11, 1, tzinfo=UTC)
        assert str(instant).endswith("+00:00")

    def test_says_what_becomes_of_held_and_declined_tickets(self, load: Load) -> None:
        settings = load(MINIMAL + 'declined_status = "open"\nheld_status = "pending"\n')
        options = settings.helpdesks["support"].options
        assert (options.declined_status, options.held_status) == (Status.OPEN, Status.PENDING)

    def test_may_configure_several_helpdesks_with_secrets_of_their_own(self, load: Load) -> None:
        second = '[helpdesks.us-west]\nvendor = "zammad"\nurl = "http://127.0.0.1:3000/"\n'
        west = {
            "POINTS_BRIDGE_US_WEST_TOKEN": "west-token",
            "POINTS_BRIDGE_US_WEST_WEBHOOK_SECRET": "west-hook-0123456789",
        }
        settings = load(MINIMAL + second, SECRETS | west)
        assert set(settings.helpdesks) == {"support", "us-west"}
        assert zammad(settings, "us-west").token.get_secret_value() == "west-token"
        assert zammad(settings).token.get_secret_value() == "token-canary"

    def test_may_bring_texts_and_so_a_language_of_its_own(self, load: Load, tmp_path: Path) -> None:
        (tmp_path / "own").mkdir()
        english = (ROOT / "bridge/texts/en.toml").read_text("utf-8")
        (tmp_path / "own/fr.toml").write_text(english, "utf-8")
        text = MINIMAL.replace("[defaults]", '[defaults]\nlanguage = "fr"')
        assert "fr" in load(text + '[texts]\ndirectory = "own"\n').texts.languages

    def test_says_when_support_is_open(self, load: Load) -> None:
        said = (
            'zone = "Europe/Berlin"\nhours = "Mon-Thu 08:00-18:00"\nholidays = ["public"]\n'
            'closed = ["2026-12-24"]\nworked = ["2026-10-03"]\nopen = ["2026-12-31 09:00-12:00"]'
        )
        hours = load(MINIMAL.replace('zone = "Europe/Berlin"', said)).defaults.service_hours()
        assert hours.as_dict() == {
            "hours": "Mon-Thu 08:00-18:00",
            "holiday_categories": ["public"],
            "closed": ["2026-12-24"],
            "worked": ["2026-10-03"],
            "open": ["2026-12-31 09:00-12:00"],
        }

    def test_says_that_support_is_open_around_the_clock(self, load: Load) -> None:
        said = 'zone = "Europe/Berlin"\nhours = "24/7"'
        hours = load(MINIMAL.replace('zone = "Europe/Berlin"', said)).defaults.service_hours()
        assert hours == Hours(around_the_clock=True)

    def test_cannot_be_changed_once_it_is_read(self, load: Load) -> None:
        settings = load()
        with pytest.raises(TypeError):
            settings.helpdesks["other"] = settings.helpdesks["support"]  # type: ignore[index]  # the point
        with pytest.raises(ValueError, match="frozen"):
            settings.defaults.zone = "UTC"  # the point


class TestSecrets:
    def test_never_show(self, load: Load) -> None:
        settings = load()
        shown = f"{settings!r} {settings} {settings.helpdesks['support'].vendor_settings}"
        assert "canary" not in shown
        secret = zammad(settings).webhook_secret
        assert secret is not None
        assert secret.get_secret_value() == "hook-canary-0123456"

    def test_may_come_from_a_file_whose_last_newline_does_not_count(
        self, load: Load, tmp_path: Path
    ) -> None:
        (tmp_path / "token").write_text(" from a file \r\n", "utf-8")
        environ = SECRETS | {
            "POINTS_BRIDGE_SUPPORT_TOKEN": "",
            "POINTS_BRIDGE_SUPPORT_TOKEN_FILE": str(tmp_path / "token"),
        }
        settings = load(MINIMAL, environ)
        assert zammad(settings).token.get_secret_value() == " from a file "

    def test_may_be_two_while_one_replaces_the_other(self, load: Load) -> None:
        environ = SECRETS | {"POINTS_BRIDGE_SUPPORT_WEBHOOK_SECRET_PREVIOUS": "old"}
        previous = zammad(load(MINIMAL, environ)).webhook_secret_previous
        assert previous is not None
        assert previous.get_secret_value() == "old"
        assert zammad(load()).webhook_secret_previous is None

    @pytest.mark.parametrize("secret", ["abc", "fifteen-charact"])
    def test_of_a_webhook_that_can_be_guessed_are_refused(self, load: Load, secret: str) -> None:
        environ = SECRETS | {"POINTS_BRIDGE_SUPPORT_WEBHOOK_SECRET": secret}
        [problem] = problems(load, MINIMAL, environ)
        assert "helpdesks.support.webhook_secret: is shorter than 16 characters" in problem
        assert "`points-bridge setup`" in problem
        assert "openssl rand -hex 32" in problem
        assert secret not in problem

    def test_of_a_zendesks_webhooks_that_were_cut_off_are_refused(self, load: Load) -> None:
        text = MINIMAL.replace('"zammad"', '"zendesk"\nclient_id = "x"')
        environ = {
            "POINTS_BRIDGE_SUPPORT_CLIENT_SECRET": "short",
            "POINTS_BRIDGE_SUPPORT_WEBHOOK_SECRET": "cut",
            "POINTS_BRIDGE_SUPPORT_EVENT_WEBHOOK_SECRET": "off",
        }
        found = problems(load, text, environ)
        assert [line.split(": ")[1].rpartition(".")[2] for line in found] == [
            "webhook_secret",
            "event_webhook_secret",
        ]

    @pytest.mark.parametrize("value", ["", "\n", "  "])
    def test_that_are_empty_are_missing(self, load: Load, value: str) -> None:
        environ = SECRETS | {"POINTS_BRIDGE_SUPPORT_TOKEN": value}
        [problem] = problems(load, MINIMAL, environ)
        assert "helpdesks.support.token: is not set" in problem
        assert "put it into POINTS_BRIDGE_SUPPORT_TOKEN, or into a file" in problem

    @pytest.mark.parametrize("key", ["token", "webhook_secret", "webhook_secret_previous"])
    @pytest.mark.parametrize("environ", [SECRETS, {}], ids=["set as well", "not set"])
    def test_in_the_settings_file_are_refused_and_not_repeated(
        self, load: Load, key: str, environ: Mapping[str, str]
    ) -> None:
        found = problems(load, MINIMAL + f'{key} = "file-canary"\n', environ)
        [problem] = [line for line in found if f"support.{key}:" in line]
        assert "does not belong in this file" in problem
        assert secret_variable("support", key) in problem
        assert "canary" not in "".join(found)

    def test_given_twice_are_refused(self, load: Load, tmp_path: Path) -> None:
        environ = SECRETS | {"POINTS_BRIDGE_SUPPORT_TOKEN_FILE": str(tmp_path / "token")}
        [problem] = problems(load, MINIMAL, environ)
        assert "are both set; unset one" in problem

    def test_that_are_no_text_are_refused(self, load: Load) -> None:
        """As Python hands on a byte that is no UTF-8; it could not be sent."""
        environ = SECRETS | {"POINTS_BRIDGE_SUPPORT_TOKEN": "canary\udcff"}
        [problem] = problems(load, MINIMAL, environ)
        assert "POINTS_BRIDGE_SUPPORT_TOKEN is not text in UTF-8" in problem
        assert "canary" not in problem

    @pytest.mark.parametrize(
        ("name", "content", "reason"),
        [
            ("absent", None, "No such file"),
            (".", None, "Is a directory"),
            ("latin", b"\xff\xfecanary", "not text in UTF-8"),
        ],
    )
    def test_in_a_file_that_cannot_be_read_are_complained_of_once(
        self, load: Load, tmp_path: Path, name: str, content: bytes | None, reason: str
    ) -> None:
        file = tmp_path / name
        if content is not None:
            file.write_bytes(content)
        environ = {
            "POINTS_BRIDGE_SUPPORT_TOKEN_FILE": str(file),
            "POINTS_BRIDGE_SUPPORT_WEBHOOK_SECRET": "hook-canary-0123456",
        }
        [problem] = problems(load, MINIMAL, environ)
        assert f"POINTS_BRIDGE_SUPPORT_TOKEN_FILE: cannot read {file}" in problem
        assert reason in problem
        assert "canary" not in problem


class TestForTheLedgerAlone:
    """ "Operators who only keep the ledger need no helpdesk secret." """

    def read(self, tmp_path: Path, text: str, environ: Mapping[str, str]) -> Settings:
        path = tmp_path / "points-bridge.toml"
        path.write_text(text, "utf-8")
        return load_settings(path, environ, Purpose.LEDGER)

    def test_no_secret_is_asked_for(self, tmp_path: Path) -> None:
        zendesk = '[helpdesks.cloud]\nvendor = "zendesk"\nurl = "acme"\nclient_id = "x"\n'
        settings = self.read(tmp_path, MINIMAL + zendesk, {})
        assert [one.vendor_settings for one in settings.helpdesks.values()] == [None, None]
        assert settings.helpdesks["cloud"].options.vendor == "zendesk"

    def test_no_secret_is_read(self, tmp_path: Path) -> None:
        assert "canary" not in repr(self.read(tmp_path, MINIMAL, SECRETS))

    def test_all_else_is_looked_at(self, tmp_path: Path) -> None:
        text = MINIMAL.replace("Berlin", "Bern") + 'held_status = "closed"\n'
        with pytest.raises(SettingsError) as refused:
            self.read(tmp_path, text, {})
        assert len(str(refused.value).splitlines()) == 2


class TestTheSecretsDirectory:
    """Where secrets are that the environment does not hold; `setup` keeps its own there."""

    TOKEN: Mapping[str, str] = MappingProxyType({"POINTS_BRIDGE_SUPPORT_TOKEN": "token-canary"})

    @pytest.mark.parametrize("given", [None, "kept", "/"])
    def test_holds_a_file_for_each_secret(
        self, load: Load, tmp_path: Path, given: str | None
    ) -> None:
        name = f"{tmp_path}/elsewhere" if given == "/" else given
        directory = tmp_path / (name or "secrets")
        directory.mkdir()
        (directory / "support_webhook_secret").write_text("from-a-file-0123456789\n", "utf-8")
        text = f'secrets_directory = "{name}"\n{MINIMAL}' if name else MINIMAL
        secret = zammad(load(text, self.TOKEN)).webhook_secret
        assert secret is not None
        assert secret.get_secret_value() == "from-a-file-0123456789"

    def test_comes_after_the_environment(self, load: Load, tmp_path: Path) -> None:
        (tmp_path / "secrets").mkdir()
        (tmp_path / "secrets/support_token").write_text("another", "utf-8")
        assert zammad(load()).token.get_secret_value() == "token-canary"

    def test_without_what_setup_keeps_there_says_how_to_get_it(self, load: Load) -> None:
        [problem] = problems(load, MINIMAL, self.TOKEN)
        assert "support.webhook_secret: is not set" in problem
        assert problem.endswith("or run `points-bridge setup support`")

    @pytest.mark.parametrize("named", [True, False], ids=["a file named", "no file named"])
    def test_may_be_empty_while_setting_up(self, tmp_path: Path, named: bool) -> None:
        path = tmp_path / "points-bridge.toml"
        path.write_text(MINIMAL, "utf-8")
        absent = {"POINTS_BRIDGE_SUPPORT_WEBHOOK_SECRET_FILE": str(tmp_path / "to-come")}
        environ = {**self.TOKEN, **(absent if named else {})}
        settings = load_settings(path, environ, purpose=Purpose.SET_UP)
        assert zammad(settings).webhook_secret is None
        with pytest.raises(SettingsError):
            load_settings(path, environ)

    def test_keeps_a_secret_for_its_owner_alone(self, load: Load, tmp_path: Path) -> None:
        secrets = Secrets("support", tmp_path / "new" / "secrets", self.TOKEN)
        path = tmp_path / "new/secrets/support_webhook_secret"
        assert secrets.place("webhook_secret") == path
        for value in ("first-canary", "second-canary"):
            secrets.keep("webhook_secret", value)
            assert secrets.read("webhook_secret", required=True, may_come=False) == value
        modes = [file.stat().st_mode & 0o777 for file in (path, path.parent)]
        assert modes == [0o600, 0o700]
        assert [file.name for file in path.parent.iterdir()] == [path.name]

    def test_is_not_used_where_a_file_is_named(self, tmp_path: Path) -> None:
        file = tmp_path / "mine"
        environ = {"POINTS_BRIDGE_SUPPORT_WEBHOOK_SECRET_FILE": str(file)}
        secrets = Secrets("support", tmp_path / "secrets", environ)
        secrets.keep("webhook_secret", "canary")
        assert file.read_text("utf-8") == "canary\n"
        assert not (tmp_path / "secrets").exists()

    def test_does_not_replace_what_the_environment_holds(self, tmp_path: Path) -> None:
        secrets = Secrets("support", tmp_path, SECRETS)
        assert secrets.place("webhook_secret") is None
        with pytest.raises(SettingsError, match="unset it"):
            secrets.keep("webhook_secret", "canary")

    def test_that_cannot_be_written_is_told_without_the_secret(self, tmp_path: Path) -> None:
        (tmp_path / "secrets").touch()
        secrets = Secrets("support", tmp_path / "secrets", self.TOKEN)
        with pytest.raises(SettingsError, match="the secret cannot be kept there") as refused:
            secrets.keep("webhook_secret", "canary")
        assert "canary" not in f"{refused.value!r}{secrets!r}"


class TestExposedSecrets:
    @pytest.fixture
    def home(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
        """A home directory that everybody may enter; those of pytest are its user's alone."""
        with TemporaryDirectory(dir="/tmp") as name:
            home = Path(name)
            home.chmod(0o755)
            monkeypatch.setenv("HOME", name)
            yield home

    @staticmethod
    def settings(home: Path, mode: int) -> Settings:
        token, path = home / "token", home / "points-bridge.toml"
        token.write_text("canary-token", "utf-8")
        token.chmod(mode)
        path.write_text(MINIMAL, "utf-8")
        environ = dict(SECRETS)
        del environ["POINTS_BRIDGE_SUPPORT_TOKEN"]
        return load_settings(path, environ | {"POINTS_BRIDGE_SUPPORT_TOKEN_FILE": str(token)})

    @pytest.mark.parametrize(
        ("mode", "everybody"),
        [(0o600, None), (0o400, None), (0o640, False), (0o644, True), (0o444, True), (0o604, True)],
    )
    def test_are_found_by_the_mode_of_their_file(
        self, home: Path, mode: int, everybody: bool | None
    ) -> None:
        found = self.settings(home, mode).exposed()
        assert [one.group is None for one in found] == ([] if everybody is None else [everybody])
        assert all(one.path == home / "token" for one in found)

    def test_are_none_in_a_directory_that_nobody_else_may_enter(self, home: Path) -> None:
        home.chmod(0o700)
        assert self.settings(home, 0o644).exposed() == []

    @pytest.mark.parametrize(("mode", "warned"), [(0o644, True), (0o640, False), (0o600, False)])
    def test_are_warned_of_at_the_start(
        self, home: Path, mode: int, warned: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with capture_logs() as logs:
            warn_of_exposed(self.settings(home, mode).exposed())
            monkeypatch.setenv("HOME", "/var/empty")  # it may be a mount of a container
            warn_of_exposed(self.settings(home, mode).exposed())
        assert [one["file"] for one in logs] == [str(home / "token")] * warned
        assert "canary" not in str(logs)

    def test_in_a_settings_file_that_others_can_read_are_to_be_made_anew(self, home: Path) -> None:
        path = home / "points-bridge.toml"
        path.write_text(f'{MINIMAL}token = "canary"\n', "utf-8")
        path.chmod(0o644)
        with pytest.raises(SettingsError, match="which others can read: make a new one; put it"):
            load_settings(path, SECRETS)
        path.chmod(0o600)
        with pytest.raises(SettingsError, match="belong in this file; put it"):
            load_settings(path, SECRETS)


WRONG = [
    # what is added below the helpdesk's table, the key that is named, what is said of it
    ('datebase = "x"', "helpdesks.support.datebase", "unknown key"),
    ('declined_staus = "open"', "helpdesks.support.declined_staus", "did you mean declined_status"),
    ('declined_status = "gone"', "helpdesks.support.declined_status", "'closed' or 'open'"),
    ('held_status = "closed"', "helpdesks.support.held_status", "must be 'pending'"),
    ('buy_text = " "', "helpdesks.support.buy_text", "that people can read; write a sentence"),
    ('buy_link = "shop.example"', "helpdesks.support.buy_link", "is no link; write https://..."),
    ('buy_link = "https://"', "helpdesks.support.buy_link", "is no link; write https://..."),
    ('buy_link = "https://a b"', "helpdesks.support.buy_link", "is no link; write https://..."),
    (
        "in_service_since = 2026-11-01T00:00:00",
        "helpdesks.support.in_service_since",
        "with Z",
    ),
    (
        "in_service_since = 0001-01-01T00:00:00+14:00",
        "helpdesks.support.in_service_since",
        "a day of this century",
    ),
    ('in_service_since = "now"', "helpdesks.support.in_service_since", "without quotes"),
    ("deadline_seconds = inf", "helpdesks.support.deadline_seconds", "finite"),
    ("[terms]\npric = 3", "terms.pric", "did you mean price?"),
    ("[terms]\nprice = 0", "terms.price", "greater than or equal to 1"),
    ("[terms]\nprice = true", "terms.price", "a whole number"),
    ("[terms]\nprice = 9.5", "terms.price", "a whole number"),
    ("[terms]\nhold_reminder_days = 7", "terms.hold_reminder_days", "a list"),
    ("[terms]\nhold_reminder_days = [7, 1]", "terms.hold_reminder_days", "in order"),
    ("[terms]\nhold_reminder_days = [0, 1]", "terms.hold_reminder_days", "from 1 on"),
    ("[terms]\nhold_reminder_days = [1, 14]", "terms.hold_reminder_days", "ends the hold"),
    ("[terms]\nat_risk_minutes = 241", "terms.at_risk_minutes", "longer than the response_hours"),
    ('[terms]\nlate_reopen = "never"', "terms.late_reopen", "'gate' or 'refuse'"),
    ("[listen]\nport = 80000", "listen.port", "less than or equal to 65535"),
    ('[listen]\nport = "80"', "listen.port", "without quotes"),
    ("[listen]\nhost = 1", "listen.host", "a text in quotes"),
    ('[listen]\npublic_url = "points.example.com"', "listen.public_url", "is not a web address"),
    ('[listen]\npublic_url = "https://a@b.example"', "listen.public_url", "more than an address"),
    *(
        (f'[listen]\npublic_url = "{url}"', "listen.public_url", said)
        for url, said in {
            "https://points.example/webhooks/support": "write https://points.example",
            "https://points.example/in/webhooks/": "write https://points.example/in",
            "https://points.example/?a=b": "without user, query or fragment",
            "https://points.example/?": "without user, query or fragment",
            "https://points.example#": "without user, query or fragment",
            "https://points.example ": "without user, query or fragment",
            "http://points.example.com": "write https://",
            "http://8.8.8.8:8080": "for a try, http:// with a private address",
        }.items()
    ),
    ('[texts]\ndirectory = "none"', "texts.directory", "no directory 'none'"),
    ("[helpdesk]", "helpdesk", "did you mean helpdesks?"),
    ('[helpdesks.x]\nvendor = "samad"', "helpdesks.x.vendor", "known: zammad"),
    ("[helpdesks.x]", "helpdesks.x.vendor", "is missing"),
    ("[helpdesks.A_b]", "helpdesks.A_b", "lower-case letters"),
]


class TestAWrongFile:
    @pytest.mark.parametrize(("added", "key", "said"), WRONG)
    def test_is_refused_naming_file_key_and_remedy(
        self, load: Load, tmp_path: Path, added: str, key: str, said: str
    ) -> None:
        [problem] = problems(load, f"{MINIMAL}{added}\n")
        where, text = problem.split(f": {key}: ")
        assert where == str(tmp_path / "points-bridge.toml")
        assert said in text

    @pytest.mark.parametrize(
        ("right", "wrong", "key", "said"),
        [
            ('zone = "Europe/Berlin"', "", "defaults.zone", "is missing"),
            ("Europe/Berlin", "Europe/Berln", "defaults.zone", "Europe/Berlin"),
            ("[defaults]", '[defaults]\ncountry = "Germnay"', "defaults.country", "GERMANY"),
            ("[defaults]", '[defaults]\nsubdivision = "BY"', "defaults.subdivision", "add country"),
            ("[defaults]", "listen = 3\n[defaults]", "listen", "must be a table"),
            (
                "[defaults]",
                '[defaults]\ncountry = "DE"\nsubdivision = "TX"',
                "defaults.subdivision",
                "known: ",
            ),
            ("[defaults]", '[defaults]\nlanguage = "fr"', "defaults.language", "only in: de, en"),
            ("[defaults]", '[defaults]\nhours = "Mon 9-17"', "defaults.hours", "like 09:00-17:00"),
            ("[defaults]", '[defaults]\nholidays = ["bnk"]', "defaults.holidays", "bank"),
            ("[defaults]", '[defaults]\nclosed = ["Monday"]', "defaults.closed", "2026-12-24"),
            ("[defaults]", "[defaults]\nclosed = [2026-12-24]", "defaults.closed.0", "in quotes"),
            ("[defaults]", '[defaults]\nworked = "2026-12-24"', "defaults.worked", "be a list"),
            ("[defaults]", '[defaults]\nopen = ["2026-12-24"]', "defaults.open", "with hours"),
        ],
    )
    def test_is_refused_for_wrong_defaults(
        self, load: Load, right: str, wrong: str, key: str, said: str
    ) -> None:
        [problem] = problems(load, MINIMAL.replace(right, wrong))
        assert f": {key}: " in problem
        assert said.casefold() in problem.casefold()

    @pytest.mark.parametrize(
        "url",
        [
            "postgresql://user:canary@db/points",
            "sqlite://",
            "sqlite:///",
            "sqlite:///:memory:",
            "sqlite:///points.db?mode=ro",
            "points.db",
        ],
    )
    def test_is_refused_for_a_database_that_keeps_nothing_or_is_no_sqlite(
        self, load: Load, url: str
    ) -> None:
        [problem] = problems(load, f'database = "{url}"\n' + MINIMAL)
        assert ": database: write sqlite:///FILE" in problem
        assert "canary" not in problem

    @pytest.mark.parametrize(
        "url",
        [
            "http://helpdesk.example.com",
            "http://127.0.0.1.example.com",
            "https://user:canary@helpdesk.example.com",
            "https://helpdesk.example.com/?token=canary",
            "https://helpdesk.example.com:port",
            "https://[::1",
            "https://",
            "ftp://helpdesk.example.com",
            "helpdesk.example.com",
            "",
        ],
    )
    def test_is_refused_for_an_address_that_would_give_the_token_away(
        self, load: Load, url: str
    ) -> None:
        [problem] = problems(load, MINIMAL.replace("https://helpdesk.example.com", url))
        assert "helpdesks.support.url: " in problem
        assert "https://" in problem
        assert "canary" not in problem

    @pytest.mark.parametrize("host", ["localhost:3000", "127.0.0.1", "[::1]:80"])
    def test_is_not_refused_for_plain_http_on_the_same_machine(self, load: Load, host: str) -> None:
        text = MINIMAL.replace("https://helpdesk.example.com", f"http://{host}/")
        assert zammad(load(text)).url == f"http://{host}"

    @pytest.mark.parametrize(
        "host",
        [
            "localhost:80",
            "127.0.0.1",
            "[::1]",
            "192.168.1.7:8080",
            "10.0.0.1",
            "[fd00::1]",
            "bridge:8080",
            "points.internal",
            "points.local",
        ],
    )
    def test_is_not_refused_for_plain_http_in_a_network_of_ones_own(
        self, load: Load, host: str
    ) -> None:
        text = MINIMAL + f'[listen]\npublic_url = "http://{host}"\n'
        assert load(text).listen.public_url == f"http://{host}"

    @pytest.mark.parametrize("path", ["/api/v1", "/api/v1/", "/api"])
    def test_is_refused_for_the_address_of_a_zammads_api(self, load: Load, path: str) -> None:
        url = "https://helpdesk.example.com"
        [problem] = problems(load, MINIMAL.replace(url, f"{url}/desk{path}"))
        assert "helpdesks.support.url: holds the path of Zammad's API" in problem
        assert problem.endswith(f"write {url}/desk")

    @pytest.mark.parametrize(
        ("vendor", "one", "other"),
        [
            ("zammad", "https://helpdesk.example.com", "https://HELPDESK.example.com:443/"),
            ("zammad", "http://127.0.0.1:3000", "http://localhost:3000/"),
            ("zendesk", "acme", "https://acme.zendesk.com"),
        ],
    )
    def test_is_refused_for_one_helpdesk_under_two_names(
        self, load: Load, vendor: str, one: str, other: str
    ) -> None:
        more = 'client_id = "x"\n' if vendor == "zendesk" else ""
        text = '[defaults]\nzone = "UTC"\n' + "".join(
            f'[helpdesks.{name}]\nvendor = "{vendor}"\nurl = "{url}"\n{more}'
            for name, url in (("first", one), ("second", other))
        )
        secrets = ("TOKEN",) if vendor == "zammad" else ("CLIENT_SECRET", "EVENT_WEBHOOK_SECRET")
        environ = {
            f"POINTS_BRIDGE_{name}_{secret}": "canary-0123456789"
            for name in ("FIRST", "SECOND")
            for secret in (*secrets, "WEBHOOK_SECRET")
        }
        [problem] = problems(load, text, environ)
        assert ": helpdesks.second.url: is that of helpdesks.first" in problem
        for old, new in (("//localhost:3000", "//localhost:3001"), ("acme.", "b."), (":443", "")):
            text = text.replace(old, new)
        apart = load(text.replace("HELPDESK", "elsewhere"), environ)
        assert set(apart.helpdesks) == {"first", "second"}

    def test_names_every_problem_at_once(self, load: Load) -> None:
        found = problems(
            load,
            """
            databse = "x"
            [defaults]
            zone = "Mars/Base"
            language = "xx"
            [terms]
            price = -1
            response_hours = "four"
            [helpdesks.support]
            vendor = "zammad"
            token = "canary"
            zone_feld = "x"
            [helpdesks.other]
            vendor = "zendsk"
            """,
            {},
        )
        keys = [line.split(": ")[1] for line in found]
        assert sorted(keys) == [
            "databse",
            "defaults.language",
            "defaults.zone",
            "helpdesks.other.vendor",
            "helpdesks.support.token",
            "helpdesks.support.url",
            "helpdesks.support.webhook_secret",
            "helpdesks.support.zone_feld",
            "terms.price",
            "terms.response_hours",
        ]

    @pytest.mark.parametrize(
        ("helpdesks", "said"),
        [("", "is missing"), ("[helpdesks]", "at least one"), ("helpdesks = 1", "must be a table")],
    )
    def test_needs_a_helpdesk(self, load: Load, helpdesks: str, said: str) -> None:
        [problem] = problems(load, f'{helpdesks}\n[defaults]\nzone = "UTC"\n')
        assert ": helpdesks: " in problem
        assert said in problem

    def test_names_the_text_that_is_wrong(self, load: Load, tmp_path: Path) -> None:
        (tmp_path / "own").mkdir()
        (tmp_path / "own/de.toml").write_text("[no_such_text]\ntext = 'x'\n", "utf-8")
        [problem] = problems(load, MINIMAL + '[texts]\ndirectory = "own"\n')
        assert ": texts.directory: " in problem
        assert "[no_such_text]" in problem


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no such file; `points-bridge settings example` prints"),
        (b"zone = \xff", "is not UTF-8"),
        (b"[defaults\n", "is not TOML"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "points-bridge.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=re.escape(f"{path}: {said}")):
        load_settings(path, {})


def test_a_directory_is_no_settings_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(tmp_path, {})


class TestVendors:
    def test_tell_of_a_release_unless_they_say_no(self, load: Load) -> None:
        for own, told in (("", True), ("announce_release = false", False)):
            with opened(load(f"{MINIMAL}{own}\n")) as bridge:
                assert bridge.helpdesk("support").announce_release is told

    @pytest.mark.parametrize(
        ("texts", "own", "said"),
        [
            ("", "", ("", "")),
            ('buy_text = " Ask us. "', "", ("Ask us.", "")),
            ('buy_link = "mailto:us@example.com"', "", ("", "mailto:us@example.com")),
            ('buy_text = "Ask us."', 'buy_link = "https://s.example"', ("", "https://s.example")),
            ('buy_link = "https://s.example"', 'buy_text = "Ask them."', ("Ask them.", "")),
        ],
    )
    def test_say_how_points_are_bought_or_the_deployment_does(
        self, load: Load, texts: str, own: str, said: tuple[str, str]
    ) -> None:
        settings = load(f"[texts]\n{texts}\n{MINIMAL}{own}\n")
        with opened(settings) as bridge:
            helpdesk = bridge.helpdesk("support")
        assert (helpdesk.buy_text, helpdesk.buy_link) == said

    def test_build_an_adapter_from_their_settings(self, load: Load) -> None:
        helpdesk = load().helpdesks["support"]
        vendor = VENDORS[helpdesk.options.vendor]
        adapter = vendor.build(helpdesk.name, helpdesk.vendor_settings)
        assert type(adapter).__name__.lower() == helpdesk.options.vendor
        assert "canary" not in repr(adapter)

    def test_have_the_defaults_of_their_adapter(self, load: Load) -> None:
        ours = zammad(load())
        config = ZammadConfig(url=ours.url, token="t", webhook_secrets=("s",))
        assert ours.zone_field == config.zone_field
        assert ours.country_field == config.country_field
        assert ours.subdivision_field == config.subdivision_field
        assert ours.deadline_seconds == config.deadline


def documented() -> dict[str, tuple[Key, ...]]:
    """The rows of docs/settings.md, by the table of the file that they are about."""
    found: dict[str, list[Key]] = {}
    title = ""
    for line in (ROOT / "docs/settings.md").read_text("utf-8").splitlines():
        if line.startswith("#"):
            title = line.strip("# `[]")
        elif row := re.fullmatch(r"\| `(\w+)` \| (.+?) \| (.+?) \| (\S.+?) \|", line):
            found.setdefault(title, []).append(Key(*row.groups()))
    return {name: tuple(rows) for name, rows in found.items()}


def example(*, wholly: bool) -> dict[str, Any]:
    """The example file; `wholly` with the lines that are commented out."""
    text = EXAMPLE.read_text("utf-8")
    if wholly:
        text = re.sub(r"^# (\w+ = |\[)", r"\1", text, flags=re.MULTILINE)
    return tomllib.loads(text)


def written(title: str) -> dict[str, Any]:
    """What the example has in a table of the file; secrets are not written there."""
    whole = example(wholly=True)
    if title == "Top level":
        return {key: value for key, value in whole.items() if not isinstance(value, dict)}
    if title in whole:
        return dict(whole[title])
    own = {
        f'vendor = "{one["vendor"]}"': {
            key: value for key, value in one.items() if key not in HelpdeskOptions.model_fields
        }
        for one in whole["helpdesks"].values()
    }
    common = whole["helpdesks"]["support"]
    return own.get(title) or {k: v for k, v in common.items() if k in HelpdeskOptions.model_fields}


class TestDocumentation:
    """One table of keys, made of the classes: page and example say the same."""

    def test_describes_every_key_with_its_type_and_default(self) -> None:
        assert documented() == tables()

    def test_says_what_every_key_means(self) -> None:
        assert [key for keys in tables().values() for key in keys if not key.meaning] == []

    def test_has_an_example_that_loads(self, tmp_path: Path) -> None:
        copy = tmp_path / "points-bridge.toml"
        copy.write_text(EXAMPLE.read_text("utf-8"), "utf-8")
        assert set(load_settings(copy, SECRETS).helpdesks) == {"support"}

    @pytest.mark.parametrize("title", tables())
    def test_has_an_example_with_every_key_and_its_default(self, title: str) -> None:
        secret = {"required secret", "optional secret", "secret of setup"}
        keys = {key.name: key.default for key in tables()[title] if key.default not in secret}
        values = written(title)
        # What two vendors have in common is written out once, for the first of them.
        common = {key.name for key in tables()['vendor = "zammad"']} - {"url"}
        if title == 'vendor = "zendesk"':
            keys = {name: default for name, default in keys.items() if name not in common}
        assert values.keys() == keys.keys()
        for name, default in keys.items():
            if default.startswith("`"):
                assert values[name] == tomllib.loads(f"x = {default.strip('`')}")["x"]
