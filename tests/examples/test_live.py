"""examples/live, in this process and in a browser."""

import time

import pytest


@pytest.mark.parametrize("kind", ["def", "async"])
def test_the_page_has_a_plot_of_each_kind(load, kind):
    page = load("examples.live.app").app.test_client().get("/").text
    assert f'<section id="{kind}">' in page
    assert "http" not in page


def test_in_a_browser(serve, browser, tmp_path):
    live = serve("examples.live.app")
    browser.open(f"http://127.0.0.1:{live.port}/")
    for kind in ("async", "def"):
        browser.wait_for(f"+document.querySelector('#{kind} .number').textContent >= 8")
        assert browser.text(f"#{kind} .state") == "live"
        assert browser.text(f"#{kind} .watching") == "1"
        assert len(browser.evaluate(f"document.querySelector('#{kind} polyline').getAttribute('points')").split()) >= 8
    browser.screenshot(tmp_path / "live.png")
    browser.click("#stop")
    deadline = time.monotonic() + 3
    while (watching := live.get("/watching").json) != {"async": 0, "def": 0} and time.monotonic() < deadline:
        time.sleep(0.05)
    assert watching == {"async": 0, "def": 0}
    assert browser.complaints == []
