"""The generators' and the rounding's numbers: independent by algebra, and by measurement.

A probability of 2**-m looks at m neighbouring bits of a number, for m < 28 all among the lowest 27.

The generator of the second version must fail each test, which shows that the test can.
"""

from functools import cache
from itertools import combinations

import numpy as np
import pytest

from synloom_sim.noise import independence, main, spikes

WIDTH, STEPS = 256, 100_000
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


@pytest.mark.parametrize(("word", "rate"), [(0x6000 | 410, 410 / 32768), (0x7800, 0.5)])
def test_spikes_of_many_channels_are_independent(word, rate):
    found = independence(spikes(word, WIDTH, STEPS), rate, lags=4, threes=1)
    assert max(found.worst) < SIGMA
    assert found.population == pytest.approx(1.0, abs=0.02)


def test_the_second_version_fails_the_same_measurement():
    rate = 410 / 32768
    found = independence(second_version(rate, WIDTH, STEPS // 4), rate, lags=1, threes=1)
    assert found.distances[2] > 50
    assert found.population > 1.1


def test_channels_have_their_rate():
    for word, rate in ((0x7000 | 410, 410 / 4096), (0x5000 | 2000, 2000 / 4096 / 64)):
        count = sum(part.sum() for part in spikes(word, WIDTH, STEPS // 10))
        expected = WIDTH * STEPS // 10 * rate
        assert abs(count - expected) < SIGMA * expected**0.5


def test_the_command_prints_a_row_for_each_rate(capsys):
    main(["--channels", "32", "--steps", "2000", "--lags", "2", "5", "100"])
    assert len(capsys.readouterr().out.splitlines()) == 4


@pytest.mark.slow
@pytest.mark.parametrize("hz", [0.1, 5.0, 100.0, 500.0])
def test_2048_channels_are_independent_for_a_million_steps(hz, capsys):
    main(["--channels", "2048", "--steps", "1000000", str(hz)])
    pairs, distances, triples, population = (float(part) for part in capsys.readouterr().out.split()[-4:])
    assert max(pairs, distances) < SIGMA
    assert triples < SIGMA or hz < 5
    assert population == pytest.approx(1.0, abs=0.02)
