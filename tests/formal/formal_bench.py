"""What a proof is made of: a bench around a block, what is assumed and asserted, and a mutant that must fail."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FunctionType

from amaranth.back import rtlil
from amaranth.hdl import Assert, Assume, ClockDomain, Fragment, Instance, Module, Signal, Value
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
    """The inside of a block: its signals by name.

    Invariants that make an induction succeed are about registers that are no ports.

    Parameters
    ----------
    fragment : Fragment
        The elaborated block.
    """

    def __init__(self, fragment: Fragment):
        self._found: dict[str, list[Signal]] = {}
        for statements in fragment.statements.values():
            for statement in statements:
                for signal in statement._lhs_signals():
                    known = self._found.setdefault(signal.name, [])
                    if not any(signal is other for other in known):
                        known.append(signal)

    def __getitem__(self, name: str) -> Signal:
        found = self._found.get(name, [])
        if len(found) != 1:
            raise KeyError(
                f"the block drives {len(found)} signals {name!r}, not one; it has {list(self._found)}"
            )
        return found[0]


class Bench:
    """A module around the blocks of a proof.

    All members of the blocks are ports, so that no input becomes a constant. There is no reset after the
    first clock.

    Attributes
    ----------
    m : Module
        For the equations of the bench.
    """

    def __init__(self) -> None:
        self.m = Module()
        self.m.domains.sync = ClockDomain(reset_less=True)
        self._ports: list[Value] = []
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
            Its signals by name.
        """
        fragment = Fragment.get(dut, None)
        self.m.submodules[name] = fragment
        self._ports += [Value.cast(value) for _, _, value in dut.signature.flatten(dut)]
        return Inside(fragment)

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

    def past(self, value, init: int = 0, name: str = "past") -> Signal:
        """Return the value of the clock before; `init` in the first clock."""
        value = Value.cast(value)
        register = Signal(value.shape(), init=init, name=self._name(name))
        self.m.d.sync += register.eq(value)
        return register

    def holds(self, start, stop=0, name: str = "holds") -> Signal:
        """Return a register that is set by `start` and cleared by `stop`, which is weaker."""
        register = Signal(name=self._name(name))
        self.m.d.sync += register.eq((register & ~Value.cast(stop)[0]) | start)
        return register

    def always(self, condition) -> None:
        """Assert a condition in every clock."""
        self.m.d.comb += Assert(condition)

    def given(self, condition) -> None:
        """Assume a condition in every clock."""
        self.m.d.comb += Assume(condition)

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
