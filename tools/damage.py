#!/usr/bin/env python3
"""Damage model packages in every way that a file can be damaged, and look at what takes them.

usage: damage.py [BINARY [DAMAGE]]      build/release/slipway build/release/damage

A server trains models of several shapes. Then their packages are damaged: bytes that no longer have
the digest that they are named by must be refused before anybody reads them; bytes whose digests were
made right again must be refused as malformed or by the golden rows, unless the model answers its
golden rows exactly as promised. Most are tried by tests/damage/damage.c, which does what the child
does that tries a package before it serves; some are deployed on a server, where the old version must
give the same answers throughout.

DAMAGE_COUNT    packages tried in processes of their own (100000)
DAMAGE_SERVER   packages deployed on a server (300)
DAMAGE_SEED     of all (1)
DAMAGE_MEMORY   MiB that a process may have (1024; 0: no limit, for sanitizers)

Prints each case that went wrong, writes docs/results/damage.md, and says in its last line "N passed,
N failed".
"""
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import samples
from page import Page
from scenario import Broken, Down, Refused, Server, must

CHUNK = 5000
SERVED = "comments"
TEXTS = ["buy now", "nice video", "song 0.5 free", ""]


class Client:
    """Asks all the time; every answer of the version that served at first must be as it was then, and
    others are counted: a deployment that is refused must leave none."""

    def __init__(self, server):
        self.server = server
        self.known = self.answers()
        self.count = self.others = 0
        self.problem = None
        self.stopping = False
        self.asking = threading.Lock()
        self.thread = threading.Thread(target=self.ask)
        self.thread.start()

    def answers(self):
        made = self.server.get("POST", f"/endpoints/{SERVED}/predict", {"data": TEXTS})
        return made["version"], made["predictions"]

    def ask(self):
        try:
            while not self.stopping:
                with self.asking:
                    version, answers = self.answers()
                    self.others += version != self.known[0]
                    must(version != self.known[0] or answers == self.known[1],
                         "the served version answers otherwise than at first")
                    self.count += 1
                time.sleep(0.005)
        except (Broken, Down, Refused) as problem:
            self.problem = problem

    def answers_of_others(self):
        """None is under way when it returns."""
        with self.asking:
            if self.problem:
                raise self.problem
            return self.others

    def end(self):
        self.stopping = True
        self.thread.join()


