"""Records are decoded alike in pieces of any size, lists and bitmaps in the order of time."""

import numpy as np
import pytest

from synloom.base.errors import DeviceError
from synloom.contract.params import ArrayParams
from synloom.contract.records import EndReason
from synloom.device.decoder import RecordDecoder
from synloom_sim.model.recorder import Recorder

PARAMS = ArrayParams(neurons=40, probes=3)


def recording(seed, steps=300):
    """Random spikes and samples, and their words."""
    rng = np.random.default_rng(seed)
    recorder = Recorder(PARAMS)
    recorder.begin(5)
    spikes, samples = [], []
    for t in range(5, 5 + steps):
        fired = np.flatnonzero(rng.random(PARAMS.neurons) < rng.choice([0.0, 0.02, 0.3]))
        recorder.spikes(t, fired)
        spikes += [(t, n) for n in fired]
        if rng.random() < 0.1:
            values = rng.integers(0, 1 << 16, 6).tolist()
            recorder.probes(t, values)
            samples.append((t, [values[k] | values[k + 1] << 16 for k in (0, 2, 4)]))
        recorder.end_step(t)
    recorder.end(5 + steps, EndReason.DONE)
    return spikes, samples, recorder.take()


@pytest.mark.parametrize("piece", [1, 2, 7, 112, 10_000])
def test_pieces_of_any_size_give_the_same(piece):
    spikes, samples, words = recording(piece)
    decoder = RecordDecoder(5)
    for at in range(0, len(words), piece):
        decoder.feed(words[at : at + piece])
    steps, neurons = decoder.spikes()
    assert list(zip(steps.tolist(), neurons.tolist(), strict=True)) == spikes
    assert steps.dtype == neurons.dtype == np.int64
    when, values = decoder.samples()
    assert when.tolist() == [t for t, _ in samples]
    assert values.tolist() == [v for _, v in samples]
    assert values.dtype == np.uint32
    assert decoder.end == (305, EndReason.DONE)


def test_words_after_the_end_are_refused():
    _, _, words = recording(1)
    decoder = RecordDecoder(5)
    with pytest.raises(DeviceError, match="after the end of the run"):
        decoder.feed(np.concatenate([words, words[:1]]))


def test_nothing_decodes_to_nothing():
    decoder = RecordDecoder(0)
    decoder.feed(np.zeros(0, dtype=np.uint16))
    assert [len(part) for part in (*decoder.spikes(), *decoder.samples())] == [0, 0, 0, 0]
    assert decoder.end is None
