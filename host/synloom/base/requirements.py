"""What Synloom's own metadata says that it needs, and the command that installs it."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from importlib import metadata

__all__ = ["Requirement", "install_command", "requirements"]

_PATTERN = re.compile(
    r"""(?P<name>[\w.-]+)\s*(?P<versions>[^;]*)(;.*extra\s*==\s*["'](?P<extra>[\w-]+)["'])?"""
)


@dataclass(frozen=True, slots=True)
class Requirement:
    """One package.

    Attributes
    ----------
    name : str
        Its name at the package index.
    versions : str
        Versions that fit, such as ">=0.5.10,<0.6"; may be empty.
    extra : str
        The part of Synloom that needs it: "sim", "demo", or empty for all of it.
    """

    name: str
    versions: str
    extra: str

    def installed(self) -> str | None:
        """Return the installed version, or None."""
        try:
            return metadata.version(self.name)
        except metadata.PackageNotFoundError:
            return None


def requirements() -> list[Requirement]:
    """Return all packages that Synloom declares, in its order; empty if it is not installed itself."""
    try:
        declared = metadata.requires("synloom") or []
    except metadata.PackageNotFoundError:
        return []
    matches = filter(None, map(_PATTERN.match, declared))
    return [Requirement(m["name"], m["versions"].strip(), m["extra"] or "") for m in matches]


def install_command(name: str) -> str:
    """Return the command that installs a package in a version that fits."""
    versions = next((r.versions for r in requirements() if r.name == name), "")
    return f"{sys.executable} -m pip install '{name}{versions}'"