class Driver:
    def __init__(self, binary, damage):
        self.binary, self.damage = os.path.abspath(binary), os.path.abspath(damage)
        self.folder = tempfile.mkdtemp(prefix="slipway-damage-")
        self.data = os.path.join(self.folder, "data")
        self.packages = {}  # name of a project: number and package of its version
        self.counts = {}    # kind: {outcome: number}
        self.deployed = {}  # the same of those that were deployed on a server
        self.wrong = []
        self.asked = 0

    def close(self):
        shutil.rmtree(self.folder)

    def make_packages(self, names):
        server = Server(self.binary, self.data)
        try:
            for name in names:
                samples.add_project(server, name)
                if samples.add_data(server, name, 1):
                    self.packages[name] = samples.train(server, name)
            number = self.packages[SERVED][0]
            server.get("POST", f"/api/v1/endpoints/{SERVED}/deploy", {"model": SERVED, "version": number})
            samples.add_data(server, SERVED, 2)
            self.packages["newer"] = samples.train(server, SERVED)
        finally:
            server.stop()

    def digests(self):
        return [package for _, package in self.packages.values()]

    # in processes of their own

    def try_many(self, count, seed, memory):
        store = tempfile.mkdtemp(prefix="slipway-damage-", dir=memory_folder())
        try:
            shutil.copytree(os.path.join(self.data, "artifacts"), store, dirs_exist_ok=True)
            for first in range(0, count, CHUNK):
                self.try_chunk(store, seed, first, min(CHUNK, count - first), memory)
                print(f"{min(first + CHUNK, count)} of {count} tried", flush=True)
        finally:
            shutil.rmtree(store)

    def try_chunk(self, store, seed, first, count, memory):
        done = subprocess.run([self.damage, "many", store, str(seed), str(first), str(count), str(memory),
                               *self.digests()], capture_output=True, text=True)
        must(done.returncode in (0, 1), f"{self.damage} ended with {done.returncode}: {done.stderr}")
        for line in done.stdout.splitlines():
            parts = line.split("\t")
            if len(parts) == 3:
                add(self.counts, parts[0], parts[1], int(parts[2]))
            else:
                self.wrong.append(line)
                print(line, flush=True)

    # on a server

    def try_on_server(self, count, seed):
        server = Server(self.binary, self.data)
        pristine = os.path.join(self.folder, "pristine")
        shutil.copytree(os.path.join(self.data, "artifacts"), pristine)
        client = Client(server)
        number, package = self.packages["newer"]
        try:
            for case in range(count):
                before = client.answers_of_others()
                is_refused = self.deploy_case(server, case, seed, pristine)
                must(not is_refused or client.answers_of_others() == before,
                     f"case {case} was refused and served all the same")
                self.roll_back(server, client, is_refused)
            set_package(self.data, number, package)
            made = server.get("POST", f"/api/v1/endpoints/{SERVED}/deploy",
                              {"model": SERVED, "version": number, "comment": "the sound one"})
            must(made["version"] == number, "the sound package is not deployed after the damaged ones")
        except (Broken, Down, Refused) as problem:
            self.wrong.append(f"{type(problem).__name__}: {problem}")
            print(self.wrong[-1], flush=True)
        finally:
            client.end()
            self.asked = client.count
            server.stop() if server.process.poll() is None else None

    def deploy_case(self, server, case, seed, pristine):
        """Makes one case in the server's own store and asks it to deploy that; returns whether it was
        refused."""
        number, package = self.packages["newer"]
        done = subprocess.run([self.damage, "one", os.path.join(self.data, "artifacts"), str(seed),
                               str(case), package], capture_output=True, text=True, check=True)
        kind, blob, digest, _ = done.stdout.rstrip("\n").split("\t")
        set_package(self.data, number, digest)
        status, answer = server.ask("POST", f"/api/v1/endpoints/{SERVED}/deploy",
                                    {"model": SERVED, "version": number, "comment": f"case {case}"})
        if blob != "-":
            shutil.copyfile(blob.replace(os.path.join(self.data, "artifacts"), pristine, 1), blob)
        if status == 200:
            must(blob == "-", f"case {case}, {kind}: it was deployed")
            add(self.deployed, kind, "deployed: golden rows answered as promised", 1)
            return False
        must(400 <= status < 600 and len(answer["error"]["message"]) > 20, f"case {case}: {status} {answer}")
        add(self.deployed, kind, f"refused with {status}", 1)
        return True

    def roll_back(self, server, client, is_refused):
        if not is_refused:
            server.get("POST", f"/api/v1/endpoints/{SERVED}/rollback", {})
        must(client.answers() == client.known, "the version before does not serve as before")

    # the result

    def total(self, counts):
        return sum(sum(row.values()) for row in counts.values())

    def table(self, page, counts):
        heads = sorted({outcome for row in counts.values() for outcome in row})
        page.table(["damaged", *heads, "all"],
                   [[kind, *(row.get(head, 0) for head in heads), sum(row.values())]
                    for kind, row in counts.items()])

    def write_page(self, seed, seconds):
        page = Page("damage", "Damaged model packages",
                    "Bytes that do not have their digest must be refused unread; bytes whose digests were "
                    "made right again must be refused as malformed or by the golden rows, unless the model "
                    "answers its golden rows as promised within 1e-9.")
        page.say(f"Seed {seed}, {len(self.packages)} sound packages ({', '.join(self.packages)}), "
                 f"{seconds / 60:.1f} minutes, {len(self.wrong)} wrong.")
        page.say(f"## In processes of their own\n\n{self.total(self.counts)} packages, as the child takes them "
                 "that tries one before it serves. What is accepted with the same answers is damage where "
                 "it changes nothing that the golden rows ask: a comment of MLmodel, a weight of a word "
                 "that they do not hold. The golden rows cannot tell it from another model that somebody "
                 "made and signed with right digests; it answered a hostile row with probabilities.")
        self.table(page, self.counts)
        page.say(f"## Deployed on a server\n\n{self.total(self.deployed)} packages; the version before was "
                 f"asked {self.asked} times meanwhile and gave the same answers each time.")
        self.table(page, self.deployed)
        page.write()

    def tell(self):
        count = self.total(self.counts) + self.total(self.deployed)
        print(json.dumps(self.counts, indent=1))
        print(f"{count - len(self.wrong)} passed, {len(self.wrong)} failed", flush=True)


def memory_folder():
    """Files that are written a hundred thousand times need no disk."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def add(counts, kind, outcome, number):
    row = counts.setdefault(kind, {})
    row[outcome] = row.get(outcome, 0) + number


def set_package(folder, number, package):
    """What no route allows: a version gets another package."""
    database = sqlite3.connect(os.path.join(folder, "slipway.db"), timeout=30)
    with database:
        done = database.execute(
            "UPDATE model_versions SET package = ? WHERE version = ? AND model_id = "
            "(SELECT id FROM models WHERE name = ?)", [package, number, SERVED])
        must(done.rowcount == 1, "there is no such version")
    database.close()


def main():
    arguments = sys.argv[1:] + ["build/release/slipway", "build/release/damage"][len(sys.argv) - 1:]
    driver = Driver(*arguments)
    seed = int(os.environ.get("DAMAGE_SEED", "1"))
    began = time.monotonic()
    try:
        driver.make_packages(list(samples.PROJECTS))
        driver.try_many(int(os.environ.get("DAMAGE_COUNT", "100000")), seed,
                        int(os.environ.get("DAMAGE_MEMORY", "1024")))
        driver.try_on_server(int(os.environ.get("DAMAGE_SERVER", "300")), seed)
        driver.write_page(seed, time.monotonic() - began)
        driver.tell()
    finally:
        driver.close()
    return 1 if driver.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
