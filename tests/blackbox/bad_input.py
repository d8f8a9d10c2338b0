"""The table of bad input: what is sent, and the status and the sentence that answer it.

A row of a table of requests is (status, sentence, method, path, body, headers); of RAW, (status, sentence, bytes).
A sentence that ends with a colon is the beginning of one: what follows is a library's. FILES, (content, status,
sentence) by name, are stored first, because requests name a file by its digest.
"""
import gzip
import hashlib
import io
import json
import struct
import tarfile
import zipfile
from collections import namedtuple

Case = namedtuple("Case", "what status sentence raw")

# libmicrohttpd refuses some requests before anybody else sees them, with a page of its own.
PAGE = "<html>"
# No answer: the client was gone in the middle of its request. Where libmicrohttpd does not see that, the deadline
# answers with 408.
GONE = 0

MIB = 1024 * 1024
TOKENS, EXPERIMENTS, RUNS = "/api/v1/tokens", "/api/v1/experiments", "/api/v1/runs"
ENVIRONMENTS, APPROVALS = "/api/v1/environments", "/api/v1/approvals"
MODELS, DATASETS, ENDPOINTS = "/api/v1/models", "/api/v1/datasets", "/api/v1/endpoints"
PROJECTS, ARTIFACTS, AUDIT = "/api/v1/projects", "/api/v1/artifacts", "/api/v1/audit"
WORKSPACES = "/api/v1/workspaces"
PREDICT, EXPLAIN = "/endpoints/shop/predict", "/endpoints/shop/explain"
ROW = {"note": "hello", "channel": "web", "age": 31}


def request(method, path, body=b"", headers=()):
    body = body if isinstance(body, bytes) else body.encode()
    names = [line.split(":")[0].lower() for line in headers]
    lines = [f"{method} {path} HTTP/1.1", "Connection: close", *headers]
    if "host" not in names:
        lines.insert(1, "Host: localhost")
    if body and "content-length" not in names and "transfer-encoding" not in names:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def digest(content):
    return hashlib.sha256(content).hexdigest()


# Files.

def zip_of(*members):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members:
            file.writestr(name, content)
    return packed.getvalue()


def tar_of(name, kind, link=""):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as file:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, link
        file.addfile(member)
    return packed.getvalue()


TABLE = b"note,channel,age,label\nhello,web,3,ham\n"
FILES = {
    "up.zip": (zip_of(("../outside.csv", TABLE)), 400, '"up.zip": "../outside.csv" in the archive has a name that is not a plain relative path'),
    "root.zip": (zip_of(("/tmp/outside.csv", TABLE)), 400, '"root.zip": "/tmp/outside.csv" in the archive has an absolute name'),
    "windows.zip": (zip_of(("..\\outside.csv", TABLE)), 400, '"windows.zip": "../outside.csv" in the archive has a name that is not a plain relative path'),
    "bomb.zip": (zip_of(("zeros.csv", b"0" * (300 * MIB))), 413, '"bomb.zip": the archive unpacks to more than 200 times its size, reached in "zeros.csv"'),
    "many.zip": (zip_of(*((f"{number}.csv", b"") for number in range(20000))), 413, '"many.zip": the archive has more than 10000 files'),
    "twice.zip": (zip_of(("a.csv", TABLE), ("A/../a.csv", TABLE)), 400, '"twice.zip": "A/../a.csv" in the archive has a name that is not a plain relative path'),
    "cut.zip": (zip_of(("a.csv", TABLE * 100))[:-40], 400, '"cut.zip": it is not a zip, tar or tar.gz file'),
    "empty.zip": (zip_of(), 400, '"empty.zip": it is not a zip, tar or tar.gz file'),
    "link.tar.gz": (tar_of("a.csv", tarfile.SYMTYPE, "/etc/passwd"), 400, '"link.tar.gz": "a.csv" in the archive is a link'),
    "hard.tar.gz": (tar_of("a.csv", tarfile.LNKTYPE, "../../slipway.db"), 400, '"hard.tar.gz": "a.csv" in the archive is a link'),
    "device.tar.gz": (tar_of("a.csv", tarfile.CHRTYPE), 400, '"device.tar.gz": "a.csv" in the archive is not a regular file'),
    "noise.zip": (b"PK\3\4" + bytes(range(256)) * 8, 400, '"noise.zip": it is not a zip, tar or tar.gz file'),
    "nothing.csv": (b"", 400, '"nothing.csv" is empty'),
    "nul.csv": (b"note,label\nhel\0lo,ham\n", 400, '"nul.csv" line 2 has a NUL byte (byte 14): a text file has none'),
    "latin.csv": (b"note,label\n\xe9t\xe9,ham\n", 422, '"latin.csv" line 2 is not UTF-8 (byte 11): if the file is Latin-1, pass encoding "latin-1"'),
    "ragged.csv": (b"note,channel,label\na,b,c\nd,e\nf,g,h,i\n", 400, '"ragged.csv" line 3, column "label": the row has 2 fields, the header has 3'),
    "twins.csv": (b"note,note,label\na,b,c\n", 422, '"twins.csv" has two columns named "note" (columns 1 and 2)'),
    "noise.parquet": (b"PAR1" + bytes(1000) + b"PAR1", 400, '"noise.parquet" is not a Parquet file that can be read'),
    "broken.jsonl": (b'{"note": "a", "label": "b"}\n{"note": \n', 400, '"broken.jsonl" line 2: malformed JSON at byte 9: unexpected end of data'),
}


def importing(name, path=None, **more):
    files = [{"path": path or name, "digest": digest(FILES[name][0])}]
    return json.dumps(dict({"files": files}, **more))


# Bodies that are no JSON, or no JSON for a table of fields.

BODIES = [
    (400, "the JSON document is empty", ""),
    (400, "malformed JSON at byte 0:", " \r\n\t"),
    (400, "malformed JSON at byte 1:", "{"),
    (400, "malformed JSON at byte 0:", "}"),
    (400, "the body must be a JSON object", "[]"),
    (400, "the body must be a JSON object", "7"),
    (400, "the body must be a JSON object", "null"),
    (400, "the body must be a JSON object", '"name"'),
    (400, "malformed JSON at byte 1:", "{'name': 'a'}"),
    (400, "malformed JSON at byte 12:", '{"name": "a",}'),
    (400, "malformed JSON at byte 14:", '{"name": "a"} {}'),
    (400, "malformed JSON at byte 14:", '{"name": "a"} // why'),
    (400, "malformed JSON at byte 9:", '{"name": NaN}'),
    (400, "malformed JSON at byte 9:", '{"name": Infinity}'),
    (400, "malformed JSON at byte 10:", '{"name": 0x10}'),
    (400, "malformed JSON at byte 9:", '{"name": 01}'),
    (400, "malformed JSON at byte 0:", '\ufeff{"name": "a"}'),
    (400, "malformed JSON at byte 10:", b'{"name": "\xff"}'),
    (400, "malformed JSON at byte 10:", b'{"name": "\xc0\xaf"}'),
    (400, "malformed JSON at byte 10:", b'{"name": "\xed\xa0\x80"}'),
    (400, "malformed JSON at byte 16:", '{"name": "\\ud800"}'),
    (400, "malformed JSON at byte 11:", '{"name": "a\nb"}'),
    (400, "malformed JSON at byte 11:", b'{"name": "a\0b"}'),
    (400, "malformed JSON at byte 1:", b"{" + b"\0" * 100),
    (400, "the JSON is nested deeper than 64 levels", "[" * 100000),
    (400, "the JSON is nested deeper than 64 levels", '{"a":' * 100000),
    (400, "the JSON is nested deeper than 64 levels", '{"name": ' + "[" * 200 + "]" * 200 + "}"),
    (400, "malformed JSON at byte 9:", '{"name": tru}'),
    (400, "malformed JSON at byte 11:", '{"name": 1e}'),
    (422, 'a token name has 1 to 128 letters, digits, "-", "_" or "." and does not start with "."', b'{"name": "' + b"a" * (3 * MIB) + b'"}'),
]

