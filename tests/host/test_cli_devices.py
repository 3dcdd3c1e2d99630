"""`synloom devices` lists ports, boards that may be there, and who uses a port; it is useful without any."""

import json
import os
import pty
import sys
from types import SimpleNamespace

import pytest
from serial.tools import list_ports

from synloom.cli.main import main
from synloom.cli.port_users import port_users
from synloom_boards.toolchain import usb
from synloom_boards.toolchain.usb import UsbDevice


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["devices", *arguments])
    assert ended.value.code == 0
    return capsys.readouterr()


def port(device, usb_identity=None, description="n/a"):
    vid, pid = (int(part, 16) for part in usb_identity.split(":")) if usb_identity else (None, None)
    return SimpleNamespace(device=device, vid=vid, pid=pid, description=description, serial_number=None)


@pytest.fixture
def there(monkeypatch):
    """Say which serial ports and USB devices there are."""

    def say(ports=(), devices=()):
        monkeypatch.setattr(list_ports, "comports", lambda: list(ports))
        monkeypatch.setattr(usb, "usb_devices", lambda: list(devices))

    return say


def test_without_any_it_says_what_to_do(capsys, there):
    there()
    out = run(capsys).out
    assert out.startswith("there is no serial port\n")
    assert "no known board is plugged in; check its power" in out
    assert "synloom sim --pty" in out
    assert json.loads(run(capsys, "--json").out) == {"ports": [], "programmers": []}


def test_ports_on_usb_come_first_with_the_boards_that_they_may_be(capsys, there):
    there([port("/dev/ttyS0"), port("/dev/ttyUSB1", "0403:6010", "iCEBreaker V1.0e")])
    found = json.loads(run(capsys, "--json").out)["ports"]
    assert [row["port"] for row in found] == ["/dev/ttyUSB1", "/dev/ttyS0"]
    assert found[0]["usb"] == "0403:6010"
    assert found[0]["boards"] == ["icebreaker", "tang-nano-20k", "tang-nano-9k"]
    assert found[1]["boards"] == []
    out = run(capsys).out
    assert "iCEBreaker V1.0e" in out
    assert "icebreaker, tang-nano-20k, tang-nano-9k" in out
    assert "try: synloom info PORT" in out


def test_a_programmer_without_a_port_is_listed(capsys, there):
    there(devices=[UsbDevice("1d50:602b", "MuseLab iCELink", "1-2"), UsbDevice("1d6b:0002", "hub", "usb1")])
    found = json.loads(run(capsys, "--json").out)
    assert found["programmers"] == [
        {"usb": "1d50:602b", "description": "MuseLab iCELink", "boards": ["icesugar"]}
    ]
    assert "programmers without a serial port:" in run(capsys).out


def test_a_port_in_use_says_by_whom(capsys, there):
    controller, terminal = pty.openpty()
    name = os.ttyname(terminal)
    try:
        there([port(name)])
        (row,) = json.loads(run(capsys, "--json").out)["ports"]
        assert row["state"].startswith("in use by ")
        assert f"({os.getpid()})" in row["state"]
    finally:
        os.close(controller)
        os.close(terminal)


def test_a_closed_port_says_who_helps(capsys, there, monkeypatch):
    there([port("/dev/ttyUSB7")])
    (row,) = json.loads(run(capsys, "--json").out)["ports"]
    assert row["state"] == "no permission (synloom doctor says what to do)"


def test_a_lock_of_another_user_is_seen(tmp_path):
    file = tmp_path / "port"
    file.write_text("")
    status = file.stat()
    proc = tmp_path / "proc"
    (proc / "77").mkdir(parents=True)
    (proc / "77" / "comm").write_text("minicom\n")
    place = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}"
    (proc / "locks").write_text(
        f"1: FLOCK  ADVISORY  WRITE 77 {place}:{status.st_ino} 0 EOF\n"
        f"2: FLOCK  ADVISORY  WRITE 78 {place}:{status.st_ino + 1} 0 EOF\n"
        f"3: OFDLCK ADVISORY  WRITE -1 {place}:{status.st_ino} 0 EOF\n"
    )
    assert port_users(str(file), proc) == ["minicom (77)"]
    assert port_users(str(file), tmp_path / "nowhere") == []


def test_nothing_is_opened(capsys, there, monkeypatch):
    def fail(*arguments, **options):
        raise AssertionError("a port was opened")

    monkeypatch.setattr("serial.Serial", fail)
    there([port("/dev/ttyS0", "0403:6010")])
    run(capsys)
    assert "serial" in sys.modules
