"""2,500 runs: pages of the client, pages of one's own, and all as a table."""
import mlflow

COUNT = 2500
client = mlflow.MlflowClient()
experiment_id = client.create_experiment("many")
made = [client.create_run(experiment_id, start_time=1000 + number // 2, run_name=f"run {number}").info.run_id
        for number in range(COUNT)]
for number in range(0, COUNT, 5):
    client.log_metric(made[number], "f1", number % 7)


def pages(**more):
    found, token, sizes = [], None, []
    while True:
        page = client.search_runs([experiment_id], page_token=token, **more)
        found += [run.info.run_id for run in page]
        sizes.append(len(page))
        token = page.token
        if not token:
            return found, sizes


found, sizes = pages()
assert sizes == [1000, 1000, 500] and len(set(found)) == COUNT and set(found) == set(made)
starts = {run_id: 1000 + number // 2 for number, run_id in enumerate(made)}
assert [starts[run_id] for run_id in found] == sorted(starts.values(), reverse=True)
small, sizes = pages(max_results=99)
assert small == found and len(sizes) == 26
ordered, sizes = pages(max_results=400, order_by=["metrics.f1 DESC"])
numbers = {run_id: number for number, run_id in enumerate(made)}
values = [numbers[run_id] % 7 if numbers[run_id] % 5 == 0 else -1 for run_id in ordered]
assert len(set(ordered)) == COUNT and values == sorted(values, reverse=True)
filtered, sizes = pages(max_results=50, filter_string="metrics.f1 >= 6")
assert len(set(filtered)) == len([number for number in range(0, COUNT, 5) if number % 7 == 6])
table = mlflow.search_runs([experiment_id])
assert len(table) == COUNT and table["run_id"].nunique() == COUNT
assert len(mlflow.search_runs([experiment_id], max_results=7)) == 7
for wrong in (0, 50001):
    try:
        client.search_runs([experiment_id], max_results=wrong)
    except mlflow.MlflowException as error:
        assert error.error_code == "INVALID_PARAMETER_VALUE", error
    else:
        raise AssertionError(f"{wrong} results were given")
