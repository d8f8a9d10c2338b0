"""Versions that take each other's place under load: failed and mixed answers, what is left behind.

BENCH_SWAPS      deployments (10000), one due every 6 ms; given up after three times that
BENCH_ROLLBACKS  rollbacks after them (100)
"""
import json
import os
import threading
import time

import checker
import measure
import peer_text
import report
import server

SECONDS_EACH = 60 / 10000  # 10,000 swaps may take 60 s
PACE = 0.99 * SECONDS_EACH
PATIENCE = 3
WARM_SWAPS = 4000  # until the store's caches have the size that they keep
VERSIONS = [1, 2, 3]
TEXTS = 64  # bodies that take turns
CONNECTIONS, DEPTH, RATE = 32, 8, 24000
LOAD_SECONDS, SETTLE_SECONDS = 10, 8  # 5 s after the last prediction the server gives back what is free
WARM_LOADS = 2  # until the log's ring has been used as far as this load uses it
QUIET_LOADS = 3  # without swaps: how much the footprint differs without a cause


def prepare(bench):
    """A data folder with three versions, each learnt from more comments than the one before."""
    files = server.comment_files(bench)
    slipway = server.Slipway(bench, os.path.join(bench.work, "swap"))
    with open(os.path.join(slipway.folder, "slipway.yaml"), "w") as file:
        file.write(server.PROJECT)
    for version, count in zip(VERSIONS, (2, 3, len(files))):
        slipway.run("data", "add", "comments", *files[:count], "--target", "CLASS",
                    *(f"--column={name}=ignore" for name in ("COMMENT_ID", "AUTHOR", "DATE")))
        slipway.run("train", "--dataset", f"comments@{version}", "--budget", "60")
    return slipway, files


