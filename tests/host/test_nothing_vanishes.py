"""Input spikes act, or they are counted and remarked at once; times round in one way."""

from decimal import ROUND_FLOOR, Decimal

import numpy as np
import pytest
from small_networks import delta_cell, open_model, relay

from synloom import (
    AllToAll,
    InputPopulation,
    Network,
    Population,
    Projection,
    SynloomWarning,
    compile,
)
from synloom.base.checks import nearest_steps

HALVES = np.arange(100) + 0.5


def with_times(times, dt=1.0):
    network = Network(dt=dt)
    source = network.add(InputPopulation(1, spike_times=[times], label="in"))
    target = network.add(Population(1, delta_cell(), label="out"))
    network.add(Projection(source, target, AllToAll(), weight=20.0))
    return network


# ---- times between steps -----------------------------------------------------------------------


@pytest.mark.parametrize("dt", [1.0, 0.1, 0.025, 3.0])
def test_half_a_step_rounds_up_at_every_size(dt):
    """The oracle is exact: rational numbers from the decimals that a user writes."""
    for k in [*range(200), 12_345, 999_999]:
        for part in ("0", "0.25", "0.5", "0.75"):
            time = (Decimal(k) + Decimal(part)) * Decimal(str(dt))
            exact = (time / Decimal(str(dt)) + Decimal("0.5")).to_integral_value(ROUND_FLOOR)
            assert nearest_steps(float(time), dt) == int(exact), (time, dt)


def test_spikes_one_step_apart_all_act():
    image = compile(with_times(HALVES))
    assert image.events[:, 0].tolist() == list(range(1, 101))
    assert any("100 of 100 spike times are between steps of 1 ms" in note for note in image.report.notes)
    device = open_model(relay())
    with pytest.warns(SynloomWarning, match=r"100 of 100 spike times for 'in' .* 0\.5 ms off"):
        device.inject("in", [(time, 0) for time in HALVES])
    assert len(device.run(110.0).spikes("out")[0]) == 100
    assert device.counters().losses == {}


def test_times_on_the_grid_say_nothing():
    network = with_times(np.arange(100) * 0.1, dt=0.1)
    assert compile(network).report.notes == ()
    open_model(relay(dt=0.1)).inject("in", [(k * 0.1, 0) for k in range(100)])


# ---- spikes that share a step ------------------------------------------------------------------


def test_a_networks_spikes_that_share_a_step_are_remarked():
    image = compile(with_times([1.0, 1.2, 1.4, 3.0, 3.0]))
    assert image.events[:, 0].tolist() == [1, 3]
    assert any("in: 3 of 5 spikes do not act" in note for note in image.report.notes)


SHARED = {
    "a pair twice": ([(2.0, 1), (2.0, 1), (3.0, 1)], 1, 2),
    "pairs within one step": ([(2.0, 1), (2.01, 1), (1.99, 1)], 2, 1),
    "counts in a raster": (np.array([[0, 3, 0, 1], [2, 0, 0, 0]], np.uint8), 3, 3),
}


@pytest.mark.parametrize("name", SHARED)
def test_injected_spikes_that_share_a_step_are_counted_and_warned_of(name):
    spikes, merged, act = SHARED[name]
    device = open_model(relay())
    with pytest.warns(SynloomWarning, match=f"{merged} of {merged + act} spikes for 'in'.*inputs_merged"):
        device.inject("in", spikes)
    assert device.counters().losses == {"inputs_merged": merged}
    assert device.counters()["inputs_merged"] == merged
    assert "Spikes that the host was given" in str(device.counters())
    assert len(device.run(20.0).spikes("out")[0]) == act
    device.load(device.image)
    assert device.counters().losses == {}


def test_spikes_that_share_a_step_with_waiting_ones_are_counted():
    device = open_model(relay())
    device.inject("in", [(5.0, 0), (6.0, 0)])
    device.run(5.0)
    with pytest.warns(SynloomWarning, match="1 of 2 spikes"):
        device.inject("in", [(0.0, 0), (9.0, 0)])
    with pytest.warns(SynloomWarning, match="1 of 1 spikes"):
        device.step({"in": [0]})
    with pytest.warns(SynloomWarning, match="2 of 2 spikes"):
        device.present({"in": np.array([[2, 0, 0, 0]], np.uint8)}, 5.0)
    assert device.counters().losses == {"inputs_merged": 4}


def test_a_warning_that_is_an_error_changes_nothing():
    device = open_model(relay())
    with pytest.raises(SynloomWarning):
        device.inject("in", [(1.0, 0), (1.0, 0)])
    assert device.counters().losses == {}
    assert not device.run(10.0).raster("out").any()


def test_a_warning_shows_the_callers_line():
    with pytest.warns(SynloomWarning) as caught:
        open_model(relay()).inject("in", [(1.0, 0), (1.0, 0)])
    assert [warning.filename for warning in caught] == [__file__]
