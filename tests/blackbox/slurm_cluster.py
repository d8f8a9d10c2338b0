"""A Slurm of three virtual machines on the loopback interface, started and stopped by a test.

    with Cluster(folder) as cluster:
        cluster.socket                  of slurmrestd
        cluster.kill_controller()       as kill -9 does it
        cluster.start_controller()

missing() says why there can be none. It needs neither root nor control groups nor munge. When it is closed, nothing
of it runs any more, jobs included: all of its processes have the path of its configuration in their environment.
"""
import getpass
import os
import re
import shutil
import signal
import socket
import subprocess
import time

PROGRAMS = ("slurmctld", "slurmd", "slurmrestd", "scontrol", "sinfo", "squeue")
NODES = ("n1", "n2", "n3")
SECONDS_MAX = 60
NUMBERS_A_START = 10_000
TENDED_SECONDS = 25  # a node's word that it has no such job counts when that job began 20 s ago
TEMPLATE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "slurm.conf.in")


def path_of(program):
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def missing():
    """Why there can be no cluster here, or None."""
    absent = [program for program in PROGRAMS if not path_of(program)]
    return f"Slurm is not installed: there is no {', '.join(absent)}" if absent else None


def free_ports(count):
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def wait_until(condition, sentence, seconds=SECONDS_MAX):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(sentence() if callable(sentence) else sentence)
        time.sleep(0.05)


