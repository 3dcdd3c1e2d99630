"""Lessons: events that fire neurons and change settings, before the rows of their step."""

from __future__ import annotations

from amaranth.hdl import Module, Signal

from synloom_hdl.core.blocks import Blocks
from synloom_hdl.core.sequencer import Phase

__all__ = ["join_teaching"]


def join_teaching(m: Module, blocks: Blocks) -> None:
    """Let events fire neurons and change settings, once their step has begun."""
    events, registers, neurons = blocks.events, blocks.registers, blocks.neurons
    m.submodules.forced = forced = blocks.forced
    word, is_setting = events.lessons.payload, events.lessons.payload[14]
    neuron = Signal(12)
    m.d.comb += [
        neuron.eq(word - blocks.params.first_neuron_source),
        events.sweep_count.eq(registers.sweep_count),
        events.lesson_enable.eq(blocks.sequencer.events_enable & (blocks.sequencer.phase == Phase.TEACH)),
        forced.neurons.valid.eq(events.lessons.valid & ~is_setting),
        forced.neurons.p.bit.eq(neuron[:4]),
        forced.neurons.p.word.eq(neuron[4:]),
        events.lessons.ready.eq(is_setting | forced.neurons.ready),
        registers.setting_en.eq(events.lessons.valid & is_setting),
        registers.setting.eq(word),
        forced.read_en.eq(neurons.forced_en),
        forced.read_index.eq(neurons.forced_index),
        forced.clear.eq(neurons.forced_done),
        forced.forget.eq(registers.now_written),
        neurons.forced.eq(forced.word),
    ]