def footprint(pid):
    """What the server holds: bytes resident, its part of them, bytes of its own heap, files, threads."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        sizes = {line.split()[0]: int(line.split()[1]) * 1024 for line in file if line.strip().endswith("kB")}
    return {"resident memory, MiB": sizes["Rss:"] / 2**20, "its part of it (PSS), MiB": sizes["Pss:"] / 2**20,
            "anonymous memory, MiB": sizes["Anonymous:"] / 2**20,
            "open files": len(os.listdir(f"/proc/{pid}/fd")), "threads": len(os.listdir(f"/proc/{pid}/task"))}


def settle(pid):
    time.sleep(SETTLE_SECONDS)
    return footprint(pid)


def loads_without_swaps(bench, running, plan, count):
    """What each load counted, and the footprint after each."""
    results, footprints = [], []
    for _ in range(count):
        with checker.Load(bench, running.port, plan, CONNECTIONS, DEPTH, RATE, LOAD_SECONDS) as load:
            results.append(load.wait())
        footprints.append(settle(running.pid))
    return results, footprints


class Swaps:
    """Deployments one after the other, each due at its moment; those that are late go at once."""

    def __init__(self, caller, live):
        self.caller, self.times, self.live = caller, [], live

    def timed(self, change):
        began = time.monotonic()
        change()
        self.times.append(time.monotonic() - began)

    def repeat(self, change, count):
        """Seconds that it took."""
        began = time.monotonic()
        for number in range(count):
            time.sleep(max(began + number * PACE - time.monotonic(), 0))
            if time.monotonic() - began > PATIENCE * count * SECONDS_EACH:
                break
            self.timed(change)
        return time.monotonic() - began

    def deploy_next(self):
        self.live = VERSIONS[self.live % len(VERSIONS)]
        self.caller.deploy("spam", "spam", self.live)

    def deploy(self, count):
        return self.repeat(self.deploy_next, count)

    def roll_back(self, count):
        return self.repeat(lambda: self.caller.rollback("spam"), count)


def share(values, part):
    return sorted(values)[min(int(len(values) * part), len(values) - 1)]


def open_sessions(running):
    """Clients at once, so that the server has the connections to its store that it will need and keep."""
    clients = [threading.Thread(target=lambda: [running.get("/api/v1/audit") for _ in range(100)]) for _ in range(4)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()


def swap_under_load(bench, running, plan):
    """Loads without and one with swaps and rollbacks; the footprints before and after."""
    swaps, rollbacks = int(os.environ.get("BENCH_SWAPS", "10000")), int(os.environ.get("BENCH_ROLLBACKS", "100"))
    warm = Swaps(checker.Caller(running.port), VERSIONS[-1])
    open_sessions(running)
    for _ in range(WARM_SWAPS):
        warm.deploy_next()
    warm.caller.close()
    loads_without_swaps(bench, running, plan, WARM_LOADS)
    quiet, before = loads_without_swaps(bench, running, plan, QUIET_LOADS)
    bench.say(f"{swaps} swaps and {rollbacks} rollbacks")
    used = measure.cpu_seconds(running.pid)
    with checker.Load(bench, running.port, plan, CONNECTIONS, DEPTH, RATE) as load:
        caller = checker.Caller(running.port)
        deploys, backs = Swaps(caller, warm.live), Swaps(caller, None)
        swap_seconds = deploys.deploy(swaps)
        backs.roll_back(rollbacks)
        caller.close()
        loud = load.finish()
    used = measure.cpu_seconds(running.pid) - used
    footprints = {"before": before, "after": settle(running.pid),
                  "later": loads_without_swaps(bench, running, plan, QUIET_LOADS)[1]}
    return quiet[-1], loud, deploys, backs, swap_seconds, used, footprints


def trail(slipway):
    """Events of deployments and rollbacks in the audit trail, which is whole."""
    slipway.run("audit", "verify")
    with slipway.serve("Slipway") as running:
        running.wait_until(lambda: running.get("/healthz"))
        counts, after = {}, 0
        while True:
            events = json.loads(running.get(f"/api/v1/audit?after={after}&action=endpoint.&limit=10000"))["events"]
            for event in events:
                counts[event["action"]] = counts.get(event["action"], 0) + 1
            if not events:
                return counts
            after = events[-1]["id"]


def milliseconds(times):
    return [f"{share(times, part) * 1000:.2f}" for part in (0.5, 0.99, 1)]


def measure_all(bench):
    slipway, files = prepare(bench)
    texts, _ = peer_text.read_comments(files)
    plan = os.path.join(bench.work, "plan.json")
    with slipway.serve("Slipway") as running:
        running.wait_until(lambda: running.get("/healthz"))
        different = checker.write_plan(plan, checker.Caller(running.port), "spam", "spam", VERSIONS,
                                       texts[::max(len(texts) // TEXTS, 1)][:TEXTS])
        result = swap_under_load(bench, running, plan)
    write_report(bench, different, result, trail(slipway))


def middle_of(footprints):
    return {name: measure.median(one[name] for one in footprints) for name in footprints[0]}


def footprint_rows(footprints):
    for name, after in footprints["after"].items():
        each = [[one[name] for one in footprints[when]] for when in ("before", "later")]
        yield [name, *(f"{value:.2f}" for value in (min(each[0]), measure.median(each[0]), max(each[0]), after,
                                                   measure.median(each[1])))]


def write_report(bench, different, result, events):
    quiet, loud, deploys, backs, swap_seconds, used, footprints = result
    before = middle_of(footprints["before"])
    after = footprints["after"]
    out = report.Report(bench, "swap", "Swaps under load",
                        f"Three versions of a spam model take each other's place on one endpoint, {len(deploys.times):,} "
                        f"deployments by the API, one after the other, then {len(backs.times)} rollbacks, while a client "
                        f"({CONNECTIONS} connections, {RATE:,} requests a second, each due at a moment of its own) compares "
                        "every answer, byte for byte from the model's name on, with what the version that it names answered "
                        f"when it served alone: {TEXTS} comments, {different} of them answered differently by all three. Each "
                        "change is durable and in the audit trail. Server, client and swaps share the machine.")
    loads = [("no swaps", quiet), ("swaps and rollbacks", loud)]
    out.table(["load", "answers/s", "right", "failed", "mixed", "no version known", "p50 us", "p99 us", "p99.9 us",
               "slowest us"],
              [[name, f"{one['right'] / one['seconds']:,.0f}", f"{one['right']:,}", one["failed"], one["mixed"],
                one["unknown"], *(f"{one[key]:,}" for key in ("p50_us", "p99_us", "p999_us", "slowest_us"))]
               for name, one in loads])
    out.say(f"Answers by version: {', '.join(f'{count:,}' for count in loud['versions'])}. CPU of the server: "
            f"{used:.1f} s, of the client {loud['cpu_seconds']:.1f} s, in {loud['seconds']:.1f} s."
            + (f" The first that was not right: `{loud['example']}`." if loud["example"] else ""))
    out.table(["change", "count", "took s", "p50 ms", "p99 ms", "slowest ms", "events in the trail"],
              [["deploy", len(deploys.times), f"{swap_seconds:.1f}", *milliseconds(deploys.times),
                events.get("endpoint.deployed", 0)],
               ["rollback", len(backs.times), f"{sum(backs.times):.1f}", *milliseconds(backs.times),
                events.get("endpoint.rolled_back", 0)]])
    out.say(f"The trail counts those that came before, too: {WARM_SWAPS:,} swaps, in which the store's caches took the size that "
            f"they keep, and one of each version. The server {SETTLE_SECONDS} s after each of {QUIET_LOADS} loads without swaps "
            f"(and {WARM_LOADS} that are not counted), {SETTLE_SECONDS} s after the swaps, and after each of {QUIET_LOADS} more "
            "loads without. What it differs by among loads without swaps is noise of what is measured:")
    out.table(["what", "before: least", "median", "most", "after the swaps", "after loads that followed: median"],
              footprint_rows(footprints))
    out.say("The peer, measured once and not again here: MLServer under 8 clients answered 40 reloads without an error, its "
            "p99 at 110 ms; of 11,555 requests during cycles of unload and load it failed 1,151 (10 %).")
    recorded = [events.get(f"endpoint.{action}", 0) for action in ("deployed", "rolled_back")]
    missing = len(VERSIONS) + WARM_SWAPS + len(deploys.times) - recorded[0] + len(backs.times) - recorded[1]
    out.bar("failed answers", quiet["failed"] + loud["failed"], 0)
    out.bar("mixed or unknown answers", sum(one[key] for one in (quiet, loud) for key in ("mixed", "unknown")), 0)
    out.bar("answers a second during the swaps", loud["right"] / loud["seconds"], 20000, at_least=True)
    out.bar("swaps in 60 s, one after the other", len(deploys.times) / swap_seconds * 60, 10000, at_least=True)
    memory = "resident memory, MiB"
    out.bar("memory after, more than the median before", (after[memory] / before[memory] - 1) * 100, 1, " %")
    out.bar("changes that are not in the audit trail", missing, 0)
    out.bar("open files after, more than before", after["open files"] - before["open files"], 0)
    out.bar("threads after, more than before", after["threads"] - before["threads"], 0)
    out.write()
