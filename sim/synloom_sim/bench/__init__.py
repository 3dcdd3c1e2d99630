"""What a step costs: clocks against their bound, other simulators, the line, memory and start-up.

``python -m synloom_sim.bench`` prints the tables of one machine, ``python -m synloom_sim.bench.peers`` those
of the comparison with other simulators. docs/performance.md shows and explains them.
"""
