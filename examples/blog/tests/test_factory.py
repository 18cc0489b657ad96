"""create_app: where an application's settings come from."""

from weblog import create_app


def test_settings_of_a_test_are_used():
    assert create_app({"TESTING": True}).testing
    assert not create_app().testing


def test_the_environment_can_name_the_database(monkeypatch):
    monkeypatch.setenv("WEBLOG_DATABASE", "/srv/weblog.sqlite")
    assert create_app().config["DATABASE"] == "/srv/weblog.sqlite"
    assert create_app({}).config["DATABASE"].endswith("instance/weblog.sqlite")


def test_applications_share_nothing(tmp_path):
    one, other = create_app({"NAME": "one"}), create_app({"NAME": "other"})
    assert (one.config["NAME"], other.config["NAME"]) == ("one", "other")
