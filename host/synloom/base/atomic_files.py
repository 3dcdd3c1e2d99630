"""Files that are written completely or not at all."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: Path, content: bytes) -> None:
    """Write a file atomically: write a temporary file beside it, then rename that.

    Parameters
    ----------
    path : Path
        The file; an existing one is replaced.
    content : bytes
        All of its content.

    Raises
    ------
    OSError
        If the file cannot be written; an existing file is left unchanged.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
