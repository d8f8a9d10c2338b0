#!/usr/bin/env python3
"""Histories of long metrics: whole in pages, thinned for charts, the same steps of several runs."""
from harness import run
from mlflow_wire import WireTest, invalid

POINTS = 3000


class HistoryTest(WireTest):
    def setUp(self):
        super().setUp()
        _, self.port = self.start()

    def create_run(self):
        return self.post("runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]

    def post(self, path, body):
        status, answer = self.request(self.port, "POST", path, body)
        self.assertEqual(status, 200, answer)
        return answer

    def get(self, path, **query):
        status, answer = self.request(self.port, "GET", path, query)
        self.assertEqual(status, 200, answer)
        return answer

    def log(self, run_id, steps):
        points = [{"key": "loss", "value": 9.0 if step == 1234 else step / 10000, "timestamp": 1000 + step, "step": step}
                  for step in steps]
        for first in range(0, len(points), 1000):
            self.post("runs/log-batch", {"run_id": run_id, "metrics": points[first:first + 1000]})

    def steps(self, answer):
        return [point["step"] for point in answer["metrics"]]

    def test_a_history_comes_whole_in_pages(self):
        run_id, found, page = self.create_run(), [], {}
        self.log(run_id, range(POINTS))
        while True:
            answer = self.get("metrics/get-history", run_id=run_id, metric_key="loss", max_results=700, **page)
            found += self.steps(answer)
            if "next_page_token" not in answer:
                break
            page = {"page_token": answer["next_page_token"]}
        self.assertEqual(found, list(range(POINTS)))

    def test_a_chart_keeps_its_ends_and_its_spike(self):
        run_id = self.create_run()
        self.log(run_id, range(POINTS))
        for most in 10, 100, 999:
            points = self.expect(200, self.port, f"/api/v1/runs/{run_id}/metrics/loss?points={most}")[1]["points"]
            steps = [point["step"] for point in points]
            self.assertLessEqual(len(steps), most)
            self.assertGreaterEqual(len(steps), most // 2)
            self.assertEqual((steps[0], steps[-1], steps), (0, POINTS - 1, sorted(steps)))
            self.assertIn(1234, steps)
        points = self.expect(200, self.port, f"/api/v1/runs/{run_id}/metrics/loss?points=5000")[1]["points"]
        self.assertEqual(len(points), POINTS)
        self.expect(422, self.port, f"/api/v1/runs/{run_id}/metrics/loss?points=1")
        self.expect(422, self.port, f"/api/v1/runs/{run_id}/metrics/loss?points=5&limit=5")

    def test_several_runs_give_the_same_steps(self):
        first, second = self.create_run(), self.create_run()
        self.log(first, range(0, POINTS))
        self.log(second, range(1, POINTS + 500, 2))
        answer = self.get("metrics/get-history-bulk-interval", run_ids=[first, second], metric_key="loss", max_results=10)
        steps = {run_id: [point["step"] for point in answer["metrics"] if point["run_id"] == run_id]
                 for run_id in (first, second)}
        self.assertEqual((steps[first][0], steps[first][-1]), (0, POINTS - 1))
        self.assertEqual((steps[second][0], steps[second][-1]), (1, POINTS + 499))
        self.assertLessEqual(len(set(steps[first] + steps[second])), 10 + 1 + 4)
        answer = self.get("metrics/get-history-bulk-interval", run_ids=[first], metric_key="loss", start_step=10, end_step=12)
        self.assertEqual(self.steps(answer), [10, 11, 12])

    def test_a_bulk_is_ordered_by_run_and_time(self):
        runs = sorted([self.create_run(), self.create_run()])
        for run_id in runs:
            self.log(run_id, range(5))
        answer = self.get("metrics/get-history-bulk", run_id=[runs[1], runs[0], "0" * 32], metric_key="loss", max_results=7)
        self.assertEqual([(point["run_id"], point["step"]) for point in answer["metrics"]],
                         [(runs[0], step) for step in range(5)] + [(runs[1], step) for step in range(2)])

    def test_what_is_asked_wrongly_is_said(self):
        self.play(self.port, [
            ("GET", "metrics/get-history-bulk-interval", {"run_ids": ["a"], "metric_key": "x", "start_step": 1}, 400,
             invalid("both must be specified")),
            ("GET", "metrics/get-history-bulk-interval", {"run_ids": ["a"], "metric_key": "x", "start_step": 2, "end_step": 1},
             400, invalid("not behind")),
            ("GET", "metrics/get-history-bulk-interval", {"run_ids": ["a"], "metric_key": "x", "max_results": 2501}, 400,
             invalid("1 to 2500")),
            ("GET", "metrics/get-history-bulk-interval", {"metric_key": "x"}, 400, invalid("run_ids")),
            ("GET", "metrics/get-history-bulk", {"run_id": ["a"] * 101, "metric_key": "x"}, 400, invalid("100 runs")),
        ])


if __name__ == "__main__":
    run(HistoryTest)
