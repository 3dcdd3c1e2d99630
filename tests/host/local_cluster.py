"""A Dask cluster of two worker processes on this machine; it ends with its standard input.

It prints the scheduler's address, and then a line with the workers' process numbers for each line it reads.
"""

import sys


def main() -> None:
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        print(cluster.scheduler_address, flush=True)
        for _ in sys.stdin:
            print(*(nanny.pid for nanny in cluster.workers.values()), flush=True)


if __name__ == "__main__":
    main()
