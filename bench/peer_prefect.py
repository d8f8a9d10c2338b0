"""Steps that do nothing, as Prefect's documentation writes them; run by the Python that has Prefect.

usage: peer_prefect.py chain|fan-out|processes COUNT WORKERS   prints the seconds from the flow's first line to its last
       peer_prefect.py serve                                   does what "processes" orders, each in a process of its own
"""
import sys
import time

from prefect import flow, task
from prefect.deployments import run_deployment
from prefect.futures import wait
from prefect.task_runners import ThreadPoolTaskRunner


@task
def step(_previous=None):
    return None


@flow
def nothing():
    return None


@flow
def chain(count):
    began, last = time.monotonic(), None
    for _ in range(count):
        last = step(last)
    return time.monotonic() - began


@flow
def fan_out(count):
    began = time.monotonic()
    wait([step.submit() for _ in range(count)])
    return time.monotonic() - began


@flow
def processes(count):
    began = time.monotonic()
    for _ in range(count):
        done = run_deployment("nothing/bench", timeout=120, poll_interval=0.1, as_subflow=False)
        if not done.state.is_completed():
            raise RuntimeError(f"a run ended as {done.state}")
    return time.monotonic() - began


def main():
    if sys.argv[1] == "serve":
        nothing.serve(name="bench")
        return
    flows = {"chain": chain, "fan-out": fan_out, "processes": processes}
    runner = ThreadPoolTaskRunner(max_workers=int(sys.argv[3]))
    print(flows[sys.argv[1]].with_options(task_runner=runner)(int(sys.argv[2])))


if __name__ == "__main__":
    main()
