"""The link between a byte stream and the core: framing, commands, records."""

from synloom_hdl.link.link import Link

__all__ = ["Link"]
