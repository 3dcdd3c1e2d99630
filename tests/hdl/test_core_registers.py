from random import Random

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from core_benches import access, simulate, ticks

from synloom.contract import ArrayParams
from synloom.contract.records import SettingKind, setting
from synloom.contract.registers import CONTROL_REGISTERS, control
from synloom_hdl.core.counters import Counters
from synloom_hdl.core.registers import ControlRegisters, highest
from synloom_hdl.core.shared_memory import AccessSignature
from synloom_sim.model.registers import Registers

PARAMS = ArrayParams(inputs=40, neurons=50, trace_bits=9, probes=3)
LEAN = PARAMS.replace(generators=False, reward=False, soft_bounds=False, stochastic_rounding=False)


class Bench(wiring.Component):
    """The registers and the memory that keeps what the host writes."""

    host: wiring.In(AccessSignature())

    def __init__(self, params=PARAMS):
        self.registers = ControlRegisters(params)
        self.memory = Counters(params)
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        m.submodules.registers, m.submodules.memory = self.registers, self.memory
        wiring.connect(m, wiring.flipped(self.host), self.registers.host)
        wiring.connect(m, self.registers.kept, self.memory.kept)
        return m

    async def read(self, ctx, register):
        words = [await access(ctx, self.host, register.offset + k) for k in range(register.words)]
        return sum(word << 16 * k for k, word in enumerate(words))

    async def write(self, ctx, register, value):
        for k in range(register.words):
            await access(ctx, self.host, register.offset + k, value >> 16 * k & 0xFFFF)

    def seen(self, ctx, register):
        """Return what the array sees."""
        return ctx.get(getattr(self.registers, register.name)) & (1 << 16 * register.words) - 1


@pytest.mark.parametrize("params", [PARAMS, LEAN], ids=["all features", "few features"])
@pytest.mark.parametrize("seed", range(3))
def test_every_register_is_where_the_contract_has_it(params, seed):
    bench, rng = Bench(params), Random(seed)
    values = {}

    async def main(ctx):
        for name, register in CONTROL_REGISTERS.items():
            small = register.words == 1 and rng.randrange(2)
            value = values[name] = rng.randrange(60) if small else rng.getrandbits(16 * register.words)
            if register.writable:
                await bench.write(ctx, register, value)
            else:
                ctx.set(getattr(bench.registers, name), value)
                await bench.write(ctx, register, value ^ 0xFFFF)
        for name, register in CONTROL_REGISTERS.items():
            assert await bench.read(ctx, register) == values[name], name
            if hasattr(bench.registers, name):
                top = highest(params, name) if register.words == 1 else (1 << 64) - 1
                assert bench.seen(ctx, register) == min(values[name], top), name
        end = sum(r.words for r in CONTROL_REGISTERS.values())
        for offset in (end, end + 1, 31):
            await access(ctx, bench.host, offset, 0xFFFF)
            assert await access(ctx, bench.host, offset) == 0
        for name, register in CONTROL_REGISTERS.items():
            assert await bench.read(ctx, register) == values[name], name

    simulate(bench, main)


@pytest.mark.parametrize("params", [PARAMS, LEAN], ids=["all features", "few features"])
def test_registers_wake_up_as_the_models(params):
    bench, model = Bench(params), Registers()

    async def main(ctx):
        for name, register in CONTROL_REGISTERS.items():
            if register.writable:
                assert await bench.read(ctx, register) == getattr(model, name), name
                if hasattr(bench.registers, name):
                    assert bench.seen(ctx, register) == getattr(model, name), name

    simulate(bench, main)


def test_reward_is_signed():
    bench = Bench()

    async def main(ctx):
        await bench.write(ctx, control("reward"), 0x8000)
        assert ctx.get(bench.registers.reward) == -32768

    simulate(bench, main)


