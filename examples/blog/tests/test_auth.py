"""Accounts and sessions."""

from pathlib import Path

import pytest
from flask import g, session


@pytest.mark.parametrize("path", ["/auth/register", "/auth/login"])
def test_the_forms_are_shown(visitor, path):
    page = visitor.get(path)
    assert page.status_code == 200
    assert 'name="password"' in page.text


def test_who_registers_can_log_in(visitor):
    page = visitor.register("grace")
    assert page.request.path == "/auth/login"
    assert "Welcome, grace." in page.text
    assert ">grace<" in visitor.log_in("grace").get("/").text


@pytest.mark.parametrize(
    ("name", "password", "reason"),
    [
        (" ", "open sesame", "You need a name."),
        ("grace", "seven 7", "A password needs eight characters at least."),
        ("ada", "open sesame", "Somebody else is called ada already."),
        ("Ada", "open sesame", "Somebody else is called Ada already."),
    ],
)
def test_registering_can_be_refused(visitor, name, password, reason):
    page = visitor.register(name, password)
    assert page.status_code == 422
    assert reason in page.text
    assert f'value="{name}"' in page.text


def test_a_password_is_not_stored(app, ada):
    stored = Path(app.config["DATABASE"]).read_bytes()
    assert b"ada" in stored
    assert ada.password.encode() not in stored


def test_logging_in_begins_a_session(client, visitor):
    with client:
        page = visitor.post("/auth/login", name="ada", password=visitor.password)
        assert page.request.path == "/"
        assert "Hello, ada." in page.text
        assert "user_id" in session
        assert g.user["name"] == "ada"


@pytest.mark.parametrize(("name", "password"), [("nobody", "open sesame"), ("ada", "close sesame")])
def test_logging_in_can_be_refused(visitor, name, password):
    page = visitor.post("/auth/login", name=name, password=password)
    assert page.status_code == 422
    assert "don&#39;t belong together" in page.text
    assert "Log out" not in page.text


def test_logging_out_ends_the_session(ada):
    with ada.client as client:
        page = ada.post("/auth/logout")
        assert "You are logged out." in page.text
        assert "user_id" not in session
        assert "Log in" in client.get("/").text


def test_a_form_without_its_fields_is_a_bad_request(client):
    assert client.post("/auth/login").status_code == 400


def test_who_has_no_account_any_more_is_not_logged_in(app, ada, runner):
    assert runner.invoke(args=["init-db"]).exit_code == 0
    assert "Log in" in ada.get("/").text
