"""Which programs use a serial port; the port itself is not opened, which could reset a board."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["port_users"]


def port_users(device: str, proc: Path = Path("/proc")) -> list[str]:
    """Return the programs that have a device open, or a lock on it, such as "python (1234)".

    Only what the system tells is known: open files of the user's own programs, locks of all.
    """
    real = os.path.realpath(device)
    found = {pid for pid in _processes(proc) if _has_open(proc / str(pid) / "fd", real)}
    return [f"{_name(proc, pid)} ({pid})" for pid in sorted(found | _lockers(proc, real))]


def _processes(proc: Path) -> list[int]:
    try:
        return [int(name) for name in os.listdir(proc) if name.isdecimal()]
    except OSError:
        return []


def _has_open(folder: Path, real: str) -> bool:
    try:
        names = os.listdir(folder)
    except OSError:
        return False
    for name in names:
        try:
            if os.readlink(folder / name) == real:
                return True
        except OSError:
            continue
    return False


def _lockers(proc: Path, real: str) -> set[int]:
    """Return the processes with a lock on a file: lines of /proc/locks name its device and its inode."""
    try:
        status = os.stat(real)
        lines = (proc / "locks").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return set()
    place = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    found = set()
    for line in lines:
        words = line.split()
        if place in words:
            pid = words[words.index(place) - 1]
            # A lock of an open file description has no process.
            if pid.isdecimal():
                found.add(int(pid))
    return found


def _name(proc: Path, pid: int) -> str:
    try:
        return (proc / str(pid) / "comm").read_text(encoding="utf-8", errors="replace").strip() or "?"
    except OSError:
        return "?"