# (status, sentence, body) for POST /api/v1/tokens.
TOKEN_FIELDS = [
    (422, '"name" is missing', "{}"),
    (422, '"name" must be a text', '{"name": 7}'),
    (422, '"name" is missing', '{"name": null}'),
    (422, '"name" must be a text', '{"name": true}'),
    (422, '"name" must be a text', '{"name": ["a"]}'),
    (422, '"name" must be a text', '{"name": {}}'),
    (422, 'a token name has 1 to 128 letters, digits, "-", "_" or "." and does not start with "."', '{"name": ""}'),
    (422, 'a token name has 1 to 128 letters, digits, "-", "_" or "." and does not start with "."', '{"name": "a b"}'),
    (422, 'a token name has 1 to 128 letters, digits, "-", "_" or "." and does not start with "."', '{"name": "a/b"}'),
    (422, 'a token name has 1 to 128 letters, digits, "-", "_" or "." and does not start with "."', '{"name": ".."}'),
    (400, "the JSON has a text with a NUL character in it", '{"name": "a\\u0000b"}'),
    (422, 'a token name has 1 to 128 letters, digits, "-", "_" or "." and does not start with "."', '{"name": "a\\nb"}'),
    (422, 'a token name has 1 to 128 letters, digits, "-", "_" or "." and does not start with "."', '{"name": "\\u202e"}'),
    (422, 'a token name has 1 to 128 letters, digits, "-", "_" or "." and does not start with "."', json.dumps({"name": "a" * 129})),
    (422, 'a token name has 1 to 128 letters, digits, "-", "_" or "." and does not start with "."', json.dumps({"name": "a" * 100000})),
    (422, '"name" is given twice', '{"name": "a", "name": "b"}'),
    (422, 'unrecognized field "Name"', '{"name": "a", "Name": "b"}'),
    (422, 'unrecognized field "secret"', '{"name": "a", "secret": "mine"}'),
    (422, 'unrecognized field ""', '{"name": "a", "": 1}'),
    (422, "a role is viewer, contributor, approver or owner", '{"name": "a", "role": "king"}'),
    (422, "a role is viewer, contributor, approver or owner", '{"name": "a", "role": "OWNER"}'),
    (422, '"role" must be a text', '{"name": "a", "role": 4}'),
    (422, '"expires_days" is 0 (never) to 3650', '{"name": "a", "expires_days": -1}'),
    (422, '"expires_days" must be an integer', '{"name": "a", "expires_days": 1.5}'),
    (422, '"expires_days" must be an integer', '{"name": "a", "expires_days": "7"}'),
    (400, "malformed JSON at byte 30:", '{"name": "a", "expires_days": 1e400}'),
    (422, '"expires_days" must be an integer', '{"name": "a", "expires_days": 9223372036854775808}'),
    (422, '"expires_days" is 0 (never) to 3650', '{"name": "a", "expires_days": 9223372036854775807}'),
    (422, '"expires_days" must be an integer', '{"name": "a", "expires_days": 123456789012345678901234567890}'),
]

