"""compile(): from a network to an image, step by step."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from synloom.base.checks import IntArray, switch
from synloom.base.errors import NetworkError, ParameterError
from synloom.base.wording import shown
from synloom.compiler.effective import report_spikes
from synloom.compiler.neurons import neuron_registers, neuron_state
from synloom.compiler.origin import Origin, choose_origin
from synloom.compiler.placement import Placement, fit, place
from synloom.compiler.program import PlacedProjection, Program, Span, build_program
from synloom.compiler.range_report import report_range
from synloom.compiler.rows import Rows, longest_wait, plan_rows
from synloom.compiler.rules import TraceUnits, features, rule_registers, trace_units, weight_unit_of
from synloom.compiler.scales import Scale
from synloom.compiler.sharing import share
from synloom.compiler.stimulus import input_events, rate_words, rates_of
from synloom.compiler.synapses import Edges, back_delays, expand
from synloom.compiler.weight_report import report_weights
from synloom.contract.memory_map import layout_of
from synloom.contract.params import MOST_DELAY_SLOTS, ArrayParams
from synloom.contract.regions import Region
from synloom.contract.registers import Mode
from synloom.contract.traces import TRACES
from synloom.image.image import Image, seeded_registers
from synloom.image.places import InputInfo, PopulationInfo, ProjectionInfo
from synloom.image.report import ReportBuilder
from synloom.network.network import Network, Population

__all__ = ["compile"]


def compile(network: Network, params: ArrayParams | None = None, *, strict: bool = False) -> Image:
    """Compile a network for an array.

    Parameters
    ----------
    network : Network
        The network; it is not changed.
    params : ArrayParams, optional
        The array to compile for, such as `device.params`. Default: the smallest standard array that holds the
        network.
    strict : bool
        Refuse a network on which the report has remarks: something vanishes, is changed by more than 2 %, or
        may be limited.

    Returns
    -------
    Image
        The compiled network; `image.report` lists the quantisation errors.

    Raises
    ------
    NetworkError
        If the network is inconsistent; with `strict`, if there are remarks, which the message lists.
    ParameterError
        If a value is out of the range of every array.
    CapacityError
        If the array is too small or lacks a feature; the message says what is missing and which array would
        hold the network.
    """
    if not isinstance(network, Network):
        raise NetworkError(f"compile needs a Network, not {shown(network)} ({type(network).__name__})")
    if params is not None and not isinstance(params, ArrayParams):
        raise ParameterError(f"params must be ArrayParams, not {shown(params)}")
    image = _Compilation(network, params).image()
    if switch("strict", strict) and image.report.notes:
        raise NetworkError(
            "the array would not do what the network says:\n"
            + "\n".join(f"- {note}" for note in image.report.notes)
            + "\nchange these values, compile for an array with more bits, or leave out strict=True"
        )
    return image


class _Compilation:
    """The compilation of one network for one array."""

    def __init__(self, network: Network, params: ArrayParams | None):
        self.network = network
        self.report = ReportBuilder()
        self.places: Placement = place(network, params)
        self.edges: list[Edges] = expand(network, self.report)
        self.back = back_delays(network, self.edges)
        # An array of the network's own has the number formats of the standard one.
        self.kinds, self.scales = share(network, self.edges, params or ArrayParams())
        self.slots = self._slots(params)
        self.rows: Rows = plan_rows(network, self.edges, self.kinds, self.slots - 1)
        self.params: ArrayParams = fit(params, self._needs())
        self.ids = [
            self.rows.ids(k, self._spans(edge)[0].first + edge.pre, self.params)
            for k, edge in enumerate(self.edges)
        ]
        self.automatic = params is None
        self.origins: dict[str, Origin] = {
            str(p.label): choose_origin(
                p.cell.values(p.n), self.scales[str(p.label)], self.params, network.dt
            )
            for p in network.populations
        }
        learning = [(e, self._unit_of(e)) for e in self.edges if e.rule is not None]
        self.units: TraceUnits = trace_units(learning, self.params, network.dt)

    def image(self) -> Image:
        """Return the image."""
        network = self.network
        neuron_params, state = self._neurons()
        weights = self._weights()
        placed = [self._placed(edge, rows) for edge, rows in zip(self.edges, self.ids, strict=True)]
        program = build_program(self._joined(placed), self.params, network.dt)
        self.params = fit(
            None if self.automatic else self.params, {**self._needs(), "segments": len(program.segments)}
        )
        if self.rows.axons:
            self.report.add("delays", "axons", self.rows.axons, self.rows.axons)
            self.report.add("delays", "delay slots", self.params.delay_slots, self.params.delay_slots)
        gen_rate = self._gen_rate()
        return Image(
            params=self.params,
            dt=network.dt,
            seed=network.seed,
            registers=self._registers(program),
            weights=weights,
            synapses=self._synapses(),
            neuron_params=neuron_params,
            neuron_state=state,
            source=self._source(program),
            target=self._target(program),
            program=_pack_segments(program, self.params),
            gen_rate=gen_rate,
            events=self._events(),
            populations=self._population_infos(),
            inputs=self._input_infos(),
            projections=self._projection_infos(placed),
            report=self.report.report(),
        )

    # ---- what is needed ------------------------------------------------------------------------

    def _needs(self) -> dict[str, int | bool]:
        needs: dict[str, int | bool] = {
            "inputs": max(self.places.input_count, 1),
            "neurons": self.places.neuron_count,
            "axons": self.rows.axons,
            "delay_slots": self.slots,
            **features(self.edges),
        }
        if any(p.generator for p in self.network.inputs):
            needs["generators"] = True
        if any(p.cell.theta_plus.any() or p.theta_init.any() for p in self.network.populations):
            needs["adaptation"] = True
        if any(back.any() for back in self.back.values()):
            needs["dendritic_delays"] = True
        return needs

    def _slots(self, params: ArrayParams | None) -> int:
        """Return the delay slots to plan for: those of the array, or as many as the longest wait needs."""
        back = max((int(part.max(initial=0)) for part in self.back.values()), default=0)
        most = MOST_DELAY_SLOTS
        if back >= most:
            raise NetworkError(
                f"dendritic delays must be at most {(most - 1) // 2} steps "
                f"({(most - 1) // 2 * self.network.dt:g} ms), not {back / 2:g} steps; use a larger dt, a "
                f"shorter delay or a smaller dendritic part"
            )
        if params is not None:
            return max(params.delay_slots, 1 << back.bit_length())
        wait = longest_wait(self.network, self.edges, self.kinds)
        return min(1 << max(wait, back).bit_length(), most)

    # ---- neurons -------------------------------------------------------------------------------

    def _neurons(self) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16]]:
        n = self.params.neurons
        layouts = [layout_of(self.params, region) for region in (Region.NEURON_PARAMS, Region.NEURON_STATE)]
        fields, states = (
            {name: np.full(n, field.default, dtype=np.int64) for name, field in layout.fields.items()}
            for layout in layouts
        )
        # Neurons in the gaps between populations must never fire.
        fields["thr"][:] = self.params.state_max
        for population, first in zip(self.network.populations, self.places.neurons, strict=True):
            where = slice(first, first + population.n)
            scale, origin = self.scales[str(population.label)], self.origins[str(population.label)]
            registers = neuron_registers(population, scale, origin, self.params, self.network.dt, self.report)
            for name, values in registers.items():
                fields[name][where] = values
            report_range(population, self._incoming(population), scale, self.params, self.report)
            for name, values in neuron_state(population, scale, origin, self.params, self.report).items():
                states[name][where] = values
        return layouts[0].pack(fields), layouts[1].pack(states)

    # ---- synapses ------------------------------------------------------------------------------

    def _incoming(self, population: Population) -> list[Edges]:
        return [edge for edge in self.edges if edge.projection.post is population]

    def _scale_of(self, edge: Edges) -> Scale:
        return self.scales[str(edge.projection.post.label)]

    def _unit_of(self, edge: Edges) -> float:
        """Return the unit of the weights of a projection that learns, one for all of its kind."""
        kind = self.kinds[_index(self.edges, edge)]
        together = [e for e, other in zip(self.edges, self.kinds, strict=True) if other == kind]
        return weight_unit_of(together, self._scale_of(edge))

    def _joined(self, placed: Sequence[PlacedProjection]) -> list[PlacedProjection]:
        """Return the projections for the program, in which those of one kind are one."""
        groups: dict[int, list[PlacedProjection]] = {}
        for part, kind in zip(placed, self.kinds, strict=True):
            groups.setdefault(kind, []).append(part)
        return [
            dataclasses.replace(
                parts[0],
                rows=np.concatenate([part.rows for part in parts]),
                post=np.concatenate([part.post for part in parts]),
            )
            for parts in groups.values()
        ]

    def _spans(self, edge: Edges) -> tuple[Span, Span]:
        pre, post = edge.projection.pre, edge.projection.post
        target = self.places.neurons[_index(self.network.populations, post)]
        if isinstance(pre, Population):
            first = (
                self.params.first_neuron_source + self.places.neurons[_index(self.network.populations, pre)]
            )
        else:
            first = self.places.inputs[_index(self.network.inputs, pre)]
        return Span(first, pre.n), Span(target, post.n)

    def _weights(self) -> npt.NDArray[np.int8]:
        weights = np.full(
            (self.params.sources, self.params.neurons), self.params.weight_absent, dtype=np.int8
        )
        load = np.zeros((2, self.params.neurons))
        for edge, rows in zip(self.edges, self.ids, strict=True):
            target = self._spans(edge)[1]
            exc, inh = self._scale_of(edge).weight_lsb(edge.label)
            lsb = np.where(edge.weights >= 0.0, exc[edge.post], inh[edge.post])
            wanted = np.rint(edge.weights / lsb)
            got = np.clip(wanted, -self.params.weight_max, self.params.weight_max)
            weights[rows, target.first + edge.post] = got.astype(np.int8)
            report_weights(edge, wanted, got, lsb, self.params, self.report)
            report_spikes(edge, edge.projection.post, self._scale_of(edge), self.network.dt, self.report)
            sums = np.abs(got) * 2.0 ** self._scale_of(edge).shifts[edge.label]
            for sign, mask in enumerate((got > 0, got < 0)):
                np.add.at(load[sign], target.first + edge.post[mask], sums[mask])
        if load.max() > self.params.accumulator_max:
            self.report.note(
                f"if all sources spike in one step, a neuron's synaptic input exceeds accumulator_bits="
                f"{self.params.accumulator_bits} and saturates (counted in acc_saturations)"
            )
        return weights

    def _placed(self, edge: Edges, rows: IntArray) -> PlacedProjection:
        source, target = self._spans(edge)
        scale, rule = self._scale_of(edge), edge.rule
        placed = PlacedProjection(
            label=edge.label,
            source=source,
            target=target,
            shift=scale.shifts[edge.label],
            rows=rows,
            post=edge.post,
        )
        if rule is None:
            return placed
        return dataclasses.replace(
            placed,
            rule=rule_registers(
                edge, self._unit_of(edge), self.units, self.params, self.network.dt, self.report
            ),
            tau_x=rule.tau_pre,
            tau_y=rule.tau_post,
            nearest=rule.pairing == "nearest",
        )

    # ---- tables --------------------------------------------------------------------------------

    def _source_fields(self, program: Program) -> dict[str, IntArray]:
        first = [self.params.first_neuron_source + n for n in self.places.neurons]
        return program.source | self.rows.fields([*first, *self.places.inputs], self.params)

    def _source(self, program: Program) -> npt.NDArray[np.uint16]:
        return layout_of(self.params, Region.SOURCE).pack(self._source_fields(program))

    def _target(self, program: Program) -> npt.NDArray[np.uint16]:
        delay = np.zeros(self.params.neurons, dtype=np.int64)
        back = np.zeros_like(delay)
        for population, first in zip(self.network.populations, self.places.neurons, strict=True):
            where = slice(first, first + population.n)
            delay[where] = self.rows.base_delay[str(population.label)]
            back[where] = self.back[str(population.label)]
        # Neurons without outgoing synapses get delay 0: their spikes go nowhere.
        first = self.params.first_neuron_source
        used = self._source_fields(program)
        sends = used["connected"] | used.get("chained", np.int64(0))
        fields = {**program.target, "delay": delay * sends[first : first + self.params.neurons]}
        if self.params.dendritic_delays:
            fields["back"] = back
        return layout_of(self.params, Region.TARGET).pack(fields)

    def _gen_rate(self) -> npt.NDArray[np.uint16]:
        words = np.zeros(16 * self.params.input_words, dtype=np.uint16)
        for population, first in zip(self.network.inputs, self.places.inputs, strict=True):
            if population.generator is not None:
                part = rate_words(population.rate, population.generator, self.network.dt)
                words[first : first + population.n] = part
                got = rates_of(part, self.network.dt)
                self.report.add(
                    str(population.label),
                    "rate (Hz)",
                    population.rate,
                    got,
                    hint="a rate of 0 is silence",
                )
        return words

    def _events(self) -> IntArray:
        placed = zip(self.network.inputs, self.places.inputs, strict=True)
        parts = [(p, first, self.rows.base_delay[str(p.label)]) for p, first in placed]
        return input_events(parts, self.network.dt, self.report)

    def _registers(self, program: Program) -> dict[str, int]:
        learns = any(edge.rule is not None for edge in self.edges)
        adapts = bool(self._needs().get("adaptation", False))
        return {
            **seeded_registers(self.network.seed),
            "sweep_count": self.places.neuron_count,
            "gen_words": self.places.gen_words,
            **{trace.decay_list: program.decay_lists[trace.side] for trace in TRACES},
            **{trace.increment: self.units[trace.side] for trace in TRACES},
            "reward": 256,
            "mode": int(learns) << Mode.LEARN | int(adapts) << Mode.ADAPT,
        }

    # ---- metadata ------------------------------------------------------------------------------

    def _population_infos(self) -> Mapping[str, PopulationInfo]:
        infos = {}
        for population, first in zip(self.network.populations, self.places.neurons, strict=True):
            label = str(population.label)
            scale, origin = self.scales[label], self.origins[label]
            infos[label] = PopulationInfo(
                label=label,
                n=population.n,
                first=first,
                source=self.params.first_neuron_source + first,
                v_zero=origin.v,
                v_lsb=scale.v_lsb,
                i_lsb_exc=scale.i_lsb[0],
                i_lsb_inh=scale.i_lsb[1],
                offset_zero=origin.current,
                offset_lsb=scale.offset_lsb,
                gain_exc=scale.gains[0],
                gain_inh=scale.gains[1],
                delay=self.rows.base_delay[label],
            )
        return infos

    def _input_infos(self) -> Mapping[str, InputInfo]:
        return {
            str(p.label): InputInfo(
                label=str(p.label),
                n=p.n,
                source=first,
                generator=p.generator,
                delay=self.rows.base_delay[str(p.label)],
            )
            for p, first in zip(self.network.inputs, self.places.inputs, strict=True)
        }

    def _projection_infos(self, placed: Sequence[PlacedProjection]) -> Mapping[str, ProjectionInfo]:
        ends = np.cumsum([len(edge.pre) for edge in self.edges]).tolist()
        return {
            edge.label: ProjectionInfo(
                label=edge.label,
                pre=str(edge.projection.pre.label),
                post=str(edge.projection.post.label),
                shift=self._scale_of(edge).shifts[edge.label],
                rule=None if p.rule is None else p.rule.info(),
                first=end - len(edge.pre),
                count=len(edge.pre),
            )
            for edge, p, end in zip(self.edges, placed, ends, strict=True)
        }

    def _synapses(self) -> npt.NDArray[np.uint16]:
        parts = [
            np.stack([edge.pre, rows, edge.post], axis=1)
            for edge, rows in zip(self.edges, self.ids, strict=True)
        ]
        return np.concatenate([np.zeros((0, 3), dtype=np.uint16), *parts]).astype(np.uint16)


def _index(parts: Sequence[object], part: object) -> int:
    return next(k for k, each in enumerate(parts) if each is part)


def _pack_segments(program: Program, params: ArrayParams) -> npt.NDArray[np.uint16]:
    layout = layout_of(params, Region.PROGRAM)
    names = sorted({name for segment in program.segments for name in segment})
    columns = {name: np.array([s.get(name, 0) for s in program.segments], dtype=np.int64) for name in names}
    return layout.pack(columns) if program.segments else np.zeros((0, layout.words), dtype=np.uint16)
