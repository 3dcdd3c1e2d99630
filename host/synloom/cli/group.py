"""Groups of commands whose errors say which command was meant."""

from __future__ import annotations

import click

__all__ = ["HelpfulGroup"]


class HelpfulGroup(click.Group):
    """A group that names the nearest command if there is none of the given name."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments name."""
        names = self.list_commands(ctx)
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in names:
            from synloom.base.wording import did_you_mean

            ctx.fail(f"No such command {name!r}{did_you_mean(name, names)}.")
        return super().resolve_command(ctx, args)