TRACKING = [
    (422, "an experiment name has 1 to 500 characters", "POST", EXPERIMENTS, '{"name": ""}'),
    (422, "an experiment name has 1 to 500 characters", "POST", EXPERIMENTS, json.dumps({"name": "x" * 501})),
    (409, 'experiment "Default" already exists', "POST", EXPERIMENTS, '{"name": "Default"}'),
    (422, '"tags" must be an object', "POST", EXPERIMENTS, '{"name": "x", "tags": ["a"]}'),
    (422, "a tag key has 1 to 250 characters", "POST", EXPERIMENTS, '{"name": "x", "tags": {"": "a"}}'),
    (422, 'a value in "tags" is a text, a number, true or false', "POST", EXPERIMENTS, '{"name": "x", "tags": {"a": [1]}}'),
    (422, "a tag key has 1 to 250 characters", "POST", EXPERIMENTS, json.dumps({"name": "x", "tags": {"k" * 300: "a"}})),
    (422, "the value of a tag has at most 5000 characters", "POST", EXPERIMENTS, json.dumps({"name": "x", "tags": {"k": "a" * 10000}})),
    (404, 'workspace "none" does not exist', "POST", EXPERIMENTS, '{"name": "x", "tags": {"slipway.workspace": "none"}}'),
    (400, 'the tag "slipway.workspace" is given when an experiment is made; an owner moves it later: slipway workspace move', "POST", EXPERIMENTS + "/0/tags", '{"tags": {"slipway.workspace": "default"}}'),
    (400, 'the tag "slipway.workspace" is given when an experiment is made; an owner moves it later: slipway workspace move', "DELETE", EXPERIMENTS + "/0/tags/slipway.workspace"),
    (404, 'workspace "none" does not exist', "GET", WORKSPACES + "/none"),
    (404, 'workspace "none" does not exist', "DELETE", WORKSPACES + "/none"),
    (409, 'workspace "default" stays: it has all experiments that are in no other', "DELETE", WORKSPACES + "/default"),
    (422, '"artifact_bytes_max" is missing', "PUT", WORKSPACES + "/default", "{}"),
    (422, '"artifact_bytes_max" must be an integer', "PUT", WORKSPACES + "/default", '{"artifact_bytes_max": "10GB"}'),
    (422, '"artifact_bytes_max" must be an integer', "PUT", WORKSPACES + "/default", '{"artifact_bytes_max": 9223372036854775808}'),
    (422, '"artifact_bytes_max" is 0, for no limit, to 1152921504606846976', "PUT", WORKSPACES + "/default", '{"artifact_bytes_max": -1}'),
    (422, '"artifact_bytes_max" is 0, for no limit, to 1152921504606846976', "PUT", WORKSPACES + "/default", '{"artifact_bytes_max": 9223372036854775807}'),
    (422, 'a workspace name has 1 to 128 letters, digits, "-", "_" or "." and does not start with "."', "PUT", WORKSPACES + "/a%20b", '{"artifact_bytes_max": 1}'),
    (422, '"experiment" is missing', "POST", WORKSPACES + "/default/experiments", "{}"),
    (404, 'experiment "nobody" does not exist', "POST", WORKSPACES + "/default/experiments", '{"experiment": "nobody"}'),
    (404, 'workspace "none" does not exist', "POST", WORKSPACES + "/none/experiments", '{"experiment": "Default"}'),
    (422, '"limit" must be an integer from 1 on', "GET", WORKSPACES + "?limit=0"),
    (404, "experiment 99 does not exist", "GET", EXPERIMENTS + "/99"),
    (404, "experiment -1 does not exist", "GET", EXPERIMENTS + "/-1"),
    (400, "the id of an experiment is an integer", "GET", EXPERIMENTS + "/one"),
    (400, "the id of an experiment is an integer", "GET", EXPERIMENTS + "/1e3"),
    (400, "the id of an experiment is an integer", "GET", EXPERIMENTS + "/99999999999999999999"),
    (404, "experiment 99 does not exist", "PATCH", EXPERIMENTS + "/99", '{"name": "x"}'),
    (404, 'experiment 0 has no tag "none"', "DELETE", EXPERIMENTS + "/0/tags/none"),
    (422, '"deleted" must be true or false', "GET", EXPERIMENTS + "?deleted=perhaps"),
    (404, "experiment 99 does not exist", "POST", RUNS, '{"experiment_id": 99}'),
    (422, '"experiment_id" must be an integer', "POST", RUNS, '{"experiment_id": "0"}'),
    (422, '"experiment_id" must be an integer', "POST", RUNS, '{"experiment_id": 0.5}'),
    (422, 'unrecognized field "status"', "POST", RUNS, '{"status": "FINISHED"}'),
    (422, '"limit" must be an integer from 1 on', "GET", RUNS + "?limit=0"),
    (422, "a page has 1 to 50000 runs", "GET", RUNS + "?limit=50001"),
    (422, '"limit" must be an integer from 1 on', "GET", RUNS + "?limit=1e3"),
    (422, '"limit" must be an integer from 1 on', "GET", RUNS + "?limit="),
    (422, '"limit" is given twice', "GET", RUNS + "?limit=1&limit=2"),
    (422, "an offset is 0 or more", "GET", RUNS + "?offset=-1"),
    (422, '"offset" must be an integer', "GET", RUNS + "?offset=99999999999999999999"),
    (422, "a run's status is RUNNING, SCHEDULED, FINISHED, FAILED or KILLED", "GET", RUNS + "?status=DONE"),
    (422, "a run's status is RUNNING, SCHEDULED, FINISHED, FAILED or KILLED", "GET", RUNS + "?status=finished"),
    (422, 'runs are ordered by started_at, ended_at, name, status, id, metrics.KEY or params.KEY, and "asc" or "desc"', "GET", RUNS + "?order_by=name;DROP%20TABLE%20runs"),
    (422, '"experiment_id" is a list of integers with commas between', "GET", RUNS + "?experiment_id=1,,2"),
    (422, 'unrecognized parameter "colour"', "GET", RUNS + "?colour=red"),
    (404, 'run "nobody" does not exist', "GET", RUNS + "/nobody"),
    (404, 'run "00000000000000000000000000000000" does not exist', "GET", RUNS + "/" + "0" * 32),
    (404, 'run "nobody" does not exist', "POST", RUNS + "/nobody/log", '{"metrics": {"f1": 1}}'),
    (404, 'run "nobody" does not exist', "POST", RUNS + "/nobody/finish", '{"status": "FINISHED"}'),
    (404, 'run "nobody" does not exist', "DELETE", RUNS + "/nobody"),
    (422, 'a run ends as "FINISHED", "FAILED" or "KILLED"', "POST", RUNS + "/{run}/finish", '{"status": "DONE"}'),
    (409, 'run "{run}" has already ended as FINISHED', "POST", RUNS + "/{run}/finish", '{"status": "FAILED"}'),
    (422, 'the value of a metric is a number, "NaN", "Infinity" or "-Infinity"', "POST", RUNS + "/{run}/log", '{"metrics": {"f1": "high"}}'),
    (422, "a metric key has 1 to 250 characters", "POST", RUNS + "/{run}/log", '{"metrics": {"": 1}}'),
    (400, "metric 0: it must be a JSON object", "POST", RUNS + "/{run}/log", '{"metrics": [7]}'),
    (422, 'metric 0: "value" is missing', "POST", RUNS + "/{run}/log", '{"metrics": [{"key": "f1"}]}'),
    (422, 'metric 0: "step" must be an integer', "POST", RUNS + "/{run}/log", '{"metrics": [{"key": "f1", "value": 1, "step": 1.5}]}'),
    (422, "the timestamp of a metric is not before 1970", "POST", RUNS + "/{run}/log", '{"metrics": [{"key": "f1", "value": 1, "timestamp": -1}]}'),
    (422, 'metric 0: unrecognized field "colour"', "POST", RUNS + "/{run}/log", '{"metrics": [{"key": "f1", "value": 1, "colour": 1}]}'),
    (422, "a metric key has 1 to 250 characters", "POST", RUNS + "/{run}/log", json.dumps({"metrics": {"k" * 300: 1}})),
    (422, "the value of a param has at most 6000 characters", "POST", RUNS + "/{run}/log", json.dumps({"params": {"k": "v" * 7000}})),
    (422, '"params" must be an object', "POST", RUNS + "/{run}/log", '{"params": ["C"]}'),
    (422, 'a value in "params" is a text, a number, true or false', "POST", RUNS + "/{run}/log", '{"params": {"C": [1]}}'),
    (409, 'param "seed" of run "{run}" is "42" and never changes, so it cannot become "other"', "POST", RUNS + "/{run}/log", '{"params": {"seed": "other"}}'),
    (422, '"limit" must be an integer from 1 on', "GET", RUNS + "/{run}/metrics/f1?limit=0"),
    (422, 'the path of an artifact is relative and plain, of at most 1024 bytes, as "plots/roc.png"', "PUT", RUNS + "/{run}/artifacts/file?path=../x", "x"),
    (422, 'the path of an artifact is relative and plain, of at most 1024 bytes, as "plots/roc.png"', "PUT", RUNS + "/{run}/artifacts/file?path=/etc/passwd", "x"),
    (422, 'the path of an artifact is relative and plain, of at most 1024 bytes, as "plots/roc.png"', "PUT", RUNS + "/{run}/artifacts/file?path=a/../../b", "x"),
    (422, 'the path of an artifact is relative and plain, of at most 1024 bytes, as "plots/roc.png"', "PUT", RUNS + "/{run}/artifacts/file?path=a/%2e%2e/%2e%2e/b", "x"),
    (422, 'the path of an artifact is relative and plain, of at most 1024 bytes, as "plots/roc.png"', "PUT", RUNS + "/{run}/artifacts/file?path=", "x"),
    (422, '"path" is missing', "PUT", RUNS + "/{run}/artifacts/file", "x"),
    (422, 'the path of an artifact is relative and plain, of at most 1024 bytes, as "plots/roc.png"', "PUT", RUNS + "/{run}/artifacts/file?path=a//b", "x"),
    (422, 'the path of an artifact is relative and plain, of at most 1024 bytes, as "plots/roc.png"', "PUT", RUNS + "/{run}/artifacts/file?path=a%5c..%5cb", "x"),
    (422, 'the path of an artifact is relative and plain, of at most 1024 bytes, as "plots/roc.png"', "PUT", RUNS + "/{run}/artifacts/file?path=.", "x"),
    (422, 'the path of an artifact is relative and plain, of at most 1024 bytes, as "plots/roc.png"', "PUT", RUNS + "/{run}/artifacts/file?path=a%0ab", "x"),
    (422, 'the path of an artifact is relative and plain, of at most 1024 bytes, as "plots/roc.png"', "PUT", RUNS + "/{run}/artifacts/file?path=" + "a" * 5000, "x"),
    (400, "the query of the URL cannot be decoded", "PUT", RUNS + "/{run}/artifacts/file?path=a%00b", "x"),
    (404, 'run "nobody" does not exist', "PUT", RUNS + "/nobody/artifacts/file?path=a", "x"),
    (404, 'run "{run}" has no artifact "../../slipway.db"', "GET", RUNS + "/{run}/artifacts/file?path=../../slipway.db"),
    (404, 'run "{run}" has no artifact "nothing"', "GET", RUNS + "/{run}/artifacts/file?path=nothing"),
    (409, 'run "{run}" is not training', "POST", RUNS + "/{run}/cancel"),
    (409, 'run "{run}" is not training', "POST", RUNS + "/{run}/stop"),
    (404, 'run "nobody" does not exist', "POST", RUNS + "/nobody/rerun"),
]

