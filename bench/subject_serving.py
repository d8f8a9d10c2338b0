"""One comment in, one prediction out, over kept-alive HTTP: CPU time a request, rates, latencies."""
import json
import os
import subprocess
import time

import load
import measure
import peer_text
import report
import server

COMMENTS = 64  # bodies that take turns
CPU_CONNECTIONS = 32
CONNECTIONS = [1, 32, 256, 2000]


def comments_of(files):
    texts, _ = peer_text.read_comments(files)
    return texts[::max(len(texts) // COMMENTS, 1)][:COMMENTS]


def bare_server(bench, answer):
    """libmicrohttpd alone: it reads the same bodies and answers the same number of bytes."""
    path = os.path.join(bench.work, "answer.json")
    with open(path, "w") as file:
        file.write(answer)
    port = server.free_port()
    return server.Server("bare libmicrohttpd", [bench.program("bench_bare"), port, path], port, "/endpoints/spam/predict")


def fastapi_server(bench, pipeline):
    port = server.free_port()
    script = os.path.join(bench.root, "bench", "peer_fastapi.py")
    return server.Server("FastAPI + scikit-learn", [bench.python, script, pipeline, port], port,
                         "/endpoints/spam/predict")


def mlflow_server(bench, folder):
    port = server.free_port()
    command = [os.path.join(os.path.dirname(bench.python), "mlflow"), "models", "serve", "--env-manager", "local",
               "--model-uri", folder, "--host", "127.0.0.1", "--port", port, "--workers", "1"]
    environment = {**os.environ, "PATH": os.path.dirname(bench.python) + ":" + os.environ["PATH"]}
    return server.Server("mlflow models serve", command, port, "/invocations", env=environment)


def measure_servers(bench, servers):
    """Interleaved: each round visits every server, so that a noisy minute hits all."""
    loads = {name: [] for name, _, _ in servers}
    for turn in range(bench.rounds):
        for name, running, bodies in servers:
            loads[name].append(load.run_load(bench, running, bodies, CPU_CONNECTIONS, bench.seconds))
            bench.say(f"round {turn + 1}, {name}: {loads[name][-1].cpu:.1f} us CPU a request")
    return {name: load.median_load(runs) for name, runs in loads.items()}


def latencies(bench, servers):
    rows = []
    for name, running, bodies in servers:
        for connections in CONNECTIONS:
            one = load.run_load(bench, running, bodies, connections, bench.seconds)
            rows.append([name, connections, f"{one.rate:,.0f}", f"{one.p50:,.0f}", f"{one.p99:,.0f}",
                         f"{one.cpu:.1f}", one.errors])
    return rows


def logged_share(running):
    """Of all predictions so far: the share that the log had room for."""
    time.sleep(2)  # the log is written behind the answers
    counts = dict(line.split() for line in running.get("/metrics").splitlines() if line.startswith("slipway_predictions_"))
    logged, dropped = (float(counts[f"slipway_predictions_{what}_total"]) for what in ("logged", "dropped"))
    return logged / max(logged + dropped, 1)


def peers(bench, files):
    pipeline, folder = os.path.join(bench.work, "pipeline.joblib"), os.path.join(bench.work, "mlflow")
    subprocess.run([bench.python, os.path.join(bench.root, "bench", "peer_text.py"), pipeline, folder, *files],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return pipeline, folder


def measure_all(bench):
    files = server.comment_files(bench)
    comments = comments_of(files)
    bodies = [json.dumps({"data": [{"CONTENT": comment}]}, ensure_ascii=False) for comment in comments]
    inputs = [json.dumps({"inputs": [comment]}, ensure_ascii=False) for comment in comments]  # MLflow's form
    slipway = server.Slipway(bench, os.path.join(bench.work, "serving"))
    bench.say("training the models")
    slipway.learn_comments(files)
    token = slipway.run("token", "create", "bench", "--role", "viewer")["secret"]
    pipeline, folder = peers(bench, files)
    with slipway.serve("Slipway") as plain:
        answer, _ = plain.wait(bodies[0])
        with bare_server(bench, answer) as bare, fastapi_server(bench, pipeline) as fastapi, \
             mlflow_server(bench, folder) as mlflow:
            servers = [("Slipway", plain, bodies), ("bare libmicrohttpd", bare, bodies),
                       ("FastAPI + scikit-learn", fastapi, bodies), ("mlflow models serve", mlflow, inputs)]
            for _, running, own in servers:
                running.wait(own[0])
            memory = {name: measure.resident_bytes(running.pid) for name, running, _ in servers}
            result = measure_servers(bench, servers)
            logged = logged_share(plain)
            table = latencies(bench, servers[:3])
    with slipway.serve("Slipway, tokens", token) as guarded:
        guarded.wait(bodies[0])
        result["Slipway, tokens demanded"] = measure_servers(bench, [("tokens", guarded, bodies)])["tokens"]
        memory["Slipway, tokens demanded"] = measure.resident_bytes(guarded.pid)
    write_report(bench, result, memory, logged, table)


def write_report(bench, result, memory, logged, table):
    out = report.Report(bench, "serving", "Serving one comment",
                        "One comment a request over kept-alive connections, every prediction logged by Slipway (none by "
                        "the others). Slipway serves what its automatic choice made of the comments (words and "
                        "characters), the Python servers TfidfVectorizer and LogisticRegression of the same comments. "
                        f"The bare handler reads the same bodies and answers the same number of bytes. Load: wrk, one "
                        f"thread, {CPU_CONNECTIONS} connections, {bench.seconds} s, median of {bench.rounds} rounds that "
                        "visit every server in turn; server and load share the machine.")
    own = result["Slipway"]
    order = ["Slipway", "Slipway, tokens demanded", "bare libmicrohttpd", "FastAPI + scikit-learn", "mlflow models serve"]
    out.say("CPU: user and system time of the server's processes, divided by requests.")
    out.table(["server", "CPU us a request", "of Slipway's", "requests/s", "p50 us", "p99 us", "errors", "memory at start, MiB"],
              [[name, f"{result[name].cpu:.1f}", report.ratio(result[name].cpu / own.cpu), f"{result[name].rate:,.0f}",
                f"{result[name].p50:,.0f}", f"{result[name].p99:,.0f}", f"{result[name].errors:.0f}",
                report.mebibytes(memory[name])] for name in order])
    out.say(f"Predictions that the log had room for while all of the machine was busy answering: {logged:.3%}.")
    out.say("## Connections")
    out.table(["server", "connections", "requests/s", "p50 us", "p99 us", "CPU us a request", "errors"], table)
    out.bar("predictions that the log had no room for", (1 - logged) * 100, 0, " %")
    out.bar("CPU of a one-comment predict", own.cpu, 10, " us")
    out.bar("the same with tokens demanded", result["Slipway, tokens demanded"].cpu, 10, " us")
    out.bar("of the bare handler's CPU", own.cpu / result["bare libmicrohttpd"].cpu, 1.6, " x")
    out.bar("FastAPI + scikit-learn's CPU", result["FastAPI + scikit-learn"].cpu / own.cpu, 20, " x", at_least=True)
    out.bar("mlflow models serve's CPU", result["mlflow models serve"].cpu / own.cpu, 30, " x", at_least=True)
    out.write()
