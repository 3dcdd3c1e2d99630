"""The netlist of each family does what the model does, bit for bit, over its UART's pins."""

import re
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from synloom.base.errors import ParameterError
from synloom.contract import ArrayParams
from synloom.contract.regions import Region
from synloom.link.client import LinkPort
from synloom.selftest.comparison import agreement, play
from synloom.selftest.random_array import random_array
from synloom_boards.boards import board_names, load_board
from synloom_boards.netlist import SMALL_ARRAYS, compare, connect
from synloom_boards.netlist import __main__ as netlist_main
from synloom_boards.netlist.__main__ import design_of, main
from synloom_boards.netlist.arrays import family_of
from synloom_sim.model_port import ModelPort

QUICKEST = "ice40"
STEPS = 256
PAGE = Path(__file__).parents[2] / "docs" / "netlists.md"


@pytest.fixture(scope="module")
def netlists():
    """Return a function from a name to a port to its netlist; each is built and connected once."""
    ports = {}

    def port(name: str, *, small: bool = False) -> LinkPort:
        if name not in ports:
            ports[name] = LinkPort(connect(design_of(name, small=small)))
        return ports[name]

    yield port
    for opened in ports.values():
        opened.close()


def check(port: LinkPort, seeds: Sequence[int]) -> None:
    """A learning network, then images that no compiler would make, one after another without a reset."""
    found = compare(port, steps=STEPS)
    assert found.differing == {}, found.faults
    assert found.steps >= 200
    assert found.spikes > STEPS
    assert found.learned > 100
    for seed in seeds:
        array = random_array(port.params, seed, steps=200)
        found = agreement(array, play(ModelPort(port.params), array), play(port, array))
        assert found.differing == {}, f"seed {seed}"


def test_the_quickest_netlist_agrees_with_the_model(netlists):
    check(netlists(QUICKEST), [6])


def test_the_pages_example_runs():
    """It is the self-test, on the quickest netlist."""
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    exec(compile(block, str(PAGE), "exec"), {})


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL_ARRAYS)
def test_the_netlist_of_each_structure_agrees_with_the_model(netlists, name):
    check(netlists(name), range(6))


@pytest.mark.slow
@pytest.mark.parametrize("board", ["icebreaker", "ulx3s-25f", "tang-nano-9k", "tang-nano-20k"])
def test_a_whole_board_agrees_at_its_pins(netlists, board):
    """The PLL, the reset behind it and the vendor's pins included."""
    found = compare(netlists(board, small=True), steps=STEPS)
    assert found.differing == {}, found.faults
    assert found.learned > 100


class Faulty:
    """The model with one bit that is stuck."""

    def __init__(self, params: ArrayParams, region: Region, offset: int, bit: int):
        self._port = ModelPort(params)
        self._where = region, offset, bit

    def __getattr__(self, name):
        return getattr(self._port, name)

    def read(self, region, offset, count):
        words = np.array(self._port.read(region, offset, count))
        faulty, place, bit = self._where
        if region is faulty and 0 <= place - offset < count:
            words[place - offset] ^= 1 << bit
        return words


@pytest.mark.parametrize("region", [Region.WEIGHTS, Region.NEURON_STATE, Region.X_TRACE, Region.WHEEL])
def test_one_wrong_bit_is_found(region):
    found = compare(Faulty(SMALL_ARRAYS["ecp5"], region, 1, 2), steps=20)
    assert found.differing == {region.name: 1}
    assert found.faults


def test_the_model_agrees_with_itself():
    found = compare(ModelPort(SMALL_ARRAYS["ice40"]), steps=STEPS)
    assert found.differing == {}
    assert found.faults == ()
    # Each bit is counted once: records with four probed words a step, weights of 8 bits, words of 16.
    params = SMALL_ARRAYS["ice40"]
    least = STEPS * 4 * 16 + params.sources * params.neurons * params.weight_bits
    assert least < found.bits < least + 16 * (2 * STEPS + 2 * found.spikes + 1024)


def structure(family, params):
    return family, params.single_port, params.serial_neurons


def test_every_structure_that_a_board_uses_has_an_array():
    boards = [load_board(name) for name in board_names()]
    used = {structure(board.family_name, board.array) for board in boards}
    assert used == {structure(family_of(name), params) for name, params in SMALL_ARRAYS.items()}
    assert all(params.stochastic_rounding for params in SMALL_ARRAYS.values())


@pytest.mark.parametrize("name", ["icebreaker", "tang-nano-9k", "tang-nano-20k", "ulx3s-25f"])
def test_a_small_array_has_the_boards_structure(name):
    small, whole = design_of(name, small=True), design_of(name)
    assert structure(small.family, small.params) == structure(whole.family, whole.params)
    assert small.params.neurons < whole.params.neurons


def test_a_small_array_keeps_the_boards_clock():
    design = design_of("icebreaker", small=True)
    assert design.params.clock_hz == design_of("icebreaker").params.clock_hz
    assert design.params.neurons == SMALL_ARRAYS["ice40"].neurons


def test_keys_differ_by_family_array_and_board():
    designs = [design_of(name) for name in ("ice40", "ecp5", "gowin", "icebreaker", "ulx3s-25f")]
    assert len({design.key() for design in designs}) == len(designs)
    assert design_of("ecp5").key() == design_of("ecp5").key()


class Connected(ModelPort):
    """The model, as a port that has a line."""

    def set_baud(self, baud):
        pass


@pytest.mark.parametrize(("steps", "code"), [(1, 1), (STEPS, 0)])
def test_a_comparison_that_learned_nothing_is_none(monkeypatch, capsys, steps, code):
    monkeypatch.setattr(netlist_main, "connect", lambda design, progress: SimpleNamespace(clocks=0))
    monkeypatch.setattr(netlist_main, "LinkPort", lambda transport: Connected(SMALL_ARRAYS["ecp5"]))
    assert main(["ecp5", "--steps", str(steps)]) == code
    printed = capsys.readouterr().out
    assert ("learned weights prove nothing; try more --steps" in printed) == bool(code)
    assert printed.splitlines()[2].endswith("| 0 |")


def test_an_unknown_name_is_an_error(capsys):
    with pytest.raises(ParameterError, match="there is no board 'ice41'"):
        design_of("ice41")
    assert main(["ice41"]) == 1
    assert "error: there is no board 'ice41'" in capsys.readouterr().err
