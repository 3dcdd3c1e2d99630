# Each target makes the .venv that it needs; a change of pyproject.toml makes it install again.
SHELL := /bin/bash -o pipefail
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(shell sha256sum pyproject.toml | cut -c1-16)
USER_STAMP := $(VENV)/installed-user-$(STAMP)
BOARDS_STAMP := $(VENV)/installed-boards-$(STAMP)
FORMAL_STAMP := $(VENV)/installed-formal-$(STAMP)
DEV_STAMP := $(VENV)/installed-dev-$(STAMP)
# NEST brings much of its own, so it has a .venv of its own.
ORACLES := .venv-oracles
ORACLES_STAMP := $(ORACLES)/installed-oracles-$(STAMP)
# Each of the other simulators has a .venv of its own, because they want different versions of NumPy.
PEERS := brian2 nest superneuromat
PEER_STAMPS := $(foreach peer,$(PEERS),.venv-peers-$(peer)/installed-$(peer)-$(STAMP))
# One line for each package while pip works, instead of all that it says or nothing.
PIP := $(BIN)/python -m pip install --disable-pip-version-check
QUIET := | sed -un 's/^Collecting \([^ ]*\).*/  \1/p'

.PHONY: demo examples test lint types pytest slow agreement fuzz soak noise bench bench-peers boards boards-check explore netlists netlists-full formal oracles compiler tools clean help

help:
	@echo "make demo    a network learns digits on the simulated board"
	@echo "make examples  the gallery in full: its figures, pictures and pages (an hour)"
	@echo "make test    lint, types and tests"
	@echo "make lint    ruff: rules and format"
	@echo "make types   mypy"
	@echo "make slow    the long test suites"
	@echo "make agreement  500 generated arrays on every number of lanes, and on the fast engine"
	@echo "make fuzz    10,000 mutated files, commands, answers, records of each kind: refused or right (long)"
	@echo "make soak    bad lines, kills, resets, random bytes, signals, long runs: none may be silently wrong (hours)"
	@echo "make noise   how independent the random numbers are, 2,048 channels for a million steps (a quarter of an hour)"
	@echo "make bench   clocks of a step against their bound, the line, start-up (tens of minutes; the boards are kept)"
	@echo "make bench-peers  steps a second beside Brian2, NEST and SuperNeuroMAT, which it installs (half an hour)"
	@echo "make boards  bitstreams of all boards (an hour), their stamps and the table of the README"
	@echo "make boards-check  are the bitstreams' stamps of this gateware, in time, and in the tables?"
	@echo "make explore BOARD=NAME  what else a board's part can hold: its array's neighbours, synthesised and packed"
	@echo "make netlists  a learning network on the netlist of each FPGA family, bit by bit"
	@echo "make netlists-full  the same on the very netlist of a board of each family (an hour)"
	@echo "make formal  proofs about the gateware, and a mutant of each that must fail"
	@echo "make oracles  spikes and weights against NEST, and a published memory: installed into .venv-oracles"
	@echo "make clean   remove what was built (the .venvs and the user's cache stay)"

demo: compiler
	$(BIN)/synloom demo digits

examples: $(DEV_STAMP) compiler
	$(BIN)/python docs/gallery.py --run

test: lint types pytest

lint: $(DEV_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEV_STAMP)
	$(BIN)/mypy

pytest: $(DEV_STAMP) tools
	$(BIN)/pytest -n 2

slow: $(DEV_STAMP) tools
	$(BIN)/pytest -n 2 -m slow

agreement: $(DEV_STAMP) compiler
	$(BIN)/pytest -n 2 -m slow tests/agreement tests/sim/test_fast_engine.py

fuzz: $(DEV_STAMP)
	$(BIN)/pytest -m slow tests/fuzz

soak: compiler
	$(BIN)/python -m synloom_sim.soak --json build/soak.json

noise: $(USER_STAMP)
	$(BIN)/python -m synloom_sim.noise

bench: compiler
	$(BIN)/python -m synloom_sim.bench

bench-peers: $(USER_STAMP) $(PEER_STAMPS)
	$(BIN)/python -m synloom_sim.bench.peers
	$(BIN)/python -m synloom_sim.bench.peers.batch

boards: $(BOARDS_STAMP)
	$(BIN)/python -m synloom_boards.build_all

boards-check: $(USER_STAMP)
	$(BIN)/python -m synloom_boards.boards_check

