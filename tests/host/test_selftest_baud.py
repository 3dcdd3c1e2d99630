"""The line's rate is changed at both ends, and the array is never lost where it can be reached at all."""

import os
from contextlib import suppress
from random import Random

import pytest
from interrupting import AtNth, Lines, cut, once
from rated_line import RatedLine
from test_link_transport import terminal

from synloom import Device, connect
from synloom.base.errors import DeviceError, LinkError, ParameterError
from synloom.contract import ArrayParams
from synloom.contract.frames import Op, RunFlag
from synloom.contract.regions import Region
from synloom.contract.registers import link
from synloom.link import LinkPort, SerialTransport, transport
from synloom.link.baud import divisor_for
from synloom.link.exchange import Exchange
from synloom.link.line import Line

SCRATCH = link("scratch").offset


def works(port):
    """Whether words go over the line and back."""
    port.write(Region.LINK, SCRATCH, [0x1234])
    return port.read(Region.LINK, SCRATCH, 1).tolist() == [0x1234]


def test_both_ends_change():
    line = RatedLine()
    port = LinkPort(line)
    for baud, divisor in ((3_000_000, 16), (115_200, 417), (12_000_000, 4)):
        port.set_baud(baud)
        assert (port.baud, round(48e6 / line.device_baud)) == (baud, divisor)
        assert works(port)


def test_a_lost_command_is_sent_again():
    line = RatedLine()
    port = LinkPort(line)
    line.loses = 2  # whether a run goes on is asked again, too
    port.set_baud(2_000_000)
    assert line.device_baud == 2e6
    assert works(port)


def test_a_dirty_rate_is_left_whatever_is_lost():
    """Each of 300 lines loses about one command of twenty: two in a row are common, eight are not."""
    for seed in range(300):
        line = RatedLine(dirty_above=2_500_000)
        line.rng.seed(seed)
        port = LinkPort(line)
        port.set_baud(3_000_000)
        port.set_baud(1_000_000)
        assert (line.baud, line.device_baud) == (1_000_000, 1e6)


@pytest.mark.parametrize("limit", ["deaf_above", "mute_above"])
def test_a_rate_that_does_not_work_is_left_again(limit):
    line = RatedLine(**{limit: 2_500_000})
    port = LinkPort(line)
    if limit == "mute_above":  # the array hears what it is told, so it can be called back
        with pytest.raises(DeviceError, match="does not answer at 3000000 baud and is at 1000000 baud again"):
            port.set_baud(3_000_000)
        assert line.device_baud == 1e6
        assert works(port)
    else:
        with pytest.raises(LinkError, match="switch its power off and on"):
            port.set_baud(3_000_000)


def test_an_array_that_hears_little_is_called_until_it_hears():
    line = RatedLine(mute_above=2_500_000)
    port = LinkPort(line)
    told = []

    def write(data, real=line.write):
        told.append(line.baud)
        if line.baud < 2_500_000 or told.count(line.baud) > 6:
            real(data)

    line.write = write
    with pytest.raises(DeviceError):
        port.set_baud(3_000_000)
    assert works(port)


def test_a_rate_that_the_host_lacks_is_not_told_to_the_array():
    line = RatedLine(host_rates={1_000_000, 2_000_000})
    port = LinkPort(line)
    with pytest.raises(ParameterError, match="no 3000000 baud"):
        port.set_baud(3_000_000)
    assert line.device_baud == 1e6
    assert works(port)


def test_an_interrupt_leaves_the_old_rate():
    line = RatedLine()
    port = LinkPort(line)
    real = line.set_baud

    def set_baud(baud):
        real(baud)
        if baud == 2_000_000 and line.device_baud == 2e6:
            line.set_baud = real
            raise KeyboardInterrupt

    line.set_baud = set_baud
    with pytest.raises(KeyboardInterrupt):
        port.set_baud(2_000_000)
    assert (line.baud, line.device_baud) == (1_000_000, 1e6)
    assert works(port)


@pytest.mark.parametrize("limit", [{}, {"mute_above": 2_500_000}])
def test_an_exception_at_any_line_leaves_both_ends_at_one_rate(limit):
    """A second Ctrl-C, or a failing allocation; where the new rate works, and where it does not."""
    lines = Lines()
    with suppress(DeviceError):
        cut(lines, LinkPort(RatedLine(**limit)).set_baud, 3_000_000)
    rates = set()
    for line in once(lines.lines, Random(1)):
        end = RatedLine(**limit)
        port = LinkPort(end)
        assert not cut(AtNth(line), port.set_baud, 3_000_000)
        assert end.baud == end.device_baud, line
        assert works(port), line
        rates.add(end.baud)
    assert len(rates) == (1 if limit else 2)


