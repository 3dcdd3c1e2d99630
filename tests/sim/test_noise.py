"""The generators' and the rounding's numbers: independent by algebra, and by measurement.

A probability of 2**-m looks at m neighbouring bits of a number, for m < 28 all among the lowest 27.

The generator of the second version must fail each test, which shows that the test can.
"""

import math
from functools import cache
from itertools import combinations, pairwise
from statistics import NormalDist

import numpy as np
import pytest

from synloom_sim.model.random_numbers import GENERATOR_BITS, ROUNDING_BITS, Jump, Numbers
from synloom_sim.model.stimulus import bernoulli
from synloom_sim.noise import independence, rounded_up, spikes
from synloom_sim.noise.__main__ import main

WIDTH, STEPS = 256, 100_000
STATE = 0x0123456789ABCDEF
SIGMA = 6.0
"""Beyond this one of 10^8 normal numbers lies, and a test looks at less than 10^5."""


# ---- by algebra: bits of numbers are independent if, as functions of the state, they have full rank ------


@cache
def powers(low, degree, count):
    """x**n for n < count, modulo the polynomial x**degree + low."""
    values = [1]
    while len(values) < count:
        value = values[-1] << 1
        values.append(value ^ (1 << degree | low) if value >> degree else value)
    return values


def now(bits, positions):
    """For each position the first bits of its number first: bit n of the sequence is x**n of the state."""
    taps = 1 << 31 | 1 << 25 | 1 << 12 | 1
    made = powers(taps, 64, bits * positions)
    return [made[bits * p : bits * p + bits] for p in range(positions)]


def before(bits, positions):
    """The second version's: the low bits of key * x**(bits * p) modulo x**31 + x**3 + 1."""
    made = powers(1 << 3 | 1, 31, bits * positions + 31)

    def function(n, bit):
        return sum((made[n + i] >> bit & 1) << i for i in range(31))

    return [[function(bits * p, bit) for bit in range(bits)] for p in range(positions)]


def has_full_rank(rows):
    basis = {}
    for row in rows:
        while row:
            top = row.bit_length()
            if top not in basis:
                basis[top] = row
                break
            row ^= basis[top]
        if not row:
            return False
    return True


def dependent_distances(numbers, significant):
    """Return the distances at which the significant bits of two numbers are not independent."""
    first = significant(numbers[0])
    return [d for d in range(1, len(numbers)) if not has_full_rank(first + significant(numbers[d]))]


def test_any_two_generators_are_independent_down_to_two_to_the_minus_27():
    assert dependent_distances(now(30, 2048), lambda number: number[:27]) == []


def test_any_two_numbers_of_rounding_are_independent():
    assert dependent_distances(now(12, 2048), lambda number: number) == []


def test_any_three_near_numbers_are_independent():
    for bits in (12, 30):
        numbers = now(bits, 64)
        for a, b in combinations(range(1, 64), 2):
            assert has_full_rank(numbers[0][:12] + numbers[a][:12] + numbers[b][:12]), (bits, a, b)


def test_the_ranks_of_the_second_version_show_its_dependence():
    assert 2 in dependent_distances(before(15, 200), lambda number: number[-4:])
    assert dependent_distances(before(12, 200), lambda number: number)


# ---- by measurement ------------------------------------------------------------------------------------


def second_version(rate, channels, steps):
    """The spikes of the second version's generators, in parts."""
    key, keys = 0x12345678, []
    for _ in range(steps):
        key ^= key << 13 & 0xFFFFFFFF
        key ^= key >> 17
        key ^= key << 5 & 0xFFFFFFFF
        keys.append(key & 0x7FFFFFFF)
    for first in range(0, steps, 4096):
        part, columns = np.array(keys[first : first + 4096], dtype=np.int64), []
        for _ in range(channels):
            columns.append((part & 0x7FFF) < rate * 32768)
            high = part >> 16
            part = (part << 15) & 0x7FFFFFFF ^ high ^ high << 3
        yield np.stack(columns, axis=1)


@pytest.mark.parametrize(("word", "rate"), [(0x5000 | 1311, 0.005), (0x6000 | 410, 0.0125), (0x7800, 0.5)])
def test_spikes_of_many_channels_are_independent(word, rate):
    found = independence(spikes(word, WIDTH, STEPS, STATE), rate, lags=4, threes=1)
    assert max(found.worst) < SIGMA
    assert found.population == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("units", [205, 2048])
