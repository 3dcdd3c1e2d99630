"""The CTRL registers."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Shape, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from synloom.contract import ArrayParams
from synloom.contract.records import SETTING, SettingKind
from synloom.contract.registers import CONTROL_REGISTERS
from synloom.contract.traces import TRACES
from synloom_hdl.arithmetic import choose, minimum
from synloom_hdl.core.neuron_lane import record_layout
from synloom_hdl.core.shared_memory import AccessSignature
from synloom_hdl.counting import down_or_load

__all__ = ["KEPT_BITS", "LIVE_REGISTERS", "ControlRegisters", "highest", "words_at_first"]

LIVE_REGISTERS = tuple(name for name, register in CONTROL_REGISTERS.items() if register.live)
"""Registers that the array itself changes."""

KEPT_BITS = ceil_log2(sum(register.words for register in CONTROL_REGISTERS.values()))
"""Bits of an offset of CTRL in the memory that keeps what the host wrote."""

_SETTINGS = ("mode", "reward")
"""Registers that events change."""


def words_at_first() -> list[int]:
    """Return the words of CTRL after power-up, for the memory that keeps them."""
    words = [0] * (1 << KEPT_BITS)
    for register in CONTROL_REGISTERS.values():
        words[register.offset] = register.at_first
    return words


def highest(params: ArrayParams, name: str) -> int:
    """Return the largest value of a register that the array distinguishes.

    A larger value means the same, and the array gets this one instead, which needs fewer bits.
    """
    return {
        "sweep_count": params.neurons,
        "gen_words": params.input_words,
        "probe_count": params.probes,
        **{trace.increment: min(params.trace_max + 1, 0xFFFF) for trace in TRACES},
    }.get(name, 0xFFFF)


class ControlRegisters(wiring.Component):
    """The CTRL region: one port for each register of the contract.

    The host reads registers that the array changes from here, and all others from a memory elsewhere, which
    keeps what it wrote. So the ports need only the bits that the array uses.

    Members
    -------
    NAME : Out
        Each writable register except `probe_every`, limited to `highest`.
    now_en, probe_wait_en : In(1)
        A step passes: `now` is raised; `probe_wait` is lowered, or becomes `probe_every` - 1 if it is 0.
    learn_rng_next, gen_rng_next : In(64), learn_rng_en, gen_rng_en : In(1)
        The generator advances to this state. Without the feature that uses it a generator has no ports.
    setting_en : In(1), setting : In(16)
        An event changes `mode` or `reward` (only with `teaching`).
    NAME : In
        Each register that the host can only read.
    now_written : Out(1)
        The host wrote `now`.
    host : In(AccessSignature)
    kept : Out(AccessSignature)
        The memory that keeps what the host wrote, by CTRL's offsets.
    """

    def __init__(self, params: ArrayParams):
        self.params = params
        used = {"gen_rng": params.generators, "learn_rng": params.stochastic_rounding}
        used |= dict.fromkeys(_SETTINGS, params.teaching)
        self._live = tuple(name for name in LIVE_REGISTERS if used.get(name, True))
        members = {
            "host": In(AccessSignature()),
            "kept": Out(AccessSignature()),
            "now_written": Out(1),
        }
        if params.teaching:
            members |= {"setting_en": In(1), "setting": In(16)}
        for name, register in CONTROL_REGISTERS.items():
            bits = 16 * register.words
            if not register.writable:
                members[name] = In(Shape(bits, register.signed))
            elif name in self._live and name not in _SETTINGS:
                members[name] = Out(bits, init=register.at_first)
                members[f"{name}_en"] = In(1)
                if name.endswith("rng"):
                    members[f"{name}_next"] = In(bits)
            elif name in _SETTINGS or name not in (*LIVE_REGISTERS, "probe_every"):
                shape = Shape(bits, register.signed)
                if register.words == 1 and not register.signed:
                    shape = Shape.cast(range(highest(params, name) + 1))
                members[name] = Out(shape, init=register.at_first)
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        host, kept = self.host, self.kept
        offset = host.offset[:KEPT_BITS]
        is_kept, is_live = Signal(), Signal()
        found = [None] * (1 << KEPT_BITS)
        writes = {}
        for name, register in CONTROL_REGISTERS.items():
            for k in range(register.words):
                place, word = register.offset + k, slice(16 * k, 16 * k + 16)
                if name in self._live or not register.writable:
                    found[place] = getattr(self, name)[word]
                if register.writable:
                    writes[name, k] = Signal(name=f"{name}_writes{k}")
                    m.d.comb += writes[name, k].eq(host.write & (offset == place))
                    if (name in _SETTINGS or name not in self._live) and hasattr(self, name):
                        with m.If(writes[name, k]):
                            m.d.sync += getattr(self, name)[word].eq(
                                minimum(host.data, highest(self.params, name))
                            )
        self._count(m, writes)
        self._advance(m, writes)
        if self.params.teaching:
            self._obey(m)
        with m.Switch(offset):
            for place, value in enumerate(found[: sum(r.words for r in CONTROL_REGISTERS.values())]):
                with m.Case(place):
                    m.d.comb += [is_live.eq(value is not None), is_kept.eq(value is None)]
        live = Signal(16)
        m.d.sync += [
            live.eq(Mux(host.select & is_live, choose(found, offset), 0)),
            self.now_written.eq(writes["now", 0] | writes["now", 1]),
        ]
        m.d.comb += [
            kept.select.eq(host.select & is_kept),
            kept.due.eq(host.due & is_kept),
            kept.offset.eq(host.offset),
            kept.write.eq(host.write),
            kept.data.eq(host.data),
            host.hold.eq(kept.hold),
            host.q.eq(live | kept.q),
        ]
        return m

    def _count(self, m: Module, writes: dict[tuple[str, int], Signal]):
        """Let the host and the steps change `now` and `probe_wait`."""
        data = self.host.data
        # As up_or_load, for each word.
        # Known in the second clock of an access, so that the way through the carry does not wait for it.
        first, here = CONTROL_REGISTERS["now"].offset, Signal(2)
        m.d.sync += here.eq(Cat(self.host.offset[:KEPT_BITS] == first + k for k in range(2)))
        loads = [self.host.write & here[k] for k in range(2)]
        later = Signal(32)
        m.d.comb += later.eq(self.now + Cat(load.replicate(16) for load in loads) + 1)
        for k, load in enumerate(loads):
            word = slice(16 * k, 16 * k + 16)
            with m.If(load | self.now_en):
                m.d.sync += self.now[word].eq(Mux(load, data, later[word]))

        longest = Signal(16)
        with m.If(writes["probe_every", 0]):
            m.d.sync += longest.eq(data - 1)
        load = writes["probe_wait", 0]
        with m.If(load | self.probe_wait_en):
            m.d.sync += self.probe_wait.eq(
                down_or_load(self.probe_wait, load | (self.probe_wait == 0), Mux(load, data, longest))
            )

    def _advance(self, m: Module, writes: dict[tuple[str, int], Signal]):
        """Let the host and the array change the random generators."""
        for name in self._live:
            if name.endswith("rng"):
                value, following = getattr(self, name), getattr(self, f"{name}_next")
                for k in range(len(value) // 16):
                    word, load = slice(16 * k, 16 * k + 16), writes[name, k]
                    with m.If(load | getattr(self, f"{name}_en")):
                        m.d.sync += value[word].eq(Mux(load, self.host.data, following[word]))

    def _obey(self, m: Module):
        """Let an event change `mode` or `reward`."""
        word = data.View(record_layout(SETTING), self.setting)
        value, kind = word.value, word.kind
        with m.If(self.setting_en):
            with m.If(kind == SettingKind.MODE):
                for k in range(2):
                    with m.If(value[4 + k]):
                        m.d.sync += self.mode[k].eq(value[k])
            with m.If(kind == SettingKind.REWARD_LOW):
                m.d.sync += self.reward[:8].eq(value)
            with m.If(kind == SettingKind.REWARD_HIGH):
                m.d.sync += self.reward[8:].eq(value)
