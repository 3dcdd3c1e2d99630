"""What a proof is made of: a bench around a block, assumptions, assertions, and a mutant that must fail."""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType, FunctionType
from typing import Any

from amaranth.back import rtlil
from amaranth.hdl import (
    Assert,
    Assume,
    Cat,
    ClockDomain,
    Const,
    Fragment,
    Instance,
    Module,
    Shape,
    Signal,
    Value,
)
from amaranth.hdl._mem import MemoryInstance
from amaranth.lib import wiring

__all__ = ["Bench", "Inside", "Mutant", "Proof", "keeps"]


@dataclass(frozen=True)
class Mutant:
    """A small, stated change of the design, which a proof must notice.

    Parameters
    ----------
    function : function
        A function or method of the design.
    old, new : str
        A part of its source that stands there once, and what stands there instead.
    """

    function: FunctionType
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.old} -> {self.new}"

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Change the design for as long as the context lasts."""
        source = textwrap.dedent(inspect.getsource(self.function))
        if source.count(self.old) != 1:
            raise ValueError(
                f"{self.old!r} stands {source.count(self.old)} times in {self.function.__qualname__}, not "
                "once; try to state the mutant anew, as the design was changed"
            )
        names = dict(self.function.__globals__)
        # The line of a decorator is left out: it is the inner function that changes.
        source = source[source.index("def ") :].replace(self.old, self.new)
        exec(compile("from __future__ import annotations\n" + source, "<mutant>", "exec"), names)
        kept = self.function.__code__
        self.function.__code__ = names[self.function.__name__].__code__
        try:
            yield
        finally:
            self.function.__code__ = kept


@dataclass(frozen=True)
class Proof:
    """One claim about a block.

    Parameters
    ----------
    block : str
        What it is about.
    claim : str
        What is always true.
    bench : callable
        It fills a `Bench`.
    mutant : Mutant
        With it, the claim is false after a reset within `depth` clocks (or `mutant_depth`).
    depth : int
        Clocks after a reset that are searched and, with `for_ever`, the k of the induction.
    for_ever : bool
        The claim is proven for all clocks by k-induction; else for the first `depth` clocks only.
    mutant_depth : int, optional
        Clocks after a reset in which the mutant fails; by default `depth`.
    quick : bool
        It is part of the tests.
    """

    block: str
    claim: str
    bench: Callable[[Bench], None]
    mutant: Mutant
    depth: int
    for_ever: bool = True
    mutant_depth: int | None = None
    quick: bool = False

    @property
    def name(self) -> str:
        """A name for files and for the command line."""
        return self.bench.__name__

    @property
    def method(self) -> str:
        """How it is proven."""
        return f"for ever (k = {self.depth})" if self.for_ever else f"{self.depth} clocks"


class Inside:
    """The inside of a block: the local variables of its methods by name, and its memories by path.

    Invariants that make an induction succeed are about registers and memories that are no ports.

    Parameters
    ----------
    m : Module
        The bench.
    dut : Component
        The block. It is elaborated here.

    Attributes
    ----------
    fragment : Fragment
        The elaborated block.
    """

    def __init__(self, m: Module, dut: wiring.Component):
        self._m, self._dut = m, dut
        self._locals: dict[str, list[Any]] = {}
        self._memories: dict[str, MemoryInstance] = {}
        before = sys.getprofile()
        sys.setprofile(self._note)
        try:
            self.fragment = Fragment.get(dut, None)
        finally:
            sys.setprofile(before)
        self._find_memories(self.fragment, "")

    def _note(self, frame: FrameType, event: str, _: object) -> None:
        """Keep the local variables of a method of the block that returns."""
        if event == "return" and frame.f_locals.get("self") is self._dut:
            for name, value in frame.f_locals.items():
                known = self._locals.setdefault(name, [])
                if not any(value is other for other in known):
                    known.append(value)

    def _find_memories(self, fragment: Fragment, path: str) -> None:
        """Note the memories in a fragment and in its submodules."""
        if isinstance(fragment, MemoryInstance):
            self._memories[path.removesuffix(".")] = fragment
        for inner, name, _ in fragment.subfragments:
            self._find_memories(inner, f"{path}{name}.")

    def __getitem__(self, name: str) -> Any:
        found = self._locals.get(name, [])
        if len(found) != 1:
            raise KeyError(
                f"{len(found)} local variables are named {name!r}, not one; there are "
                f"{', '.join(self._locals)}"
            )
        return found[0]

    def state_is(self, *names: str) -> Value:
        """Return whether the block's state machine is in one of these states, or in any if none is named."""
        machine = self.fragment.generated["fsm"]
        codes = [machine.encoding[name] for name in names or machine.encoding]
        return Cat(machine._data["signal"] == code for code in codes).any()

    def word(self, name: str, address: Value) -> Signal:
        """Return what a memory has at an address now, by a port that only the proof has."""
        if name not in self._memories:
            raise KeyError(f"no memory is named {name!r}; there are {', '.join(self._memories)}")
        memory = self._memories[name]
        word = Signal(Shape.cast(memory._data.shape))
        place = Signal(range(memory._data.depth))
        memory.read_port(domain="comb", addr=place, data=word, en=Const(1), transparent_for=())
        self._m.d.comb += place.eq(address)
        return word


