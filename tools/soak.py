#!/usr/bin/env python3
"""Load a server with a bit of everything for an hour, check every answer, and watch what it holds.

usage: soak.py [BINARY]          build/release/slipway

Clients predict, explain, log runs, send files up and down, add data, train, promote, deploy, roll
back, list, make and revoke tokens, send nonsense and break off connections, as a seed draws it. Now
and then all of them pause; once their connections are closed the server's memory, files, threads,
mappings, children and temporary files are counted.

SOAK_SECONDS   how long (3600)
SOAK_SEED      of the clients' draws (1)
SOAK_CPU       share of one core that server and clients may take on average (0.3)

"No growth": after a warm-up of a fifth of the time, the trend of the server's own memory (Theil and
Sen's median of slopes, over the whole rest) is at most MEMORY_SHARE of it and MEMORY_BYTES, and the
most files and threads at rest of the last third are not above those of the first. Writes
docs/results/soak.md; the last line is "N passed, N failed".
"""
import os
import shutil
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import samples
from page import Page, measure
from scenario import Broken, Down, Late, Refused, Server, check_folder, must
from soak_client import LISTS, NAMES, Client, Site

CLIENTS = 3
WARM_UP = 0.2
MEMORY_SHARE, MEMORY_BYTES = 0.02, 1 << 20
REST_SECONDS_MAX = 10
BARS = "▁▂▃▄▅▆▇█"
FIELDS = {"anonymous": "own memory, MiB", "rss": "resident, MiB", "pss": "proportional, MiB",
          "files": "open files", "threads": "threads", "mappings": "mappings", "children": "children",
          "temporary": "temporary files"}


def open_files(pid):
    """What is open, as "NUMBER TARGET"."""
    found = set()
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.add(f"{number} {os.readlink(f'/proc/{pid}/fd/{number}')}")
        except FileNotFoundError:
            pass  # closed since
    return found


