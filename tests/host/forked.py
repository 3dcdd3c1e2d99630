"""Calls in a copy of this process: what they do to a device or a board is gone afterwards."""

import json
import os
import traceback


def forked(call):
    """Return what a call returns in a copy of this process, as JSON has it.

    Raises
    ------
    AssertionError
        With the traceback, if the call raises; or if the copy died.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            said = [True, call()]
        except BaseException:
            said = [False, traceback.format_exc()]
        with os.fdopen(writer, "w") as file:
            json.dump(said, file)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        said = file.read()
    os.waitpid(child, 0)
    assert said, "the copy of this process died"
    right, value = json.loads(said)
    assert right, value
    return value
