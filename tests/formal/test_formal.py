"""The short form of `make formal`, and what the proofs promise about themselves."""

from __future__ import annotations

import os

import pytest
from formal_bench import Bench, Mutant, Proof
from formal_run import missing_tools, run
from prove import PROOFS, row

from python_sources import ROOT
from synloom_hdl import arithmetic

QUICK = [proof for proof in PROOFS if proof.quick]


@pytest.fixture(scope="session")
def tools():
    """The solver and its friends; with CI a missing one is a failure."""
    if (missing := missing_tools()) and not os.environ.get("CI"):
        pytest.skip(f"{', '.join(missing)} missing; try: make formal")


@pytest.mark.parametrize("proof", QUICK, ids=lambda proof: proof.name)
@pytest.mark.usefixtures("tools")
def test_a_quick_proof_holds_and_its_mutant_fails(proof: Proof):
    ((_, outcome, mutant),) = run([proof])
    assert outcome.status == "pass", outcome.log
    assert mutant.status == "FAIL", mutant.log


def test_every_proof_has_a_name_of_its_own():
    names = [proof.name for proof in PROOFS]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.name)
def test_a_mutant_is_another_design(proof: Proof):
    plain, mutated, after = Bench(), Bench(), Bench()
    proof.bench(plain)
    with proof.mutant.applied():
        proof.bench(mutated)
    proof.bench(after)
    assert plain.netlist() == after.netlist() != mutated.netlist()


def test_a_mutant_of_a_changed_design_says_so():
    with (
        pytest.raises(ValueError, match=r"stands 0 times in popcount"),
        Mutant(arithmetic.popcount.__wrapped__, "no such text", "").applied(),
    ):
        pass


def test_the_page_has_every_proof():
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    assert [row(proof) for proof in PROOFS if row(proof) not in page] == []
