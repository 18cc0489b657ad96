from __future__ import annotations

import typing

import pytest

from flaskctx import typing as ft

NAMES = [
    "AfterRequestCallable",
    "AppOrBlueprintKey",
    "BeforeFirstRequestCallable",
    "BeforeRequestCallable",
    "ErrorHandlerCallable",
    "HeaderValue",
    "HeadersValue",
    "ResponseClass",
    "ResponseReturnValue",
    "ResponseValue",
    "RouteCallable",
    "ShellContextProcessorCallable",
    "TeardownCallable",
    "TemplateContextProcessorCallable",
    "TemplateFilterCallable",
    "TemplateGlobalCallable",
    "TemplateTestCallable",
    "URLDefaultCallable",
    "URLValuePreprocessorCallable",
]


@pytest.mark.parametrize("name", NAMES)
def test_flasks_alias_exists(name):
    assert hasattr(ft, name)


def test_flask_has_no_alias_that_is_missing_here():
    peer = pytest.importorskip("flask.typing", reason="the peer to compare with")
    public = {name for name in vars(peer) if name[0].isupper()}
    assert public <= set(vars(ft))


@pytest.mark.parametrize("name", NAMES)
def test_annotations_can_be_evaluated(name):
    def function(argument): ...

    function.__annotations__ = {"argument": f"ft.{name}"}
    assert typing.get_type_hints(function, globals())["argument"] == getattr(ft, name)


def test_the_after_request_alias_takes_a_response_class():
    assert ft.AfterRequestCallable[typing.Any]
