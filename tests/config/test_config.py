"""flaskctx.config: a plain dict with ways to fill it."""

import contextlib
import copy
import json
import os
import pickle
import tomllib
from datetime import timedelta

import pytest

from flaskctx.config import Config, ConfigAttribute


@pytest.fixture
def config(tmp_path):
    return Config(tmp_path, {"DEBUG": False})


@pytest.fixture
def environment(monkeypatch):
    """Set environment variables; returns the function that does."""

    def set_variables(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    for name in [name for name in os.environ if name.startswith("FLASK_")]:
        monkeypatch.delenv(name)
    return set_variables


class TestTheDict:
    def test_it_is_a_dict_of_the_defaults(self, config):
        assert config == {"DEBUG": False}
        assert isinstance(config, dict)

    def test_it_keeps_its_folder(self, config, tmp_path):
        assert config.root_path == tmp_path

    def test_changing_it_leaves_the_defaults(self, tmp_path):
        defaults = {"A": 1}
        Config(tmp_path, defaults)["A"] = 2
        assert defaults == {"A": 1}

    def test_reading_a_value_is_a_plain_dicts_reading(self):
        assert Config.__getitem__ is dict.__getitem__
        assert Config.get is dict.get

    def test_its_repr_names_class_and_content(self, config):
        assert repr(config) == "<Config {'DEBUG': False}>"

    @pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))])
    def test_copies_are_configurations(self, config, duplicate):
        assert duplicate(config) == config
        assert duplicate(config).root_path == config.root_path


class TestFromPyfile:
    def test_takes_names_in_capitals(self, config, tmp_path):
        (tmp_path / "settings.py").write_text("A = 1\nB_2 = A + 1\nlower = 3\nMixed = 4\n")
        assert config.from_pyfile("settings.py") is True
        assert config == {"DEBUG": False, "A": 1, "B_2": 2}

    def test_takes_an_absolute_path(self, config, tmp_path):
        (tmp_path / "settings.py").write_text("A = 1")
        Config("/", {}).from_pyfile(tmp_path / "settings.py")

    def test_the_file_knows_its_own_name(self, config, tmp_path):
        (tmp_path / "settings.py").write_text("HERE = __file__\nNAME = __name__")
        config.from_pyfile("settings.py")
        assert config["HERE"] == str(tmp_path / "settings.py")
        assert config["NAME"] == "config"

    def test_an_encoding_line_counts(self, config, tmp_path):
        (tmp_path / "settings.py").write_bytes("# -*- coding: latin-1 -*-\nA = 'é'\n".encode("latin-1"))
        config.from_pyfile("settings.py")
        assert config["A"] == "é"

    def test_an_error_in_the_file_names_it(self, config, tmp_path):
        (tmp_path / "settings.py").write_text("A = (")
        with pytest.raises(SyntaxError) as caught:
            config.from_pyfile("settings.py")
        assert caught.value.filename == str(tmp_path / "settings.py")

    def test_an_absent_file_raises_and_is_named(self, config, tmp_path):
        with pytest.raises(FileNotFoundError, match="configuration file can't be loaded") as caught:
            config.from_pyfile("absent.py")
        assert caught.value.filename == str(tmp_path / "absent.py")

    @pytest.mark.parametrize("name", ["absent.py", "folder", "file/below"])
    def test_silent_passes_over_what_is_not_there(self, config, tmp_path, name):
        (tmp_path / "folder").mkdir()
        (tmp_path / "file").touch()
        assert config.from_pyfile(name, silent=True) is False

    def test_silent_still_raises_for_a_file_that_fails(self, config, tmp_path):
        (tmp_path / "settings.py").write_text("A = open('/no/such/file')")
        with pytest.raises(FileNotFoundError):
            config.from_pyfile("settings.py", silent=True)


class TestFromEnvvar:
    def test_loads_the_file_that_the_variable_names(self, config, tmp_path, monkeypatch):
        (tmp_path / "settings.py").write_text("A = 1")
        monkeypatch.setenv("SETTINGS", "settings.py")
        assert config.from_envvar("SETTINGS") is True
        assert config["A"] == 1

    @pytest.mark.parametrize("value", [None, ""])
    def test_an_unset_or_empty_variable_raises(self, config, monkeypatch, value):
        monkeypatch.delenv("SETTINGS", raising=False)
        if value is not None:
            monkeypatch.setenv("SETTINGS", value)
        with pytest.raises(RuntimeError, match="'SETTINGS' is not set"):
            config.from_envvar("SETTINGS")
        assert config.from_envvar("SETTINGS", silent=True) is False

    def test_silent_covers_the_file_too(self, config, monkeypatch):
        monkeypatch.setenv("SETTINGS", "absent.py")
        with pytest.raises(FileNotFoundError):
            config.from_envvar("SETTINGS")
        assert config.from_envvar("SETTINGS", silent=True) is False