def test_stochastic_rounding_of_many_synapses_is_independent(units):
    found = independence(rounded_up(units, WIDTH, STEPS // 4, STATE), units / 4096, lags=2, threes=2)
    assert max(found.worst) < SIGMA
    assert found.population == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("rate", [0.004, 0.03, 0.5])
def test_numpys_generator_passes_the_same_measurement(rate):
    rng = np.random.Generator(np.random.PCG64(5))
    parts = (rng.random((1000, WIDTH)) < rate for _ in range(STEPS // 2000))
    found = independence(parts, rate, lags=4, threes=2)
    assert max(found.worst) < SIGMA
    assert found.population == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("rate", [164 / 32768, 410 / 32768])
def test_the_second_version_fails_the_same_measurement(rate):
    found = independence(second_version(rate, WIDTH, STEPS // 4), rate, lags=1, threes=1)
    assert found.distances[2] > 30
    assert found.pairs.max() > SIGMA
    assert found.population > 1.1


def shared_in_a_step(x):
    """A channel takes an eighth of its spikes from another one."""
    x[:, 9] = np.where(np.random.default_rng(1).random(len(x)) < 1 / 8, x[:, 2], x[:, 9])
    return x


def shared_after_steps(x):
    """Each channel takes a part of its spikes from two channels before, three steps ago."""
    taken = np.random.default_rng(1).random(x.shape) < 1 / 8
    return np.where(taken, np.roll(np.roll(x, 2, axis=1), 3, axis=0), x)


def sum_of_two(x):
    """The parity of three channels is mostly even, though any two are independent."""
    held = np.random.default_rng(1).random(len(x)) < 3 / 4
    x[:, 12] = np.where(held, x[:, 5] ^ x[:, 6], x[:, 12])
    return x


@pytest.mark.parametrize(
    ("change", "seen"),
    [(shared_in_a_step, "pairs"), (shared_after_steps, "distances"), (sum_of_two, "triples")],
)
def test_each_statistic_sees_what_it_is_for(change, seen):
    x = change(np.random.default_rng(0).random((40_000, 32)) < 0.5)
    found = independence([x], 0.5, lags=4, threes=2)
    worst = dict(zip(("pairs", "distances", "triples"), found.worst, strict=True))
    assert worst[seen] > 2 * SIGMA
    assert seen != "triples" or max(worst["pairs"], worst["distances"]) < SIGMA
    assert seen != "distances" or np.abs(found.distances).argmax() == 3 * 32 + 2


def test_spikes_in_bursts_have_a_wider_population():
    rates = np.random.default_rng(0).choice([0.004, 0.006], (20_000, 1))
    x = np.random.default_rng(1).random((20_000, WIDTH)) < rates
    assert independence([x], 0.005, lags=1, threes=0).population > 1.03


# ---- the estimator against plain loops ---------------------------------------------------------------------


def poisson_sigma(count, expected):
    """The same rarity of a normal number, from the whole sum of Poisson's probabilities."""
    rates = [math.exp(k * math.log(expected) - expected - math.lgamma(k + 1)) for k in range(count + 200)]
    if count >= expected:
        return max(0.0, -NormalDist().inv_cdf(min(math.fsum(rates[count:]), 1 - 1e-16)))
    return min(0.0, NormalDist().inv_cdf(math.fsum(rates[: count + 1])))


def plain(x, rate, lags, threes):
    """The deviations of all coincidences, each from its own sum over the spikes one by one."""
    steps, width = x.shape
    flat, length = x.ravel().astype(float), lags * width
    rare, variance = rate <= 1 / 128, rate * (1 - rate)
    values = flat if rare else flat - rate

    def sigma(total, terms, order):
        if rare:
            return poisson_sigma(round(total), terms * rate**order)
        return total / math.sqrt(max(terms, 1) * variance**order)

    distances, triples = np.zeros(length + 1), np.zeros((threes, length + 1))
    for far in range(1, length + 1):
        terms = max(len(flat) - far, 0)
        distances[far] = sigma(sum(values[n] * values[n + far] for n in range(terms)), terms, 2)
        for near in range(1, min(threes, far - 1) + 1):
            total = sum(values[n] * values[n + near] * values[n + far] for n in range(terms))
            triples[near - 1, far] = sigma(total, terms, 3)
    pairs = np.zeros((width, width))
    for i, j in combinations(range(width), 2):
        both = int((x[:, i] & x[:, j]).sum())
        normal = sum((x[:, i] - rate) * (x[:, j] - rate)) / math.sqrt(steps) / variance
        pairs[i, j] = poisson_sigma(both, steps * rate**2) if steps * rate**2 < 1000 else normal
    return pairs, distances, triples, x.sum(axis=1).var() / (width * variance)


@pytest.mark.parametrize(
    ("rate", "steps", "lags"), [(0.007, 700, 3), (0.5, 700, 3), (0.2, 20, 3), (0.05, 7, 9), (0.5, 4500, 1)]
)
def test_sums_and_deviations_are_those_of_plain_loops(rate, steps, lags):
    x = np.random.default_rng(3).random((steps, 6)) < rate
    cuts = [0, *sorted(np.random.default_rng(4).integers(0, steps, 4)), steps]
    parts = [x[a:b] for a, b in pairwise(cuts)]
    found = independence(parts, rate, lags, threes=3)
    pairs, distances, triples, population = plain(x, rate, lags, 3)
    np.testing.assert_allclose(found.pairs, pairs, atol=1e-6)
    # Fourier transforms in single precision: below a hundredth of a standard deviation.
    np.testing.assert_allclose(found.distances, distances, atol=1e-4)
    np.testing.assert_allclose(found.triples, triples, atol=1e-4)
    assert found.population == pytest.approx(population)


@pytest.mark.parametrize("word", [0x0FFF, 0x3123, 0x6000 | 410, 0x7800, 0x7FFF])
def test_spikes_are_those_of_the_model(word):
    made = np.concatenate(list(spikes(word, 48, 30_000, STATE)))
    state, jump = STATE, Jump.by(48 * GENERATOR_BITS)
    for step in range(len(made)):
        numbers = Numbers.of(GENERATOR_BITS).at([state], 0, 48)[0]
        assert np.array_equal(made[step], bernoulli(np.full(48, word, dtype=np.uint32), numbers)), step
        state = jump(state)
    assert made.any()


def test_rounding_takes_the_models_numbers():
    made = np.concatenate(list(rounded_up(1000, 48, 5000, STATE)))
    state, jump = STATE, Jump.by(48 * ROUNDING_BITS)
    for row in made:
        assert np.array_equal(row, 1000 + Numbers.of(ROUNDING_BITS).at([state], 0, 48)[0] >= 4096)
        state = jump(state)


def test_channels_have_their_rate():
    for word, rate in ((0x7000 | 410, 410 / 4096), (0x5000 | 2000, 2000 / 4096 / 64)):
        count = sum(part.sum() for part in spikes(word, WIDTH, STEPS // 10, STATE))
        expected = WIDTH * STEPS // 10 * rate
        assert abs(count - expected) < SIGMA * expected**0.5


def test_the_command_prints_a_row_for_each_rate(capsys):
    main(["--channels", "32", "--steps", "2000", "--lags", "2", "5", "100"])
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_the_command_measures_six_rates_and_rounding(capsys):
    main(["--channels", "32", "--steps", "2000", "--lags", "2"])
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split()[0] for row in rows] == ["generators,"] * 6 + ["rounding,"] * 2


@pytest.mark.parametrize(("more", "generators"), [([], 0), (["5"], 1)])
def test_the_command_measures_rounding_alone_or_beside_rates(more, generators, capsys):
    main(["--channels", "32", "--steps", "2000", "--lags", "2", "--rounding", *more])
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split()[0] for row in rows] == ["generators,"] * generators + ["rounding,"] * 2


@pytest.mark.parametrize("options", [["--channels", "40"], ["--steps", "0"], ["--threes", "-1"]])
def test_the_command_refuses_sizes_that_it_cannot_measure(options, capsys):
    with pytest.raises(SystemExit):
        main(options)
    assert options[0] in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("what", ["0.1", "5", "100", "500", "--rounding"])
def test_2048_channels_are_independent_for_a_million_steps(what, capsys):
    main([what])
    rows = capsys.readouterr().out.splitlines()[2:]
    assert rows
    for row in rows:
        *sigmas, population = (float(part) for part in row.split()[-4:])
        assert max(sigmas) < SIGMA
        assert population == pytest.approx(1.0, abs=0.02)
