"""The same network in Synloom and in other simulators, side by side: ``make bench-peers``.

Each simulator runs in a process, and mostly in a Python environment, of its own: a worker. The workers import
nothing of Synloom but this package, so that their environments need only NumPy and the simulator.
"""
