import pytest

from synloom.contract import ArrayParams
from synloom.contract.memory_map import layout_of
from synloom.contract.regions import Region
from synloom.contract.serial_program import serial_program, shown_words, sweep_clocks

ALL = [(bits, adaptation) for bits in range(12, 25) for adaptation in (False, True)]


def params_of(bits, adaptation):
    return ArrayParams(state_bits=bits, adaptation=adaptation, serial_neurons=True, neuron_lanes=1)


def shown(reads, clock):
    """Return the words that are there in a clock: that of the register, and that at the output."""
    words = [word for asked, word in sorted(reads.items()) if asked < clock]
    return words[-2:] if len(words) > 1 else [None, *words]


@pytest.mark.parametrize(("bits", "adaptation"), ALL)
def test_every_field_is_there_when_it_is_used(bits, adaptation):
    params = params_of(bits, adaptation)
    program = serial_program(params)
    p, s = layout_of(params, Region.NEURON_PARAMS), layout_of(params, Region.NEURON_STATE)
    uses = [
        (p, program.parameter_reads, "g_e", program.excitation, program.excitation),
        (p, program.parameter_reads, "g_i", program.inhibition, program.inhibition),
        (p, program.parameter_reads, "exponent_i", program.exponents, program.exponents),
        (p, program.parameter_reads, "bias", program.bias, program.bias),
        (p, program.parameter_reads, "dm", program.potential, program.potential),
        (p, program.parameter_reads, "de", program.currents, program.currents),
        (p, program.parameter_reads, "di", program.currents + 1, program.currents + 1),
        (p, program.parameter_reads, "thr", program.compare, program.compare),
        (p, program.parameter_reads, "reset", program.reset, program.reset),
        (p, program.parameter_reads, "refractory", program.refractory, program.refractory),
        (s, program.state_reads, "ie", program.excitation + 1, program.excitation + 1),
        (s, program.state_reads, "ii", program.inhibition + 1, program.inhibition + 1),
        (s, program.state_reads, "v", program.potential, program.potential + 2),
        (s, program.state_reads, "refr", program.potential + 3, program.refractory),
    ]
    if adaptation:
        uses += [
            (p, program.parameter_reads, "dth", program.threshold_decay, program.threshold_decay),
            (p, program.parameter_reads, "th_step", program.rise, program.rise),
            (s, program.state_reads, "theta", program.threshold_state, program.threshold_state),
        ]
    for layout, reads, name, first, until in uses:
        before, at = shown_words(layout, name)
        for clock in range(first, until + 1):
            register, output = shown(reads, clock)
            assert output == at, (name, clock)
            assert before in (register, output), (name, clock)


@pytest.mark.parametrize(("bits", "adaptation"), ALL)
def test_every_word_is_written_once(bits, adaptation):
    params = params_of(bits, adaptation)
    words = layout_of(params, Region.NEURON_STATE).words
    written = [word for word in serial_program(params).state_writes if word is not None]
    assert sorted(written) == list(range(words))


@pytest.mark.parametrize(("bits", "adaptation"), ALL)
def test_a_word_is_written_between_the_changes_of_its_fields(bits, adaptation):
    """Behind those of its own neuron, and before the registers hold what the next neuron makes of them."""
    params = params_of(bits, adaptation)
    program = serial_program(params)
    behind = {"v": program.reset, "refr": program.refractory, "theta": program.rise}
    behind |= {"ie": program.currents + 2, "ii": program.currents + 3}
    again = {"v": program.reset, "refr": program.refractory, "theta": program.threshold_state}
    again |= {"ie": program.excitation + 1, "ii": program.inhibition + 1}
    for clock, word in enumerate(program.state_writes, program.clocks):
        for name, field in layout_of(params, Region.NEURON_STATE).fields.items():
            if word in field.words:
                assert behind[name] < clock <= program.clocks + again[name], (name, clock)


def test_sixteen_bits_take_the_clocks_of_the_manual():
    assert serial_program(params_of(16, False)).clocks == 13
    assert serial_program(params_of(16, True)).clocks == 16
    for adaptation, least, most in ((False, 13, 16), (True, 16, 20)):
        clocks = [serial_program(params_of(bits, adaptation)).clocks for bits in range(12, 25)]
        assert (min(clocks), max(clocks)) == (least, most)


def test_a_sweep_takes_the_clocks_of_all_neurons():
    assert sweep_clocks(params_of(16, False).replace(neurons=100)) == 1300
    assert sweep_clocks(ArrayParams(neurons=100, neuron_lanes=8)) == 13