STORE = [
    (422, "a digest is 64 lowercase hexadecimal digits (SHA-256)", "PUT", ARTIFACTS + "/abc", "x"),
    (422, "a digest is 64 lowercase hexadecimal digits (SHA-256)", "PUT", ARTIFACTS + "/" + "g" * 64, "x"),
    (422, "a digest is 64 lowercase hexadecimal digits (SHA-256)", "PUT", ARTIFACTS + "/" + digest(b"x").upper(), "x"),
    (422, "the bytes that came have the digest 2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", "PUT", ARTIFACTS + "/" + digest(b"y"), "x"),
    (422, "a digest is 64 lowercase hexadecimal digits (SHA-256)", "PUT", ARTIFACTS + "/..%2f..%2fslipway.db", "x"),
    (404, 'there is no artifact "0000000000000000000000000000000000000000000000000000000000000000"', "GET", ARTIFACTS + "/" + "0" * 64),
    (404, 'there is no artifact "../slipway.db"', "GET", ARTIFACTS + "/..%2fslipway.db"),
    (404, 'data set "nothing" does not exist', "GET", DATASETS + "/nothing"),
    (404, 'data set "shop" has no version 99; the latest is 1', "GET", DATASETS + "/shop/versions/99"),
    (422, 'a version is a number from 1 on or "latest"', "GET", DATASETS + "/shop/versions/first"),
    (422, 'a version is a number from 1 on or "latest"', "GET", DATASETS + "/shop/versions/0"),
    (400, '"offset" is 0 or more, "limit" is 1 to 1000', "GET", DATASETS + "/shop/versions/1/rows?limit=1001"),
    (400, '"offset" is 0 or more, "limit" is 1 to 1000', "GET", DATASETS + "/shop/versions/1/rows?offset=-5"),
    (422, 'a data set name has 1 to 128 letters, digits, "-", "_" or "." and does not start with "."', "POST", DATASETS + "/..%2fshop/versions", importing("nothing.csv")),
    (422, 'a data set name has 1 to 128 letters, digits, "-", "_" or "." and does not start with "."', "POST", DATASETS + "/two%20words/versions", importing("nothing.csv")),
    (422, "a data set needs at least one file or url", "POST", DATASETS + "/new/versions", "{}"),
    (422, "a data set needs at least one file or url", "POST", DATASETS + "/new/versions", '{"files": []}'),
    (400, '"files": it must be a JSON object', "POST", DATASETS + "/new/versions", '{"files": ["a.csv"]}'),
    (422, '"files": "digest" is missing', "POST", DATASETS + "/new/versions", '{"files": [{"path": "a.csv"}]}'),
    (422, 'the bytes of "a.csv" are not here: put them to /api/v1/artifacts/0000000000000000000000000000000000000000000000000000000000000000 first', "POST", DATASETS + "/new/versions", json.dumps({"files": [{"path": "a.csv", "digest": "0" * 64}]})),
    (422, '"../a.csv" is not a plain relative path', "POST", DATASETS + "/new/versions", importing("nothing.csv", path="../a.csv")),
    (422, '"/etc/a.csv" is not a plain relative path', "POST", DATASETS + "/new/versions", importing("nothing.csv", path="/etc/a.csv")),
    (400, '"a.exe" is empty', "POST", DATASETS + "/new/versions", importing("nothing.csv", path="a.exe")),
    (422, 'unrecognized field "colour"', "POST", DATASETS + "/new/versions", importing("nothing.csv", options={"colour": "red"})),
    (422, '"delimiter" is one ASCII character or "tab"', "POST", DATASETS + "/new/versions", importing("nothing.csv", options={"delimiter": "ab"})),
    (422, '"exe" is not a value of "format": it takes "csv", "jsonl", "json", "parquet"', "POST", DATASETS + "/new/versions", importing("nothing.csv", options={"format": "exe"})),
    (400, 'a URL starts with http:// or https://, not "file:///etc/passwd"', "POST", DATASETS + "/new/versions", '{"urls": ["file:///etc/passwd"]}'),
    (400, 'a URL starts with http:// or https://, not "gopher://localhost/"', "POST", DATASETS + "/new/versions", '{"urls": ["gopher://localhost/"]}'),
    (400, '"http://" is not a URL of http or https', "POST", DATASETS + "/new/versions", '{"urls": ["http://"]}'),
    (403, '"http://a:b@localhost/x.csv" leads to ::1, which is not a public address', "POST", DATASETS + "/new/versions", '{"urls": ["http://a:b@localhost/x.csv"]}'),
    (422, '"urls" must be a list of texts', "POST", DATASETS + "/new/versions", '{"urls": [7]}'),
    *((FILES[name][1], FILES[name][2], "POST", DATASETS + "/new/versions", importing(name)) for name in FILES),
]

CLASS_METRICS = ("accuracy, balanced_accuracy, f1, f1_macro, f1_micro, f1_weighted, precision, recall, precision_macro, "
                 "recall_macro, mcc, auc, average_precision, log_loss, brier, calibration_error")
