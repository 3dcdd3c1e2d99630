"""Why a busy network at steps of 0.1 ms parts from NEST: one error of the array at a time.

`pytest -m oracle -rP tests/oracles/test_busy_causes_nest.py` prints the table of docs/accuracy.md.
"""

from functools import cache

import numpy as np
import pytest
from float_network import DT, Errors, run_float
from test_balanced_nest import (
    BUSY,
    CM,
    REST,
    SECONDS,
    SEEDS,
    TAU_E,
    TAU_I,
    TAU_M,
    THRESHOLD,
    input_spikes,
    nest_run,
    synloom_run,
)

pytestmark = pytest.mark.oracle

DELAY, BAR = 15, 100.0
WHOLE_RUN = 1000 * SECONDS
NETWORK = {
    "taus": (TAU_M, TAU_E, TAU_I), "cm": CM, "drive": BUSY[1], "threshold": THRESHOLD - REST,
    "refractory": 20, "delay": DELAY,
}  # fmt: skip
STATE_MAX = 2**23 - 1
FINEST = 1.04 * (THRESHOLD - REST)
"""The smallest range in mV that a compiler could choose: the threshold fits, and little else."""


@cache
def cases(nest_runs):
    """Inputs, weights, NEST's raster and the array's range of potentials in mV, for each seed."""
    found = []
    for seed in SEEDS:
        raster = input_spikes(DT, BUSY, seed)
        fired, inputs, recurrent, v_range = synloom_run(DT, BUSY, raster, DELAY, seed)
        wanted = nest_run(nest_runs, DT, BUSY, raster, inputs, recurrent, DELAY)
        found.append((raster, inputs, recurrent, wanted, fired, v_range))
    return found


def alike(fired, wanted):
    """Time in ms until the first spike that only one side has."""
    differs = np.flatnonzero((fired != wanted).any(axis=1))
    return float(differs[0] * DT) if len(differs) else WHOLE_RUN


def told(name, times):
    print(f"| {name} | " + " | ".join(f"{t:.0f}" for t in times) + " |")
    return times


def with_errors(nest_runs, name, errors):
    """Times for which a float loop with errors is NEST; units are in parts of a mV of range."""
    times = []
    for raster, inputs, recurrent, wanted, _, v_range in cases(nest_runs):
        made = errors(v_range / STATE_MAX)
        times.append(alike(run_float(NETWORK, inputs, recurrent, raster, made), wanted))
    return told(name, times)


@pytest.mark.parametrize(
    ("name", "errors", "holds"),
    [
        ("float loop, nothing rounded", lambda unit: Errors(), WHOLE_RUN),
        ("only potentials are whole units", lambda unit: Errors(v_unit=unit), WHOLE_RUN),
        ("only coefficients of decay, as here", lambda unit: Errors(bits=16), 0.0),
        ("only they, with exact charges of spikes", lambda unit: Errors(bits=16, charges=True), 0.0),
        ("only currents are whole units", lambda unit: Errors(i_unit=unit), 0.0),
        ("only currents, and the range is 15.6 mV", lambda unit: Errors(i_unit=FINEST / STATE_MAX), 0.0),
        ("all three", lambda unit: Errors(bits=16, v_unit=unit, i_unit=unit), 0.0),
        (
            "coefficients of 24 significant bits, currents in 1/64 units",
            lambda unit: Errors(bits=24, v_unit=unit, i_unit=unit / 64),
            BAR,
        ),
    ],
)
def test_currents_and_coefficients_each_end_the_agreement_and_finer_ones_would_not(
    nest_runs, name, errors, holds
):
    times = with_errors(nest_runs, name, errors)
    if holds:
        assert min(times) >= holds
    else:
        # If one of these holds for longer, the format has room that the compiler does not use.
        assert min(times) < BAR / 2


@pytest.mark.parametrize(("part", "holds"), [(1e-5, 0.0), (1e-6, BAR), (2.0**-24, WHOLE_RUN)])
def test_nest_parts_from_itself_when_a_parameter_changes(nest_runs, part, holds):
    names = ("tau_m", "tau_syn_ex", "tau_syn_in", "I_e", "V_th", "weights")
    times = []
    for raster, inputs, recurrent, wanted, *_ in cases(nest_runs):
        changed = [
            nest_run(nest_runs, DT, BUSY, raster, inputs, recurrent, DELAY, {name: part}) for name in names
        ]
        times.append(min(alike(fired, wanted) for fired in changed))
    told(f"NEST, one parameter larger by {part:.1g}", times)
    if holds:
        assert min(times) >= holds
    else:
        assert min(times) < BAR


def test_the_array_is_alike_for_as_long_as_its_errors_say(nest_runs):
    told("the array", [alike(fired, wanted) for _, _, _, wanted, fired, _ in cases(nest_runs)])
    ranges = [v_range for *_, v_range in cases(nest_runs)]
    print(f"range of potentials: {min(ranges):.0f} to {max(ranges):.0f} mV")
    assert max(ranges) < 2.05 * 30.0
