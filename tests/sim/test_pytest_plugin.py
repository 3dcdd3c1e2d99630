"""The plugin for users' tests: the fixture, its options, the assertion, and what it costs others."""

import re
import subprocess
import sys
import tomllib
from dataclasses import fields, replace
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest

from synloom import LIF, AllToAll, InputPopulation, Network, Population, Projection, compile, connect
from synloom.base.errors import ParameterError
from synloom_sim.faults import PRESETS, Faults
from synloom_sim.testing import assert_spikes_equal

pytest_plugins = ["pytester"]

PLUGIN = "synloom_sim.pytest_plugin"
USES = """
    import pytest
    from synloom import LIF, InputPopulation, Network, OneToOne, Population, Projection, compile, connect
    from synloom_sim.testing import assert_spikes_equal

    def network():
        network = Network(seed=1)
        source = network.add(InputPopulation(4, label="in", spike_times=[[1.0, 3.0]] * 4))
        target = network.add(Population(4, LIF(tau_syn_E=0.0), label="out"))
        network.add(Projection(source, target, OneToOne(), weight=20.0))
        return network

    @pytest.mark.synloom_array(inputs=20, neurons=24, lanes=4, segments=32, record_words=512,
                               event_words=64, baud=12_000_000)
    def test_a_network(synloom_board):
        image = compile(network(), synloom_board.params)
        synloom_board.load(image)
        with connect("model", image) as model:
            assert_spikes_equal(synloom_board.run(10.0), model.run(10.0))
        print("port:", type(synloom_board.port).__name__)
"""


def run(pytester, *arguments):
    installed = any(entry.value == PLUGIN for entry in entry_points(group="pytest11"))
    return pytester.runpytest_subprocess(
        *(() if installed else ("-p", PLUGIN)), "--strict-markers", *arguments
    )


def test_the_fixture_is_a_device_on_the_target_of_the_command_line(pytester):
    pytester.makepyfile(USES)
    for arguments, port in (
        ((), "port: FastPort"),
        (("--synloom-target", "model"), "port: ModelPort"),
        (("--synloom-target", "sim?damage=0.01"), "port: LinkPort"),
    ):
        result = run(pytester, "-s", *arguments)
        result.assert_outcomes(passed=1)
        result.stdout.fnmatch_lines([f"*{port}*"])


def test_a_target_that_is_missing_is_one_line(pytester):
    pytester.makepyfile(USES)
    result = run(pytester, "--synloom-target", "/dev/no-such-board", "--synloom-baud", "9600")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["synloom_board: there is no serial port /dev/no-such-board*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_wrong_field_of_the_array_is_named(pytester):
    pytester.makepyfile("""
        import pytest
        @pytest.mark.synloom_array(neuron=3)
        def test_it(synloom_board):
            pass
    """)
    result = run(pytester)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["synloom_board: *neuron*"])


def test_the_assertion_shows_no_line_of_itself(pytester):
    pytester.makepyfile("""
        import numpy as np
        from synloom_sim.testing import assert_spikes_equal
        def test_it():
            raster = np.zeros((5, 3), bool)
            other = raster.copy()
            other[2, 1] = True
            assert_spikes_equal(raster, other)
    """)
    result = run(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the first is step 2, neuron 1: 0 in a, 1 in b"])
    result.stdout.no_fnmatch_line("*testing.py:*")


def test_the_plugin_is_registered():
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert tomllib.loads(text)["project"]["entry-points"]["pytest11"] == {"synloom": PLUGIN}


def test_loading_the_plugin_imports_nothing_else():
    code = (
        f"import pytest, sys; before = set(sys.modules); import {PLUGIN}\n"
        "print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(sorted(["synloom_sim", PLUGIN]))


# ---- the assertion -----------------------------------------------------------------------------


def recording(weight=0.5):
    network = Network(seed=3)
    source = network.add(InputPopulation(5, label="in", spike_times=[[1.0, 2.0, 5.0]] * 5))
    target = network.add(Population(6, LIF(), label="out"))
    network.add(Projection(source, target, AllToAll(), weight=weight))
    with connect("model", compile(network)) as device:
        return device.run(50.0)


def message(a, b):
    with pytest.raises(AssertionError) as caught:
        assert_spikes_equal(a, b)
    return str(caught.value)


def test_equal_spikes_pass_in_every_form():
    one, two = recording(8.0), recording(8.0)
    assert one.counts("out").sum() > 0
    assert_spikes_equal(one, two)
    assert_spikes_equal(one.raster("out"), two.raster("out"))
    times, neurons = one.spikes("out")
    assert_spikes_equal((times[::-1], neurons[::-1]), two.spikes("out"))


def test_the_first_difference_is_shown():
    a = np.zeros((40, 20), np.uint8)
    a[[3, 7, 7, 9], [2, 4, 5, 4]] = 1
    b = a.copy()
    b[7, 4], b[9, 1] = 0, 1
    assert message(a, b) == (
        "spikes differ in 2 places; the first is step 7, neuron 4: 1 in a, 0 in b\n"
        "at step 7: neurons [4, 5] in a, [5] in b\n"
        "neuron 4 fires 2 times in a, 1 in b\n"
        "all spikes: 4 in a, 4 in b"
    )


def test_populations_are_named():
    assert "spikes of 'out' differ" in message(recording(8.0), recording(4.0))


def test_a_doubled_spike_is_a_difference():
    assert "time 1.5, neuron 3: 1 in a, 2 in b" in message(([1.5], [3]), ([1.5, 1.5], [3, 3]))


def test_other_frames_are_a_difference():
    assert "other shapes: (5, 3) in a, (6, 3) in b" in message(np.zeros((5, 3), bool), np.zeros((6, 3), bool))
    one = recording()
    assert "other steps: 50 in a, 40 in b" in message(one, replace(one, steps=40))
    assert "other populations" in message(one, replace(one, sizes={"other": 6}))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (np.zeros((5, 3)), np.zeros((5, 3))),
        ([1, 2, 3], [1, 2, 3]),
        (([1.0], [2.0]), ([1.0], [2.0])),
        (([1.0], [2, 3]), ([1.0], [2, 3])),
        (([1.0], [2], [3]), ([1.0], [2], [3])),
        (recording, np.zeros((5, 3), bool)),
        (([1.0], [2]), np.zeros((5, 3), bool)),
    ],
)
def test_what_cannot_be_compared_is_refused(a, b):
    with pytest.raises(ParameterError, match="must be"):
        assert_spikes_equal(a() if callable(a) else a, b)


# ---- the page ----------------------------------------------------------------------------------

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text()


def test_the_pages_code_runs(pytester, capsys):
    example, *rest = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    pytester.makepyfile(example)
    run(pytester).assert_outcomes(passed=1)
    names: dict[str, object] = {}
    for block in rest:
        exec(block, names)
    assert re.search(r"0 steps, [1-9][0-9]* frames, [0-9]+ damaged", capsys.readouterr().out)


def test_the_page_lists_all_faults_and_options():
    listed = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) - {"software"}
    assert listed == {field.name for field in fields(Faults)} - {"seed"}
    assert all(f"`faults={name}`" in PAGE for name in PRESETS)
    assert {"--synloom-target", "--synloom-baud"} == set(re.findall(r"--synloom-\w+", PAGE))
