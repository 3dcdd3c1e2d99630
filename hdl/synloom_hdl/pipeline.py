"""Pipelines: values that know their stage, and the registers between stages."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, ValueCastable

__all__ = ["Pipeline", "StageError", "Staged", "cat", "mux", "staged"]


class StageError(ValueError):
    """A value was used in a stage that it does not belong to."""


class Pipeline:
    """A sequence of stages; a table says which of them end in a register, and which in a wire.

    Each value of a pipeline is `Staged`: it knows its stage. Operators combine values of the same stage, and
    raise `StageError` for others. `Staged.at` delays a value to a later stage: it inserts a register wherever
    a stage in between ends in one, and all uses of the value share these registers. So nobody counts delays,
    and the table alone determines how many clocks the pipeline takes::

        pipe = Pipeline(m, registers=[True, True, False])       # stages 0 to 3
        a, b, c = (pipe.enter(name, getattr(self, name)) for name in "abc")
        product = pipe.next("product", a * b)                   # computed in stage 0, used in stage 1
        total = pipe.next("total", product + c.at(1))           # `product + c` would raise: c is in stage 0
        clipped = pipe.next("clipped", mux(total > 9, 9, total))
        m.d.comb += self.o.eq(clipped)                          # two clocks after a, b and c

    Do not call it within ``m.If`` or ``m.FSM``: a register is assigned where it is first needed.

    Parameters
    ----------
    m : Module
        The module that has the registers and wires.
    registers : sequence of bool
        Whether each stage except the last ends in a register.
    interval : int
        Clocks from one item to the next. A register holds an item for so many clocks, and so serves as many
        stages.
    valid : Value, optional
        Stage 0 has an item. Needed if the interval is more than 1.

    Attributes
    ----------
    valid : Staged
        The stage has an item. At any interval it has a register for each stage that ends in one.
    """

    def __init__(
        self, m: Module, registers: Sequence[bool], *, interval: int = 1, valid: Value | None = None
    ):
        self._m = m
        self._registers = tuple(registers)
        self._interval = interval
        if valid is not None:
            self.valid = Staged(valid, 0, _Way(self, "valid", valid, 0, keeps=1))

    def enter(self, name: str, value: Value, stage: int = 0) -> Staged:
        """Return a value that comes from outside, in a stage."""
        return Staged(value, stage, _Way(self, name, value, stage, keeps=self._interval))

    def steady(self, value: Value) -> Staged:
        """Return a value that belongs to every stage, as it does not change while an item uses it."""
        return Staged(value, None)

    def wire(self, name: str, value: Staged, shape: Any = None) -> Staged:
        """Return a value under a name of its own and, if given, in another shape."""
        wire = Signal(value.shape() if shape is None else shape, name=name)
        self._m.d.comb += wire.eq(value)
        return self.steady(wire) if value.stage is None else self.enter(name, wire, value.stage)

    def next(self, name: str, value: Staged, shape: Any = None, **options: Any) -> Staged:
        """Return a value in the next stage, through the register or wire that ends its stage.

        Parameters
        ----------
        name : str
            Name of the register or wire.
        value : Staged
            The register's next value.
        shape : ShapeLike, optional
            The register's shape; by default that of the value.
        **options
            As for `Signal`.
        """
        if value.stage is None:
            raise StageError(f"{name} depends on steady values only, which are of no stage")
        if value.stage == len(self._registers):
            raise StageError(f"{name} would be in the stage after {value.stage}, which is the last stage")
        taken = Signal(value.shape() if shape is None else shape, name=name, **options)
        self._take(taken, value, value.stage, keeps=self._interval)
        is_kept, stage = self._registers[value.stage], value.stage + 1
        way = _Way(self, name, taken, stage, keeps=self._interval, is_kept=is_kept)
        return Staged(taken, stage, way)

    def _take(self, taken: Value, value: Value, stage: int, keeps: int):
        """Assign a value to the register or wire that ends a stage."""
        if not self._registers[stage]:
            self._m.d.comb += taken.eq(value)
        elif keeps == 1:
            self._m.d.sync += taken.eq(value)
        else:
            with self._m.If(self.valid.at(stage)):
                self._m.d.sync += taken.eq(value)

    def _through_wires(self, stage: int) -> int:
        """Return the last stage that is reached through wires alone."""
        while stage < len(self._registers) and not self._registers[stage]:
            stage += 1
        return stage


class _Way:
    """The way of a value through the stages: the value, then one register after the other."""

    def __init__(
        self, pipe: Pipeline, name: str, value: Value, stage: int, *, keeps: int, is_kept: bool = False
    ):
        self.pipe, self.name, self._keeps = pipe, name, keeps
        # With the last stage that each of them serves.
        self._holders = [(pipe._through_wires(stage + keeps - 1 if is_kept else stage), value)]

    def reach(self, stage: int) -> Value:
        """Return the value or register that serves a stage."""
        pipe = self.pipe
        while self._holders[-1][0] < stage:
            last, value = self._holders[-1]
            if last >= len(pipe._registers):
                raise StageError(f"{self.name} cannot be in stage {stage}: the last stage is {last}")
            register = Signal.like(value, name=f"{self.name}_{last + 1}")
            pipe._take(register, value, last, self._keeps)
            self._holders.append((pipe._through_wires(last + self._keeps), register))
        return next(value for last, value in self._holders if stage <= last)


def staged(function: Callable) -> Callable:
    """Make a function of values accept staged values of the same stage, which is then that of its result.

    Raises
    ------
    StageError
        If values of different stages are combined, or staged values with plain ones.
    """

    @wraps(function)
    def join(*operands: Any, **options: Any) -> Any:
        if not any(isinstance(operand, Staged) for operand in operands):
            return function(*operands, **options)
        places = {}
        for operand in operands:
            if isinstance(operand, Staged):
                if operand.stage is not None:
                    places.setdefault((operand.pipe, operand.stage), operand)
            elif isinstance(operand, Value | ValueCastable) and not isinstance(operand, Const):
                raise StageError(f"{operand!r} has no stage; it must enter() the pipeline, or be steady()")
        if len(places) > 1:
            found = " and ".join(f"{operand.name} of stage {operand.stage}" for operand in places.values())
            raise StageError(f"{found} cannot be combined; delay one to the other's stage with at()")
        value = function(*(o.value if isinstance(o, Staged) else o for o in operands), **options)
        for pipe, stage in places:
            return pipe.enter("value", value, stage)
        return Staged(value, None)

    return join


mux = staged(Mux)
"""Amaranth's Mux, also for staged values."""