RELEASES = [
    (422, 'a model name has 1 to 256 characters without "/", ":" and control characters', "POST", MODELS, '{"name": ""}'),
    (422, 'a model name has 1 to 256 characters without "/", ":" and control characters', "POST", MODELS, '{"name": "a/b"}'),
    (422, 'a model name has 1 to 256 characters without "/", ":" and control characters', "POST", MODELS, '{"name": "a:b"}'),
    (409, 'model "shop" already exists', "POST", MODELS, '{"name": "shop"}'),
    (422, 'a model name has 1 to 256 characters without "/", ":" and control characters', "POST", MODELS, json.dumps({"name": "m" * 257})),
    (422, '"description" must be a text', "POST", MODELS, '{"name": "m", "description": 7}'),
    (404, 'model "nothing" does not exist', "GET", MODELS + "/nothing"),
    (404, 'model "shop" has no version 0', "GET", MODELS + "/shop/versions/0"),
    (404, 'model "shop" has no version 99', "GET", MODELS + "/shop/versions/99"),
    (404, 'model "shop" has no alias "best"', "GET", MODELS + "/shop/versions/best"),
    (409, 'version 1 of model "shop" was in production, so it cannot be deleted', "DELETE", MODELS + "/shop/versions/1"),
    (404, 'model "shop" has no version 99', "DELETE", MODELS + "/shop/versions/99"),
    (422, 'an alias has 1 to 255 letters, digits, "-" or "_", and is not "latest", a number, or "v" and a number', "PUT", MODELS + "/shop/aliases/latest", '{"version": 1}'),
    (422, 'an alias has 1 to 255 letters, digits, "-" or "_", and is not "latest", a number, or "v" and a number', "PUT", MODELS + "/shop/aliases/7", '{"version": 1}'),
    (404, 'model "shop" has no version 99', "PUT", MODELS + "/shop/aliases/best", '{"version": 99}'),
    (422, '"version" must be an integer', "PUT", MODELS + "/shop/aliases/best", '{"version": "1"}'),
    (422, '"version" must be an integer', "PUT", MODELS + "/shop/aliases/best", '{"version": 1.5}'),
    (404, 'model "shop" has no alias "best"', "DELETE", MODELS + "/shop/aliases/best"),
    (404, 'project "nothing" does not exist', "GET", PROJECTS + "/nothing"),
    (400, "the file is empty", "PUT", PROJECTS + "/shop", ""),
    (422, 'the file describes project "other", not "shop"', "PUT", PROJECTS + "/shop", "project: other\n"),
    (422, 'line 2, column 1: "colour" is not a setting of the file, which has project, data, release, stages, params, vars, env, on, concurrency, monitor, notify', "PUT", PROJECTS + "/shop", "project: shop\ncolour: red\n"),
    (400, 'line 2, column 1: "project" is here twice, first in line 1', "PUT", PROJECTS + "/shop", "project: shop\nproject: shop\n"),
    (400, "line 2, column 1: did not find expected ',' or ']'", "PUT", PROJECTS + "/shop", "project: [shop\n"),
    (400, "line 2, column 1: found a tab character that violates indentation", "PUT", PROJECTS + "/shop", "project: shop\n\tdata: x\n"),
    (422, "line 1, column 1: the file is a map", "PUT", PROJECTS + "/shop", "- project\n- shop\n"),
    (400, "line 1, column 10: tags (!name) are not read here", "PUT", PROJECTS + "/shop", "project: !!python/object/apply:os.system ['id']\n"),
    (400, "the file is not UTF-8", "PUT", PROJECTS + "/shop", b"project: sh\0op\n"),
    (400, "the file is not UTF-8", "PUT", PROJECTS + "/shop", b"project: \xff\xfe\n"),
    (400, "line 1, column 4: anchors (&name) are not read here", "PUT", PROJECTS + "/shop",
     "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi"))),
    (400, "line 1, column 41: the file is nested too deeply", "PUT", PROJECTS + "/shop", "project: " + "[" * 10000),
    (404, 'project "nothing" does not exist', "POST", PROJECTS + "/nothing/train", "{}"),
    (422, "a budget is 0 to 604800 seconds", "POST", PROJECTS + "/shop/train", '{"budget_seconds": -1}'),
    (422, "a budget is 0 to 604800 seconds", "POST", PROJECTS + "/shop/train", '{"budget_seconds": 1e300}'),
    (422, '"trials" must be an integer from 1 on', "POST", PROJECTS + "/shop/train", '{"trials": 0}'),
    (422, '"trials" must be an integer from 1 on', "POST", PROJECTS + "/shop/train", '{"trials": "3"}'),
    (422, "a search has 1 to 64 trials", "POST", PROJECTS + "/shop/train", '{"trials": 65}'),
    (422, '"threads" must be an integer from 1 on', "POST", PROJECTS + "/shop/train", '{"threads": 0}'),
    (422, "a search has 1 to 64 threads", "POST", PROJECTS + "/shop/train", '{"threads": 65}'),
    (422, '"seed" must be an integer', "POST", PROJECTS + "/shop/train", '{"seed": "x"}'),
    (422, f'"F1" is not a metric; those of classification are {CLASS_METRICS}', "POST", PROJECTS + "/shop/train",
     '{"metric": "F1"}'),
    (422, f'"rmse" is a metric of regression, not of classification, whose are {CLASS_METRICS}', "POST",
     PROJECTS + "/shop/train", '{"metric": "rmse"}'),
    (422, 'a threshold can be chosen for accuracy, balanced_accuracy, f1, f1_macro, f1_weighted, mcc, not for "auc"', "POST",
     PROJECTS + "/shop/train", '{"threshold_for": "auc"}'),
    (422, '"threshold_for" must be a text', "POST", PROJECTS + "/shop/train", '{"threshold_for": 0.3}'),
    (422, 'a task is "classification", "regression" or "forecast", not "ranking"', "POST", PROJECTS + "/shop/train",
     '{"task": "ranking"}'),
    (422, 'a horizon is of a forecast: say that the task is "forecast"', "POST", PROJECTS + "/shop/train", '{"horizon": 7}'),
    (422, '"horizon" must be an integer', "POST", PROJECTS + "/shop/train", '{"horizon": 1.5}'),
    (422, '"task" must be a text', "POST", PROJECTS + "/shop/train", '{"task": 1}'),
    (422, 'project "shop" has no data set "nothing"', "POST", PROJECTS + "/shop/train", '{"data": "nothing"}'),
    (404, 'data set "shop" has no version 99; the latest is 1', "POST", PROJECTS + "/shop/train", '{"data": "shop@99"}'),
    (422, 'a model name has 1 to 128 letters, digits, "-", "_" or "." and does not start with "."', "POST", PROJECTS + "/shop/train", '{"model": "a/b"}'),
    (404, 'model "shop" has no version 99', "POST", PROJECTS + "/shop/evaluate", '{"version": 99}'),
    (422, 'a version is a number from 1 on, "latest" or an alias', "POST", PROJECTS + "/shop/evaluate", '{"version": [1]}'),
    (404, 'endpoint "nothing" does not exist', "POST", ENDPOINTS + "/nothing/promote", "{}"),
    (404, 'model "shop" has no version 99', "POST", ENDPOINTS + "/shop/promote", '{"version": 99}'),
    (422, 'an endpoint name has 1 to 128 letters, digits, "-", "_" or "." and does not start with "."', "POST", ENDPOINTS, '{"name": "a b"}'),
    (422, 'an endpoint name has 1 to 128 letters, digits, "-", "_" or "." and does not start with "."', "POST", ENDPOINTS, '{"name": ".."}'),
    (422, '"model" is missing', "POST", ENDPOINTS + "/shop/deploy", "{}"),
    (422, 'endpoint "shop" serves already and a deployment does not ask its gate: promote the version, or say why in "comment" (--comment)', "POST", ENDPOINTS + "/shop/deploy", '{"model": "shop", "version": 1}'),
    (404, 'model "none" has no version 1', "POST", ENDPOINTS + "/shop/deploy", '{"model": "none", "version": 1, "comment": "x"}'),
    (404, 'model "shop" has no version 99', "POST", ENDPOINTS + "/shop/deploy", '{"model": "shop", "version": 99, "comment": "x"}'),
    (409, 'endpoint "shop" has no version to go back to before version 1 of model "shop"', "POST", ENDPOINTS + "/shop/rollback", "{}"),
    (404, 'endpoint "nothing" does not exist', "POST", ENDPOINTS + "/nothing/rollback", "{}"),
    (422, '"F1" is not a metric', "PUT", ENDPOINTS + "/shop/rule", '{"metric": "F1"}'),
    (422, '"margin" must be a number', "PUT", ENDPOINTS + "/shop/rule", '{"margin": "0.1"}'),
    (400, "malformed JSON at byte 11:", "PUT", ENDPOINTS + "/shop/rule", '{"margin": 1e400}'),
    (422, "a level is at least 0.5 and below 1, such as 0.95", "PUT", ENDPOINTS + "/shop/rule", '{"level": 1.5}'),
    (422, "a level is at least 0.5 and below 1, such as 0.95", "PUT", ENDPOINTS + "/shop/rule", '{"level": 0}'),
    (422, 'a demand is "not-worse" or "better", not "best"', "PUT", ENDPOINTS + "/shop/rule", '{"demand": "best"}'),
    (422, "a relative margin is at least 0 and below 1: 0.01 is 1 %", "PUT", ENDPOINTS + "/shop/rule", '{"relative_margin": -1}'),
    (422, '"approvals" is 0 (nobody is asked) to 10', "PUT", ENVIRONMENTS + "/production", '{"approvals": -1}'),
    (422, '"approvals" is 0 (nobody is asked) to 10', "PUT", ENVIRONMENTS + "/production", '{"approvals": 11}'),
    (422, '"approvals" must be an integer', "PUT", ENVIRONMENTS + "/production", '{"approvals": "two"}'),
    (422, '"four_eyes" must be true or false', "PUT", ENVIRONMENTS + "/production", '{"four_eyes": 1}'),
    (422, 'four eyes need an approval: "approvals" is 1 or more', "PUT", ENVIRONMENTS + "/staging", '{"four_eyes": true}'),
    (422, "an approval expires after 1 second to 366 days", "PUT", ENVIRONMENTS + "/production", '{"expires_seconds": 0}'),
    (422, '"expires_seconds" must be an integer', "PUT", ENVIRONMENTS + "/production", '{"expires_seconds": 9e18}'),
    (422, 'days are daily, or of mon, tue, wed, thu, fri, sat, sun: a window is as "mon-fri 08:00-17:00 Europe/Amsterdam", not "monday 08:00-09:00"', "PUT", ENVIRONMENTS + "/production", '{"windows": ["monday 08:00-09:00"]}'),
    (422, "a window has at most 128 bytes", "PUT", ENVIRONMENTS + "/production", json.dumps({"windows": ["mon " * 1000]})),
    (422, "an environment has at most 20 windows", "PUT", ENVIRONMENTS + "/production", json.dumps({"windows": ["mon 08:00-09:00"] * 21})),
    (422, "a pattern of branches has 1 to 256 bytes", "PUT", ENVIRONMENTS + "/production", '{"branches": [""]}'),
    (422, 'an environment name has 1 to 128 letters, digits, "-", "_" or "." and does not start with "."', "PUT", ENVIRONMENTS + "/..a", '{"approvals": 1}'),
    (404, 'environment "nothing" was never set, so nothing goes there: an owner says what it demands, or nothing, by slipway environment set nothing --approvals 0', "GET", ENVIRONMENTS + "/nothing"),
    (422, '"approvals" is 0 (nobody is asked) to 10', "PUT", ENVIRONMENTS + "/nothing", '{"branches": ["main"]}'),
    (422, '"principal" is missing', "PUT", "/api/v1/identities/octocat", "{}"),
    (422, 'no token "nobody" works here', "PUT", "/api/v1/identities/octocat", '{"principal": "nobody"}'),
    (422, "a name of another system has 1 to 256 bytes", "PUT", "/api/v1/identities/" + "x" * 257, '{"principal": "ada"}'),
    (404, 'nobody has said who "octocat" is', "DELETE", "/api/v1/identities/octocat"),
    (404, "approval 1 does not exist", "GET", APPROVALS + "/1"),
    (404, '"first" is not the number of an approval', "GET", APPROVALS + "/first"),
    (422, "a status is pending, approved, rejected, expired or withdrawn", "GET", APPROVALS + "?status=open"),
    (422, "a limit is 1 to 1000", "GET", APPROVALS + "?limit=1001"),
    (404, "approval 1 does not exist", "POST", APPROVALS + "/1/decide", json.dumps({"approved": True, "comment": "x", "digest": "0" * 64})),
    (422, '"approved" is missing', "POST", APPROVALS + "/1/decide", json.dumps({"comment": "x", "digest": "0" * 64})),
    (422, '"comment" is missing', "POST", APPROVALS + "/1/decide", json.dumps({"approved": True, "digest": "0" * 64})),
    (422, '"digest" is missing', "POST", APPROVALS + "/1/decide", json.dumps({"approved": True, "comment": "x"})),
    (404, 'no prediction with the request id "none"', "GET", "/api/v1/predictions/none"),
    (422, '"limit" must be an integer from 1 on', "GET", AUDIT + "?limit=0"),
    (422, '"after" must be an integer', "GET", AUDIT + "?after=x"),
    (422, '"event" and "hash" come together', "GET", AUDIT + "/verify?event=1"),
    (409, "the audit trail is broken: event 1 is another one than it was", "GET", AUDIT + "/verify?event=1&hash=zz"),
]