def read_sample(pid, folder):
    """What a process holds at the moment."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in file if line.endswith("kB\n")}
    with open(f"/proc/{pid}/maps") as file:
        mappings = sum(1 for _ in file)
    names = open_files(pid)
    return {"anonymous": sizes["Anonymous"], "rss": sizes["Rss"], "pss": sizes["Pss"],
            "files": len(names), "names": names, "threads": len(os.listdir(f"/proc/{pid}/task")),
            "mappings": mappings, "children": len(measure.process_tree(pid)) - 1,
            "temporary": len(os.listdir(os.path.join(folder, "temporary")))}


class Pace:
    """Clients ask it before each action: it makes them wait, as long as keeps the load moderate and
    all of them when the server is looked at."""

    def __init__(self):
        self.seconds = 0.05
        self.stopping = False
        self.resting = False
        self.condition = threading.Condition()
        self.working = 0

    def begin(self):
        time.sleep(self.seconds)
        with self.condition:
            while self.resting and not self.stopping:
                self.condition.wait(1)
            self.working += not self.stopping
            return not self.stopping

    def end(self):
        with self.condition:
            self.working -= 1
            self.condition.notify_all()

    def rest(self):
        """Returns when no client works."""
        with self.condition:
            self.resting = True
            while self.working:
                self.condition.wait(1)

    def go_on(self):
        with self.condition:
            self.resting = False
            self.condition.notify_all()


class Soak:
    def __init__(self, binary, seed, cpu_share):
        self.folder = tempfile.mkdtemp(prefix="slipway-soak-")
        self.data = os.path.join(self.folder, "data")
        self.cpu_share = cpu_share
        self.server = Server(os.path.abspath(binary), self.data)
        self.site = Site(self.server)
        self.clients = [Client(self.site, f"client{i}", seed * 100 + i) for i in range(CLIENTS)]
        self.pace = Pace()
        self.problems = []
        self.samples = []  # seconds since the beginning, what was read then
        self.cpu_used = 0.0

    def close(self):
        self.pace.stopping = True
        if self.server.process.poll() is None:
            self.server.kill()
        shutil.rmtree(self.folder)

    def set_up(self):
        for name in NAMES:
            samples.add_project(self.server, name)
            samples.add_data(self.server, name, 1)
            for _ in range(2):
                version, _ = samples.train(self.server, name)
                self.site.versions[name].append(version)
            for version in self.site.versions[name]:
                self.site.get("POST", f"/api/v1/endpoints/{name}/deploy",
                              {"model": name, "version": version, "comment": "set-up"})
                self.site.learn(name)
        self.open_all_connections()

    def open_all_connections(self):
        """Connections to the store are opened when so many are needed at once, and kept."""
        def ask():
            for path in LISTS:
                self.site.ask("GET", path)
        threads = [threading.Thread(target=ask) for _ in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    # the load

    def work(self, client):
        while self.pace.begin():
            try:
                client.act()
            except (Broken, Down, Late, Refused) as problem:
                self.problems.append(f"{client.name}: {type(problem).__name__}: {problem}")
                print(self.problems[-1][:1000], flush=True)
            finally:
                self.pace.end()
            if len(self.problems) > 20:
                self.pace.stopping = True

    def cpu(self):
        """Of the server, the steps that it has waited for, and this process."""
        with open(f"/proc/{self.server.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return sum(map(int, fields[11:15])) / measure.TICKS + time.process_time()

    def adapt(self, seconds, used):
        share = used / seconds
        self.pace.seconds *= min(2.0, max(0.5, share / self.cpu_share))
        self.pace.seconds = min(2.0, max(0.002, self.pace.seconds))

    def sample_at_rest(self, began):
        """Looks again until the server has let go of the connections that were closed."""
        self.pace.rest()
        deadline = time.monotonic() + REST_SECONDS_MAX
        fewest = min((sample["files"] for _, sample in self.samples[-3:]), default=0)
        before = None
        while True:
            time.sleep(0.2)
            sample = read_sample(self.server.process.pid, self.data)
            if sample["files"] <= fewest or sample["files"] == before or time.monotonic() > deadline:
                break
            before = sample["files"]
        self.samples.append((time.monotonic() - began, sample))
        self.pace.go_on()

    def run(self, seconds):
        threads = [threading.Thread(target=self.work, args=[client]) for client in self.clients]
        began = time.monotonic()
        interval = max(1.0, seconds / 120)
        for thread in threads:
            thread.start()
        first = before = self.cpu()
        at = began
        while time.monotonic() - began < seconds and not self.pace.stopping:
            time.sleep(min(interval, seconds))
            if self.server.process.poll() is not None:
                self.problems.append("the server ended")
                break
            now, moment = self.cpu(), time.monotonic()
            self.adapt(moment - at, now - before)
            self.cpu_used = (now - first) / (moment - began)
            self.sample_at_rest(began)
            before, at = self.cpu(), time.monotonic()
        self.pace.stopping = True
        self.pace.go_on()
        for thread in threads:
            thread.join()

    def look_and_stop(self):
        """The audit trail, the folder, a clean end."""
        try:
            must(self.server.get("GET", "/api/v1/audit/verify")["whole"], "the audit trail is broken")
            for name in NAMES:
                self.site.learn(name)
            self.server.stop()
            check_folder(self.data, Everything())
        except (Broken, Down, Refused) as problem:
            self.problems.append(f"at the end: {problem}")
            print(self.problems[-1][:4000], flush=True)

    # the verdict

    def settled(self, field):
        last = self.samples[-1][0]
        return [(at, sample[field]) for at, sample in self.samples if at >= WARM_UP * last]

    def growths(self):
        """Of each field: what it was (median of the first third), and how much it grew."""
        return {field: growth(self.settled(field), field in ("files", "threads", "children", "temporary"))
                for field in FIELDS}

    def judge(self, with_memory):
        for field, (level, grown) in self.growths().items():
            if field == "anonymous" and with_memory and grown > MEMORY_SHARE * level + MEMORY_BYTES:
                self.problems.append(f"memory grew by {grown / 2**20:.2f} MiB from {level / 2**20:.1f}")
            elif field in ("files", "threads", "children", "temporary") and grown > 0:
                self.problems.append(f"{FIELDS[field]} grew by {grown} from {level}" +
                                     (f": {self.additional_files()}" if field == "files" else ""))

    def additional_files(self):
        """What was open when most was, and not when least was."""
        looks = sorted((sample for _, sample in self.samples), key=lambda sample: sample["files"])
        return ", ".join(sorted(looks[-1]["names"] - looks[0]["names"]))

    def actions(self):
        return {action: sum(client.counts[action] for client in self.clients) for action in Client.SHARES}


class Everything:
    """A ledger that has checked nothing yet."""

    may_litter = False

    def is_new(self, _key):
        return True

    def is_checked(self, _key):
        pass


def median(values):
    return sorted(values)[len(values) // 2]


def growth(points, is_count):
    """Level and growth: of counts at rest the most of the last third against that of the first, of
    sizes the median slope between all pairs of points, times the time between the first and the
    last."""
    third = max(1, len(points) // 3)
    first, last = [value for _, value in points[:third]], [value for _, value in points[-third:]]
    if is_count:
        return max(first), max(last) - max(first)
    slopes = [(b - a) / (t - s) for i, (s, a) in enumerate(points) for t, b in points[i + 1:] if t > s]
    return median(first), (median(slopes) if slopes else 0.0) * (points[-1][0] - points[0][0])


def sparkline(values, width=60):
    step = max(1, -(-len(values) // width))
    kept = values[::step]
    low, high = min(kept), max(kept)
    return "".join(BARS[int((value - low) / (high - low) * (len(BARS) - 1)) if high > low else 0]
                   for value in kept)


def show(field, value):
    return f"{value / 2**20:.2f}" if FIELDS[field].endswith("MiB") else f"{value:.0f}"


def write_page(soak, seconds, seed):
    page = Page("soak", "An hour's soak" if seconds >= 3600 else f"A soak of {seconds:.0f} seconds",
                "A server under a mixed load; every answer is checked, and what the server holds is "
                "counted at moments when no client works.")
    page.say(f"Seed {seed}; {soak.site.requests} requests beside those of trainings in {seconds:.0f} s by "
             f"{CLIENTS} clients, {100 * soak.cpu_used:.0f} % of a core for server, steps and clients. "
             f"{len(soak.problems)} problems" + "".join(f"\n\n- {text[:300]}" for text in soak.problems))
    rows = []
    for field, (level, grown) in soak.growths().items():
        values = [sample[field] for _, sample in soak.samples]
        rows.append([FIELDS[field], show(field, level), show(field, grown), show(field, min(values)),
                     show(field, max(values)), f"`{sparkline(values)}`"])
    page.table(["held", "after the warm-up", "growth", "least", "most", "from the first to the last look"],
               rows)
    page.say(f"{len(soak.samples)} looks, the warm-up is the first fifth. The growth of sizes is the median "
             "slope of all pairs of looks, times the time; that of counts, the most of the last third less "
             "that of the first. The bar for the server's own (anonymous) memory is "
             f"{100 * MEMORY_SHARE:.0f} % and {MEMORY_BYTES >> 20} MiB; files, threads, children and "
             "temporary files must not grow at all. Each connection to the store may keep a page cache, "
             "which fills with what is stored up to a fixed size; pages of the store that the system maps "
             "into the process are in the resident size, not in its own.")
    page.table(["action", "times"], soak.actions().items())
    page.write()


def main():
    seconds = float(os.environ.get("SOAK_SECONDS", "3600"))
    seed = int(os.environ.get("SOAK_SEED", "1"))
    soak = Soak(sys.argv[1] if len(sys.argv) > 1 else "build/release/slipway", seed,
                float(os.environ.get("SOAK_CPU", "0.3")))
    try:
        soak.set_up()
        soak.run(seconds)
        soak.look_and_stop()
        soak.judge(with_memory=True)
        write_page(soak, seconds, seed)
    finally:
        soak.close()
    print(f"{sum(soak.actions().values())} passed, {len(soak.problems)} failed", flush=True)
    return 1 if soak.problems else 0


if __name__ == "__main__":
    sys.exit(main())