cat = staged(Cat)
"""Amaranth's Cat, also for staged values."""


def _operators(function: Callable) -> tuple[Callable, Callable]:
    """Return the method of an operator, and its reflected method."""
    join = staged(function)
    return join, lambda value, other: join(other, value)


class Staged(ValueCastable):
    """A value of one stage of a pipeline or, if it is steady, of every stage.

    It has the operators and methods of Amaranth's values; fields of a structure are attributes. Integers,
    constants and steady values combine with values of any stage.

    Attributes
    ----------
    value : Value
        The plain value.
    stage : int or None
        Its stage; None if it is steady.
    """

    def __init__(self, value: Value, stage: int | None, way: _Way | None = None):
        self.value = value
        self.stage = stage
        self._way = way
        self._fields: dict[str, Staged] = {}

    @property
    def name(self) -> str:
        """Its name, from which the names of its registers are made."""
        return self._way.name if self._way else "a steady value"

    @property
    def pipe(self) -> Pipeline | None:
        """Its pipeline; None if it is steady."""
        return self._way.pipe if self._way else None

    def at(self, stage: int) -> Staged:
        """Return the value in its own stage or a later one.

        Raises
        ------
        StageError
            If the stage is earlier, or there is no such stage.
        """
        if self.stage in (None, stage):
            return self
        if stage < self.stage:
            raise StageError(f"{self.name} cannot be in stage {stage}: it is of stage {self.stage}")
        return Staged(self._way.reach(stage), stage, self._way)

    def shape(self) -> Any:
        """Return the value's shape."""
        return self.value.shape()

    def as_value(self) -> Value:
        """Return the plain value, for use outside of the pipeline."""
        return Value.cast(self.value)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self._fields:
            found = getattr(self.value, name)
            if callable(found):
                return partial(staged(lambda _, *operands: found(*operands)), self)
            pipe = self.pipe
            self._fields[name] = pipe.enter(name, found, self.stage) if pipe else Staged(found, None)
        return self._fields[name]

    def __len__(self) -> int:
        return len(self.as_value())

    __getitem__ = staged(operator.getitem)
    __invert__ = staged(operator.invert)
    __neg__ = staged(operator.neg)
    __add__, __radd__ = _operators(operator.add)
    __sub__, __rsub__ = _operators(operator.sub)
    __mul__, __rmul__ = _operators(operator.mul)
    __lshift__, __rlshift__ = _operators(operator.lshift)
    __rshift__, __rrshift__ = _operators(operator.rshift)
    __and__, __rand__ = _operators(operator.and_)
    __or__, __ror__ = _operators(operator.or_)
    __xor__, __rxor__ = _operators(operator.xor)
    __eq__, __ne__ = staged(operator.eq), staged(operator.ne)
    __lt__, __gt__ = staged(operator.lt), staged(operator.gt)
    __le__, __ge__ = staged(operator.le), staged(operator.ge)
    __hash__ = None
