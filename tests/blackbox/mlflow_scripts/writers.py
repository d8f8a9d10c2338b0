"""64 threads that write to one run, and as many that begin runs of their own."""
import threading

import mlflow

THREADS, TURNS = 64, 5
client = mlflow.MlflowClient()
experiment_id = client.create_experiment("many at once")
run_id = client.create_run(experiment_id).info.run_id
failures, own = [], []


def write(number):
    try:
        for turn in range(TURNS):
            client.log_metric(run_id, "shared", number, step=turn * THREADS + number)
            client.log_metric(run_id, f"own_{number}", turn, step=turn)
        client.log_param(run_id, f"param_{number}", number)
        client.set_tag(run_id, "last", number)
        mine = client.create_run(experiment_id, run_name=f"run {number}").info.run_id
        client.log_param(mine, "number", number)
        own.append((number, mine))
    except Exception as error:  # pylint: disable=broad-except
        failures.append(error)


threads = [threading.Thread(target=write, args=(number,)) for number in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

assert not failures, failures[:3]
run = client.get_run(run_id)
assert run.data.params == {f"param_{number}": str(number) for number in range(THREADS)}
assert run.data.metrics == {"shared": THREADS - 1, **{f"own_{number}": TURNS - 1 for number in range(THREADS)}}
points = client.get_metric_history(run_id, "shared")
assert sorted(point.step for point in points) == list(range(THREADS * TURNS))
assert all(point.step % THREADS == point.value for point in points)
assert run.data.tags["last"] in run.data.params.values()
assert len({mine for _, mine in own}) == THREADS
for number, mine in own:
    assert client.get_run(mine).data.params == {"number": str(number)}