class TestFromObject:
    def test_takes_attributes_of_a_class_and_its_bases(self, config):
        class Base:
            A = 1

        class Derived(Base):
            B = 2
            lower = 3

        config.from_object(Derived)
        assert config == {"DEBUG": False, "A": 1, "B": 2}

    def test_an_instances_properties_are_evaluated(self, config):
        class Settings:
            @property
            def URL(self):
                return "sqlite://"

        config.from_object(Settings())
        assert config["URL"] == "sqlite://"

    def test_a_text_is_imported(self, config, tmp_path, monkeypatch):
        (tmp_path / "flaskctx_test_settings.py").write_text("A = 1\nclass Inner:\n    B = 2\n")
        monkeypatch.syspath_prepend(tmp_path)
        config.from_object("flaskctx_test_settings")
        config.from_object("flaskctx_test_settings.Inner")
        assert (config["A"], config["B"]) == (1, 2)

    def test_a_text_that_leads_nowhere_raises_import_error(self, config):
        with pytest.raises(ImportError):
            config.from_object("flaskctx_no_such_module")


class TestFromFile:
    def test_reads_text_by_default(self, config, tmp_path):
        (tmp_path / "settings.json").write_text('{"A": "é", "lower": 2}', encoding="utf-8")
        assert config.from_file("settings.json", json.load) is True
        assert config == {"DEBUG": False, "A": "é"}

    def test_reads_bytes_for_loaders_that_want_them(self, config, tmp_path):
        (tmp_path / "settings.toml").write_text("A = 1")
        config.from_file("settings.toml", tomllib.load, text=False)
        assert config["A"] == 1

    def test_an_absent_file_raises_unless_silent(self, config):
        with pytest.raises(FileNotFoundError, match="configuration file can't be loaded"):
            config.from_file("absent.json", json.load)
        assert config.from_file("absent.json", json.load, silent=True) is False


class TestFromMapping:
    def test_keyword_arguments_win_over_the_mapping(self, config):
        assert config.from_mapping({"A": 1, "B": 1, "lower": 1}, B=2, other=3) is True
        assert config == {"DEBUG": False, "A": 1, "B": 2}

    def test_takes_pairs_too(self, config):
        config.from_mapping([("A", 1)])
        assert config["A"] == 1

    def test_nothing_is_accepted(self, config):
        assert config.from_mapping() is True


class TestFromPrefixedEnv:
    def test_values_are_json_and_otherwise_text(self, config, environment):
        environment(FLASK_N="1", FLASK_LIST="[1, 2]", FLASK_TEXT="plain", FLASK_QUOTED='"1"', OTHER_N="2")
        assert config.from_prefixed_env() is True
        assert config == {"DEBUG": False, "N": 1, "LIST": [1, 2], "TEXT": "plain", "QUOTED": "1"}

    def test_another_prefix(self, config, environment):
        environment(MY_APP_A="1")
        config.from_prefixed_env("MY_APP")
        assert config["A"] == 1

    def test_another_loader_and_what_it_refuses_stays_text(self, config, environment):
        environment(FLASK_A="1", FLASK_B="x")
        config.from_prefixed_env(loads=int)
        assert (config["A"], config["B"]) == (1, "x")

    def test_two_underscores_reach_into_a_dict(self, config, environment):
        config["DB"] = {"HOST": "localhost", "PORT": 1}
        environment(FLASK_DB__PORT="2")
        config.from_prefixed_env()
        assert config["DB"] == {"HOST": "localhost", "PORT": 2}

    def test_dicts_that_are_missing_are_made(self, config, environment):
        environment(FLASK_A__b__C="1")
        config.from_prefixed_env()
        assert config["A"] == {"b": {"C": 1}}

    def test_a_whole_dict_comes_before_its_keys(self, config, environment):
        environment(FLASK_DB__PORT="2", FLASK_DB='{"HOST": "h", "PORT": 1}')
        config.from_prefixed_env()
        assert config["DB"] == {"HOST": "h", "PORT": 2}

    def test_a_name_that_leads_into_another_value_is_explained(self, config, environment):
        config["A"] = 1
        environment(FLASK_A__B="2")
        with pytest.raises(TypeError, match=r"'FLASK_A__B' can't be loaded: config\['A'\] is 'int'"):
            config.from_prefixed_env()