@pytest.mark.parametrize("name", ["learn_rng", "gen_rng"])
def test_generators_advance(name):
    bench, register = Bench(), CONTROL_REGISTERS[name]

    async def main(ctx):
        dut = bench.registers
        await bench.write(ctx, register, 0)
        ctx.set(getattr(dut, f"{name}_next"), 0xA5C3_1E87_0F5A_C396)
        await ctx.tick()
        assert bench.seen(ctx, register) == 0
        ctx.set(getattr(dut, f"{name}_en"), 1)
        await ctx.tick()
        ctx.set(getattr(dut, f"{name}_en"), 0)
        assert await bench.read(ctx, register) == 0xA5C3_1E87_0F5A_C396
        await bench.write(ctx, register, 5)
        assert bench.seen(ctx, register) == 5

    simulate(bench, main)


@pytest.mark.parametrize("first", [0, 0xFFFE, 0x1_FFFE, 0xFFFF_FFFE])
def test_now_goes_up_with_each_step(first):
    bench = Bench()

    async def main(ctx):
        await bench.write(ctx, control("now"), first)
        for step in range(5):
            assert await bench.read(ctx, control("now")) == (first + step) & 0xFFFFFFFF
            ctx.set(bench.registers.now_en, 1)
            await ctx.tick()
            ctx.set(bench.registers.now_en, 0)
            await ticks(ctx, step % 2)

    simulate(bench, main)


@pytest.mark.parametrize(("every", "wait"), [(1, 0), (3, 0), (3, 5), (2, 1), (0, 1)])
def test_probes_wait_as_the_models(every, wait):
    bench, model = Bench(), Registers()
    model.probe_every, model.probe_wait = every, wait

    async def main(ctx):
        await bench.write(ctx, control("probe_wait"), wait)
        await bench.write(ctx, control("probe_every"), every)
        assert await bench.read(ctx, control("probe_every")) == every
        for _ in range(9):
            assert bench.seen(ctx, control("probe_wait")) == model.probe_wait
            model.probe_wait = ((model.probe_wait or every) - 1) & 0xFFFF
            ctx.set(bench.registers.probe_wait_en, 1)
            await ctx.tick()
            ctx.set(bench.registers.probe_wait_en, 0)

    simulate(bench, main)


def test_only_a_write_of_now_says_so():
    bench = Bench()
    seen = []

    async def watch(ctx):
        while True:
            *_, written = await ctx.tick().sample(bench.registers.now_written)
            seen.append(written)

    async def main(ctx):
        await bench.read(ctx, control("now"))
        await bench.write(ctx, control("learn_rng"), 1)
        await bench.write(ctx, control("probe_wait"), 1)
        await bench.write(ctx, control("mode"), 1)
        await ticks(ctx, 2)
        assert sum(seen) == 0
        await bench.write(ctx, control("now"), 0x10000)
        await ticks(ctx, 2)
        assert sum(seen) == 2

    simulate(bench, main, background=[watch])


def test_events_change_the_settings_that_the_host_reads_back():
    bench = Bench()

    async def obey(ctx, kind, value):
        ctx.set(bench.registers.setting, int(setting(kind, value)))
        ctx.set(bench.registers.setting_en, 1)
        await ctx.tick()
        ctx.set(bench.registers.setting_en, 0)

    async def main(ctx):
        mode, reward = control("mode"), control("reward")
        await bench.write(ctx, mode, 0b110)
        await bench.write(ctx, reward, 0x0123)
        # Learning on; what is not chosen stays.
        await obey(ctx, SettingKind.MODE, 0b01_0001)
        assert await bench.read(ctx, mode) == 0b111
        await obey(ctx, SettingKind.MODE, 0b11_0000)
        assert await bench.read(ctx, mode) == 0b100
        await obey(ctx, SettingKind.MODE, 0b00_0011)
        assert await bench.read(ctx, mode) == 0b100
        await obey(ctx, SettingKind.REWARD_HIGH, 0xFF)
        assert await bench.read(ctx, reward) == 0xFF23
        await obey(ctx, SettingKind.REWARD_LOW, 0x80)
        assert ctx.get(bench.registers.reward) == -128
        await bench.write(ctx, reward, 7)
        assert await bench.read(ctx, reward) == 7

    simulate(bench, main)
