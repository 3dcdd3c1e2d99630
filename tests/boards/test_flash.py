"""What openFPGALoader says becomes what the user can do."""

import pytest

from synloom.base.errors import BuildError, MismatchError, TargetError
from synloom.cli.main import main
from synloom_boards.boards import load_board
from synloom_boards.toolchain.flash import flash_bitstream, udev_rule

LOADED = """
print('empty')
print('write to ' + ('flash' if '-f' in sys.argv else 'ram'))
print('Jtag frequency : requested 6.00MHz   -> real 6.00MHz  ')
for done in (0, 50, 100):
    sys.stdout.write(f'\\rLoading: [====      ] {done}.00%')
print('\\n\\x1b[32mDONE\\x1b[0m')
"""


@pytest.fixture
def flash(stand_in, tmp_path):
    """Flash with an openFPGALoader that runs some code; it writes its arguments to a file."""

    def run(code, name="ulx3s-25f", **options):
        stand_in(
            "OPENFPGALOADER", f"open(r'{tmp_path}/arguments', 'w').write(' '.join(sys.argv[1:]))\n{code}"
        )
        bitstream = tmp_path / "top.bit"
        bitstream.write_text("bits")
        result = flash_bitstream(load_board(name), bitstream, **options)
        return result, (tmp_path / "arguments").read_text()

    return run


def test_a_bitstream_goes_into_the_fpga(flash, tmp_path):
    told = []
    into_flash, arguments = flash(LOADED, progress=lambda what, share: told.append((what, share)))
    assert not into_flash
    assert arguments == f"-b ulx3s -m {tmp_path}/top.bit"
    assert told[0] == ("loading the FPGA", 0.0)
    assert told[-1] == ("loading the FPGA", 1.0)


def test_or_into_the_flash(flash, tmp_path):
    into_flash, arguments = flash(LOADED, persistent=True)
    assert into_flash
    assert arguments == f"-b ulx3s -f {tmp_path}/top.bit"


def test_a_board_that_only_has_its_flash_gets_it_there(flash, tmp_path):
    into_flash, arguments = flash(LOADED, "icebreaker")
    assert into_flash
    assert arguments == f"-b ice40_generic -f {tmp_path}/top.bit"


_INIT = "JTAG init failed with: unable to open ftdi device"

FAULTS = {
    "absent": (
        f"unable to open ftdi device: -3 (device not found)\n{_INIT}",
        TargetError,
        r"no ULX3S 25F was found: .* USB identity 0403:6015; .*`synloom devices` must show 0403:6015",
    ),
    "absent DAP": (
        "cmsisDAP: No CMSIS-DAP v1 device found\nJTAG init failed with: Error: no USB backend available",
        TargetError,
        "no ULX3S 25F was found",
    ),
    "permission": (
        f"unable to open ftdi device: -4 (usb_open() failed)\n{_INIT}",
        TargetError,
        r"no permission to use the programmer of ULX3S 25F \(USB 0403:6015\); try:\n"
        r'  echo \'ATTRS\{idVendor\}=="0403", ATTRS\{idProduct\}=="6015"',
    ),
    "newer permission": (
        "unable to open ftdi device: -4 (libusb_open() failed) (USB bus 1 addr 4)",
        TargetError,
        "no permission to use the programmer",
    ),
    "permission of a DAP": (
        "Couldn't open device. Check permissions for /dev/hidraw3",
        TargetError,
        "no permission to use the programmer",
    ),
    "wrong device": (
        "\x1b[31mError: Failed to claim FPGA device: mismatch between target's idcode and bitstream idcode\n"
        "\tbitstream has 0x41111043 hardware requires 0x21111043\x1b[0m",
        MismatchError,
        r"not the LFE5U-25F-6BG381C of ULX3S 25F \(it says 0x21111043, the bitstream is for 0x41111043\)",
    ),
    "wrong device, older": (
        "Error: Failed to claim FPGA device: mismatch between target's idcode and fs idcode",
        MismatchError,
        r"the board's FPGA is not the .*; `synloom boards` lists the boards",
    ),
    "unknown device": (
        "JTAG init failed with: Unknown device with IDCODE: 0x00fa03fa (manufacturer: 0x1fd (), part",
        TargetError,
        r"does not know the device that answers \(0x00fa03fa\)",
    ),
    "library": (
        "openFPGALoader: error while loading shared libraries: libusb-1.0.so.0: cannot open it",
        BuildError,
        r"needs libusb-1\.0\.so\.0; try: sudo apt install libusb-1\.0-0",
    ),
    "no CMSIS-DAP": (
        "Jtag: support for cmsisdap was not enabled at compile time",
        BuildError,
        "built without cmsisdap, .*; try the one of your system: "
        "sudo apt install openfpgaloader; export OPENFPGALOADER=openFPGALoader",
    ),
    "anything else": (
        "Loading: [==   ] 40.00%\nFail to read data",
        TargetError,
        "exit code 1 and said: .*Fail to read data; check the cable",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_with_what_to_do(flash, fault):
    text, error, message = FAULTS[fault]
    with pytest.raises(error, match=message):
        flash(f"print({text!r}, file=sys.stderr); sys.exit(1)")


def test_a_failure_with_exit_code_0_is_one(flash):
    with pytest.raises(TargetError, match="exit code 0 and said: Wait for CDONE FAIL"):
        flash("print('Wait for CDONE FAIL')")


def test_a_flash_that_was_not_written_is_a_failure(flash):
    with pytest.raises(TargetError, match=r"exit code 0 and said: .*aborting"):
        flash(
            "print('Either GOWIN_VLD or POR should be set, aborting: 0x6020')",
            "tang-nano-9k",
            persistent=True,
        )


def test_gowins_check_sum_is_no_failure(flash):
    into_flash, _ = flash("print('Load SRAM DONE'); print('CRC check : FAIL')", "tang-nano-9k")
    assert not into_flash


def test_a_missing_loader_is_told(flash, monkeypatch, tmp_path):
    monkeypatch.setenv("OPENFPGALOADER", "/nowhere/openFPGALoader")
    with pytest.raises(BuildError, match=r"\$OPENFPGALOADER names '/nowhere/openFPGALoader'"):
        flash_bitstream(load_board("ulx3s-25f"), tmp_path / "top.bit")


def test_the_rule_is_one_line_for_udev():
    rule = udev_rule(load_board("colorlight-i5"))
    assert rule == 'ATTRS{idVendor}=="0d28", ATTRS{idProduct}=="0204", MODE="0660", TAG+="uaccess"'


def test_the_command_builds_or_takes_from_the_cache_and_flashes(flow, stand_in, capsys, monkeypatch):
    monkeypatch.setattr("synloom_boards.toolchain.flash.usb_devices", lambda: None)
    placed = flow()
    stand_in("OPENFPGALOADER", LOADED)
    for _ in range(2):
        with pytest.raises(SystemExit) as ended:
            main(["flash", "icebreaker", "--seed", "1", "--persistent"])
        assert ended.value.code == 0
        assert "iCEBreaker: the bitstream is in its flash" in capsys.readouterr().out
    assert placed() == [1]