def test_a_link_that_went_down_is_up_after_a_change():
    line = RatedLine()
    port = LinkPort(line)
    line.loses = 1000
    with pytest.raises(LinkError):
        works(port)
    line.loses = 0
    with pytest.raises(LinkError, match="is down"):
        works(port)
    port.set_baud(500_000)
    assert works(port)
    port.close()
    with pytest.raises(LinkError, match="closed"):
        port.set_baud(1_000_000)


def test_no_change_during_a_run():
    port = LinkPort(RatedLine())
    port.run(10, RunFlag(0))
    with pytest.raises(DeviceError, match="a run is going on"):
        port.set_baud(2_000_000)


def test_device_passes_it_on():
    line = RatedLine()
    with Device(LinkPort(line)) as device:
        device.set_baud(4_000_000)
    assert line.device_baud == 4e6
    with connect("model") as device, pytest.raises(ParameterError, match="no serial line"):
        device.set_baud(4_000_000)


@pytest.mark.parametrize("baud", [0, -1, True, 1.5, 13_000_000, 700, 9_000_000])
def test_rates_that_the_array_lacks(baud):
    with pytest.raises(ParameterError, match="baud must be"):
        divisor_for(48_000_000, baud)


def test_divisors():
    assert [divisor_for(12_000_000, baud) for baud in (3_000_000, 921_600, 115_200)] == [4, 13, 104]


def test_slow_lines_get_more_time():
    slow, fast = (
        Exchange(Line(RatedLine(ArrayParams(baud=baud)), lambda offset, data: None))
        for baud in (9_600, 12_000_000)
    )
    assert slow.sessions.patience(Op.READ) > 2.0
    assert fast.sessions.patience(Op.READ) == pytest.approx(1.0, abs=0.01)


# ---- the serial port ---------------------------------------------------------------------------


@pytest.fixture
def serial_port(monkeypatch):
    """A serial port: a pseudo-terminal keeps a rate, too, and tells it as a driver does."""
    monkeypatch.setattr(transport, "_is_pseudo_terminal", lambda path: False)
    with terminal() as (ours, path):
        port = SerialTransport(path, 1_000_000)
        yield port, ours
        port.close()


@pytest.mark.parametrize("baud", [115_200, 3_000_000, 12_000_000, 923_077])
def test_a_serial_port_changes_its_rate(serial_port, baud):
    port, ours = serial_port
    os.write(ours, b"of the old rate")
    port.set_baud(baud)
    assert port.baud == baud
    assert transport.driver_rate(port._port.fileno()) == baud
    assert port.read(0.01) == b""
    port.write(b"new")
    assert os.read(ours, 100) == b"new"


def test_a_rate_that_the_driver_does_not_make_is_refused(serial_port, monkeypatch):
    port, _ = serial_port
    monkeypatch.setattr(transport, "driver_rate", lambda descriptor: 2_000_000)
    with pytest.raises(ParameterError, match=r"cannot have 3000000 baud \(its driver offers 2000000\)"):
        port.set_baud(3_000_000)
    assert port.baud == 1_000_000
    port.set_baud(2_020_000)
    assert port.baud == 2_020_000


def test_a_rate_that_the_system_refuses_is_refused(serial_port, monkeypatch):
    port, _ = serial_port

    def refuse(self, baud):
        raise ValueError("Failed to set custom baud rate")

    monkeypatch.setattr(type(port._port), "_set_special_baudrate", refuse)
    with pytest.raises(ParameterError, match="cannot have 777777 baud; try another rate"):
        port.set_baud(777_777)
    assert port.baud == 1_000_000


def test_a_port_that_is_gone_is_a_clear_error(serial_port):
    port, _ = serial_port
    port.close()
    with pytest.raises(LinkError, match="cannot change its rate"):
        port.set_baud(2_000_000)


def test_a_pseudo_terminal_has_no_rate():
    with terminal() as (_, path):
        port = SerialTransport(path, 1_000_000)
        assert port.baud is None
        with pytest.raises(ParameterError, match="is a pseudo-terminal and has no line rate"):
            port.set_baud(2_000_000)
        port.close()
