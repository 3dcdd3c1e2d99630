"""The sweep: every neuron moves by one step, and every trace decays."""

from __future__ import annotations

from amaranth.hdl import Module

from synloom.contract.registers import Mode
from synloom_hdl.core.blocks import Blocks

__all__ = ["join_sweep"]


def join_sweep(m: Module, blocks: Blocks) -> None:
    """Update the neurons; remember which fired."""
    sequencer, registers = blocks.sequencer, blocks.registers
    neurons, passes = blocks.neurons, blocks.passes
    m.submodules.fired_bits = blocks.fired_bits
    count, write = blocks.spike_count, blocks.fired_write
    with m.If(sequencer.sweep_start):
        m.d.sync += count.eq(0)
    with m.Else():
        m.d.sync += count.eq(count + neurons.spikes)
    m.d.comb += [
        registers.now_en.eq(sequencer.sweep_start),
        neurons.start.eq(sequencer.sweep_start & ~blocks.neurons_rest),
        neurons.sweep_count.eq(registers.sweep_count),
        neurons.adapt.eq(registers.mode[Mode.ADAPT]),
        blocks.dither.now.eq(registers.now),
        neurons.dither.eq(blocks.dither.word),
        passes.sweep_en.eq(neurons.sweep_en),
        passes.sweep_group.eq(neurons.sweep_group),
        neurons.sums.eq(passes.sums),
        write.addr.eq(neurons.word_index),
        write.data.eq(neurons.word),
        write.en.eq(neurons.word_en),
        sequencer.sweep_busy.eq(
            neurons.busy
            | blocks.decaying.any()
            | blocks.jobs_wait
            | passes.busy
            | (blocks.generators.busy if blocks.params.generators else 0)
        ),
    ]
