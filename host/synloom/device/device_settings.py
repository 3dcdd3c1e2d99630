"""Settings of a device: what changes between two runs, or at an exact step of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from synloom.base.checks import real, switch
from synloom.base.errors import ParameterError
from synloom.compiler.stimulus import RATE_BITS
from synloom.contract.registers import Mode
from synloom.device.changes import warn_of_change
from synloom.device.device_base import DeviceBase
from synloom.device.live_changes import (
    bias_fields,
    changes_of,
    neuron_fields_of,
    rate_words_of,
    segments_of,
)
from synloom.device.settings import settings_of
from synloom.device.stimulus import steps_from_now
from synloom.device.turns import exclusive

__all__ = ["DeviceSettings"]


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
        rates: Mapping[Any, Any] | None = None,
        offsets: Mapping[Any, Any] | None = None,
        neurons: Mapping[Any, Mapping[str, Any]] | None = None,
        rules: Mapping[Any, Mapping[str, float]] | None = None,
    ) -> None:
        """Change settings at a step of the following runs; they stay until something else sets them.

        A change acts from that step on, the step included; one at 0 ms acts when the next run begins, after
        what was set before. A later call for the same step and setting replaces the earlier one. A `load` or
        a `reset` drops what is not yet due; a `restore` lets what was not yet due in its snapshot wait.

        The array makes changes of the switches and the reward itself. For all others the host divides the run
        at their step, where the array stands still; the bits are those of one run.

        Parameters
        ----------
        time : float
            Time in ms from now. One between two steps acts at the nearest one, half a step at the next.
        learning, adaptation : bool, optional
            As in `set_learning` and `set_adaptation`.
        reward : float, optional
            As in `set_reward`.
        rates, offsets : mapping, optional
            Rates in Hz or currents in nA by population or label, as in `set_rates` and `set_offset`. Rates of
            what `present` shows just then wait for its end.
        neurons, rules : mapping, optional
            Parameters as in `set_neurons` and `set_rule`, by population, projection, label, or tuple of
            projections: ``{"cells": {"v_thresh": -45.0}}``.

        Raises
        ------
        CapacityError
            If the array lacks what the setting needs; for the switches and the reward that is `teaching`.
        NetworkError
            If the image has no such population or projection.
        ParameterError
            If no setting is given, or if the time or a setting is wrong or out of range; nothing was changed.
        """
        image, session = self._session.image, self._session
        settings = self._switched(learning, adaptation, reward)
        changes = changes_of(session, rates, offsets, neurons, rules)
        if not settings and not changes:
            raise ParameterError(
                "schedule needs a setting to change: give learning=, adaptation=, reward=, rates=, offsets=, "
                "neurons= or rules=, such as schedule(100.0, learning=False)"
            )
        when = np.array([real("time", time, low=0.0)])
        (steps,) = steps_from_now("times of settings", when, image.dt).tolist()
        step = session.now + steps
        session.schedule(step, settings, [change._replace(step=step) for change in changes])

    def _switched(self, learning: bool | None, adaptation: bool | None, reward: float | None) -> list[int]:
        """Return the ids of events of the switches and the reward."""
        if learning is adaptation is reward is None:
            return []
        self._session.require("teaching")
        if learning is not None and switch("learning", learning):
            self._session.require("plasticity")
        if adaptation is not None and switch("adaptation", adaptation):
            self._session.require("adaptation")
        return settings_of(learning, adaptation, None if reward is None else self._reward_word(reward))

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
        self._session.write_neurons(info, bias_fields(self._session.image, info, current))

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
        session = self._session
        info = session.image.population(population)
        session.write_neurons(info, neuron_fields_of(session, info, parameters))

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
        self._session.write_segments(*segments_of(self._session, projection, parameters))

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
