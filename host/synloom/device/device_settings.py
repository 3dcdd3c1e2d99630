"""Settings of a device: what changes between two runs, or at an exact step of one."""

from __future__ import annotations

from typing import Any

import numpy as np

from synloom.base.checks import per_item, real, reals, switch, whole
from synloom.base.errors import NetworkError, ParameterError
from synloom.compiler.stimulus import RATE_BITS, rate_words, rates_of
from synloom.contract.array_port import Words
from synloom.contract.memory_map import memory_of
from synloom.contract.regions import Region
from synloom.contract.registers import Mode
from synloom.device.changes import warn_of_change
from synloom.device.device_base import DeviceBase
from synloom.device.neuron_parameters import changed_parameters
from synloom.device.rule_parameters import changed_segments
from synloom.device.settings import settings_of
from synloom.device.stimulus import steps_from_now
from synloom.device.turns import exclusive
from synloom.image.image import Image
from synloom.image.places import InputInfo

__all__ = ["DeviceSettings", "rate_words_of"]


class DeviceSettings(DeviceBase):
    """The part of a `Device` that changes settings."""

    @exclusive
    def schedule(
        self,
        time: float,
        *,
        learning: bool | None = None,
        adaptation: bool | None = None,
        reward: float | None = None,
    ) -> None:
        """Change settings at a step of the following runs; they stay until something else sets them.

        A change acts from that step on, the step included; one at 0 ms acts when the next run begins, after
        what was set before. A later call for the same step and setting replaces the earlier one. A `load` or
        `reset` drops what is not yet due.

        Parameters
        ----------
        time : float
            Time in ms from now. One between two steps acts at the nearest one, half a step at the next.
        learning, adaptation : bool, optional
            As in `set_learning` and `set_adaptation`.
        reward : float, optional
            As in `set_reward`.

        Raises
        ------
        CapacityError
            If the array lacks `teaching`, or what the setting needs.
        ParameterError
            If no setting is given, or if the time or a setting is wrong or out of range.
        """
        image, session = self._session.image, self._session
        session.require("teaching")
        if learning is None and adaptation is None and reward is None:
            raise ParameterError(
                "schedule needs a setting to change: give learning=, adaptation= or reward=, such as "
                "schedule(100.0, learning=False)"
            )
        if learning is not None and switch("learning", learning):
            session.require("plasticity")
        if adaptation is not None and switch("adaptation", adaptation):
            session.require("adaptation")
        when = np.array([real("time", time, low=0.0)])
        word = None if reward is None else self._reward_word(reward)
        (steps,) = steps_from_now("times of settings", when, image.dt).tolist()
        session.schedule(session.now + steps, settings_of(learning, adaptation, word))

    @exclusive
    def set_rates(self, population: Any, hz: Any, *, bits: int = RATE_BITS) -> None:
        """Set the rates of the generators of an input population, from the next step on.

        Parameters
        ----------
        population : PoissonInput, RegularInput or str
            The input population, or its label.
        hz : float or (n,) array
            Rates in Hz, at least 0 and at most ``1000 / dt``.
        bits : int
            With 12 each rate is right within 0.1 %. With fewer, random rates are multiples of one step, so
            many bits below the largest; up to 8, the line carries each in one byte. Regular rates ignore it.

        Raises
        ------
        NetworkError
            If the image has no such input population, or it has no generators.
        ParameterError
            If a rate is out of range, or their number is not n.

        A rate that becomes 0 or changes by more than 2 % causes a SynloomWarning.
        """
        info = self._session.image.input(population)
        self._session.set_rates(info, rate_words_of(self._session.image, info, hz, bits))

    @exclusive
    def set_offset(self, population: Any, current: Any) -> None:
        """Set the constant current `i_offset` of a population, in nA: a number or (n,).

        Raises
        ------
        ParameterError
            If a current is out of the range of the array; the message gives that range.

        A current that becomes 0 or changes by more than 2 % causes a SynloomWarning.
        """
        info = self._session.image.population(population)
        self._session.set_bias(info, per_item("current", reals("current", current), info.n))

    @exclusive
    def set_neurons(self, population: Any, /, **parameters: Any) -> None:
        """Change parameters of a population of neurons, from the next step on.

        Parameters
        ----------
        population : Population or str
            The population, or its label.
        **parameters : float or (n,) array
            Some of ``v_thresh``, ``v_reset`` (mV), ``tau_refrac`` (ms), ``theta_plus`` (mV) and ``tau_theta``
            (ms), as in `LIF`. Other parameters decide the scales of an image: compile again for them.

        Raises
        ------
        CapacityError
            If the array lacks `adaptation`, and a parameter needs it.
        NetworkError
            If the image has no such population.
        ParameterError
            If there is no such parameter, or a value is wrong or out of range; nothing was changed.

        A value that becomes 0 or changes by more than 2 % causes a SynloomWarning.
        """
        image, session = self._session.image, self._session
        info = image.population(population)
        held = session.neuron_fields(info)
        layout = memory_of(image.params, Region.NEURON_PARAMS).layout
        session.write_neurons(info, changed_parameters(parameters, held, info, layout, image.dt))

    @exclusive
    def set_rule(self, projection: Any, /, **parameters: float) -> None:
        """Change amplitudes and offsets of a projection's learning rule, from the next step on.

        Parameters
        ----------
        projection : Projection, str, or a sequence of them
            The projection or its label. Equal rules of projections that share sources or targets can share
            a place in the array: they change together, and a message names them.
        **parameters : float
            As the rule calls them: ``A_plus`` and ``A_minus`` of `STDP`, ``A`` and ``target`` of
            `TraceTarget`, ``A_pre``, ``A_post``, ``x0`` and ``y0`` of `PairRule`. Those of a side whose
            amplitude was 0 when the network was compiled cannot change, since its trace is not kept; 0
            switches a side off.

        Raises
        ------
        NetworkError
            If the image has no such projection.
        ParameterError
            If there is no such parameter, or a value is wrong or out of range; nothing was changed.

        A value that becomes 0 or changes by more than 2 % causes a SynloomWarning.
        """
        session = self._session
        several = isinstance(projection, (list, tuple))
        infos = [session.image.projection(each) for each in (projection if several else [projection])]
        if not infos:
            raise ParameterError("set_rule needs a projection, not an empty sequence")
        session.write_segments(*changed_segments(parameters, session.segment_fields(), infos, session.image))

    @exclusive
    def set_learning(self, on: bool) -> None:
        """Switch all plasticity on or off; the traces are updated either way."""
        if switch("on", on):
            self._session.require("plasticity")
        self._session.set_mode(Mode.LEARN, switch("on", on))

    @exclusive
    def set_adaptation(self, on: bool) -> None:
        """Switch threshold adaptation on or off; while it is off, adapted thresholds do not change."""
        if switch("on", on):
            self._session.require("adaptation")
        self._session.set_mode(Mode.ADAPT, switch("on", on))

    @exclusive
    def set_reward(self, reward: float) -> None:
        """Set the global reward, which multiplies all changes by rules with `reward=True`.

        Parameters
        ----------
        reward : float
            -127.99 to 127.99, in steps of 1/256; initially 1.

        Raises
        ------
        CapacityError
            If the array lacks `plasticity` or `reward`.
        ParameterError
            If the reward is out of range.
        """
        self._session.set_reward(self._reward_word(reward))

    def _reward_word(self, reward: float) -> int:
        self._session.require("plasticity", "reward")
        value = round(256.0 * real("reward", reward, low=-127.99, high=127.99))
        got = np.array([value / 256.0])
        warn_of_change("rewards", np.array([float(reward)]), got, "", "rewards are in steps of 1/256")
        return value & 0xFFFF


def rate_words_of(image: Image, info: InputInfo, hz: Any, bits: int) -> Words:
    """Return the words of GEN_RATE for rates in Hz, (n,) uint16; parameters and errors as in `set_rates`."""
    if info.generator is None:
        raise NetworkError(f"{info.label!r} has no generators; make it a PoissonInput or a RegularInput")
    rates, dt = per_item("hz", reals("hz", hz, low=0.0), info.n), image.dt
    words = rate_words(rates, info.generator, dt, whole("bits", bits, 1, RATE_BITS))
    # Who asks for fewer bits knows that; regular generators have all of them.
    exact = (
        words if bits == RATE_BITS or info.generator == "regular" else rate_words(rates, info.generator, dt)
    )
    nearest = rates_of(exact, dt)
    warn_of_change(
        f"rates of {info.label!r}", rates, nearest, "Hz", "a rate of 0 is silence; use a larger dt"
    )
    return words
