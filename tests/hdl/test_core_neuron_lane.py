import numpy as np
import pytest
from core_benches import simulate
from core_neurons import NeuronTwin

from synloom.contract import ArrayParams
from synloom.contract.memory_map import layout_of
from synloom.contract.regions import Region
from synloom_hdl.core.neuron_lane import NeuronLane, parameter_delays
from synloom_hdl.core.timing import LIF_CLOCKS, NeuronStage

N = 500
PARAMS = {
    "default": ArrayParams(neurons=N),
    "widest": ArrayParams(neurons=N, accumulator_bits=24, state_bits=24),
    "narrow": ArrayParams(neurons=N, state_bits=12, accumulator_bits=10),
    "no adaptation": ArrayParams(neurons=N, state_bits=17, adaptation=False),
    "no teaching": ArrayParams(neurons=N, state_bits=17, teaching=False),
}


def play(params, neurons, adapt, dithers=(), forced=(), delays=None):
    """Return (state, fires, saturations) of each (valid, parameters, state, sums), fed one a clock."""
    dut = NeuronLane(params, delays)
    layout, results = layout_of(params, Region.NEURON_PARAMS), []
    words = layout.pack({name: [n[1][name] for n in neurons] for name in layout.fields}).tolist()

    async def main(ctx):
        ctx.set(dut.adapt, adapt)
        for clock in range(len(neurons) + LIF_CLOCKS):
            if clock < len(neurons):
                valid, _, state, sums = neurons[clock]
                ctx.set(dut.valid, valid)
                ctx.set(dut.state, state)
                ctx.set(dut.sums, sums)
                ctx.set(dut.forced, bool(clock < len(forced) and forced[clock]))
            for word, delay in enumerate(delays or [0] * layout.words):
                came = words[clock - delay][word] if 0 <= clock - delay < len(words) else 0
                ctx.set(dut.parameters.as_value()[16 * word : 16 * word + 16], came)
            late = clock - NeuronStage.MULTIPLY
            ctx.set(dut.dither, dithers[late] if 0 <= late < len(dithers) else 0)
            *_, state, fires, clips = await ctx.tick().sample(dut.next_state, dut.fires, dut.saturations)
            if clock >= LIF_CLOCKS:
                names = neurons[clock - LIF_CLOCKS][2]
                results.append(({name: getattr(state, name) for name in names}, fires, clips))

    simulate(dut, main)
    return results


def rows(columns, count):
    return [{name: int(values[n]) for name, values in columns.items()} for n in range(count)]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("adapt", [0, 1])
@pytest.mark.parametrize("name", PARAMS)
def test_updates_random_neurons_as_the_model(name, adapt, late):
    params = PARAMS[name]
    delays = parameter_delays(layout_of(params, Region.NEURON_PARAMS)) if late else None
    twin = NeuronTwin(params, seed=adapt)
    sums = twin.draw_sums()
    before = rows(twin.fields, N)
    stimulus = [
        (1, parameters, state, {"e": int(e), "i": int(i)})
        for parameters, state, e, i in zip(rows(twin.parameters, N), before, *sums, strict=True)
    ]
    forced = (twin.rng.random(N) < 0.1) & params.teaching
    twin.state.forced[:] = forced
    refractory = np.array(twin.fields["refr"]) > 0
    fired, clips = twin.sweep(N, bool(adapt))
    assert forced[refractory].any() == params.teaching
    dithers = [twin.dither(n) for n in range(N)]
    results = play(params, stimulus, adapt, dithers, forced.tolist(), delays)
    for n, (got, want) in enumerate(zip(results, rows(twin.fields, N), strict=True)):
        assert got[0] == want, (n, stimulus[n])
    assert [n for n in range(N) if results[n][1]] == fired
    assert sum(clips for _, _, clips in results) == clips
    assert min(len(fired), clips, N - len(fired)) > N // 20


def one(params, adapt=1, valid=1, parameters=None, state=None, sums=(0, 0)):
    """Return the outcome of a single neuron; fields that are not given have their default."""
    twin = {"v": 0, "refr": 0, "ie": 0, "ii": 0} | ({"theta": 0} if params.adaptation else {})
    defaults = {f.name: f.default for f in layout_of(params, Region.NEURON_PARAMS).fields.values()}
    neuron = (valid, defaults | (parameters or {}), twin | (state or {}), {"e": sums[0], "i": sums[1]})
    return play(params, [neuron], adapt)[0]


def test_fires_at_the_threshold_and_not_below():
    params = PARAMS["default"]
    for thr, fires in ((100, 1), (101, 0)):
        state, fired, _ = one(params, parameters={"thr": thr, "reset": -7}, state={"v": 60}, sums=(40, 0))
        assert (fired, state["v"]) == (fires, -7 if fires else 100)


def test_a_refractory_neuron_keeps_its_potential_and_counts_down():
    parameters = {"thr": -5, "de": 0x8000, "bias": 9}
    state, fired, clips = one(
        PARAMS["default"], parameters=parameters, state={"v": 50, "refr": 3, "ie": 10, "ii": 4}
    )
    assert (fired, clips) == (0, 0)
    assert state == {"v": 50, "refr": 2, "ie": 5, "ii": 4, "theta": 0}


def test_the_last_refractory_step_does_not_fire_and_the_next_does():
    parameters = {"thr": 0, "reset": 3, "refractory": 2}
    refr, fires = 1, []
    for _ in range(5):
        state, fired, _ = one(PARAMS["default"], parameters=parameters, state={"v": 8, "refr": refr})
        refr = state["refr"]
        fires.append(fired)
    assert fires == [0, 1, 0, 0, 1]


def test_subtraction_keeps_what_is_over_and_is_clipped_once():
    params = PARAMS["narrow"]
    top = params.state_max
    parameters = {"thr": 0, "reset": 30, "subtract": 1}
    assert one(params, parameters=parameters, state={"v": 100})[0]["v"] == 70
    state, _, clips = one(params, parameters=parameters | {"reset": -top}, state={"v": 100})
    assert (state["v"], clips) == (top, 1)


def test_an_adaptive_threshold_rises_only_if_mode_says_so():
    parameters = {"thr": 0, "th_step": 11, "dth": 0xFFFF}
    for adapt, theta in ((1, 11), (0, 100)):
        state, fired, _ = one(PARAMS["default"], adapt, parameters=parameters, state={"v": 100, "theta": 100})
        assert (state["theta"], fired) == (theta, 1)


def test_a_full_adaptive_threshold_stays_full_and_is_counted():
    params = PARAMS["default"]
    state = {"v": params.state_max, "theta": params.state_max - 1}
    got, fired, clips = one(params, parameters={"thr": -10, "th_step": 2}, state=state)
    assert (got["theta"], fired, clips) == (params.state_max, 1, 1)


def test_a_neuron_that_is_not_in_use_neither_fires_nor_counts():
    params = PARAMS["default"]
    full = {"ie": params.state_max, "ii": params.state_max}
    for valid in (0, 1):
        _, fired, clips = one(params, valid=valid, parameters={"thr": 0}, state=full, sums=(1, 1))
        assert (fired, clips) == (valid, 2 * valid)