def is_alive(process_id):
    try:
        with open(f"/proc/{process_id}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def read(path):
    """Of a process, which may be gone or somebody else's."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def processes(condition):
    """The numbers of those that live and whose folder of /proc meets it."""
    numbers = filter(str.isdigit, os.listdir("/proc"))
    return [int(number) for number in numbers if condition(f"/proc/{number}") and is_alive(number)]


def kill(process_id):
    """It may have ended by itself."""
    try:
        os.kill(process_id, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Cluster:
    def __init__(self, folder, min_job_age=300):
        self.folder = folder
        self.conf = os.path.join(folder, "slurm.conf")
        self.socket = os.path.join(folder, "slurmrestd")
        self.rest = []
        ports = free_ports(1 + len(NODES))
        self.values = {
            "HOST": socket.gethostname().split(".")[0], "DIR": folder, "USER": getpass.getuser(),
            "PORT": ports[0], "NODE_PORTS": ",".join(map(str, ports[1:])), "MIN_JOB_AGE": min_job_age, "FIRST_JOB": 1}

    def __enter__(self):
        for name in ("state", "spool"):
            os.makedirs(os.path.join(self.folder, name))
        try:
            self.start_controller()
            for node in NODES:
                self.start_node(node)
            self.start_rest(f"unix:{self.socket}", "rest_auth/local")
            wait_until(lambda: os.path.exists(self.socket), self.last_words)
            wait_until(lambda: self.node_states() == {"idle"}, self.last_words)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def environment(self):
        return dict(os.environ, SLURM_CONF=self.conf, SLURMRESTD_SECURITY="disable_user_check")

    def run(self, program, *arguments, check=True):
        done = subprocess.run([path_of(program), *arguments], env=self.environment(), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS_MAX)
        if check and done.returncode:
            raise AssertionError(f"{program} {' '.join(arguments)}: {done.stdout}")
        return done.stdout

    def last_words(self):
        words = [self.run("sinfo", "-N", "-h", "-o", "%N is %T: %E", check=False)]
        for name in sorted(os.listdir(self.folder)):
            if name.endswith(".log"):
                with open(os.path.join(self.folder, name), errors="replace") as file:
                    words += [f"--- {name}", *file.read().splitlines()[-8:]]
        return "the cluster says\n" + "\n".join(words)

    # ---- its daemons

    def daemon(self, program, *arguments):
        """It goes into the background by itself."""
        self.run(program, *arguments)

    def write_conf(self):
        with open(TEMPLATE) as template:
            text = re.sub(r"@([A-Z_]+)@", lambda match: str(self.values[match[1]]), template.read())
        with open(self.conf, "w") as file:
            file.write(text)

    def start_controller(self):
        self.write_conf()
        self.values["FIRST_JOB"] += NUMBERS_A_START
        self.daemon("slurmctld", "-i")
        self.tended_at = time.monotonic()

    def start_node(self, node):
        self.daemon("slurmd", "-N", node)

    def start_rest(self, address, method):
        plugins = re.findall(r"openapi/(?:slurmctld|v0\.0\.\d+)", self.run("slurmrestd", "-s", "list", check=False))
        log = open(os.path.join(self.folder, f"slurmrestd{len(self.rest)}.log"), "w")
        with log:
            self.rest.append(subprocess.Popen(
                [path_of("slurmrestd"), "-s", ",".join(plugins), "-a", method, address], env=self.environment(),
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT))

    def start_tcp(self):
        """Another slurmrestd, which asks for a token and takes any, as this cluster checks none."""
        port = free_ports(1)[0]
        self.start_rest(f"127.0.0.1:{port}", "rest_auth/jwt")
        wait_until(lambda: self.is_listening(port), self.last_words)
        return f"http://127.0.0.1:{port}"

    @staticmethod
    def is_listening(port):
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) == 0

    def pid_of(self, name):
        with open(os.path.join(self.folder, f"{name}.pid")) as file:
            return int(file.read())

    def kill_controller(self):
        process_id = self.pid_of("slurmctld")
        kill(process_id)
        wait_until(lambda: not is_alive(process_id), "the controller does not die")

    def wipe_state(self):
        """Of a controller that does not run."""
        shutil.rmtree(os.path.join(self.folder, "state"))
        os.makedirs(os.path.join(self.folder, "state"))

    # ---- asking it

    def node_states(self):
        return set(self.run("sinfo", "-h", "-N", "-o", "%T", check=False).split())

    def resume_nodes(self):
        """Nodes that found a number of a job twice take no more, until somebody says so. Others are let alone: a node
        that is told to resume is asked first whether it is there, and takes no job meanwhile."""
        for line in self.run("sinfo", "-h", "-N", "-o", "%N %T", check=False).splitlines():
            node, state = line.split()[:2]
            if state.startswith(("down", "drain", "fail")):
                self.run("scontrol", "update", f"nodename={node}", "state=resume", check=False)

    def restart_nodes(self):
        """Their jobs go on; each tells the controller which it has."""
        for node in NODES:
            process_id = self.pid_of(node)
            os.kill(process_id, signal.SIGTERM)
            wait_until(lambda: not is_alive(process_id), f"{node} does not stop")
            self.start_node(node)

    def tend(self):
        """What an administrator does for a cluster whose controller was killed, to be called while jobs are left: it may
        take jobs for running that ended while it was away, and asks the nodes again only in an hour."""
        self.resume_nodes()
        if time.monotonic() - self.tended_at > TENDED_SECONDS:
            self.restart_nodes()
            self.tended_at = time.monotonic()

    def job(self, key):
        """Of the newest of that name."""
        numbers = self.run("squeue", "-h", "-t", "all", "-n", key, "-o", "%i").split()
        text = self.run("scontrol", "show", "job", max(numbers, key=int))
        return dict(re.findall(r"([\w/]+)=(\S*)", text))

    def jobs(self, *options):
        return self.run("squeue", "-h", "-o", "%j", *options).split()

    # ---- its end

    def close(self):
        for rest in self.rest:
            rest.kill()
            rest.wait()
        for name in ("slurmctld", *NODES):
            try:
                os.kill(self.pid_of(name), signal.SIGTERM)
            except (OSError, ValueError):
                continue
        self.kill_rest()

    def processes(self):
        """All of the cluster: they were started with its configuration."""
        variable = f"SLURM_CONF={self.conf}".encode()
        return processes(lambda folder: variable in read(f"{folder}/environ").split(b"\0"))

    def kill_rest(self):
        """What started jobs, and jobs."""
        deadline = time.monotonic() + 5
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.05)
        for process_id in self.processes():
            kill(process_id)
        wait_until(lambda: not self.processes(), "processes of the cluster are left")