explore: $(BOARDS_STAMP)
	$(BIN)/python -m synloom_boards.explore $(BOARD) $(EXPLORE)

netlists: $(BOARDS_STAMP) compiler
	$(BIN)/python -m synloom_boards.netlist

# The largest array of each family that a board has today.
netlists-full: $(BOARDS_STAMP) compiler
	$(BIN)/python -m synloom_boards.netlist icebreaker tang-nano-20k ulx3s-25f --steps 64

formal: $(FORMAL_STAMP)
	$(BIN)/python tests/formal/prove.py

# Here a missing NEST is a failure.
oracles: $(ORACLES_STAMP)
	CI=true $(ORACLES)/bin/python -m pytest -m oracle -rP tests/oracles
	$(ORACLES)/bin/python tests/oracles/nest_table.py

# Tests with cocotb link libraries that are made for the compilers of the system.
tools:
	@[ -n "$$CXX" ] || command -v g++ clang++ > /dev/null || \
		{ echo "error: the tests need g++ or clang++; try: sudo apt install g++" >&2; exit 1; }

# Where nothing compiles C++, a compiler comes by pip; a $CXX that does not work is the user's to mend.
compiler: $(USER_STAMP)
	@[ -n "$$CXX" ] || \
		$(BIN)/python -c 'from synloom_sim.board.tools import find_compiler; find_compiler()' 2> /dev/null || \
		{ echo "installing a C++ compiler, as there is none (Zig's, 411 MB)"; \
		$(PIP) --editable '.[compiler]' $(QUIET); }

$(VENV)/bin/python $(ORACLES)/bin/python $(PEERS:%=.venv-peers-%/bin/python):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: Python 3.11 or newer is needed; try: make PYTHON=python3.11" >&2; exit 1; }
	@echo "making $(@:/bin/python=)"
	@$(PYTHON) -m venv $(@:/bin/python=) || { echo "error: try: sudo apt install python3-venv" >&2; exit 1; }

$(USER_STAMP): | $(VENV)/bin/python
	@echo "installing into $(VENV) (a minute or two)"
	@$(PIP) --editable '.[sim,fast,demo]' $(QUIET)
	@rm -f $(VENV)/installed-user-*
	@touch $@

$(BOARDS_STAMP): $(USER_STAMP)
	@echo "installing the FPGA tools"
	@$(PIP) --editable '.[boards]' $(QUIET)
	@rm -f $(VENV)/installed-boards-*
	@touch $@

$(FORMAL_STAMP): $(USER_STAMP)
	@echo "installing the tools of the proofs"
	@$(PIP) --upgrade 'pip>=25.1' $(QUIET)
	@$(PIP) --group formal $(QUIET)
	@rm -f $(VENV)/installed-formal-*
	@touch $@

$(DEV_STAMP): $(USER_STAMP)
	@echo "installing the developers' tools"
	@$(PIP) --upgrade 'pip>=25.1' $(QUIET)
	@$(PIP) --editable '.[boards]' --group dev $(QUIET)
	@rm -f $(VENV)/installed-dev-*
	@touch $@

$(ORACLES_STAMP): | $(ORACLES)/bin/python
	@echo "installing NEST into $(ORACLES)"
	@$(ORACLES)/bin/python -m pip install --disable-pip-version-check --upgrade 'pip>=25.1' $(QUIET)
	@$(ORACLES)/bin/python -m pip install --disable-pip-version-check --editable '.[sim,oracles]' \
		--group oracles-published $(QUIET)
	@rm -f $(ORACLES)/installed-oracles-*
	@touch $@

# Only the simulator and NumPy: what it runs imports nothing else.
define peer
.venv-peers-$(1)/installed-$(1)-$(STAMP): | .venv-peers-$(1)/bin/python
	@echo "installing $(1) into .venv-peers-$(1)"
	@.venv-peers-$(1)/bin/python -m pip install --disable-pip-version-check --upgrade 'pip>=25.1' $$(QUIET)
	@.venv-peers-$(1)/bin/python -m pip install --disable-pip-version-check --group peers-$(1) $$(QUIET)
	@rm -f .venv-peers-$(1)/installed-$(1)-*
	@touch $$@
endef
$(foreach name,$(PEERS),$(eval $(call peer,$(name))))

clean:
	rm -rf build dist results .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find hdl host sim boards tests -name __pycache__ -prune -exec rm -rf {} +
