"""The compiler: from a network in SI units to the contents of an array's memories."""

from synloom.compiler.compilation import compile

__all__ = ["compile"]
