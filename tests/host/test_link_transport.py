import errno
import os
import threading
import time
import tty
from contextlib import contextmanager
from random import Random

import numpy as np
import pytest
import serial
from fake_device import FakeDevice, Line, make_records

from synloom.base.errors import LinkError, TargetError
from synloom.contract.regions import Region
from synloom.link import LinkPort, SerialTransport


@contextmanager
def terminal():
    """Yield (our end's descriptor, the port's path) of a pseudo-terminal."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    try:
        yield ours, os.ttyname(theirs)
    finally:
        os.close(theirs)
        os.close(ours)


@contextmanager
def device_on_a_terminal(device):
    """Run a fake device behind a pseudo-terminal; yield the port's path."""
    with terminal() as (ours, path):
        os.set_blocking(ours, False)
        stop = threading.Event()

        def serve():
            while not stop.is_set():
                try:
                    device.write(os.read(ours, 4096))
                except BlockingIOError:
                    time.sleep(0.001)
                data = device.read(0)
                while data:
                    try:
                        data = data[os.write(ours, data) :]
                    except BlockingIOError:
                        time.sleep(0.001)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield path
        finally:
            stop.set()
            thread.join()


def test_bytes_go_both_ways():
    with terminal() as (ours, path):
        transport = SerialTransport(path, 115_200)
        transport.write(bytes(range(256)))
        assert os.read(ours, 1000) == bytes(range(256))
        os.write(ours, b"answer")
        assert transport.read(1.0) == b"answer"
        transport.close()
        transport.close()


def test_a_read_waits_no_longer_than_it_may():
    with terminal() as (_, path):
        transport = SerialTransport(path, 1_000_000)
        for timeout in (0.0, 0.1, 0.2):
            begin = time.monotonic()
            assert transport.read(timeout) == b""
            assert timeout <= time.monotonic() - begin < timeout + 0.1
        transport.close()


def test_a_port_that_is_not_there_is_a_target_error():
    with pytest.raises(TargetError, match="there is no serial port /dev/ttyNowhere7"):
        SerialTransport("/dev/ttyNowhere7", 115_200)


def test_a_port_in_use_is_a_target_error():
    with terminal() as (_, path):
        first = SerialTransport(path, 115_200)
        with pytest.raises(TargetError, match="is used by another program"):
            SerialTransport(path, 115_200)
        first.close()


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.EACCES, "no permission to open P; on Linux, `sudo usermod -aG dialout"),
        (errno.EBUSY, "P is used by another program"),
        (errno.EIO, "P cannot be opened at 9600 baud"),
    ],
)
def test_other_failures_say_what_to_do(monkeypatch, number, message):
    def fail(*arguments, **options):
        raise serial.SerialException(number, "could not open port")

    monkeypatch.setattr(serial, "Serial", fail)
    with pytest.raises(TargetError, match=message):
        SerialTransport("P", 9600)


def test_a_vanished_port_is_a_link_error():
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    transport = SerialTransport(os.ttyname(theirs), 115_200)
    os.close(theirs)
    os.close(ours)
    with pytest.raises(LinkError, match=r"cannot read from .* connect again"):
        transport.read(0.1)
    with pytest.raises(LinkError, match=r"cannot write to .* connect again"):
        transport.write(b"x")
    transport.close()


@pytest.mark.parametrize("drop", [0.0, 0.05])
def test_a_port_works_over_a_terminal_in_real_time(drop):
    records = make_records(Random(2), 300)
    device = FakeDevice(line=Line(4, drop=drop))
    with device_on_a_terminal(device) as path:
        port = LinkPort(SerialTransport(path, 1_000_000), timeout=0.1, retries=10)
        port.write(Region.PROGRAM, 0, np.arange(500))
        assert np.array_equal(port.read(Region.PROGRAM, 0, 500), np.arange(500))
        device.script.extend(records)
        port.run(300)
        words, deadline = [], time.monotonic() + 20
        while words[-4:-3] != [0xFFFF] and time.monotonic() < deadline:
            words += port.records(1.0).tolist()
        assert words == [word for record in records for word in record]
        port.close()


def test_a_waiting_thread_does_not_keep_others_out():
    device = FakeDevice()
    with device_on_a_terminal(device) as path:
        port = LinkPort(SerialTransport(path, 1_000_000))
        waiter = threading.Thread(target=port.records, args=(0.8,))
        waiter.start()
        time.sleep(0.1)
        begin = time.monotonic()
        port.read(Region.CTRL, 0, 1)
        assert time.monotonic() - begin < 0.4
        waiter.join()
        port.close()
