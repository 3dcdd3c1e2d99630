"""A digest of the gateware changes with what decides a bitstream, and with nothing else."""

import dataclasses

import pytest

from synloom_boards.bitstreams.gateware_digest import code_of, design_modules, gateware_digest
from synloom_boards.boards import board_names, load_board

BOARD = load_board("icebreaker")
MODULES = design_modules()
CONTRACT = "synloom.contract.params"

SOURCE = '''
"""A module."""

STRIDE = 4
"""Words of an entry."""


def layout(bits):
    """Return it.

    Twice.
    """
    if bits > 16:
        raise ValueError(f"at most 16 bits, not {bits}")
    return Field("v", bits, doc="Potential"), ("now", 2, "w", "The next step's number.")  # why
'''

REWORDED = '''STRIDE = 4

def layout(bits):
    """Return what a word holds."""
    if bits > 16:
        raise ValueError(f"a word has 16 bits: {bits} do not fit")
    return Field(
        "v", bits, doc="Membrane potential"
    ), ("now", 2, "w", "Number of the next step.")
'''


def changed(module, old, new):
    assert old in MODULES[module]
    return gateware_digest(BOARD, {**MODULES, module: MODULES[module].replace(old, new, 1)})


def test_rewording_what_people_read_is_no_change():
    assert code_of(SOURCE, names_only=True) == code_of(REWORDED, names_only=True)


@pytest.mark.parametrize(
    ("old", "new"),
    [("STRIDE = 4", "STRIDE = 8"), ('"now", 2', '"now", 1'), ('"now"', '"then"'), ("bits,", "bits + 1,")],
)
def test_a_width_a_name_and_an_expression_are_code(old, new):
    assert code_of(SOURCE.replace(old, new), names_only=True) != code_of(SOURCE, names_only=True)


def test_outside_the_contract_prose_may_be_a_program():
    assert code_of('X = "synth_ecp5 -top top"') != code_of('X = "synth_ecp5 -top other"')
    assert code_of("X = 1  # why\n") == code_of('"""Module."""\nX = (1)\n')


def test_what_the_gateware_imports_decides_and_nothing_else():
    assert {"synloom_hdl.top", "synloom_boards.gateware.top", "synloom.contract", CONTRACT} <= MODULES.keys()
    assert not [name for name in MODULES if "tables" in name or name.startswith("synloom.cli")]


def test_the_installed_modules_are_those_of_a_digest():
    assert gateware_digest(BOARD) == gateware_digest(BOARD, MODULES)


def test_a_docstring_of_the_contract_leaves_a_digest_and_a_limit_changes_it():
    assert changed(CONTRACT, '"""', '"""In other words: ') == gateware_digest(BOARD)
    assert changed(CONTRACT, "(12, 24)", "(12, 25)") != gateware_digest(BOARD)
    assert changed("synloom_hdl.top", "elaborate(self", "elaborate(this") != gateware_digest(BOARD)


def test_every_board_has_a_digest_of_its_own():
    assert len({gateware_digest(load_board(name)) for name in board_names()}) == len(board_names())


def test_a_digest_follows_the_pins_and_the_array_but_not_the_name_of_a_cable():
    boards = [
        dataclasses.replace(BOARD, clock="clk48"),
        dataclasses.replace(BOARD, params=BOARD.params.replace(neurons=128)),
    ]
    assert all(gateware_digest(board) != gateware_digest(BOARD) for board in boards)
    assert gateware_digest(dataclasses.replace(BOARD, usb="1:2", title="?")) == gateware_digest(BOARD)
