"""Load from wrk: a request at a time on each of many connections, bodies in turn."""
import os
import subprocess
from dataclasses import dataclass

import measure

SCRIPT = r"""
local bodies = { %s }
local requests, at = {}, 0
function init()
  for i, body in ipairs(bodies) do
    requests[i] = wrk.format("POST", %s, { ["Content-Type"] = "application/json"%s }, body)
  end
end
function request()
  at = at %% #requests + 1
  return requests[at]
end
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("RESULT %%d %%d %%f %%f %%d\n", summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


@dataclass
class Load:
    rate: float      # answers a second
    p50: float       # microseconds
    p99: float
    errors: int
    cpu: float       # microseconds of the server a request


def quoted(text):
    """A text as Lua writes it."""
    return '"' + "".join(f"\\{byte:03d}" if byte < 32 or byte > 126 or byte in b'"\\' else chr(byte)
                         for byte in text.encode()) + '"'


NUMBERED = r"""
local sent = 0
function request()
  at = at % #requests + 1
  sent = sent + 1
  return (requests[at]:gsub("{number}", string.format("%09d", sent)))
end
"""


def write_script(path, server, bodies):
    """A header may have a "{number}", which is another one in each request."""
    headers = "".join(f", [{quoted(name)}] = {quoted(value)}" for name, value in server.headers.items())
    with open(path, "w") as file:
        file.write(SCRIPT % (", ".join(quoted(body) for body in bodies), quoted(server.path), headers))
        if "{number}" in "".join(server.headers.values()):
            file.write(NUMBERED)


def run_load(bench, server, bodies, connections, seconds):
    script = os.path.join(bench.work, "load.lua")
    write_script(script, server, bodies)
    before = measure.cpu_seconds(server.pid)
    done = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", script,
                           f"http://127.0.0.1:{server.port}"], capture_output=True, text=True)
    used = measure.cpu_seconds(server.pid) - before
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("RESULT")]
    if not lines:
        raise RuntimeError(f"wrk failed: {done.stdout} {done.stderr}")
    requests, duration, p50, p99, errors = (float(word) for word in lines[0][1:])
    return Load(requests / duration * 1e6, p50, p99, int(errors), used / max(requests, 1) * 1e6)


def median_load(loads):
    return Load(*(measure.median(getattr(load, name) for load in loads) for name in ("rate", "p50", "p99", "errors", "cpu")))
