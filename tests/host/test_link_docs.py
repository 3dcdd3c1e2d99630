"""docs/blocks/link.md says what the contract says, and its code runs."""

import re
from pathlib import Path

from fake_device import FakeDevice
from test_link_transport import device_on_a_terminal

from synloom.contract.registers import LINK_REGISTERS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "blocks"
PAGE = (FOLDER / "link.md").read_text()


def test_the_register_table_is_the_contract():
    rows = [
        f"| {register.offset} | {name} | {'rw' if register.writable else 'r'} | {register.doc} |"
        for name, register in LINK_REGISTERS.items()
    ]
    assert "\n".join(rows) in PAGE


def test_every_file_that_the_page_names_is_there():
    targets = re.findall(r"\]\(([^)]+)\)", PAGE)
    assert len(targets) > 15
    assert [target for target in targets if not (FOLDER / target).exists()] == []


def test_the_example_runs(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.S)
    names = {}
    exec(code, names)
    with device_on_a_terminal(FakeDevice()) as path:
        names["peek"](path)
    printed = capsys.readouterr().out
    assert "neurons=20" in printed
    assert "retries=0" in printed
