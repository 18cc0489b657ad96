"""What `importlib.metadata` says about the distribution Flask while flaskctx stands in for it."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("name", ["flask", "Flask", "FLASK"])
def test_the_version_is_that_of_the_api(as_flask, name):
    as_flask(
        f"""
        import importlib.metadata
        assert importlib.metadata.version({name!r}).startswith("3.1.")
        assert "flaskctx" in importlib.metadata.metadata({name!r})["Summary"]
        """
    )


def test_the_module_says_the_same(as_flask):
    as_flask(
        """
        import importlib.metadata, flask
        assert flask.__version__ == importlib.metadata.version("flask")
        """
    )


def test_without_the_alias_each_has_its_own(python):
    python(
        "-c",
        "import flaskctx, flaskctx.compat, importlib.metadata, flask;"
        "assert flaskctx.__version__.startswith('0.');"
        "assert 'flaskctx' not in importlib.metadata.metadata('flask')['Summary']",
    )


def test_it_depends_on_flaskctx(as_flask):
    as_flask("import importlib.metadata; assert importlib.metadata.requires('flask') == ['flaskctx']")


def test_it_comes_before_an_installed_flask(as_flask):
    as_flask(
        """
        import importlib.metadata
        first = next(found for found in importlib.metadata.distributions() if found.name.lower() == "flask")
        assert first.requires == ["flaskctx"]
        [command] = importlib.metadata.entry_points(group="console_scripts", name="flask")
        assert command.load() is flaskctx.cli.main
        """
    )


def test_packages_know_their_distribution(as_flask):
    as_flask("import importlib.metadata; assert 'Flask' in importlib.metadata.packages_distributions()['flask']")


def test_who_asks_about_a_folder_is_told_what_is_there(as_flask, tmp_path):
    """As pip does: it must see the environment as it is."""
    (tmp_path / "empty").mkdir()
    as_flask("import importlib.metadata; assert list(importlib.metadata.distributions(path=['empty'])) == []")


def test_asking_does_not_import_flask(python, write):
    python(
        write(
            "program.py",
            """
            import sys
            from flaskctx.compat.alias import AliasFinder
            assert "flask" not in sys.modules
            finder = AliasFinder()
            import importlib.metadata
            [found] = finder.find_distributions(importlib.metadata.DistributionFinder.Context(name="flask"))
            assert found.name == "Flask"
            assert list(finder.find_distributions(importlib.metadata.DistributionFinder.Context(name="other"))) == []
            assert "flask" not in sys.modules
            """,
        )
    )


def test_a_backport_gets_distributions_of_its_own_kind(as_flask, write):
    write(
        "importlib_backport.py",
        """
        class Context:
            name = None
            def __init__(self, **kwargs):
                vars(self).update(kwargs)

        class PathDistribution:
            def __init__(self, path):
                self.path = path
        """,
    )
    as_flask(
        """
        import sys, importlib_backport
        [finder] = [finder for finder in sys.meta_path if type(finder).__name__ == "AliasFinder"]
        [found] = finder.find_distributions(importlib_backport.Context(name="flask"))
        assert type(found) is importlib_backport.PathDistribution
        assert "Name: Flask" in found.path.joinpath("METADATA").read_text()
        """
    )


def test_commands_of_flask_extensions_are_found(as_flask, write):
    write("some_extension-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: some-extension\nVersion: 1.0\n")
    write("some_extension-1.0.dist-info/entry_points.txt", "[flask.commands]\ngreet = some_extension:greet\n")
    write(
        "some_extension.py",
        """
        import click
        from flask.cli import with_appcontext

        @click.command()
        @with_appcontext
        def greet():
            import flask
            click.echo(f"hello from {flask.current_app.name}")
        """,
    )
    write("app.py", "import flask\napp = flask.Flask('it')\n")
    output = as_flask("import flask.cli, sys; sys.argv[1:] = ['greet']; flask.cli.main()")
    assert "hello from it" in output
