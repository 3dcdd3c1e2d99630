"""Pipelines: values that know their stage, and the registers between stages."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, ValueCastable

__all__ = ["Pipeline", "StageError", "Staged", "cat", "mux", "staged"]


class StageError(ValueError):
    """A value was used in a stage in which it is not there."""


class Pipeline:
    """A row of stages, each of which ends in a register or only in a wire, as a table says.

    Each value of a pipeline is `Staged`: it knows the stage in which it is there. Operators join values of
    one stage, and raise for others. `Staged.at` takes a value to a later stage, through the registers in
    between, which all who want it there share. So nobody counts delays, and the table alone says how many
    clocks the pipeline takes::

        pipe = Pipeline(m, registers=[True, True, False])       # stages 0 to 3
        a, b, c = (pipe.enter(name, getattr(self, name)) for name in "abc")
        product = pipe.next("product", a * b)                   # made in stage 0, there in stage 1
        total = pipe.next("total", product + c.at(1))           # `product + c` would raise: c is of stage 0
        clipped = pipe.next("clipped", mux(total > 9, 9, total))
        m.d.comb += self.o.eq(clipped)                          # two clocks after a, b and c

    Call it outside of ``m.If`` and ``m.FSM``: a register is assigned where it is first wanted.

    Parameters
    ----------
    m : Module
        Where registers and wires are made.
    registers : sequence of bool
        For each stage but the last, whether it ends in a register.
    interval : int
        Clocks from one item to the next. A register keeps an item for so many clocks, and thereby serves as
        many stages.
    valid : Value, optional
        In stage 0: an item is there. An interval of more than 1 needs it.

    Attributes
    ----------
    valid : Staged
        An item is there; whatever the interval, it has a register for each stage that ends in one.
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
        """Return a value that comes from outside and is there in a stage."""
        return Staged(value, stage, _Way(self, name, value, stage, keeps=self._interval))

    def steady(self, value: Value) -> Staged:
        """Return a value that is there in every stage: it changes only while no item is under way."""
        return Staged(value, None)

    def wire(self, name: str, value: Staged, shape: Any = None) -> Staged:
        """Give a value a name and, perhaps, another shape."""
        wire = Signal(value.shape() if shape is None else shape, name=name)
        self._m.d.comb += wire.eq(value)
        return self.steady(wire) if value.stage is None else self.enter(name, wire, value.stage)

    def next(self, name: str, value: Staged, shape: Any = None, **options: Any) -> Staged:
        """Return a value in the next stage, from the register or the wire that ends its own.

        Parameters
        ----------
        name : str
            Name of the register or wire.
        value : Staged
            What it takes.
        shape : ShapeLike, optional
            Its shape, if not the value's.
        **options
            As for `Signal`.
        """
        if value.stage is None:
            raise StageError(f"{name} is made of steady values, which are of no stage")
        if value.stage == len(self._registers):
            raise StageError(f"{name} would be in the stage after {value.stage}, which is the last stage")
        taken = Signal(value.shape() if shape is None else shape, name=name, **options)
        self._take(taken, value, value.stage, keeps=self._interval)
        is_kept, stage = self._registers[value.stage], value.stage + 1
        way = _Way(self, name, taken, stage, keeps=self._interval, is_kept=is_kept)
        return Staged(taken, stage, way)

    def _take(self, taken: Value, value: Value, stage: int, keeps: int):
        """Let the register or the wire that ends a stage take a value."""
        if not self._registers[stage]:
            self._m.d.comb += taken.eq(value)
        elif keeps == 1:
            self._m.d.sync += taken.eq(value)
        else:
            with self._m.If(self.valid.at(stage)):
                self._m.d.sync += taken.eq(value)

    def _through_wires(self, stage: int) -> int:
        """Return the last stage that only wires part from a stage."""
        while stage < len(self._registers) and not self._registers[stage]:
            stage += 1
        return stage


class _Way:
    """A value's way through the stages: itself, then register after register."""

    def __init__(
        self, pipe: Pipeline, name: str, value: Value, stage: int, *, keeps: int, is_kept: bool = False
    ):
        self.pipe, self.name, self._keeps = pipe, name, keeps
        # Each with the last stage in which it has the value.
        self._holders = [(pipe._through_wires(stage + keeps - 1 if is_kept else stage), value)]

    def reach(self, stage: int) -> Value:
        """Return what has the value in a stage."""
        pipe = self.pipe
        while self._holders[-1][0] < stage:
            last, value = self._holders[-1]
            if last >= len(pipe._registers):
                raise StageError(f"{self.name} is wanted in stage {stage}, but the last stage is {last}")
            register = Signal.like(value, name=f"{self.name}_{last + 1}")
            pipe._take(register, value, last, self._keeps)
            self._holders.append((pipe._through_wires(last + self._keeps), register))
        return next(value for last, value in self._holders if stage <= last)


def staged(function: Callable) -> Callable:
    """Let a function of Amaranth's values take staged ones, too: of one stage, in which the result is.

    Raises
    ------
    StageError
        If values of different stages are joined, or staged values with plain ones.
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
            raise StageError(f"{found} do not meet; take one to the other's stage with at()")
        value = function(*(o.value if isinstance(o, Staged) else o for o in operands), **options)
        for pipe, stage in places:
            return pipe.enter("value", value, stage)
        return Staged(value, None)

    return join


mux = staged(Mux)
"""As Amaranth's Mux, for staged values, too."""

cat = staged(Cat)
"""As Amaranth's Cat, for staged values, too."""


def _operators(function: Callable) -> tuple[Callable, Callable]:
    """Return the methods of an operator, and of the same with its operands swapped."""
    join = staged(function)
    return join, lambda value, other: join(other, value)


class Staged(ValueCastable):
    """A value that is there in one stage of a pipeline, or in every stage if it is steady.

    It has the operators and methods of Amaranth's values, and its structure's fields as attributes. Integers,
    constants and steady values go with every stage.

    Attributes
    ----------
    value : Value
        The plain value.
    stage : int or None
        Its stage, or None if it is steady.
    """

    def __init__(self, value: Value, stage: int | None, way: _Way | None = None):
        self.value = value
        self.stage = stage
        self._way = way
        self._fields: dict[str, Staged] = {}

    @property
    def name(self) -> str:
        """Name of the registers that take it on."""
        return self._way.name if self._way else "a steady value"

    @property
    def pipe(self) -> Pipeline | None:
        """Its pipeline, unless it is steady."""
        return self._way.pipe if self._way else None

    def at(self, stage: int) -> Staged:
        """Return the value in a later stage, or in its own.

        Raises
        ------
        StageError
            If it is not there yet, or there is no such stage.
        """
        if self.stage in (None, stage):
            return self
        if stage < self.stage:
            raise StageError(
                f"{self.name} is wanted in stage {stage}, but is only there from {self.stage} on"
            )
        return Staged(self._way.reach(stage), stage, self._way)

    def shape(self) -> Any:
        """Return the value's shape."""
        return self.value.shape()

    def as_value(self) -> Value:
        """Return the plain value, for what is outside of the pipeline."""
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
