"""Generated arrays: random but legal contents of every register and memory, from a seed.

Not networks that a compiler would make: anything that docs/numbers.md allows, so that all of it is compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from synloom.contract import ArrayParams
from synloom.contract.array_port import Port
from synloom.contract.frames import RunFlag
from synloom.contract.layout import (
    neuron_params_layout,
    neuron_state_layout,
    segment_layout,
    source_layout,
    target_layout,
)
from synloom.contract.records import END_WORD, EVENT_ADVANCE, RecordKind
from synloom.contract.regions import (
    COUNTER_STRIDE,
    NEURON_PARAMS_STRIDE,
    NEURON_STATE_STRIDE,
    SEGMENT_STRIDE,
    Region,
    region_size,
    weight_offset,
)
from synloom.contract.registers import COUNTERS, Mode, control

__all__ = ["STYLES", "Generated", "differing_bits", "generate", "play"]

STYLES = ("lively", "silent", "everyone", "saturating", "sparse", "stiff")

_TIMING = {"busy_clocks", "stall_clocks", "late_steps", "chunks"}


@dataclass
class Generated:
    """What to write before a run, and how to run."""

    params: ArrayParams
    seed: int
    style: str
    writes: list[tuple[Region, int, np.ndarray]] = field(default_factory=list)
    events: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint16))
    steps: int = 20
    used: int = 0


def generate(params: ArrayParams, seed: int, steps: int = 20) -> Generated:
    """Return contents for `params`; the style goes round with the seed."""
    rng = np.random.default_rng([seed, 77])
    style = STYLES[seed % len(STYLES)]
    made = Generated(params, seed, style, steps=steps)
    made.used = params.neurons
    if style not in ("everyone", "saturating") and rng.random() < 0.3:
        made.used = int(rng.integers(0, params.neurons + 1))
    _neurons(made, rng)
    _weights(made, rng)
    _program(made, rng)
    _registers(made, rng)
    _stimulus(made, rng)
    _probes(made, rng)
    return made


def _put(made: Generated, region: Region, offset: int, values) -> None:
    made.writes.append((region, offset, np.asarray(values, dtype=np.int64).astype(np.uint16).ravel()))


def _coefficients(rng, n: int) -> np.ndarray:
    small = rng.integers(0, 3000, n)
    any_of_it = rng.integers(0, 65536, n)
    special = rng.choice([0, 1, 0x7FFF, 0xFFFE, 0xFFFF], n)
    return np.choose(rng.integers(0, 3, n), [small, any_of_it, special])


def _neurons(made: Generated, rng) -> None:
    params, n, top = made.params, made.params.neurons, made.params.state_max
    layout = neuron_params_layout(params)
    scale = {"saturating": top, "silent": 1000}.get(made.style, max(200, top >> 6))
    threshold = {
        "everyone": rng.integers(-top, 1, n),
        "silent": np.full(n, top),
    }.get(made.style, rng.integers(scale // 8, scale + 1, n))
    values = {
        "dm": _coefficients(rng, n),
        "de": _coefficients(rng, n),
        "di": _coefficients(rng, n),
        "thr": threshold,
        "reset": rng.integers(-scale // 2, max(1, scale // 4), n),
        "bias": rng.integers(-scale // 8, scale // 8 + 1, n) if made.style != "silent" else np.zeros(n, int),
        "refractory": np.where(rng.random(n) < 0.7, rng.integers(0, 4, n), rng.integers(0, 256, n)),
        "g_e": rng.integers(0, 16, n) if made.style == "saturating" else rng.integers(0, 8, n),
        "g_i": rng.integers(0, 16, n) if made.style == "saturating" else rng.integers(0, 7, n),
        "exponent_m": rng.integers(0, 4, n),
        "exponent_e": rng.integers(0, 4, n),
        "exponent_i": rng.integers(0, 4, n),
        "subtract": rng.integers(0, 2, n),
    }
    state = {
        "v": rng.integers(-scale, scale + 1, n),
        "refr": rng.integers(0, 3, n),
        "ie": rng.integers(0, scale, n),
        "ii": rng.integers(0, scale, n),
    }
    if params.adaptation:
        values |= {
            "dth": _coefficients(rng, n),
            "th_step": rng.integers(0, scale // 4 + 1, n),
            "exponent_th": rng.integers(0, 4, n),
        }
        state["theta"] = rng.integers(0, scale // 4 + 1, n)
    for region, fields, table, stride in (
        (Region.NEURON_PARAMS, layout, values, NEURON_PARAMS_STRIDE),
        (Region.NEURON_STATE, neuron_state_layout(params), state, NEURON_STATE_STRIDE),
    ):
        words = np.zeros((n, stride), np.uint16)
        words[:, : fields.words] = fields.pack(table)
        _put(made, region, 0, words)


def _weights(made: Generated, rng) -> None:
    params = made.params
    shape = (params.sources, params.neurons)
    top = params.weight_max
    extremes = made.style == "saturating"
    w = rng.choice([-top, top], shape) if extremes else rng.integers(-top, top + 1, shape)
    density = {"sparse": 0.15}.get(made.style, 0.9)
    w = np.where(rng.random(shape) < density, w, params.weight_absent)
    _put(made, Region.WEIGHTS, weight_offset(0, 0), w & 0xFF)


def _cuts(rng, size: int, pieces: int) -> list[tuple[int, int]]:
    """Return disjoint ascending ranges within 0..size."""
    edges = np.unique(rng.integers(0, size + 1, 2 * pieces))
    if rng.random() < 0.5:
        return [(0, size)]
    ranges = [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=False) if b > a]
    return ranges or [(0, size)]


def _program(made: Generated, rng) -> None:
    params, top = made.params, made.params.weight_max
    segments: list[dict[str, int]] = []
    starts: dict[str, list[int]] = {"row": [], "column": [], "x": [], "y": []}

    def rule(kind: str) -> dict[str, int]:
        """Return a random rule."""
        low = int(rng.integers(-top, top))
        return {
            "a": int(_coefficients(rng, 1)[0]),
            "t0": int(rng.choice([0, rng.integers(0, params.trace_max + 1)])),
            "w_min": low if rng.random() < 0.5 else -top,
            "w_max": int(rng.integers(low, top + 1)) if rng.random() < 0.5 else top,
            "shift": int(rng.integers(0, 8)),
            "plastic": int(rng.random() < 0.7),
            "exponent": int(rng.integers(0, 4)),
            **{flag: int(rng.integers(0, 2)) for flag in ("a_negative", "soft", "stochastic", "reward")},
        }

    budget = params.segments
    # Rows must not reach neurons that the sweep does not: their sums would stay.
    plan = [("row", made.used), ("column", params.sources), ("x", params.sources), ("y", params.neurons)]
    for copy in range(3):
        for kind, size in plan:
            if (copy and kind in "xy") or size == 0:
                continue
            ranges = _cuts(rng, size, 3)
            if len(segments) + len(ranges) > budget:
                ranges = [(0, size)]
            if len(segments) + 1 > budget:
                continue
            starts[kind].append(len(segments))
            for k, (lo, hi) in enumerate(ranges):
                segments.append({"lo": lo, "hi": hi, "last": int(k == len(ranges) - 1), **rule(kind)})
    layout = segment_layout()
    words = np.zeros((len(segments), SEGMENT_STRIDE), np.uint16)
    words[:, : layout.words] = layout.pack({f: [s[f] for s in segments] for f in segments[0]})
    _put(made, Region.PROGRAM, 0, words)

    n, s = params.neurons, params.sources
    _put(
        made,
        Region.SOURCE,
        0,
        source_layout().pack(
            {
                "list": rng.choice(starts["row"] or [0], s),
                "connected": (rng.random(s) < 0.9) & bool(starts["row"]),
                "nearest": rng.random(s) < 0.3,
            }
        ),
    )
    _put(
        made,
        Region.TARGET,
        0,
        target_layout().pack(
            {
                "list": rng.choice(starts["column"] or [0], n),
                "delay": rng.integers(0, params.delay_slots, n),
                "learns": (rng.random(n) < 0.8) & bool(starts["column"]),
                "nearest": rng.random(n) < 0.3,
            }
        ),
    )
    for name, kind in (("x_list", "x"), ("y_list", "y")):
        valid = bool(starts[kind]) and rng.random() < 0.9
        _put(made, Region.CTRL, control(name).offset, [0x8000 | starts[kind][0] if valid else 0])


def _registers(made: Generated, rng) -> None:
    params = made.params

    def write(name: str, value: int) -> None:
        """Write a control register of one or two words."""
        register = control(name)
        _put(made, Region.CTRL, register.offset, [value >> 16 * k & 0xFFFF for k in range(register.words)])

    write("now", int(rng.choice([0, 5, 0xFFFF, 0x12345, 0xFFFFFFF0])))
    write("learn_rng", int(rng.integers(1, 1 << 32)))
    write("gen_rng", int(rng.integers(1, 1 << 32)))
    write("sweep_count", made.used)
    write("gen_words", int(rng.integers(0, params.input_words + 1)) if params.generators else 0)
    write(
        "one_x",
        int(rng.choice([params.trace_max >> 4, params.trace_max, rng.integers(0, params.trace_max + 1)])),
    )
    write(
        "one_y",
        int(rng.choice([params.trace_max >> 4, params.trace_max, rng.integers(0, params.trace_max + 1)])),
    )
    write("reward", int(rng.choice([256, -256, 0, rng.integers(-32768, 32768)])) & 0xFFFF)
    learn, adapt = rng.random() < 0.85, rng.random() < 0.85
    write("mode", int(learn) << Mode.LEARN | int(adapt) << Mode.ADAPT | 1 << Mode.RASTER)
    for region, size, top in (
        (Region.X_TRACE, params.sources, params.trace_max),
        (Region.Y_TRACE, params.neurons, params.trace_max),
    ):
        _put(made, region, 0, rng.integers(0, top + 1, size))


def _stimulus(made: Generated, rng) -> None:
    params = made.params
    if params.generators:
        size = region_size(params, Region.GEN_RATE)
        level = {"silent": 0, "everyone": 0x7FFF, "saturating": 0x6000}.get(made.style, 0x1800)
        rate = np.where(rng.random(size) < 0.1, level, rng.integers(0, level + 1, size))
        _put(made, Region.GEN_RATE, 0, rate | rng.integers(0, 2, size) << 15)
        _put(made, Region.GEN_PHASE, 0, rng.integers(0, 1 << 15, size))
    if params.spike_counters:
        _put(made, Region.SPIKE_COUNTS, 0, rng.choice([0, 3, 0xFFFE, 0xFFFF], params.neurons))
    words: list[int] = []
    # The cursor ends within the run: events beyond it may or may not be in the wheel when it is read.
    due = 0
    while due < made.steps:
        words += [int(i) for i in rng.integers(0, params.inputs + (rng.random() < 0.1), rng.integers(0, 6))]
        advance = int(rng.integers(1, 4))
        words.append(EVENT_ADVANCE | advance)
        due += advance
    made.events = np.array(words, np.uint16)[: params.event_words - 1]
    wheel = rng.integers(0, 1 << 16, (params.delay_slots, params.source_words))
    wheel &= rng.integers(0, 1 << 16, wheel.shape)
    if made.style == "silent":
        wheel[:] = 0
    # Ids that no source has never spike.
    real = np.zeros(params.sources, bool)
    real[: params.inputs] = True
    real[params.first_neuron_source : params.first_neuron_source + params.neurons] = True
    wheel &= (real.reshape(-1, 16) << np.arange(16)).sum(axis=1)
    for slot in range(params.delay_slots):
        _put(made, Region.WHEEL, slot << 8, wheel[slot])


def _probes(made: Generated, rng) -> None:
    params = made.params
    count = int(rng.integers(0, params.probes + 1))
    table = []
    for _ in range(count):
        region = Region(
            rng.choice([Region.NEURON_STATE, Region.X_TRACE, Region.Y_TRACE, Region.WEIGHTS, Region.CTRL])
        )
        if region is Region.NEURON_STATE:
            offset, wide = NEURON_STATE_STRIDE * int(rng.integers(params.neurons)) + int(rng.integers(6)), 1
        elif region is Region.WEIGHTS:
            offset, wide = (
                weight_offset(int(rng.integers(params.sources)), int(rng.integers(params.neurons))),
                0,
            )
        elif region is Region.CTRL:
            offset, wide = control("learn_rng").offset, 1
        else:
            offset, wide = int(rng.integers(region_size(params, region))), 0
        table.append([region | wide << 15, offset & 0xFFFF, offset >> 16, 0])
    if table:
        _put(made, Region.PROBES, 0, table)
    every = int(rng.integers(1, 4))
    _put(made, Region.CTRL, control("probe_count").offset, [count, every, int(rng.integers(0, every))])


def play(made: Generated, port: Port) -> dict[str, np.ndarray]:
    """Write everything, run, and return the record words and all state afterwards, by name."""
    params = made.params
    for region, offset, values in made.writes:
        port.write(region, offset, values)
    for name, _ in COUNTERS:
        index = [n for n, _ in COUNTERS].index(name)
        port.write(Region.COUNTERS, COUNTER_STRIDE * index, [0])
    if len(made.events):
        assert port.events(made.events)
    port.run(made.steps, RunFlag(0))
    words = []
    while not _ended(words):
        got = port.records(5.0)
        assert len(got), f"no records after {len(words)} words"
        words += got.tolist()
    result = {"records": np.array(words, np.uint16)}
    for region in (
        Region.NEURON_STATE,
        Region.X_TRACE,
        Region.Y_TRACE,
        Region.GEN_PHASE,
        Region.SPIKE_COUNTS,
    ):
        result[region.name] = np.asarray(port.read(region, 0, region_size(params, region)))
    result["WEIGHTS"] = np.asarray(port.read(Region.WEIGHTS, 0, params.sources * params.neurons))
    slots = [port.read(Region.WHEEL, slot << 8, params.source_words) for slot in range(params.delay_slots)]
    result["WHEEL"] = np.concatenate(slots)
    for name in ("now", "learn_rng", "gen_rng", "probe_wait"):
        register = control(name)
        result[name] = np.asarray(port.read(Region.CTRL, register.offset, register.words))
    for k, (name, _) in enumerate(COUNTERS):
        if name not in _TIMING:
            result[f"counter {name}"] = np.asarray(
                port.read(Region.COUNTERS, COUNTER_STRIDE * k, COUNTER_STRIDE)
            )
    return result


def _ended(words: list[int]) -> bool:
    """Walk the records; the run is over when the walk meets a whole END record."""
    at = 0
    while at < len(words):
        kind, argument = words[at] >> 14, words[at] & 0x3FFF
        if words[at] == END_WORD:
            return at + 4 <= len(words)
        at += 1 + {RecordKind.PROBES: 2 * argument, RecordKind.TIME: 0}.get(kind, argument)
    return False


def differing_bits(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> dict[str, int]:
    """Return how many bits differ, for each part that differs at all."""
    differing = {}
    for name, left in a.items():
        right = b[name]
        if left.shape != right.shape:
            differing[name] = 16 * max(left.size, right.size)
            continue
        bits = (
            int(np.bitwise_count(left ^ right).sum())
            if hasattr(np, "bitwise_count")
            else int(np.unpackbits((left ^ right).view(np.uint8)).sum())
        )
        if bits:
            differing[name] = bits
    return differing
