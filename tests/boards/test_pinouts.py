"""The pins of our boards are those of amaranth-boards, where it has the board."""

import pytest

from synloom_boards.boards import board_names, load_board

PLATFORMS = {
    "icebreaker": "icebreaker:ICEBreakerPlatform",
    "icepi-zero": "icepi_zero:IcepiZero1_3Platform",
    "icesugar": "icesugar:ICESugarPlatform",
    "tang-nano-9k": "tang_nano_9k:TangNano9kPlatform",
    "ulx3s-25f": "ulx3s:ULX3S_25F_Platform",
    "ulx3s-85f": "ulx3s:ULX3S_85F_Platform",
}
OF_NO_PLATFORM = {"colorlight-i5", "tang-nano-20k"}
"""Boards that amaranth-boards does not have; their pins are in test_boards.py."""


def wires(platform, clock, leds):
    """Return direction, inversion and pins of what a board uses, by name."""
    found = {}
    names = [(clock, 0), ("uart", 0), *(("led", number) for number in range(leds))]
    for name in names:
        resource = platform.resources[name]
        for part in resource.ios:
            pins = part.ios[0] if hasattr(part, "ios") else part
            label = ".".join(filter(None, (resource.name, getattr(part, "name", ""))))
            if label not in ("uart.rts", "uart.dtr"):
                found[f"{label}_{name[1]}"] = (pins.dir, pins.invert, tuple(pins.names))
    return found


def test_every_board_is_in_one_of_the_lists():
    assert set(board_names()) == PLATFORMS.keys() | OF_NO_PLATFORM


@pytest.mark.parametrize("name", PLATFORMS)
def test_the_pins_are_those_of_amaranth_boards(name):
    module, _, kind = PLATFORMS[name].partition(":")
    theirs = getattr(__import__(f"amaranth_boards.{module}", fromlist=[kind]), kind)()
    board = load_board(name)
    ours = board.platform()
    assert wires(ours, board.clock, board.leds) == wires(theirs, board.clock, board.leds)
    assert ours.resources[board.clock, 0].clock.frequency == board.input_hz
    for attribute in ("device", "package", "speed", "part", "family"):
        assert getattr(ours, attribute, None) == getattr(theirs, attribute, None)


def test_the_leds_of_the_tang_nano_9k_have_the_voltage_of_their_bank():
    platform = load_board("tang-nano-9k").platform()
    for number in range(3):
        assert platform.resources["led", number].attrs["IO_TYPE"] == "LVCMOS18"
    uart = platform.resources["uart", 0]
    assert uart.attrs["IO_TYPE"] == "LVCMOS33"
