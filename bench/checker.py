"""The load that knows the right answers: bench_swap.c, and the plan that it checks by."""
import http.client
import json
import os
import signal
import subprocess

HEADERS = {"Content-Type": "application/json"}


class Caller:
    """One client of a server's API with one connection that it keeps."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def post(self, path, body):
        """The answer's text; anything but a good status is an error."""
        self.connection.request("POST", path, body, HEADERS)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{path} answers {answer.status}: {text[:300]}")
        return text

    def close(self):
        self.connection.close()

    def deploy(self, endpoint, model, version):
        self.post(f"/api/v1/endpoints/{endpoint}/deploy",
                  json.dumps({"model": model, "version": version, "comment": "measured"}))

    def rollback(self, endpoint):
        self.post(f"/api/v1/endpoints/{endpoint}/rollback", '{"comment": "measured"}')


def versioned_part(text):
    """What of an answer depends on the version and the body alone."""
    return text[text.index('"model":'):]


def write_plan(path, caller, endpoint, model, versions, texts):
    """Deploys each version alone and keeps what it answers to each body; says how many bodies all versions answer
    differently."""
    bodies = [json.dumps({"data": [{"CONTENT": text}]}, ensure_ascii=False) for text in texts]
    address, answers = f"/endpoints/{endpoint}/predict", []
    for version in versions:
        caller.deploy(endpoint, model, version)
        answers.append([versioned_part(caller.post(address, body.encode()).decode()) for body in bodies])
    with open(path, "w") as file:
        json.dump({"path": address, "bodies": bodies, "answers": answers}, file, ensure_ascii=False)
    rows = zip(*([answer[answer.index('"predictions"'):] for answer in each] for each in answers))
    return sum(len(set(row)) == len(versions) for row in rows)


class Load:
    """A load that runs until its seconds are over or finish() is called; a "with" block ends it."""

    def __init__(self, bench, port, plan, connections, depth=1, rate=0, seconds=600):
        command = [bench.program("bench_swap"), port, plan, connections, depth, rate, seconds]
        self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)

    def finish(self):
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self):
        output, _ = self.process.communicate()
        if self.process.returncode:
            raise RuntimeError(f"the load ended with status {self.process.returncode}")
        return json.loads(output)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()