class Bench:
    """A module around the blocks of a proof.

    All inputs of the blocks are ports, so that none becomes a constant; what drives neither an assertion nor
    an assumption is left out. There is no reset after the first clock.

    Parameters
    ----------
    invariants : bool
        Whether invariants are asserted; a mutant must make the claim itself false.

    Attributes
    ----------
    m : Module
        For the equations of the bench.
    """

    def __init__(self, *, invariants: bool = True) -> None:
        self._invariants = invariants
        self.m = Module()
        self.m.domains.sync = clock = ClockDomain(reset_less=True)
        self._ports: list[Value] = [clock.clk]
        # Registers of past values do not depend on the `If` in which they are asked for.
        self.m.submodules.past = self._past = Module()
        self._names: dict[str, int] = {}

    def _name(self, name: str) -> str:
        """Return a name that nothing else has."""
        count = self._names[name] = self._names.get(name, 0) + 1
        return name if count == 1 else f"{name}_{count}"

    def add(self, dut: wiring.Component, name: str = "dut") -> Inside:
        """Add a block; what does not drive its inputs is free in every clock.

        Returns
        -------
        Inside
            Its local variables by name.
        """
        inside = Inside(self.m, dut)
        self.m.submodules[name] = inside.fragment
        self._open(dut, wiring.In)
        return inside

    def free(self, shape, name: str = "free") -> Signal:
        """Return an input of the bench: any value in every clock."""
        signal = Signal(shape, name=self._name(name))
        self._ports.append(Value.cast(signal))
        return signal

    def constant(self, shape, name: str = "constant") -> Signal:
        """Return any value, which never changes."""
        signal = Signal(shape, name=self._name(name))
        value = Value.cast(signal)
        self.m.submodules += Instance("any_const", p_WIDTH=len(value), o_value=value)
        return signal

    def _open(self, part: wiring.Component, flow: wiring.Flow) -> None:
        """Make the inputs or the outputs of a block ports of the bench."""
        members = part.signature.flatten(part)
        self._ports += [Value.cast(value) for _, member, value in members if member.flow is flow]

    def cut(self, inside: Inside, name: str, part: wiring.Component) -> None:
        """Leave out a submodule of a block: its outputs are free, and the claim holds whatever it does."""
        kept = [each for each in inside.fragment.subfragments if each[1] != name]
        if len(kept) != len(inside.fragment.subfragments) - 1:
            raise KeyError(f"no submodule is named {name!r}; there are {[each[1] for each in kept]}")
        inside.fragment.subfragments[:] = kept
        self._open(part, wiring.Out)

    def past(self, value, init: int = 0, name: str = "past") -> Signal:
        """Return the value of the clock before; `init` in the first clock."""
        value = Value.cast(value)
        register = Signal(value.shape(), init=init, name=self._name(name))
        self._past.d.sync += register.eq(value)
        return register

    def always(self, condition) -> None:
        """Assert a condition in every clock: a part of the claim."""
        self.m.d.comb += Assert(condition, src_loc_at=1)

    def invariant(self, condition) -> None:
        """Assert what an induction needs to know about the state, beside the claim."""
        if self._invariants:
            self.m.d.comb += Assert(condition, src_loc_at=1)

    def given(self, condition) -> None:
        """Assume a condition in every clock."""
        self.m.d.comb += Assume(condition, src_loc_at=1)

    def netlist(self) -> str:
        """Return the bench in RTLIL."""
        ports = [port for port in self._ports if isinstance(port, Signal)]
        assert len(ports) == len(self._ports)
        return rtlil.convert(self.m, name="top", ports=ports)


def keeps(bench: Bench, offered, name: str = "kept") -> Value:
    """Return whether a stream keeps its promise: what is valid and was not taken stays, and stays the same.

    Parameters
    ----------
    offered : stream
        Its `valid`, `ready` and `payload`.
    """
    waits = bench.past(offered.valid & ~offered.ready, name=f"{name}_waits")
    payload = Value.cast(offered.payload)
    before = bench.past(payload, name=f"{name}_payload")
    return ~waits | (offered.valid & (payload == before))
