from random import Random

import pytest
from core_benches import access, simulate, ticks

from synloom.contract import ArrayParams
from synloom.contract.regions import (
    CONTROL_REGISTERS,
    COUNTER_STRIDE,
    COUNTERS,
    WIDE_COUNTERS,
    control,
    counter_offset,
)
from synloom_hdl.core.registers import LIVE_REGISTERS, ControlRegisters, Counters
from synloom_sim.model.registers import Registers


async def read(ctx, dut, register):
    words = [await access(ctx, dut.host, register.offset + k) for k in range(register.words)]
    return sum(word << 16 * k for k, word in enumerate(words))


async def write(ctx, dut, register, value):
    for k in range(register.words):
        await access(ctx, dut.host, register.offset + k, value >> 16 * k & 0xFFFF)


def test_every_register_is_where_the_contract_has_it():
    dut, rng = ControlRegisters(), Random(1)
    values = {}

    async def main(ctx):
        for name, register in CONTROL_REGISTERS.items():
            value = values[name] = rng.getrandbits(16 * register.words)
            if register.writable:
                await write(ctx, dut, register, value)
            else:
                ctx.set(getattr(dut, name), value)
                await write(ctx, dut, register, ~value)
        for name, register in CONTROL_REGISTERS.items():
            assert await read(ctx, dut, register) == values[name], name
            seen = ctx.get(getattr(dut, name))
            assert seen & (1 << 16 * register.words) - 1 == values[name], name
        end = sum(r.words for r in CONTROL_REGISTERS.values())
        for offset in (end, end + 1, 64, 1 << 20):
            await access(ctx, dut.host, offset, 0xFFFF)
            assert await access(ctx, dut.host, offset) == 0
        for name, register in CONTROL_REGISTERS.items():
            assert await read(ctx, dut, register) == values[name], name

    simulate(dut, main)


def test_registers_wake_up_as_the_models():
    dut, model = ControlRegisters(), Registers()

    async def main(ctx):
        for name, register in CONTROL_REGISTERS.items():
            if register.writable:
                assert ctx.get(getattr(dut, name)) == getattr(model, name), name

    simulate(dut, main)


def test_reward_is_signed():
    dut = ControlRegisters()

    async def main(ctx):
        await write(ctx, dut, control("reward"), 0x8000)
        assert ctx.get(dut.reward) == -32768

    simulate(dut, main)


@pytest.mark.parametrize("name", LIVE_REGISTERS)
def test_the_array_changes_its_own_registers(name):
    dut, register = ControlRegisters(), CONTROL_REGISTERS[name]
    value = 0xA5C3_1E87 & (1 << 16 * register.words) - 1

    async def main(ctx):
        await write(ctx, dut, register, 0)
        ctx.set(getattr(dut, f"{name}_next"), value)
        await ctx.tick()
        assert ctx.get(getattr(dut, name)) == 0
        ctx.set(getattr(dut, f"{name}_en"), 1)
        await ctx.tick()
        ctx.set(getattr(dut, f"{name}_en"), 0)
        assert await read(ctx, dut, register) == value
        await write(ctx, dut, register, 5)
        assert ctx.get(getattr(dut, name)) == 5

    simulate(dut, main)


def test_only_a_write_of_now_says_so():
    dut = ControlRegisters()
    seen = []

    async def watch(ctx):
        while True:
            *_, written = await ctx.tick().sample(dut.now_written)
            seen.append(written)

    async def main(ctx):
        await read(ctx, dut, control("now"))
        await write(ctx, dut, control("learn_rng"), 1)
        await write(ctx, dut, control("probe_wait"), 1)
        await ticks(ctx, 2)
        assert sum(seen) == 0
        await write(ctx, dut, control("now"), 0x10000)
        await ticks(ctx, 2)
        assert sum(seen) == 2

    simulate(dut, main, background=[watch])


@pytest.mark.parametrize("counter_bits", [16, 17, 32])
def test_every_counter_adds_what_it_is_given(counter_bits):
    dut, rng = Counters(ArrayParams(counter_bits=counter_bits)), Random(2)
    tops = {name: (1 << (48 if name in WIDE_COUNTERS else counter_bits)) - 1 for name, _ in COUNTERS}
    totals = dict.fromkeys(tops, 0)

    async def main(ctx):
        for _ in range(300):
            for name, top in tops.items():
                step = rng.choice([0, 1, 255, rng.randrange(256)])
                ctx.set(getattr(dut, name), step)
                totals[name] = min(totals[name] + step, top)
            await ctx.tick()
        for name in tops:
            ctx.set(getattr(dut, name), 0)
        await ticks(ctx, 2)
        for name, total in totals.items():
            words = [await access(ctx, dut.host, counter_offset(name) + k) for k in range(COUNTER_STRIDE)]
            assert sum(word << 16 * k for k, word in enumerate(words)) == total, name
        assert await access(ctx, dut.host, COUNTER_STRIDE * len(COUNTERS)) == 0

    simulate(dut, main)


def test_a_narrow_counter_saturates_and_a_wide_one_goes_on():
    dut = Counters(ArrayParams(counter_bits=16))

    async def main(ctx):
        ctx.set(dut.spikes, 255)
        ctx.set(dut.steps, 255)
        await ticks(ctx, 0x10000 // 255 + 1)
        ctx.set(dut.spikes, 1)
        ctx.set(dut.steps, 0)
        await ticks(ctx, 3)
        assert await access(ctx, dut.host, counter_offset("spikes")) == 0xFFFF
        assert await access(ctx, dut.host, counter_offset("spikes") + 1) == 0
        assert await access(ctx, dut.host, counter_offset("steps") + 1) == 1

    simulate(dut, main)


def test_a_write_to_any_word_clears_that_counter_only():
    dut = Counters(ArrayParams())

    async def main(ctx):
        for word in range(COUNTER_STRIDE):
            for name in ("spikes", "chunks", "events_invalid"):
                ctx.set(getattr(dut, name), 7)
            await ctx.tick()
            for name in ("spikes", "chunks", "events_invalid"):
                ctx.set(getattr(dut, name), 0)
            await ticks(ctx, 2)
            await access(ctx, dut.host, counter_offset("chunks") + word, 0xFFFF)
            assert await access(ctx, dut.host, counter_offset("chunks")) == 0
        assert await access(ctx, dut.host, counter_offset("spikes")) == 28
        assert await access(ctx, dut.host, counter_offset("events_invalid")) == 28

    simulate(dut, main)
