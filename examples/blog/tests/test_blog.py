"""Posts."""

import pytest
from weblog.blog import PAGE


def test_who_is_not_logged_in_reads_only(client, ada):
    ada.write("A first post", "Is it alive?")
    page = client.get("/")
    assert "A first post" in page.text
    assert "Is it alive?" in page.text
    assert "by ada on" in page.text
    assert "/edit" not in page.text + client.get("/1").text
    assert "Log in" in page.text


def test_a_post_is_published(ada):
    page = ada.write(" A first post ", "Is it <alive>?")
    assert "Your post is published." in page.text
    assert "<h1>A first post</h1>" in page.text
    assert "Is it &lt;alive&gt;?" in page.text
    assert page.request.path == "/1"


def test_a_post_is_edited(ada):
    ada.write("A frist post", "Is it alive?")
    assert 'value="A frist post"' in ada.get("/1/edit").text
    page = ada.post("/1/edit", title="A first post", body="It is alive.")
    assert "Your changes are saved." in page.text
    assert "It is alive." in page.text
    assert "frist" not in ada.get("/").text


def test_a_post_is_deleted(ada):
    ada.write("A first post")
    page = ada.post("/1/delete")
    assert "A first post is deleted." in page.text
    assert "Nothing is written here yet." in page.text
    assert ada.get("/1").status_code == 404


@pytest.mark.parametrize("path", ["/write", "/1/edit"])
def test_a_post_needs_a_title(ada, path):
    ada.write("A first post")
    page = ada.post(path, title="  ", body="It is alive.")
    assert page.status_code == 422
    assert "A post needs a title." in page.text
    assert "It is alive.</textarea>" in page.text


@pytest.mark.parametrize("path", ["/write", "/1/edit"])
def test_the_forms_are_for_who_is_logged_in(client, path):
    answer = client.get(path)
    assert (answer.status_code, answer.location) == (302, "/auth/login")
    assert "Log in first, please." in client.get(answer.location).text


@pytest.mark.parametrize("path", ["/write", "/1/edit", "/1/delete"])
def test_changes_are_for_who_is_logged_in(client, path):
    assert client.post(path, data={"title": "x", "body": ""}).status_code == 401


def test_changes_are_for_the_author(ada, brian):
    ada.write("A first post")
    assert "/1/edit" not in brian.get("/1").text
    assert brian.get("/1/edit").status_code == 403
    page = brian.post("/1/edit", title="Not yours", body="")
    assert page.status_code == 403
    assert "Only ada may change this post." in page.text
    assert brian.post("/1/delete").status_code == 403
    assert "<h1>A first post</h1>" in ada.get("/1").text


@pytest.mark.parametrize("path", ["/9", "/9/edit"])
def test_a_post_that_is_not_there_is_not_found(ada, path):
    page = ada.get(path)
    assert page.status_code == 404
    assert "There is no post number 9." in page.text


def test_other_pages_are_not_found_in_the_same_looks(ada):
    page = ada.get("/nothing")
    assert page.status_code == 404
    assert "<h1>Not Found</h1>" in page.text
    assert ">ada<" in page.text


def test_old_posts_are_on_further_pages(ada):
    for number in range(PAGE + 1):
        ada.write(f"Post {number}.")
    newest, oldest = ada.get("/").text, ada.get("/", page=2).text
    assert ("Post 10." in newest, "Post 0." in newest, "Older" in newest) == (True, False, True)
    assert ("Post 10." in oldest, "Post 0." in oldest, "Newer" in oldest) == (False, True, True)


@pytest.mark.parametrize(
    ("words", "titles"),
    [
        ("ALIVE", ["second", "first"]),
        ("alive is", ["first"]),
        ("dead", []),
        ("%", []),
    ],
)
def test_search_finds_posts_with_all_the_words(ada, words, titles):
    ada.write("first", "Is it alive?")
    ada.write("second", "It lives. (Alive!)")
    page = ada.get("/search", q=words)
    assert f"<h1>{len(titles)} found</h1>" in page.text
    assert [title for title in ("second", "first") if f">{title}<" in page.text] == titles
    assert ">ada<" in page.text


def test_search_wants_words(client):
    assert "Which words are you looking for?" in client.get("/search").text
