"""Before anything is built, `synloom flash` finds out whether the loader and the board are there."""

import pytest

from synloom.base.errors import ParameterError
from synloom.cli.main import main
from synloom_boards.loaders import LOADERS
from synloom_boards.toolchain import flash as flash_module
from synloom_boards.toolchain.usb import UsbDevice, usb_devices

WELL = "print('openFPGALoader v1.1.1')"


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main([*arguments])
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


@pytest.fixture
def plugged(monkeypatch):
    """Say which USB devices are plugged in; None if the system does not tell."""

    def say(*identities, known=True):
        found = [UsbDevice(identity, "", "1-1") for identity in identities] if known else None
        monkeypatch.setattr(flash_module, "usb_devices", lambda: found)

    return say


@pytest.fixture
def unbuilt(monkeypatch):
    """Fail if a bitstream is built."""

    def fail(*arguments, **options):
        raise AssertionError("something was built")

    monkeypatch.setattr("synloom_boards.bitstreams.build.build_bitstream", fail)


def test_a_board_that_is_not_plugged_in_is_told_before_the_build(capsys, stand_in, plugged, unbuilt):
    stand_in("OPENFPGALOADER", WELL)
    plugged("1d6b:0002", "0403:6015")
    code, _, err = run(capsys, "flash", "icebreaker")
    assert (code, err.count("\n")) == (1, 1)
    assert "no iCEBreaker was found: there is no programmer with USB identity 0403:6010" in err


def test_a_loader_that_does_not_start_is_told_before_the_build(capsys, stand_in, plugged, unbuilt):
    plugged("0403:6010")
    stand_in(
        "OPENFPGALOADER",
        "print('x: error while loading shared libraries: libusb-1.0.so.0: no'); sys.exit(127)",
    )
    assert (
        "openFPGALoader needs libusb-1.0.so.0; try: sudo apt install" in run(capsys, "flash", "icebreaker")[2]
    )
    stand_in("OPENFPGALOADER", "print('Illegal instruction'); sys.exit(132)")
    assert "it ends with exit code 132 and says: Illegal instruction" in run(capsys, "flash", "icebreaker")[2]


def test_a_missing_loader_is_told_before_the_build(capsys, monkeypatch, plugged, unbuilt):
    plugged("1d50:602b")
    monkeypatch.delenv("ICESPROG", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    code, _, err = run(capsys, "flash", "icesugar")
    assert (code, err.count("\n")) == (1, 1)
    assert "icesprog is not installed; try: its sources, github.com/wuxx/icesugar" in err


@pytest.mark.parametrize("known", [True, False])
def test_a_board_that_is_there_or_may_be_is_built_and_flashed(
    capsys, stand_in, plugged, flow, tmp_path, known
):
    flow()
    plugged("0403:6010", known=known)
    stand_in("OPENFPGALOADER", f"open(r'{tmp_path}/said', 'a').write(' '.join(sys.argv[1:]) + '\\n')")
    code, out, err = run(capsys, "flash", "icebreaker", "--seed", "1")
    assert code == 0, err
    assert "iCEBreaker: the bitstream is in its flash" in out
    said = (tmp_path / "said").read_text().splitlines()
    assert said[0] == "--Version"
    assert said[1].startswith("-b ice40_generic -f ")


def test_the_icesugar_is_flashed_by_its_own_program(stand_in, tmp_path):
    from synloom_boards.boards import load_board

    stand_in("ICESPROG", f"open(r'{tmp_path}/said', 'w').write(' '.join(sys.argv[1:]))")
    (tmp_path / "top.bin").write_text("bits")
    assert flash_module.flash_bitstream(load_board("icesugar"), tmp_path / "top.bin")
    assert (tmp_path / "said").read_text() == f"-w {tmp_path}/top.bin"


def test_a_loader_says_what_it_cannot_do(tmp_path):
    with pytest.raises(ParameterError, match="dfu-util cannot load the FPGA without its flash"):
        LOADERS["dfu-util"].arguments([], tmp_path / "top.bit", into_flash=False)
    arguments = LOADERS["iceprog"].arguments(["-d", "x"], tmp_path / "top.bin", into_flash=True)
    assert arguments == ["-d", "x", str(tmp_path / "top.bin")]


def test_usb_devices_are_those_of_the_system(tmp_path):
    assert usb_devices(tmp_path / "nowhere") is None
    for name, files in {
        "1-1": {
            "idVendor": "0403\n",
            "idProduct": "6010\n",
            "product": "iCEBreaker\n",
            "manufacturer": "1BitSquared\n",
        },
        "1-1:1.0": {"bInterfaceNumber": "00\n"},
        "usb1": {"idVendor": "1D6B\n", "idProduct": "0002\n"},
    }.items():
        (tmp_path / name).mkdir()
        for file, text in files.items():
            (tmp_path / name / file).write_text(text)
    assert usb_devices(tmp_path) == [
        UsbDevice("0403:6010", "1BitSquared iCEBreaker", "1-1"),
        UsbDevice("1d6b:0002", "", "usb1"),
    ]