class TestGetNamespace:
    @pytest.fixture
    def stored(self, config):
        config.from_mapping(MAIL_HOST="h", MAIL_PORT=1, OTHER=2)
        return config

    def test_keys_are_trimmed_and_in_lower_case(self, stored):
        assert stored.get_namespace("MAIL_") == {"host": "h", "port": 1}

    def test_the_case_can_stay(self, stored):
        assert stored.get_namespace("MAIL_", lowercase=False) == {"HOST": "h", "PORT": 1}

    def test_the_namespace_can_stay(self, stored):
        assert stored.get_namespace("MAIL_", trim_namespace=False) == {"mail_host": "h", "mail_port": 1}


class TestConfigAttribute:
    class App:
        name = ConfigAttribute("NAME")
        lifetime = ConfigAttribute("LIFETIME", get_converter=lambda seconds: timedelta(seconds=seconds))

        def __init__(self):
            self.config = {"NAME": "n", "LIFETIME": 60}

    def test_reads_the_configuration(self):
        assert self.App().name == "n"

    def test_writes_the_configuration(self):
        app = self.App()
        app.name = "other"
        assert app.config["NAME"] == "other"

    def test_the_converter_is_applied_to_each_reading(self):
        app = self.App()
        app.lifetime = 5
        assert app.config["LIFETIME"] == 5
        assert app.lifetime == timedelta(seconds=5)

    def test_on_the_class_it_is_itself(self):
        assert isinstance(self.App.name, ConfigAttribute)


class TestTypes:
    """What is checked before the first request, as it would fail later or pass unnoticed."""

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("REQUEST_TIMEOUT", "10"),
            ("BACKGROUND_TASK_SHUTDOWN_TIMEOUT", "3"),
            ("WORKER_WAIT", b"5"),
        ],
    )
    def test_text_in_place_of_a_number_is_refused_by_the_first_request(self, app, server, caplog, name, value):
        app.config[name] = value
        assert server.get("/").status_code == 500
        assert f"app.config['{name}'] is {value!r}, which is text; it has to be a number." in caplog.text

    @pytest.mark.parametrize(("name", "value"), [("MAX_CONTENT_LENGTH", "16"), ("PERMANENT_SESSION_LIFETIME", "1 day")])
    def test_where_flask_gets_by_with_it_the_first_request_warns(self, app, server, caplog, name, value):
        app.config[name] = value
        app.get("/")(lambda: "hello")
        assert [server.get("/").text, server.get("/").text] == ["hello", "hello"]
        assert caplog.text.count(f"app.config['{name}'] is {value!r}, which is text; it has to be a number.") == 1

    @pytest.mark.worlds("asgi-asyncio")
    def test_so_is_a_number_of_threads_that_is_none(self, app, server, caplog):
        app.config["MAX_WORKER_THREADS"] = None
        app.get("/")(lambda: "hello")
        with contextlib.suppress(TypeError):  # raised to the server where no lifecycle has begun yet
            server.get("/")
        assert "MAX_WORKER_THREADS has to be a number of threads, not None" in caplog.text

    def test_a_key_of_digits_from_the_environment_is_refused_and_not_shown(self, app, server, environment, caplog):
        environment(FLASK_SECRET_KEY="123456")
        app.config.from_prefixed_env()
        assert server.get("/").status_code == 500
        assert "app.config['SECRET_KEY'] is a number; it has to be str or bytes." in caplog.text
        assert "123456" not in caplog.text

    def test_a_text_of_fallback_keys_is_refused_as_its_characters_would_be_keys(self, app, server, caplog):
        app.config["SECRET_KEY_FALLBACKS"] = "old"
        assert server.get("/").status_code == 500
        assert "it has to be a list of keys" in caplog.text

    def test_numbers_durations_and_nothing_pass(self, app, server):
        app.config.update(
            MAX_CONTENT_LENGTH=None,
            REQUEST_TIMEOUT=10,
            PERMANENT_SESSION_LIFETIME=timedelta(1),
            SECRET_KEY_FALLBACKS=[],
        )
        assert server.get("/").status_code == 404
