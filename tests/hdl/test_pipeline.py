from itertools import pairwise
from random import Random

import pytest
from amaranth.hdl import Fragment, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from core_benches import simulate

from synloom_hdl.pipeline import Pipeline, StageError, cat, mux, staged


class Carrier(wiring.Component):
    """A pipeline that takes a word to every stage; `seen[k]` is what stage k has."""

    def __init__(self, registers, interval=1):
        self._registers, self._interval = registers, interval
        stages = len(registers) + 1
        super().__init__({"word": In(8), "valid": In(1), "seen": Out(8 * stages), "valids": Out(stages)})

    def elaborate(self, platform):
        m = Module()
        pipe = Pipeline(m, self._registers, interval=self._interval, valid=self.valid)
        word = pipe.enter("word", self.word)
        for k in range(len(self._registers) + 1):
            m.d.comb += [
                self.seen.word_select(k, 8).eq(word.at(k)),
                self.valids[k].eq(pipe.valid.at(k)),
            ]
        return m


def play(registers, interval, items):
    """Return for each item, fed every `interval` clocks, the stages in which it was seen when it was due."""
    dut = Carrier(registers, interval)
    clocks = [sum(registers[:k]) for k in range(len(registers) + 1)]
    found = [[] for _ in items]
    rng = Random(1)

    async def main(ctx):
        for clock in range(interval * len(items) + clocks[-1]):
            n, rest = divmod(clock, interval)
            goes = rest == 0 and n < len(items)
            ctx.set(dut.valid, goes)
            ctx.set(dut.word, items[n] if goes else rng.randrange(256))
            *_, seen, valids = await ctx.tick().sample(dut.seen, dut.valids)
            for k, late in enumerate(clocks):
                n, rest = divmod(clock - late, interval)
                due = rest == 0 and 0 <= n < len(items)
                assert valids >> k & 1 == due
                if due:
                    found[n].append((k, seen >> 8 * k & 0xFF))

    simulate(dut, main)
    return found


@pytest.mark.parametrize("interval", [1, 2, 3])
@pytest.mark.parametrize(
    "registers", [(True,) * 5, (False, False, True), (True, False, True, True, False, True)]
)
def test_values_arrive_in_every_stage_through_registers_and_wires(registers, interval):
    items = Random(interval).choices(range(256), k=9)
    for item, seen in zip(items, play(registers, interval, items), strict=True):
        assert seen == [(k, item) for k in range(len(registers) + 1)]


@pytest.fixture
def made():
    """Return a maker of pipelines, which are elaborated in the end."""
    modules = []

    def make(registers, interval=1):
        modules.append(Module())
        return Pipeline(modules[-1], registers, interval=interval, valid=Signal())

    yield make
    for m in modules:
        Fragment.get(m, None)


def same(a, b):
    return a.as_value() is b.as_value()


def test_all_who_want_a_value_in_a_stage_share_its_registers(made):
    pipe = made([True] * 4)
    a = pipe.enter("a", Signal(4))
    later = a.at(3)
    assert same(a.at(3), later)
    assert same(a.at(2).at(3), later)
    assert not same(a.at(2), later)
    record = pipe.enter("record", Signal(data.StructLayout({"low": 2, "high": 2})))
    assert same(record.low.at(2), record.low.at(2))


def test_a_register_serves_as_many_stages_as_it_keeps_an_item(made):
    pipe = made([True] * 6, interval=2)
    a = pipe.enter("a", Signal(4))
    stages = [a.at(k) for k in range(7)]
    assert [same(*pair) for pair in pairwise(stages)] == [False, True] * 3
    b = pipe.next("b", a)
    assert same(b, b.at(2))
    assert not same(b, b.at(3))


def test_wires_are_no_registers(made):
    pipe = made([False, True, False])
    a = pipe.enter("a", Signal(4))
    assert same(a, a.at(1))
    assert same(a.at(2), a.at(3))
    assert not same(a.at(1), a.at(2))


def test_a_result_is_in_the_stage_of_its_operands_and_next_is_one_later(made):
    pipe = made([True] * 3)
    a, b = pipe.enter("a", Signal(4)), pipe.enter("b", Signal(signed(4)), 1)
    total = a.at(1) + b
    assert total.stage == 1
    assert mux(total < 0, 0, total).stage == cat(total, a.at(1)).stage == 1
    assert pipe.wire("total", total, 9).stage == 1
    kept = pipe.next("kept", total[:3], signed(5))
    assert (kept.stage, kept.shape()) == (2, signed(5))


def test_stages_that_differ_do_not_mix(made):
    pipe = made([True] * 3)
    a, b = pipe.enter("a", Signal(4)), pipe.enter("b", Signal(4), 1)
    for mix in (
        lambda: a + b,
        lambda: mux(a == 0, b, 0),
        lambda: cat(a, b),
        lambda: a[0] & pipe.next("c", a)[0],
        lambda: staged(lambda x, y: x - y)(a, b),
    ):
        with pytest.raises(StageError, match=r"stage 0 and \w+ of stage 1 cannot be combined"):
            mix()


def test_values_of_two_pipelines_do_not_mix(made):
    with pytest.raises(StageError, match="cannot be combined"):
        _ = made([True]).enter("a", Signal()) & made([True]).enter("b", Signal())


def test_a_plain_value_must_say_its_stage(made):
    pipe = made([True])
    a, plain = pipe.enter("a", Signal(4)), Signal(4)
    for mix in (lambda: a + plain, lambda: plain + a, lambda: mux(plain, a, 0), lambda: a == plain):
        with pytest.raises(StageError, match="has no stage"):
            mix()
    assert (a + 1).stage == (1 - a).stage == 0


def test_steady_values_go_with_every_stage(made):
    pipe = made([True] * 3)
    adapt = pipe.steady(Signal())
    assert adapt.at(3) is adapt
    assert (~adapt).stage is None
    assert [(pipe.enter("a", Signal(), k) & adapt).stage for k in range(3)] == [0, 1, 2]


def test_no_value_is_there_before_its_stage_or_after_the_last(made):
    pipe = made([True] * 2)
    a = pipe.enter("a", Signal(4), 1)
    with pytest.raises(StageError, match="a cannot be in stage 0: it is of stage 1"):
        a.at(0)
    with pytest.raises(StageError, match="a cannot be in stage 3: the last stage is 2"):
        a.at(3)
    with pytest.raises(StageError, match="after 2"):
        pipe.next("b", a.at(2))
    with pytest.raises(StageError, match="of no stage"):
        pipe.next("b", pipe.steady(Signal()))


def test_plain_muxes_of_staged_values_cannot_return_to_the_pipeline(made):
    pipe = made([True])
    a = pipe.enter("a", Signal(4))
    with pytest.raises(StageError, match="has no stage"):
        _ = a + Mux(a == 0, a, 1)
