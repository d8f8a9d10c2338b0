#!/usr/bin/env python3
"""What starts runs of pipelines when nobody sends files, on a real server with a real git."""
import json
import os
import time

from harness import SlipwayTest, run

FILE = """project: spam
params:
  rows: {type: integer, default: 10, minimum: 1}
  date: {type: date, default: 2026-01-01}
stages:
  hold:
    cmd: while test -e HOLD; do sleep 0.02; done; echo ${{ params.rows }} ${{ params.date }}
    always_changed: true
concurrency: queue
on:
  schedule:
    - {cron: "0 3 * * 1", timezone: Europe/Amsterdam}
    - {cron: "30 2 * * *"}
"""
SECONDS_MAX = 30


class TriggersTest(SlipwayTest):
    def setUp(self):
        super().setUp()
        self.hold = os.path.join(self.folder, "hold")
        self.project = os.path.join(self.folder, "project")
        os.makedirs(self.project)

    def put(self, text=FILE):
        with open(os.path.join(self.project, "slipway.yaml"), "w") as file:
            file.write(text.replace("HOLD", self.hold))
        return self.command("up", folder=self.project)

    def holds(self):
        with open(self.hold, "w"):
            pass

    def wait_until(self, condition):
        deadline = time.monotonic() + SECONDS_MAX
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def runs(self, port):
        listed = self.expect(200, port, "/api/v1/pipelines/spam/runs")[1]["pipeline_runs"]
        return listed[::-1]

    def wait_for(self, port, statuses):
        """Until these are the runs' statuses, the oldest first."""
        try:
            self.wait_until(lambda: [one["status"] for one in self.runs(port)] == statuses)
        except AssertionError:
            self.fail([(one["status"], one["reason"]) for one in self.runs(port)])

    def begin(self, port, status=202, **body):
        return self.expect(status, port, "/api/v1/pipelines/spam/runs", method="POST", body=json.dumps(body))[1]

    def test_a_program_starts_it_with_params(self):
        port = self.start()[1]
        self.put()
        shown = self.begin(port, params={"rows": 7})
        self.assertEqual((shown["number"], shown["origin"]["trigger"]), (1, "api"))
        self.wait_for(port, ["succeeded"])
        self.assertEqual(self.command("pipeline", "log", "spam", "hold"), "7 2026-01-01\n")
        for params, sentence in (({"row": 7}, 'there is no param "row"; there are: rows, date'),
                                 ({"rows": 0}, "rows"), ({"date": "soon"}, "date")):
            error = self.begin(port, 422, params=params)["error"]
            self.assertIn(sentence, error["message"])
            self.assertEqual(error["field"], list(params)[0])
        self.assertEqual(len(self.runs(port)), 1)

    def test_a_key_has_one_run(self):
        port = self.start()[1]
        self.put()
        first = self.begin(port, key="monday")
        self.assertEqual(self.begin(port, 200, key="monday")["id"], first["id"])

    def test_what_has_no_pipeline_cannot_be_started(self):
        port = self.start()[1]
        self.assertIn("has no pipeline", self.begin(port, 404)["error"]["message"])

    def test_a_wrong_file_is_told_when_it_is_put(self):
        port = self.start()[1]
        self.put()
        with self.assertRaisesRegex(AssertionError, r"slipway.yaml: line 8"):
            self.put(FILE.replace("always_changed", "allways_changed"))
        self.begin(port)

    def test_a_file_may_keep_programs_out(self):
        port = self.start()[1]
        self.put(FILE + "  api: false\n")
        self.assertEqual(self.begin(port, 409)["error"]["message"], "slipway.yaml says on: {api: false}")

    def test_queue_begins_when_the_one_before_has_ended(self):
        port = self.start()[1]
        self.put()
        self.holds()
        first, second, third = (self.begin(port) for _ in range(3))
        self.assertEqual([second["follows"], third["follows"]], [first["id"], second["id"]])
        self.wait_for(port, ["running", "queued", "queued"])
        self.command("pipeline", "cancel", "spam#2")
        self.wait_for(port, ["running", "cancelled", "queued"])
        os.remove(self.hold)
        self.wait_for(port, ["succeeded", "cancelled", "succeeded"])

    def test_skip_answers_with_the_one_that_is_open(self):
        port = self.start()[1]
        self.put(FILE.replace("concurrency: queue", "concurrency: skip"))
        self.holds()
        first = self.begin(port)
        self.assertEqual(self.begin(port, 200)["id"], first["id"])
        os.remove(self.hold)
        self.wait_for(port, ["succeeded"])
        self.begin(port)
        self.wait_for(port, ["succeeded", "succeeded"])

    def test_replace_cancels_those_that_are_open(self):
        port = self.start()[1]
        self.put(FILE.replace("concurrency: queue", "concurrency: replace"))
        self.holds()
        self.begin(port)
        self.wait_for(port, ["running"])
        self.begin(port)
        self.wait_for(port, ["cancelled", "running"])
        os.remove(self.hold)
        self.wait_for(port, ["cancelled", "succeeded"])

    def test_schedules_are_shown_with_their_next_times(self):
        port = self.start()[1]
        self.put()
        monday, daily = self.expect(200, port, "/api/v1/schedules")[1]["schedules"]
        self.assertEqual((monday["cron"], monday["timezone"], len(monday["next"])), ("0 3 * * 1", "Europe/Amsterdam", 3))
        self.assertTrue(all("T03:00:00.000+0" in one for one in monday["next"]), monday)
        self.assertTrue(all(one.endswith("T02:30:00.000+00:00") for one in daily["next"]), daily)
        self.assertIn("30 2 * * *", self.command("schedule", "list", "spam"))
        self.put(FILE.split("on:")[0])
        self.assertEqual(self.expect(200, port, "/api/v1/schedules")[1]["schedules"], [])

    def test_a_wrong_zone_is_refused(self):
        self.start()
        with self.assertRaisesRegex(AssertionError, "Europe/Atlantis"):
            self.put(FILE.replace("Amsterdam", "Atlantis"))


if __name__ == "__main__":
    run(TriggersTest)
