"""Many runs: batches of networks, and sweeps over the settings of an experiment."""
