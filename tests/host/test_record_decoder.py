"""Records are decoded alike in pieces of any size, lists and bitmaps in the order of time."""

import numpy as np
import pytest
from interrupting import AtLine, cut

from synloom.base.errors import DeviceError
from synloom.contract.params import ArrayParams
from synloom.contract.records import END_WORD, EndReason
from synloom.device.decoder import Bounds, RecordDecoder
from synloom_sim.model.recorder import Recorder

PARAMS = ArrayParams(neurons=40, probes=3)
BOUNDS = Bounds(305, PARAMS.neurons, PARAMS.neuron_words, PARAMS.probes)


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
    decoder = RecordDecoder(5, BOUNDS)
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


def test_a_piece_is_decoded_as_a_whole_or_not_at_all():
    """Whatever the line at which an exception comes; afterwards the piece can be fed again."""
    _, _, words = recording(3)
    first, piece = words[:200], words[200:600]
    whole = RecordDecoder(5, BOUNDS)
    whole.feed(words)
    k, outcomes = 0, set()
    while True:
        decoder = RecordDecoder(5, BOUNDS)
        decoder.feed(first)
        before = state_of(decoder)
        at = AtLine(k)
        if cut(at, decoder.feed, piece):
            break
        assert decoder.words in (200, 600), at.where
        outcomes.add(decoder.words)
        if decoder.words == 200:
            assert state_of(decoder) == before, at.where
            decoder.feed(piece)
        decoder.feed(words[600:])
        assert state_of(decoder) == state_of(whole), at.where
        k += 1
    assert k > 50
    assert 200 in outcomes


def state_of(decoder):
    spikes, samples = decoder.spikes(), decoder.samples()
    return [each.tolist() for each in (*spikes, *samples)], decoder.end, decoder.words


def test_nonsense_leaves_what_was_decoded_before():
    _, _, words = recording(3)
    decoder = RecordDecoder(5, BOUNDS)
    decoder.feed(words[:200])
    before = state_of(decoder)
    with pytest.raises(DeviceError):
        decoder.feed(np.array([1, 39, 1, 39, 1, 40], dtype=np.uint16))
    assert state_of(decoder) == before


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


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([END_WORD, 9, 0, 7], "ended for the reason 7, which is none of"),
        ([3 << 14], "time goes on by 0 steps"),
        ([1, 3, 1, 4], "records of spikes came for steps 5 to 5, some twice"),
        ([3 << 14 | 299, 1, 3, 3 << 14 | 1, 1, 3], "some twice or outside of"),
        ([1, 40], "from neuron 40, which is not in 0 to 39"),
        ([3, 4, 6, 63], "from neuron 63, which is not in 0 to 39"),
        ([3, 4, 6, 6], "in the order of their neurons, or some twice"),
        ([1, 3, 3 << 14 | 1, 2, 6, 4], "in the order of their neurons"),
        ([1 << 14 | 3, 0, 0, 0xFFFF], "from neuron 47, which is not in 0 to 39"),
        ([0], "a list of spikes has none"),
        ([1 << 14 | 2, 1, 1], "a record has 2 words"),
        ([2 << 14 | 1, 1, 1, 3 << 14 | 1, 2 << 14 | 2, 1, 1, 1, 1], "words, which is not what others have"),
        ([2 << 14 | 4, *range(8)], "a record has 8 words"),
    ],
)
@pytest.mark.parametrize("piece", [1, 100])
def test_what_no_run_can_say_is_refused(words, why, piece):
    decoder = RecordDecoder(5, BOUNDS)
    stream = np.array(words, dtype=np.uint16)

    def feed():
        for at in range(0, len(stream), piece):
            decoder.feed(stream[at : at + piece])

    with pytest.raises(DeviceError, match=why):
        feed()


def test_endless_words_of_a_peer_take_no_memory():
    """Each is refused after as many records as the run has steps, whatever they are."""
    rng = np.random.default_rng(1)
    for _ in range(50):
        decoder = RecordDecoder(5, BOUNDS)
        with pytest.raises(DeviceError):
            decoder.feed(rng.integers(0, 1 << 16, 40_000).astype(np.uint16))
