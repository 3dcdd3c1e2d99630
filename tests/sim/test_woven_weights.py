"""The fast engine's weights: a matrix in both layouts, for rows, columns and single weights."""

import numpy as np
import pytest

from synloom_sim.fast.woven import (
    WovenWeights,
    read_column,
    read_row,
    weight_at,
    write_column,
    write_row,
)

pytestmark = pytest.mark.parametrize("learns", [False, True])


def filled(sources, neurons, learns):
    rng = np.random.default_rng(sources * neurons)
    matrix = rng.integers(-128, 128, (sources, neurons)).astype(np.int8)
    weights = WovenWeights(sources, neurons)
    weights.weave(learns)
    weights[np.divmod(np.arange(matrix.size), neurons)] = matrix.ravel()
    return matrix, weights


def all_of(weights):
    return weights[np.divmod(np.arange(weights.size), weights.shape[1])].reshape(weights.shape)


SHAPES = [(1, 1), (5, 8), (72, 9), (320, 256), (1064, 1000)]


@pytest.mark.parametrize("shape", SHAPES)
def test_what_was_written_is_read_and_stays_when_woven_anew(shape, learns):
    matrix, weights = filled(*shape, learns)
    assert (all_of(weights) == matrix).all()
    weights.weave(not learns)
    assert (all_of(weights) == matrix).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_rows_columns_and_single_weights(shape, learns):
    matrix, weights = filled(*shape, learns)
    sources, neurons = shape
    row, column = np.zeros(8 * -(-neurons // 8), np.int8), np.zeros(sources, np.int8)
    for source in (0, sources // 2, sources - 1):
        read_row(weights.words, weights.steps, source, row.view(np.uint64))
        assert (row[:neurons] == matrix[source]).all()
        row[:neurons] ^= 0x55
        write_row(weights.words, weights.steps, source, row.view(np.uint64))
        matrix[source] ^= 0x55
    for neuron in (0, neurons // 2, neurons - 1):
        lo = sources // 3
        read_column(weights.words, weights.steps, neuron, lo, column[lo:])
        assert (column[lo:] == matrix[lo:, neuron]).all()
        column[lo:] = ~column[lo:]
        write_column(weights.words, weights.steps, neuron, lo, column[lo:])
        matrix[lo:, neuron] = ~matrix[lo:, neuron]
        assert weight_at(weights.words, weights.steps, lo, neuron) == matrix[lo, neuron]
    assert (all_of(weights) == matrix).all()
