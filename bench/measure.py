"""What every subject of the benchmark measures with: CPU time, memory, medians, the machine."""
import datetime
import os
import platform
import resource
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
median = statistics.median


def process_tree(pid):
    """The process and all that it started, as far as they live."""
    children = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                parent = int(file.read().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(name))
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        waiting += children.get(found[-1], [])
    return found


def cpu_seconds(pid):
    """User and system time of a process tree, threads that ended included."""
    total = 0
    for one in process_tree(pid):
        with open(f"/proc/{one}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        total += sum(int(field) for field in fields[11:15])
    return total / TICKS


def resident_bytes(pid):
    total = 0
    for one in process_tree(pid):
        with open(f"/proc/{one}/statm") as file:
            total += int(file.read().split()[1]) * PAGE
    return total


def forget_peaks(pid):
    """Of the memory of its processes: they count from now on."""
    for one in process_tree(pid):
        with open(f"/proc/{one}/clear_refs", "w") as file:
            file.write("5")


def peak_bytes(pid):
    """The most that each of its processes has held, in sum."""
    total = 0
    for one in process_tree(pid):
        with open(f"/proc/{one}/status") as file:
            total += next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
    return total


@dataclass
class Rest:
    """What a process tree holds while nothing is asked of it."""
    resident: int   # bytes in memory
    share: int      # the same, each page divided by the number of processes that have it (PSS)
    files: int      # of the resident bytes those that are a file's, which the system may drop
    threads: int
    open_files: int
    libraries: int  # shared ones, of all processes together


def rest_of(pid):
    total = Rest(0, 0, 0, 0, 0, 0)
    for one in process_tree(pid):
        with open(f"/proc/{one}/smaps_rollup") as file:
            sizes = {words[0]: int(words[1]) * 1024 for words in map(str.split, file) if words[-1] == "kB"}
        with open(f"/proc/{one}/maps") as file:
            names = {line.split()[-1] for line in file if ".so" in line}
        total.resident += sizes["Rss:"]
        total.share += sizes["Pss:"]
        total.files += sizes["Rss:"] - sizes["Anonymous:"]
        total.threads += len(os.listdir(f"/proc/{one}/task"))
        total.open_files += len(os.listdir(f"/proc/{one}/fd"))
        total.libraries += len(names)
    return total


def wakings(pid):
    """How often the threads of a process tree have gone to sleep so far, which is as often as they were woken."""
    total = 0
    for one in process_tree(pid):
        for thread in os.listdir(f"/proc/{one}/task"):
            with open(f"/proc/{one}/task/{thread}/status") as file:
                total += next(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt_switches"))
    return total


def wakings_a_second(pid, seconds):
    before = wakings(pid)
    time.sleep(seconds)
    return (wakings(pid) - before) / seconds


def others_share(seconds):
    """How much of the machine is in use by anybody, measured over some seconds: 0 to 1."""
    def read():
        with open("/proc/stat") as file:
            ticks = [int(word) for word in file.readline().split()[1:9]]
        return sum(ticks), ticks[3] + ticks[4]
    all_before, idle_before = read()
    time.sleep(seconds)
    all_after, idle_after = read()
    return 1 - (idle_after - idle_before) / max(all_after - all_before, 1)


@dataclass
class Run:
    """A whole process, from its start to its end."""
    cpu: float   # seconds, user and system, of it and of what it waited for
    wall: float  # seconds
    peak: int    # bytes resident, of the largest process
    output: str


def run_process(command, **options):
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen([str(word) for word in command], stdout=output, **options)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - began
        output.seek(0)
        text = output.read()
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with status {process.returncode}: {text[-500:]}")
    return Run(used.ru_utime + used.ru_stime, wall, used.ru_maxrss * 1024, text)


def median_run(runs):
    return Run(median(run.cpu for run in runs), median(run.wall for run in runs),
               median(run.peak for run in runs), runs[-1].output)


def machine():
    """A line on what was measured on."""
    model = "unknown processor"
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    memory = os.sysconf("SC_PHYS_PAGES") * PAGE / 2**30
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return f"{os.cpu_count()} x {model}, {memory:.0f} GB, {system}, Linux {platform.release()}"


def parse_time(text):
    """A time as Slipway's API writes it."""
    return datetime.datetime.fromisoformat(text)


def today():
    return datetime.date.today().isoformat()


def allow_many_files():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