# (status, sentence, body) for the endpoint; bodies that are no text are JSON.
ROWS = [
    (400, "the JSON document is empty", ""),
    (400, "malformed JSON at byte 1:", "{"),
    (400, "the body must be a JSON object, not a text that holds one", json.dumps(json.dumps({"data": [ROW]}))),
    (400, "the body must be a JSON object", [ROW]),
    (400, 'the body must have one member: "data", "inputs", "instances", "dataframe_split" or "dataframe_records"', {"rows": [ROW]}),
    (400, 'the body must have one member: "data", "inputs", "instances", "dataframe_split" or "dataframe_records"', {"data": [ROW], "inputs": [ROW]}),
    (400, "malformed JSON at byte 47:", '{"data": [{"note": "a", "channel": "b", "age": NaN}]}'),
    (400, "malformed JSON at byte 26:", '{"data": [{"note": "\\ud800", "channel": "b", "age": 1}]}'),
    (400, "the JSON is nested deeper than 64 levels", '{"data": ' + "[" * 1000 + "]" * 1000 + "}"),
    (422, "the body has no rows", {"data": []}),
    (422, '"note" is missing in row 1', {"data": {}}),
    (422, '"data" must be a list of rows or an object', {"data": "hello"}),
    (422, '"data" must be a list of rows or an object', {"data": None}),
    (422, "row 1 must be an object by column name or a list of 3 values", {"data": [None]}),
    (422, "row 1 must be an object by column name or a list of 3 values", {"data": ["hello"]}),
    (422, "row 1 has 0 values where the model reads 3", {"data": [[]]}),
    (422, "row 1 has 2 values where the model reads 3", {"data": [["hello", "web"]]}),
    (422, "row 1 has 4 values where the model reads 3", {"data": [["hello", "web", 3, 4]]}),
    (422, '"note" is missing in row 1', {"data": [{}]}),
    (422, '"age" is missing in row 1', {"data": [{"note": "hello", "channel": "web"}]}),
    (422, 'unrecognized column "shoe" in row 1: the model reads "note", "channel", "age"', {"data": [dict(ROW, shoe=43)]}),
    (422, '"age" in row 1 must be a number or null', {"data": [dict(ROW, age="old")]}),
    (422, '"age" in row 1 must be a number or null', {"data": [dict(ROW, age="")]}),
    (422, '"age" in row 1 must be a number or null', {"data": [dict(ROW, age=True)]}),
    (422, '"age" in row 1 must be a number or null', {"data": [dict(ROW, age=[3])]}),
    (422, '"age" in row 1 must be a number or null', {"data": [dict(ROW, age={})]}),
    (422, '"channel" in row 1 must be a text, a number, true, false or null', {"data": [dict(ROW, channel=["web"])]}),
    (400, "malformed JSON at byte 47:", '{"data": [{"note": "a", "channel": "b", "age": 1e400}]}'),
    (422, '"age" is given twice in row 1', '{"data": [{"note": "a", "channel": "b", "age": 1, "age": 2}]}'),
    (422, '"age" in row 2 must be a number or null', {"data": [ROW, dict(ROW, age="x")]}),
    (422, "row 2 must be an object by column name or a list of 3 values", {"data": [ROW, 7]}),
    (422, '"channel" must be a list of 2 values', {"inputs": {"note": ["a", "b"], "channel": ["x"], "age": [1, 2]}}),
    (422, '"channel" is missing', {"inputs": {"note": ["a"]}}),
    (422, '"age" is missing', {"dataframe_split": {"columns": ["note", "channel"], "data": [["a", "b"]]}}),
    (422, "row 1 has 2 values where the header has 3", {"dataframe_split": {"columns": ["note", "channel", "age"], "data": [["a", "b"]]}}),
    (422, '"note" is given twice', {"dataframe_split": {"columns": ["note", "note", "age"], "data": [["a", "b", 1]]}}),
    (422, '"columns" must be a list', {"dataframe_split": {"columns": "note", "data": [["a"]]}}),
    (422, '"columns" is missing', {"dataframe_split": {"data": [["a", "b", 1]]}}),
    (422, '"dataframe_split" must be an object', {"dataframe_split": [["a", "b", 1]]}),
    (422, '"dataframe_records" must be a list of objects', {"dataframe_records": {"note": "a"}}),
]

