"""Random arrays: legal contents of every memory and register, from a seed.

They are not networks that the compiler would produce, but anything that docs/numbers.md allows, so that
every feature is compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from synloom.contract.contents import Contents
from synloom.contract.memory_map import layout_of, memory_map
from synloom.contract.params import ArrayParams
from synloom.contract.records import EVENT_ADVANCE, EVENT_SETTING
from synloom.contract.regions import Region
from synloom.contract.registers import LIST_VALID, Mode, control
from synloom.contract.traces import TRACES, Side
from synloom.selftest.random_fields import Fields, random_fields

__all__ = ["STYLES", "RandomArray", "any_contents", "random_array"]

STYLES: Final = ("lively", "silent", "everyone", "saturating", "sparse", "stiff")
"""Styles of random arrays; `seed % len(STYLES)` selects one."""

_MAGNITUDES: Final = ("th_step", "ie", "ii", "theta")
"""Unsigned fields in units of the state. Like the signed ones, which all are, they are small in most styles:
neurons are neither silent nor saturated."""


@dataclass(frozen=True, eq=False)
class RandomArray(Contents):
    """The contents of an array, and the length and events of its run.

    Attributes
    ----------
    params, memories, registers
        As in `Contents`.
    events : (E,) uint16
        Words of the event queue, starting at the first step.
    steps : int
        Length of the run.
    style : str
        Its style, for messages.
    """

    events: npt.NDArray[np.uint16] = field(default_factory=lambda: np.zeros(0, dtype=np.uint16))
    steps: int = 20
    style: str = ""


def any_contents(params: ArrayParams, rng: np.random.Generator) -> dict[Region, Fields]:
    """Return random records of every memory that an image or a run changes, legal or not."""
    return {
        memory.region: random_fields(memory.layout, memory.count, rng)
        for memory in memory_map(params).values()
        if memory.exists and (memory.setting or memory.dynamic)
    }


def random_array(params: ArrayParams, seed: int, steps: int = 20) -> RandomArray:
    """Return random legal contents for an array; the seed also selects the style."""
    rng = np.random.default_rng([seed, 77])
    made = _Draft(params, rng, STYLES[seed % len(STYLES)], steps)
    return RandomArray(params, made.contents, made.registers, made.events, steps, made.style)


class _Draft:
    """Random contents that are made legal, and active according to the style."""

    def __init__(self, params: ArrayParams, rng: np.random.Generator, style: str, steps: int):
        self.params, self.rng, self.style, self.steps = params, rng, style, steps
        self.contents = any_contents(params, rng)
        self.registers: dict[str, int] = {}
        self.used = params.neurons
        self.twins = np.zeros(0, dtype=np.int64)
        if style not in ("everyone", "saturating") and rng.random() < 0.3:
            self.used = int(rng.integers(0, params.neurons + 1))
        self._neurons()
        self._weights()
        self._lists(self._program())
        self._registers()
        self._stimulus()
        self._probes()
        self.events = self._events()

    def _neurons(self) -> None:
        params, rng, style = self.params, self.rng, self.style
        n, top = params.neurons, params.state_max
        scale = {"saturating": top, "silent": 1000}.get(style, max(200, top >> 6))
        neurons, state = self.contents[Region.NEURON_PARAMS], self.contents[Region.NEURON_STATE]
        for region, fields in ((Region.NEURON_PARAMS, neurons), (Region.NEURON_STATE, state)):
            layout = layout_of(params, region)
            for name in fields:
                if layout[name].signed or name in _MAGNITUDES:
                    fields[name] = np.clip(fields[name] >> int(np.log2(top // scale)), -top, top)
        neurons["thr"] = {
            "everyone": rng.integers(-top, 1, n),
            "silent": np.full(n, top),
        }.get(style, rng.integers(scale // 8, scale + 1, n))
        neurons["bias"] = rng.integers(-scale // 8, scale // 8 + 1, n) * (style != "silent")
        neurons["refractory"] = np.where(rng.random(n) < 0.7, rng.integers(0, 4, n), neurons["refractory"])
        state["refr"] = np.where(rng.random(n) < 0.8, rng.integers(0, 3, n), state["refr"])
        if style != "saturating":
            for name in ("g_e", "g_i"):
                neurons[name] >>= 1

    def _weights(self) -> None:
        params, rng = self.params, self.rng
        w = self.contents[Region.WEIGHTS]["weight"]
        top = params.weight_max
        if self.style == "saturating":
            w = rng.choice([-top, top], len(w))
        density = {"sparse": 0.15}.get(self.style, 0.9)
        self.contents[Region.WEIGHTS]["weight"] = np.where(
            rng.random(len(w)) < density, w, params.weight_absent
        )

    def _program(self) -> dict[str, list[int]]:
        """Divide PROGRAM into lists; return the first segments of each kind of list."""
        params, rng = self.params, self.rng
        # Rows must not reach neurons outside the sweep, where sums would not be cleared.
        sizes = {"row": self.used, "column": params.sources}
        sizes |= {
            trace.name: params.sources if trace.side is Side.SOURCE else params.neurons for trace in TRACES
        }
        starts: dict[str, list[int]] = {kind: [] for kind in sizes}
        ranges: list[tuple[int, int, bool]] = []
        for copy in range(3):
            for kind, size in sizes.items():
                if size == 0 or (copy and kind not in ("row", "column")):
                    continue
                cuts = self._cuts(size, 3)
                if len(ranges) + len(cuts) > params.segments:
                    cuts = [(0, size)]
                if len(ranges) + 1 > params.segments:
                    continue
                starts[kind].append(len(ranges))
                ranges += [(lo, hi, k == len(cuts) - 1) for k, (lo, hi) in enumerate(cuts)]
        program = {name: values[: len(ranges)] for name, values in self.contents[Region.PROGRAM].items()}
        for k, name in enumerate(("lo", "hi", "last")):
            program[name] = np.array([entry[k] for entry in ranges], dtype=np.int64)
        top = params.weight_max
        low, high = (np.clip(program[name], -top, top) for name in ("w_min", "w_max"))
        wide = rng.random(len(ranges)) < 0.5
        program["w_min"] = np.where(wide, -top, np.minimum(low, high))
        program["w_max"] = np.where(wide, top, np.maximum(low, high))
        program["plastic"] = (rng.random(len(ranges)) < 0.7).astype(np.int64)
        program["t0"] = program["t0"] * rng.integers(0, 2, len(ranges))
        self.contents[Region.PROGRAM] = program
        return starts

    def _cuts(self, size: int, pieces: int) -> list[tuple[int, int]]:
        """Return disjoint ascending ranges within 0..size."""
        edges = np.unique(self.rng.integers(0, size + 1, 2 * pieces))
        if self.rng.random() < 0.5:
            return [(0, size)]
        ranges = [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=False) if b > a]
        return ranges or [(0, size)]

    def _lists(self, starts: dict[str, list[int]]) -> None:
        """Assign existing lists to sources, targets and traces."""
        params, rng = self.params, self.rng
        for region, kind, count, passes in (
            (Region.SOURCE, "row", params.sources, "connected"),
            (Region.TARGET, "column", params.neurons, "learns"),
        ):
            fields = self.contents[region]
            fields["list"] = rng.choice(starts[kind] or [0], count)
            fields[passes] = ((rng.random(count) < 0.9) & bool(starts[kind])).astype(np.int64)
            fields["nearest"] = (rng.random(count) < 0.3).astype(np.int64)
        targets = self.contents[Region.TARGET]
        targets["delay"] = rng.integers(0, params.delay_slots, params.neurons)
        self._chains()
        for trace in TRACES:
            first = starts[trace.name]
            valid = bool(first) and rng.random() < 0.9
            self.registers[trace.decay_list] = LIST_VALID | first[0] if valid else 0
            self.registers[trace.increment] = self._pick(
                params.trace_max >> 4, params.trace_max, int(rng.integers(0, params.trace_max + 1))
            )

    def _chains(self) -> None:
        """Let some rows start an axon, with an id above their own, so that activity dies out."""
        params, rng = self.params, self.rng
        if not params.axons:
            return
        fields, first = self.contents[Region.SOURCE], params.first_axon_source
        axons = np.arange(first, first + params.axons)
        # Twins are served in the step of the row before them, and started by nothing else.
        self.twins = axons[rng.random(params.axons) < 0.3]
        others = np.setdiff1d(axons, self.twins)
        fields["chained"] = (rng.random(params.sources) < 0.6).astype(np.int64)
        fields["hop"] = rng.integers(1, params.delay_slots, params.sources)
        fields["next"] = rng.choice(axons, params.sources)
        for row in range(params.sources):
            above = others[others > row]
            if len(above):
                fields["next"][row] = rng.choice(above)
            else:
                # A hop of 0 to an id that is not above its own: nothing follows.
                fields["hop"][row] = 0
                fields["next"][row] = min(row, params.first_axon_source)
        parents = rng.permutation(first)[: len(self.twins)]
        for twin, parent in zip(self.twins, parents, strict=False):
            fields["chained"][parent], fields["hop"][parent], fields["next"][parent] = 1, 0, twin

    def _pick(self, *values: int) -> int:
        return int(self.rng.choice(np.array(values)))

    def _registers(self) -> None:
        params, rng = self.params, self.rng
        learn, adapt = rng.random() < 0.85, rng.random() < 0.85
        every = int(rng.integers(1, 4))
        self.registers |= {
            "now": self._pick(0, 5, 0xFFFF, 0x12345, 0xFFFFFFF0),
            "learn_rng": int(rng.integers(1, 1 << 64, dtype=np.uint64)),
            "gen_rng": int(rng.integers(1, 1 << 64, dtype=np.uint64)),
            "sweep_count": self.used,
            "gen_words": int(rng.integers(0, params.input_words + 1)) if params.generators else 0,
            "reward": self._pick(256, -256, 0, int(rng.integers(-32768, 32768))) & 0xFFFF,
            "mode": int(learn) << Mode.LEARN | int(adapt) << Mode.ADAPT | 1 << Mode.RASTER,
            "probe_every": every,
            "probe_wait": int(rng.integers(0, every)),
        }

    def _stimulus(self) -> None:
        params, rng = self.params, self.rng
        if params.generators:
            generators = self.contents[Region.GEN_RATE]
            n = len(generators["mantissa"])
            # Any period, but of rates mostly some that are neither silent nor every step.
            most = {"silent": 0, "everyone": 0xFFF, "saturating": 0xC00}.get(self.style, 0x300)
            often = rng.random(n) < 0.1
            random = {
                "mantissa": np.where(often, most, rng.integers(0, most + 1, n)),
                "exponent": np.where(often | (rng.random(n) < 0.7), 7, generators["exponent"]),
            }
            regular = generators["regular"] * (self.style != "silent")
            generators |= {k: np.where(regular, generators[k], v) for k, v in random.items()}
            generators["regular"] = regular
        ids = self.contents[Region.WHEEL]["ids"] & rng.integers(
            0, 1 << 16, params.delay_slots * params.wheel_words
        )
        # Only ids that exist may spike.
        real = np.zeros(16 * params.wheel_words, dtype=bool)
        real[: params.inputs] = True
        for first, count in (
            (params.first_neuron_source, params.neurons),
            (params.first_axon_source, params.axons),
            (params.sources, params.neurons if params.dendritic_delays else 0),
        ):
            real[first : first + count] = True
        real[self.twins] = False
        words = (real.reshape(-1, 16).astype(np.int64) << np.arange(16)).sum(axis=1)
        self.contents[Region.WHEEL]["ids"] = ids & np.tile(words, params.delay_slots) * (
            self.style != "silent"
        )

    def _events(self) -> npt.NDArray[np.uint16]:
        params, rng = self.params, self.rng
        words: list[int] = []
        # No events beyond the run: they may or may not be in the wheel when it is read.
        due = 0
        while due < self.steps:
            ids = rng.integers(0, params.inputs + (rng.random() < 0.1), rng.integers(0, 6))
            advance = int(rng.integers(1, 4))
            words += [*(int(i) for i in ids), *self._lessons(), EVENT_ADVANCE | advance]
            due += advance
        return np.array(words, dtype=np.uint16)[: params.event_words - 1]

    def _lessons(self) -> list[int]:
        """Return events that fire neurons, some of which are not in use, and change settings."""
        params, rng = self.params, self.rng
        if not params.teaching or rng.random() < 0.5:
            return []
        neurons = params.first_neuron_source + rng.integers(0, params.neurons, rng.integers(0, 4))
        kinds = EVENT_SETTING | rng.integers(0, 4, rng.integers(0, 3)) << 12
        return [*neurons.tolist(), *(kinds | rng.integers(0, 256, len(kinds))).tolist()]

    def _probes(self) -> None:
        """Set probes at random words of the memories that change, and at a register."""
        params, rng = self.params, self.rng
        register = control("learn_rng")
        places = [(Region.CTRL, register.offset, register.words > 1)]
        for memory in memory_map(params).values():
            # The gateware may move an event into the wheel at any time before its step.
            if memory.exists and memory.dynamic and memory.region is not Region.WHEEL:
                for field in memory.layout.fields.values():
                    index = (int(rng.integers(size)) for size in memory.shape)
                    places.append(
                        (memory.region, memory.offset(*index, field=field.name), len(field.words) > 1)
                    )
        count = int(rng.integers(0, params.probes + 1))
        if count:
            chosen = rng.choice(np.array(places, dtype=np.int64), count)
            self.contents[Region.PROBES] = dict(zip(("region", "offset", "wide"), chosen.T, strict=True))
        self.registers["probe_count"] = count
