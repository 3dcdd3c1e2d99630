"""The command line as a whole: help, exit codes, errors of one line, Ctrl-C."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from synloom.cli.main import COMMANDS, main


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


def test_help_lists_every_command(capsys):
    code, out, _ = run(capsys, "--help")
    assert code == 0
    for name, (_, line) in COMMANDS.items():
        assert name in out
        assert line.split()[0] in out


def test_help_imports_no_command():
    script = (
        "import sys, synloom.cli.main\n"
        "try: synloom.cli.main.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'amaranth', 'matplotlib', 'numpy', 'rich', 'scipy', 'serial', 'sklearn'}\n"
        "heavy |= {'synloom_sim', 'synloom.link'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize("name", ["sim", "info", "doctor"])
def test_every_command_has_help(name, capsys):
    code, out, _ = run(capsys, name, "--help")
    assert code == 0
    assert "--json" in out


def test_version(capsys):
    code, out, _ = run(capsys, "--version")
    assert code == 0
    assert out.startswith("synloom, version ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("no-such-command",),
        ("info",),
        ("sim",),
        ("sim", "--pty", "--speed"),
        ("sim", "--link", "x", "--speed"),
    ],
)
def test_wrong_use_is_exit_code_2(arguments, capsys):
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert "Usage: synloom" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("info", "/dev/no-such-board"), "error: there is no serial port /dev/no-such-board"),
        (("info", "model", "--lanes", "3"), "error: lanes must be one of 1, 2, 4, 8, 16, 32, not 3"),
        (("sim", "--pty", "--neurons", "0"), "error: neurons must be in 1..2048, not 0"),
    ],
)
def test_failure_is_one_line_and_exit_code_1(arguments, message, capsys):
    code, out, err = run(capsys, *arguments)
    assert code == 1
    assert out == ""
    assert err.startswith(message)
    assert "Traceback" not in err
    assert err.count("\n") == 1


def test_interrupt_is_exit_code_130(monkeypatch, capsys):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("synloom.device.targets.open_port", interrupted)
    code, _, err = run(capsys, "info", "model")
    assert code == 130
    assert err.strip() == "interrupted"


def test_a_missing_package_of_an_extra_is_one_line(monkeypatch, capsys):
    def absent(name):
        def imported(*arguments, **options):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

        return imported

    monkeypatch.setattr("synloom.device.targets.open_port", absent("sklearn.datasets"))
    code, out, err = run(capsys, "info", "model")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("error: scikit-learn is not installed; try: ")
    assert "-m pip install 'scikit-learn>=" in err
    monkeypatch.setattr("synloom.device.targets.open_port", absent("synloom_lost"))
    with pytest.raises(ModuleNotFoundError, match="synloom_lost"):
        main(["info", "model"])


def test_closed_output_is_no_traceback():
    command = [sys.executable, "-c", "from synloom.cli.main import main; main()", "info", "model"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    assert process.wait(30) == 1
    assert process.stderr.read() == ""
    process.stderr.close()


def test_interrupt_while_a_command_is_imported_is_exit_code_130(monkeypatch, capsys):
    def interrupted(module):
        raise KeyboardInterrupt

    monkeypatch.setattr("synloom.cli.commands.import_module", interrupted)
    code, _, err = run(capsys, "info", "model")
    assert code == 130
    assert err.strip() == "interrupted"


@pytest.mark.parametrize("module", ["click", "numpy", "synloom.contract.params"])
def test_interrupt_while_anything_is_imported_is_exit_code_130(module):
    script = (
        "import os, signal, sys\n"
        "class Interrupter:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {module!r}:\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupter())\n"
        "from synloom.cli.main import main\n"
        "main(['info', 'model'])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 130
    assert done.stderr.strip() == "interrupted"
    assert done.stdout == ""


@pytest.mark.parametrize("arguments", [("--help",), ("info", "model"), ("info", "model", "--json")])
def test_output_that_is_full_is_one_line(arguments):
    command = [sys.executable, "-c", "from synloom.cli.main import main; main()", *arguments]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr == "error: input or output failed: No space left on device\n"


@pytest.mark.parametrize("to_all", [False, True], ids=["process", "terminal"])
def test_interrupt_ends_the_workers_at_once(to_all):
    command = [
        sys.executable,
        "-c",
        "from synloom.cli.main import main; main()",
        "demo",
        "digits",
        "--seeds",
        "1,2,3",
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert "seed" in process.stdout.readline()
            time.sleep(1.5)
            started = time.monotonic()
            (os.killpg if to_all else os.kill)(process.pid, signal.SIGINT)
            _, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 130
    assert err.strip() == "interrupted"
    assert time.monotonic() - started < 6.0


def test_seeds_take_no_line_rate_and_serial_ports_do(tmp_path, capsys):
    code, _, err = run(capsys, "demo", "digits", "--seeds", "1", "--baud", "9600")
    assert code == 2
    assert "leave --baud out" in err
    arguments = ("--target", "model", "--baud", "9600", "--out", str(tmp_path))
    code, _, err = run(capsys, "demo", "digits", "--quick", *arguments)
    assert code == 1
    assert "target 'model' has no option 'baud'" in err


def test_help_is_quick():
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", "from synloom.cli.main import main; main(['--help'])"], check=True)
    assert time.monotonic() - started < 5.0