CSV = [
    (400, "the CSV must start with a header line", ""),
    (422, "the body has no rows", "note,channel,age\n"),
    (422, '"age" is missing', "note,channel\na,b\n"),
    (422, 'unrecognized column "shoe": the model reads "note", "channel", "age"', "note,channel,age,shoe\na,b,1,2\n"),
    (422, '"note" is given twice', "note,note,age\na,b,1\n"),
    (422, "row 1 has 2 values where the header has 3", "note,channel,age\na,b\n"),
    (422, "row 1 has 4 values where the header has 3", "note,channel,age\na,b,1,2\n"),
    (422, '"age" in row 1 must be a number or empty', "note,channel,age\na,b,old\n"),
    (400, "the CSV has a quote in line 2 that is never closed", 'note,channel,age\n"a,b,1\n'),
    (400, "the CSV has text behind a closing quote in line 2", 'note,channel,age\n"a"x,b,1\n'),
    (400, "the CSV must be UTF-8 text", b"note,channel,age\n\xff,b,1\n"),
    (400, "the CSV must be UTF-8 text", b"note,channel,age\na\0,b,1\n"),
]

# What is wrong with the request around its body.
TYPES = [
    (415, "a body is application/json, text/csv or application/jsonl, in UTF-8", "POST", PREDICT, '{"data": []}', ["Content-Type: image/png"]),
    (415, "a body is application/json, text/csv or application/jsonl, in UTF-8", "POST", PREDICT, '{"data": []}', ["Content-Type: application/x-pickle"]),
    (415, "a body is application/json, text/csv or application/jsonl, in UTF-8", "POST", PREDICT, '{"data": []}', ["Content-Type: application/json; charset=utf-16"]),
    (415, 'a body comes as it is, without a "Content-Encoding"', "POST", PREDICT, gzip.compress(b'{"data": []}'),
     ["Content-Encoding: gzip"]),
    (422, '"extra" is "refuse" or "ignore"', "POST", PREDICT + "?extra=perhaps", '{"data": []}'),
    (422, 'unrecognized parameter "colour"', "POST", PREDICT + "?colour=red", '{"data": []}'),
    (404, 'endpoint "nothing" does not exist', "POST", "/endpoints/nothing/predict", '{"data": []}'),
    (404, 'endpoint "../../etc" does not exist', "POST", "/endpoints/..%2f..%2fetc/predict", '{"data": []}'),
    (404, "there is nothing at /endpoints/shop/predict/", "POST", "/endpoints/shop/predict/", '{"data": []}'),
    (413, "a request has at most 10000 rows", "POST", PREDICT, json.dumps({"data": [ROW] * 10001})),
    (413, "a request has at most 1000 rows", "POST", EXPLAIN, json.dumps({"data": [ROW] * 1001})),
    (422, 'the what-if of "age" must be a number or empty, not "old"', "POST", EXPLAIN + "?what_if=age=old", json.dumps({"data": [ROW]})),
    (422, 'unrecognized column "shoe" in a what-if: the model reads "note", "channel", "age"', "POST", EXPLAIN + "?what_if=shoe=42", json.dumps({"data": [ROW]})),
    (422, 'a what-if is COLUMN=VALUE, as in age=41, not ""', "POST", EXPLAIN + "?what_if=", json.dumps({"data": [ROW]})),
    (422, '"what_if" must be UTF-8', "POST", EXPLAIN + "?what_if=note=%ff", json.dumps({"data": [ROW]})),
    (422, 'unrecognized parameter "what_if"', "POST", PREDICT + "?what_if=age=3", json.dumps({"data": [ROW]})),
    (405, "GET is not allowed at /endpoints/shop/predict, only POST", "GET", PREDICT),
    (405, "DELETE is not allowed at /endpoints/shop/predict, only POST", "DELETE", PREDICT),
    (405, "BREW is not allowed at /endpoints/shop/predict, only POST", "BREW", PREDICT),
    (404, "there is nothing at /etc/passwd", "GET", "/etc/passwd"),
    (404, "there is nothing at /../../etc/passwd", "GET", "/../../etc/passwd"),
    (404, "there is nothing at /%2e%2e/%2e%2e/etc/passwd", "GET", "/%2e%2e/%2e%2e/etc/passwd"),
    (404, "there is nothing at //healthz", "GET", "//healthz"),
    (404, "there is nothing at /healthz/", "GET", "/healthz/"),
    (404, "there is nothing at /a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a", "GET", "/" + "a/" * 2000),
    (404, "there is nothing at /HEALTHZ", "GET", "/HEALTHZ"),
    (400, "the path of the URL cannot be decoded", "GET", "/%00"),
    (400, "the path of the URL cannot be decoded", "GET", "/%zz"),
    (400, "the path of the URL cannot be decoded", "GET", "/%"),
    (400, "the query of the URL cannot be decoded", "GET", "/healthz?%zz=1"),
    (400, "the query of the URL cannot be decoded", "GET", "/healthz?a=%00"),
    (422, 'unrecognized parameter "a"', "GET", "/healthz?a=1"),
    (413, "the body of this request has at most 16777216 bytes", "POST", PREDICT, b" " * (16 * MIB + 1)),
    (413, "the body of this request has at most 16777216 bytes", "POST", PREDICT, b"{", ["Content-Length: 1073741824"]),
    (413, "the body of this request has at most 16777216 bytes", "POST", TOKENS, b"{", ["Content-Length: 9000000000000000000"]),
    (403, "without tokens this server answers only to the hosts localhost, 127.0.0.1 and [::1]", "POST", TOKENS, '{"name": "a"}', ["Host: evil.example"]),
    (403, "without tokens this server answers only to the hosts localhost, 127.0.0.1 and [::1]", "POST", TOKENS, '{"name": "a"}', ["Host: localhost.evil.example"]),
    (403, "without tokens this server answers only to the hosts localhost, 127.0.0.1 and [::1]", "POST", TOKENS, '{"name": "a"}', ["Host: 127.0.0.1.evil.example:80"]),
    (403, "without tokens this server answers only to the hosts localhost, 127.0.0.1 and [::1]", "POST", TOKENS, '{"name": "a"}', ["Host: 0x7f000001"]),
    (403, "without tokens this server answers only to the hosts localhost, 127.0.0.1 and [::1]", "POST", TOKENS, '{"name": "a"}', ["Host: 2130706433"]),
    (403, "without tokens this server answers only to the hosts localhost, 127.0.0.1 and [::1]", "POST", TOKENS, '{"name": "a"}', ["Host: [::ffff:7f00:1]"]),
    (403, "without tokens this server answers no page of another origin", "POST", TOKENS, '{"name": "a"}', ["Origin: https://evil.example"]),
    (403, "without tokens this server answers no page of another origin", "POST", TOKENS, '{"name": "a"}', ["Origin: null"]),
    (403, "without tokens this server answers no page of another origin", "POST", TOKENS, '{"name": "a"}', ["Origin: http://localhost.evil.example"]),
    (403, "without tokens this server answers no page of another origin", "POST", TOKENS, '{"name": "a"}', ["Origin: http://localhost@evil.example"]),
    (401, "the token is not one of this server", "POST", TOKENS, '{"name": "a"}', ["Authorization: Bearer nonsense"]),
    (401, "the token is not one of this server", "POST", TOKENS, '{"name": "a"}', ["Authorization: Bearer " + "a" * 4000]),
]

HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /api/v1/tokens HTTP/1.1\r\nHost: localhost\r\n"
NAME = b'{"name": "a"}'
RAW = [
    (400, 'a request needs one "Host" header', b"GET /healthz HTTP/1.1\r\n\r\n"),
    (400, 'a request needs one "Host" header', HEAD + b"Host: localhost\r\n\r\n"),
    (400, 'a request has at most one "Content-Length" header', POST + b"Content-Length: 13\r\nContent-Length: 13\r\n\r\n" + NAME),
    (400, 'a request has at most one "Content-Length" header', POST + b"Content-Length: 13\r\nContent-Length: 14\r\n\r\n" + NAME),
    (400, PAGE, POST + b"Content-Length: 13, 13\r\n\r\n" + NAME),
    (400, PAGE, POST + b"Content-Length: -1\r\n\r\n" + NAME),
    (400, PAGE, POST + b"Content-Length: +13\r\n\r\n" + NAME),
    (400, PAGE, POST + b"Content-Length: 0x0d\r\n\r\n" + NAME),
    (400, PAGE, POST + b"Content-Length: 1e1\r\n\r\n" + NAME),
    (400, PAGE, POST + b"Content-Length: ten\r\n\r\n" + NAME),
    (400, PAGE, POST + b"Content-Length:\r\n\r\n" + NAME),
    (413, PAGE, POST + b"Content-Length: 99999999999999999999999\r\n\r\n" + NAME),
    (400, 'a request has "Content-Length" or "Transfer-Encoding", not both', POST + b"Content-Length: 13\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    (400, 'the only "Transfer-Encoding" of a request is "chunked"', POST + b"Transfer-Encoding: gzip\r\n\r\n" + NAME),
    (400, 'the only "Transfer-Encoding" of a request is "chunked"', POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    (400, 'the only "Transfer-Encoding" of a request is "chunked"', POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    (400, '"Transfer-Encoding" needs HTTP/1.1', POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    (400, PAGE, POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
    (400, PAGE, POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n" + NAME),
    (413, PAGE, POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n"),
    (413, "the body of this request has at most 16777216 bytes", POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"10000\r\n" + b" " * 65536 + b"\r\n" + b"1000000\r\n" + b" " * 16 * MIB),
    (GONE, "", POST + b"Transfer-Encoding: chunked\r\n\r\nd\r\n" + NAME[:5]),
    (GONE, "", POST + b"Content-Length: 13\r\n\r\n" + NAME[:5]),
    (GONE, "", POST),
    (400, "the name of a header has a character that is not allowed there", HEAD + b"Bad Name: x\r\n\r\n"),
    (400, "the name of a header has a character that is not allowed there", HEAD + b"Name : x\r\n\r\n"),
    (400, PAGE, HEAD + b"no colon\r\n\r\n"),
    (400, "the value of a header has a control character", HEAD + b"X: a\x01b\r\n\r\n"),
    (400, PAGE, HEAD + b"X\0Y: a\r\n\r\n"),
    (400, "the value of a header has a control character", HEAD + b"X: a\rY: b\r\n\r\n"),
    (400, "each line of a header ends in CR LF and stands alone", b"GET /healthz HTTP/1.1\nHost: localhost\n\n"),
    (400, "each line of a header ends in CR LF and stands alone", HEAD + b"X: a\nY: b\r\n\r\n"),
    (400, "each line of a header ends in CR LF and stands alone", HEAD + b"X: a\n\r\n"),
    (400, "each line of a header ends in CR LF and stands alone", HEAD + b": x\r\n\r\n"),
    (400, "each line of a header ends in CR LF and stands alone", HEAD + b"X: a\0b\r\n\r\n"),
    (400, "each line of a header ends in CR LF and stands alone", HEAD + b"X: a\r\n folded\r\n\r\n"),
    (400, "each line of a header ends in CR LF and stands alone", HEAD[:-2] + b"\0.evil.example\r\n\r\n"),
    (431, PAGE, HEAD + b"X: " + b"a" * MIB + b"\r\n\r\n"),
    (431, PAGE, HEAD + b"".join(b"X-%d: a\r\n" % number for number in range(10000)) + b"\r\n"),
    (414, PAGE, b"GET /" + b"a" * MIB + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    (400, PAGE, b"GET /healthz\r\n\r\n"),
    (404, "there is nothing at /healthz ", b"GET  /healthz  HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    (505, PAGE, b"GET /healthz HTTP/9.9\r\nHost: localhost\r\n\r\n"),
    (505, PAGE, b"GET /healthz HTTP/2.0\r\nHost: localhost\r\n\r\n"),
    (400, PAGE, b"GET /healthz HTTP/one\r\nHost: localhost\r\n\r\n"),
    (505, PAGE, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    (405, "get is not allowed at /healthz, only GET, HEAD", b"get /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    (405, "AAAAAAAAAAAAAAAA is not allowed at /healthz, only GET, HEAD", b"A" * 1000 + b" /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    (405, "G is not allowed at /healthz, only GET, HEAD", b"G\x00T /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    (400, "the target of a request has no NUL", b"GET /health\x00z HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    (400, "the path of the URL cannot be decoded", b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    (405, "TRACE is not allowed at /healthz, only GET, HEAD", b"TRACE /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    (GONE, "", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200))),
    (GONE, "", b"\0" * 1000),
    (GONE, "", struct.pack("<64I", *range(64))),
]


def cases():
    rows = [(status, sentence, "POST", TOKENS, body) for status, sentence, body in BODIES + TOKEN_FIELDS]
    rows += TRACKING + STORE + RELEASES + TYPES
    rows += [(status, sentence, "POST", path, body if isinstance(body, str) else json.dumps(body))
             for path in (PREDICT, EXPLAIN) for status, sentence, body in ROWS]
    rows += [(status, sentence, "POST", PREDICT, body, ["Content-Type: text/csv"])
             for status, sentence, body in CSV]
    made = [Case(f"{row[2]} {row[3][:60]} {row[4:]}"[:160], row[0], row[1], request(*row[2:])) for row in rows]
    return made + [Case(repr(raw)[:160], status, sentence, raw) for status, sentence, raw in RAW]
