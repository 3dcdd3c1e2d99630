"""The packages that Synloom's metadata requires, and the command that installs one."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from importlib import metadata

__all__ = ["Requirement", "install_all", "install_command", "package_of", "requirements"]

_PATTERN = re.compile(
    r"""(?P<name>[\w.-]+)\s*(?P<versions>[^;]*)(;.*extra\s*==\s*["'](?P<extra>[\w-]+)["'])?"""
)


_PACKAGES = {"serial": "pyserial", "sklearn": "scikit-learn", "nest": "nest-simulator"}
"""Packages whose modules have other names."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """A package that Synloom requires.

    Attributes
    ----------
    name : str
        Name in the package index.
    versions : str
        Version specifier such as ">=0.5.10,<0.6"; may be empty.
    extra : str
        Optional part of Synloom that requires it, such as "sim"; empty if every installation does.
    """

    name: str
    versions: str
    extra: str

    def installed(self) -> str | None:
        """Return the installed version; None if the package is not installed."""
        try:
            return metadata.version(self.name)
        except metadata.PackageNotFoundError:
            return None

    def satisfied(self) -> bool:
        """Return whether the package is installed in a version that Synloom can use."""
        from packaging.specifiers import InvalidSpecifier, SpecifierSet
        from packaging.version import InvalidVersion

        version = self.installed()
        if version is None:
            return False
        try:
            return SpecifierSet(self.versions).contains(version, prereleases=True)
        except (InvalidSpecifier, InvalidVersion):
            return True

    @property
    def wanted(self) -> str:
        """What pip takes: the name and the versions."""
        return f"{self.name}{self.versions}"


def requirements() -> list[Requirement]:
    """Return all packages that Synloom declares, in that order; empty if Synloom is not installed."""
    try:
        declared = metadata.requires("synloom") or []
    except metadata.PackageNotFoundError:
        return []
    matches = filter(None, map(_PATTERN.match, declared))
    return [Requirement(m["name"], m["versions"].strip(), m["extra"] or "") for m in matches]


def install_command(name: str) -> str:
    """Return the shell command that installs a package in a required version."""
    return install_all(next((r.wanted for r in requirements() if r.name == name), name))


def install_all(*wanted: str) -> str:
    """Return the shell command that installs packages, each as `Requirement.wanted` says it."""
    quoted = " ".join(f"'{each}'" for each in wanted)
    return f"{sys.executable} -m pip install {quoted}"


def package_of(module: str) -> str | None:
    """Return the package, of those that Synloom declares, that has a module; None if none has it."""
    top = module.partition(".")[0]
    package = _PACKAGES.get(top, top.replace("_", "-"))
    return package if any(requirement.name == package for requirement in requirements()) else None
