"""Standing in for Flask: programs and extensions that import `flask` get this package."""

from .alias import install_as_flask

__all__ = ["install_as_flask"]
