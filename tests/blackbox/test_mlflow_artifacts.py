#!/usr/bin/env python3
"""MLflow's routes of artifacts, as bytes on the wire: files by their paths, in parts, and paths that lead elsewhere."""
import http.client
import json
import os
import socket

from harness import SECONDS_MAX, run
from mlflow_wire import WireTest, error, invalid, missing

ROOT = "/api/2.0/mlflow-artifacts/artifacts"
OF_RUN = f"{ROOT}/0/$run/artifacts"
OF_MODEL = f"{ROOT}/0/models/m-1/artifacts"
NONE = error("RESOURCE_DOES_NOT_EXIST")
START = ("POST", "runs/create", {"experiment_id": "0"}, 200, {}, {"run": "run.info.run_id"})

FILES = [
    START,
    ("PUT", f"{OF_RUN}/plots/roc.txt", b"curve", 200, {}),
    ("PUT", f"{OF_RUN}/plots/deep/er/a.bin", b"\x00\xff", 200, {}),
    ("PUT", f"{OF_RUN}/plots-2.txt", b"two", 200, {}),
    ("PUT", f"{OF_RUN}/empty", b"", 200, {}),
    ("PUT", f"{OF_RUN}/%C3%BCn%C3%AF%20b+c%20%2525.txt", b"name", 200, {}),
    ("GET", f"{OF_RUN}/plots/roc.txt", None, 200, b"curve"),
    ("GET", f"{OF_RUN}/plots/deep/er/a.bin", None, 200, b"\x00\xff"),
    ("GET", f"{OF_RUN}/empty", None, 200, b""),
    ("GET", f"{OF_RUN}/%C3%BCn%C3%AF%20b+c%20%25.txt", None, 200, b"name"),
    ("GET", f"/{OF_RUN}//plots///roc.txt", None, 200, b"curve"),
    ("GET", f"{OF_RUN}/none.txt", None, 404, NONE),
    ("GET", f"{OF_RUN}/plots", None, 400, invalid("is a folder")),
    ("GET", f"{OF_RUN}/", None, 400, invalid("is a folder")),
    ("GET", ROOT, {"path": "0/$run/artifacts"}, 200,
     {"files": [{"path": "empty", "is_dir": False, "file_size": 0},
                {"path": "plots", "is_dir": True, "file_size": None},
                {"path": "plots-2.txt", "is_dir": False, "file_size": 3},
                {"path": "ünï b+c %.txt", "is_dir": False, "file_size": 4}], "root_uri": None}),
    ("GET", ROOT, {"path": "0/$run/artifacts/plots/"}, 200,
     {"files": [{"path": "deep", "is_dir": True}, {"path": "roc.txt", "is_dir": False, "file_size": 5}]}),
    ("GET", ROOT, {"path": "0/$run/artifacts/plots/roc.txt"}, 200, {"files": None}),
    ("GET", ROOT, {"path": "0/$run/artifacts/none"}, 200, {"files": None}),
    ("GET", "artifacts/list", {"run_id": "$run"}, 200,
     {"root_uri": "mlflow-artifacts:/0/$run/artifacts",
      "files": [{"path": "empty"}, {"path": "plots"}, {"path": "plots-2.txt"}, {"path": "ünï b+c %.txt"}]}),
    ("GET", "artifacts/list", {"run_uuid": "$run", "path": "plots"}, 200,
     {"files": [{"path": "plots/deep", "is_dir": True}, {"path": "plots/roc.txt", "file_size": 5}], "next_page_token": None}),
    ("GET", "artifacts/list", {"run_id": "$run", "page_token": "3"}, 200, {"files": [{"path": "ünï b+c %.txt"}]}),
    ("GET", "artifacts/list", {"run_id": "$run", "page_token": "9"}, 200, {"files": None}),
    ("GET", "artifacts/list", {"run_id": "$run", "page_token": "x"}, 400, invalid("page token")),
    ("GET", "artifacts/list", {"run_id": "0" * 32}, 404, NONE),
    ("GET", "artifacts/list", {"path": "plots"}, 400, missing("run_id")),
    ("GET", "/get-artifact", {"run_uuid": "$run", "path": "plots/roc.txt"}, 200, b"curve"),
    ("GET", "//get-artifact", {"run_id": "$run", "path": "none"}, 404, NONE),
    ("GET", "/get-artifact", {"run_id": "$run"}, 400, missing("path")),
    ("POST", "/ajax-api/2.0/mlflow/upload-artifact?run_uuid=$run&path=from/page.txt", b"page", 200, {}),
    ("POST", "/ajax-api/2.0/mlflow/upload-artifact?run_uuid=$run&path=nothing", b"", 200, {}),
    ("GET", f"{OF_RUN}/from/page.txt", None, 200, b"page"),
    ("POST", "artifacts/presigned-upload-url", {"run_id": "$run", "path": "x"}, 400, invalid("not supported")),
    ("PUT", f"{OF_RUN}/plots/roc.txt", b"again", 200, {}),
    ("GET", f"{OF_RUN}/plots/roc.txt", None, 200, b"again"),
    ("PUT", f"{OF_RUN}/plots", b"x", 400, invalid('"plots" is a folder')),
    ("PUT", f"{OF_RUN}/plots/roc.txt/x", b"x", 400, invalid('"plots/roc.txt" is a file')),
    ("PUT", f"{OF_RUN}", b"x", 400, invalid("is a folder")),
    ("DELETE", f"{OF_RUN}/plots", None, 200, {}),
    ("DELETE", f"{OF_RUN}/plots", None, 200, {}),
    ("GET", f"{OF_RUN}/plots/roc.txt", None, 404, NONE),
    ("GET", f"{OF_RUN}/plots-2.txt", None, 200, b"two"),
    ("POST", "runs/delete", {"run_id": "$run"}, 200, {}),
    ("GET", f"{OF_RUN}/plots-2.txt", None, 200, b"two"),
    ("PUT", f"{OF_RUN}/late.txt", b"x", 400, invalid("is deleted")),
    ("DELETE", f"{OF_RUN}/plots-2.txt", None, 400, invalid("is deleted")),
    ("POST", "runs/restore", {"run_id": "$run"}, 200, {}),
    ("DELETE", f"{OF_RUN}/", None, 200, {}),
    ("GET", "artifacts/list", {"run_id": "$run"}, 200, {"files": None}),
    ("DELETE", ROOT, None, 405, {}),
]

OTHERS = [
    START,
    ("PUT", f"{OF_MODEL}/MLmodel", b"flavors:", 200, {}),
    ("PUT", f"{OF_MODEL}/data/model.pkl", b"\x80", 200, {}),
    ("PUT", f"{ROOT}/0/traces/tr-1/artifacts/traces.json", b"{}", 200, {}),
    ("GET", f"{OF_MODEL}/MLmodel", None, 200, b"flavors:"),
    ("GET", ROOT, {"path": "0/models/m-1/artifacts"}, 200,
     {"files": [{"path": "MLmodel", "file_size": 8}, {"path": "data", "is_dir": True}]}),
    ("GET", ROOT, {"path": "0"}, 200, {"files": [{"path": "models", "is_dir": True}, {"path": "traces", "is_dir": True}]}),
    ("GET", ROOT, None, 200, {"files": [{"path": "0", "is_dir": True}]}),
    ("PUT", f"{OF_MODEL}/data", b"x", 400, invalid("is a folder")),
    ("PUT", f"{OF_MODEL}/MLmodel/x", b"x", 400, invalid("is a file")),
    # A run's id below the location of another experiment is a name like any other.
    ("PUT", f"{ROOT}/1/$run/artifacts/x", b"not the run's", 200, {}),
    ("GET", "artifacts/list", {"run_id": "$run"}, 200, {"files": None}),
    ("POST", "experiments/create", {"name": "team", "artifact_location": "mlflow-artifacts:/team/x"}, 200, {"experiment_id": "1"}),
    ("POST", "runs/create", {"experiment_id": "1"}, 200, {}, {"own": "run.info.run_id"}),
    ("PUT", f"{ROOT}/team/x/$own/artifacts/a.txt", b"a", 200, {}),
    ("GET", "artifacts/list", {"run_id": "$own"}, 200,
     {"root_uri": "mlflow-artifacts:/team/x/$own/artifacts", "files": [{"path": "a.txt"}]}),
    ("POST", "experiments/create", {"name": "far", "artifact_location": "s3://bucket/x"}, 200, {"experiment_id": "2"}),
    ("POST", "runs/create", {"experiment_id": "2"}, 200, {}, {"far": "run.info.run_id"}),
    ("GET", "artifacts/list", {"run_id": "$far"}, 200, {"root_uri": "s3://bucket/x/$far/artifacts", "files": None}),
    ("DELETE", f"{OF_MODEL}/data", None, 200, {}),
    ("GET", ROOT, {"path": "0/models/m-1/artifacts"}, 200, {"files": [{"path": "MLmodel"}]}),
]

MODELS = [
    ("POST", "logged-models", {"experiment_id": "0", "name": "m"}, 200, {}, {"model": "model.info.model_id"}),
    ("PUT", f"{ROOT}/0/models/$model/artifacts/MLmodel", b"flavors:", 200, {}),
    ("PUT", f"{ROOT}/0/models/$model/artifacts/data/model.pkl", b"\x80", 200, {}),
    ("GET", "logged-models/$model/artifacts/directories", None, 200,
     {"root_uri": "mlflow-artifacts:/0/models/$model/artifacts",
      "files": [{"path": "MLmodel", "is_dir": False, "file_size": 8}, {"path": "data", "is_dir": True}]}),
    ("GET", "logged-models/$model/artifacts/directories", {"artifact_directory_path": "data"}, 200,
     {"files": [{"path": "data/model.pkl", "file_size": 1}]}),
    ("GET", "logged-models/$model/artifacts/directories", {"artifact_directory_path": "../data"}, 400, invalid("Invalid path")),
    ("GET", "/ajax-api/2.0/mlflow/logged-models/$model/artifacts/files", {"artifact_file_path": "data/model.pkl"}, 200, b"\x80"),
    ("GET", "logged-models/$model/artifacts/files", {"artifact_file_path": "none"}, 404, NONE),
    ("GET", "logged-models/$model/artifacts/files", {"artifact_file_path": "..%2fMLmodel"}, 400, invalid("Invalid path")),
    ("GET", "logged-models/$model/artifacts/files", None, 400, missing("artifact_file_path")),
    ("GET", "logged-models/m-none/artifacts/files", {"artifact_file_path": "MLmodel"}, 404, NONE),
]

# Each is the end of a path, encoded as it is sent. None may be taken for a file, whoever decodes it and how often.
ASTRAY = [
    "../secret", "..%2fsecret", "%2e%2e/secret", "%2e%2e%2fsecret", "%252e%252e%252fsecret", "%25252e%25252e/secret",
    "%2525252525252525252525252e./secret", "a/../../secret", "a/%2e%2e/secret", "..", "%2e%2e", "./secret", "a/./secret", "a/%2e",
    "..\\secret", "..%5csecret", "..%255csecret", "%5c%5chost%5cshare", "a%5c..%5cb",
    "%2fetc%2fpasswd", "%252fetc%252fpasswd", "C:%2fWindows%2fwin.ini", "C:%5cWindows", "file:%2f%2f%2fetc%2fpasswd", "C:/x",
    "file:/etc/passwd", "..;/secret", "..%3b/secret", "..%253bx/secret", ".;/secret", ";x/secret",
    "a%23/../b", "a%23b", "a%3fb", "a%2523b", "http:%2f%2f%2f%23%2f..%2f..%2fetc",
    "a%00b", "a%2500b", "a%0ab", "a%0d%0aX:%20y", "a%1fb", "a%7fb", "%c0%ae%c0%ae/secret", "a%ffb", "a" * 2100,
]
BEFORE = ["", "0/models/m-1/artifacts/"]
PREFIXES = ["/api", "/ajax-api", "//api"]

BY_PATH = [("GET", "artifacts/{}"), ("PUT", "artifacts/{}"), ("DELETE", "artifacts/{}"), ("GET", "artifacts?path={}"),
           ("GET", "presigned/{}"), ("POST", "mpu/create/{}"), ("POST", "mpu/complete/{}")]
BY_RUN = [("GET", "artifacts/list?run_id=$run&path={}"), ("POST", "upload-artifact?run_uuid=$run&path={}")]
MPU_BODY = {"path": "name", "num_parts": 1, "upload_id": "0" * 32, "parts": [{"part_number": 1}]}


def absolute_only_at_the_start(path):
    return path.lower().startswith(("%2f", "%252f", "c:", "file:", "http:"))


class ArtifactTest(WireTest):
    def raw(self, port, method, path, body=b"", **headers):
        """Nothing between the test and the wire normalises the path."""
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close", "Content-Type: application/json",
                 f"Content-Length: {len(body)}", *(f"{name}: {value}" for name, value in headers.items())]
        with socket.create_connection(("127.0.0.1", port), timeout=SECONDS_MAX) as connection:
            connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            answer = http.client.HTTPResponse(connection, method=method)
            answer.begin()
            return answer, answer.read()

    def snapshot(self):
        """All files of the test but the database, with their bytes."""
        found = {}
        for folder, _, names in os.walk(self.folder):
            for name in names:
                if not name.startswith("slipway.db"):
                    path = os.path.join(folder, name)
                    with open(path, "rb") as file:
                        found[path] = file.read()
        return found

    def begin(self, *options):
        port = self.start(*options)[1]
        self.play(port, [START])
        return port

    def test_files_of_runs(self):
        self.play(self.start()[1], FILES)

    def test_files_of_no_run(self):
        self.play(self.start()[1], OTHERS)

    def test_files_of_logged_models(self):
        self.play(self.start()[1], MODELS)

    def test_what_is_uploaded_is_the_run_s_file_everywhere(self):
        port = self.begin()
        self.play(port, [("PUT", f"{OF_RUN}/plots/a.txt", b"hello", 200, {})])
        _, body = self.expect(200, port, self.fill_in("/api/v1/runs/$run/artifacts"))
        self.assertEqual([(item["path"], item["size"]) for item in body["artifacts"]], [("plots/a.txt", 5)])
        self.expect(200, port, self.fill_in("/api/v1/runs/$run/artifacts/file?path=b.txt"), method="PUT", body=b"own")
        self.play(port, [("GET", f"{OF_RUN}/b.txt", None, 200, b"own")])

    def test_bodies_come_in_chunks_too(self):
        port = self.begin()
        for name, chunks in ("none", []), ("few", [b"a", b"bc"]), ("many", [b"x" * 70000] * 20):
            path = self.fill_in(f"{OF_RUN}/{name}")
            answer, body = self.ask(port, path, method="PUT", body=iter(chunks))
            self.assertEqual((answer.status, body), (200, {}))
            self.assertEqual(self.ask(port, path)[1], b"".join(chunks))

    def test_a_download_is_saved_and_never_shown(self):
        port = self.begin()
        rows = [("a.html", "text/html", "attachment; filename=a.html"), ("a.svg", "image/svg+xml", "attachment; filename=a.svg"),
                ("a.JSON", "text/plain", "attachment; filename=a.JSON"), ("MLmodel", "text/plain", "attachment; filename=MLmodel"),
                ("a.pkl", "application/octet-stream", "attachment; filename=a.pkl"),
                ("a%20%22b%22;c.png", "image/png", "attachment; filename=\"a _b_;c.png\"; filename*=UTF-8''a%20%22b%22%3Bc.png"),
                ("%C3%BC.txt", "text/plain", "attachment; filename=\"__.txt\"; filename*=UTF-8''%C3%BC.txt")]
        for name, kind, disposition in rows:
            path = self.fill_in(f"{OF_RUN}/{name}")
            self.assertEqual(self.raw(port, "PUT", path, b"<script>")[0].status, 200)
            for method in "GET", "HEAD":
                answer, body = self.raw(port, method, path)
                self.assertEqual((answer.status, body), (200, b"<script>" if method == "GET" else b""))
                self.assertEqual([answer.getheader(header) for header in (
                    "Content-Type", "Content-Disposition", "X-Content-Type-Options", "Content-Security-Policy", "Content-Length")],
                    [kind, disposition, "nosniff", "default-src 'none'; sandbox", "8"])

    def test_ranges_of_a_file(self):
        port = self.begin()
        path = self.fill_in(f"{OF_RUN}/a.bin")
        self.assertEqual(self.raw(port, "PUT", path, b"0123456789")[0].status, 200)
        for asked, status, bytes_, where in (("bytes=2-4", 206, b"234", "bytes 2-4/10"), ("bytes=-3", 206, b"789", "bytes 7-9/10"),
                                             ("bytes=20-", 416, b"", "bytes */10"), ("bytes=0-99", 206, b"0123456789", "bytes 0-9/10")):
            answer, body = self.raw(port, "GET", path, Range=asked)
            self.assertEqual((answer.status, body, answer.getheader("Content-Range")), (status, bytes_, where))

    def test_a_file_that_the_disk_has_no_room_for_is_refused_at_once(self):
        port = self.begin()
        room = os.statvfs(self.folder)
        for size, status in (1 << 40, 507), ((1 << 40) + 1, 413):
            if room.f_bavail * room.f_frsize > size:
                continue
            with socket.create_connection(("127.0.0.1", port), timeout=SECONDS_MAX) as connection:
                connection.sendall(self.fill_in(f"PUT {OF_RUN}/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\nabc").encode())
                answer = http.client.HTTPResponse(connection)
                answer.begin()
                self.assertEqual(answer.status, status)
                self.assertIn("error_code", json.loads(answer.read()))

    def test_a_path_that_leads_elsewhere_is_refused(self):
        port = self.begin()
        with open(os.path.join(self.folder, "secret"), "w") as file:
            file.write("the secret")
        self.play(port, [("PUT", f"{ROOT}/0/models/m-1/artifacts/a", b"a", 200, {}), ("PUT", f"{OF_RUN}/a", b"a", 200, {})])
        before = self.snapshot()
        asked = [(method, f"/2.0/mlflow-artifacts/{path.format(start + astray)}", (start, astray)) for astray in ASTRAY
                 for start in BEFORE for method, path in BY_PATH if not start or not absolute_only_at_the_start(astray)]
        asked += [(method, f"/2.0/mlflow/{path.format(astray)}", ("", astray)) for astray in ASTRAY for method, path in BY_RUN]
        for method, path, row in asked:
            for prefix in PREFIXES:
                self.refuses(port, method, prefix + self.fill_in(path), row)
        for astray in ASTRAY:
            self.refuses(port, "GET", self.fill_in(f"/get-artifact?run_uuid=$run&path={astray}"), astray)
        self.assertEqual(self.snapshot(), before)

    def refuses(self, port, method, path, row):
        body = {"PUT": b"new bytes", "POST": json.dumps(MPU_BODY).encode()}.get(method, b"")
        answer, received = self.raw(port, method, path, body)
        self.assertEqual(answer.status, 400, (method, path, row, received))
        self.assertNotIn(b"the secret", received)
        self.assertNotIn(b"root:", received)

    def test_roles(self):
        owner = self.token("olga", "owner")
        viewer = self.token("vera", "viewer")
        port = self.start("--demand-token")[1]
        _, body = self.ask(port, "/api/2.0/mlflow/runs/create", method="POST", body=b"{}",
                           headers={"Content-Type": "application/json", "Authorization": f"Bearer {owner}"})
        path = f"{ROOT}/0/{body['run']['info']['run_id']}/artifacts/a"
        changes = [("PUT", path), ("DELETE", path), ("PUT", f"{ROOT}/0/models/m-1/a"), ("POST", "/api/2.0/mlflow-artifacts/mpu/create/0"),
                   ("POST", "/api/2.0/mlflow-artifacts/mpu/complete/0"), ("POST", "/api/2.0/mlflow-artifacts/mpu/abort/0"),
                   ("PUT", f"/api/2.0/mlflow-artifacts/mpu/parts/{'0' * 32}/1"), ("POST", "/api/2.0/mlflow/upload-artifact")]
        reads = [("GET", path), ("GET", ROOT), ("GET", "/get-artifact"), ("GET", "/api/2.0/mlflow-artifacts/presigned/0/a"),
                 ("GET", "/api/2.0/mlflow/artifacts/list")]
        for method, where in changes + reads:
            for there in where, where.replace("/api/", "/ajax-api/"):
                self.assertEqual(self.raw(port, method, there, b"x" if method == "PUT" else b"")[0].status, 401, (method, there))
        for method, where in changes:
            self.assertEqual(self.raw(port, method, where, b"x", Authorization=f"Bearer {viewer}")[0].status, 403, (method, where))

    def test_of_who_may_not_upload_no_byte_is_taken(self):
        viewer = self.token("vera", "viewer")
        port = self.start("--demand-token")[1]
        paths = [f"{ROOT}/0/models/m-1/a", f"/api/2.0/mlflow-artifacts/mpu/parts/{'0' * 32}/1", "/api/v1/runs/x/artifacts/file?path=a"]
        for path in paths:
            for header, status in ("", 401), ("Authorization: Bearer nobody's\r\n", 401), (f"Authorization: Bearer {viewer}\r\n", 403):
                with socket.create_connection(("127.0.0.1", port), timeout=SECONDS_MAX) as connection:
                    connection.sendall(f"PUT {path} HTTP/1.1\r\nHost: localhost\r\n{header}Content-Length: 1000000\r\n\r\n".encode())
                    answer = http.client.HTTPResponse(connection)
                    answer.begin()
                    self.assertEqual(answer.status, status, (path, header, answer.read()))

    def part(self, port, url, body, headers):
        prefix = f"http://127.0.0.1:{port}"
        self.assertEqual(url[:len(prefix)], prefix)
        answer, _ = self.ask(port, url[len(prefix):], method="PUT", body=body, headers=headers)
        return answer.status, answer.getheader("ETag")

    def send_parts(self, port, folder, parts, token):
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        create = {"path": "C:\\data\\big.bin", "num_parts": len(parts)}
        answer, made = self.ask(port, f"/api/2.0/mlflow-artifacts/mpu/create/{folder}", method="POST", headers=headers,
                                body=json.dumps(create))
        self.assertEqual((answer.status, len(made["credentials"])), (200, len(parts)))
        body = {"path": "C:\\data\\big.bin", "upload_id": made["upload_id"], "parts": []}
        for credential in reversed(made["credentials"]):
            self.assertEqual(self.part(port, credential["url"], b"x", {})[0], 401)
            status, etag = self.part(port, credential["url"], parts[credential["part_number"] - 1], credential["headers"])
            self.assertEqual(status, 200)
            body["parts"].insert(0, {"part_number": credential["part_number"], "etag": etag, "url": credential["url"]})
        return headers, body

    def end_parts(self, port, what, folder, headers, body):
        answer, received = self.ask(port, f"/api/2.0/mlflow-artifacts/mpu/{what}/{folder}", method="POST", headers=headers,
                                    body=json.dumps(body))
        return answer.status, received.get("message", "")

    def test_a_file_in_parts(self):
        token = self.token("ada", "contributor")
        port = self.start("--demand-token")[1]
        headers, body = self.send_parts(port, "0/models/m-1", [b"one", b"two", b""], token)
        folder = "0/models/m-1"
        self.assertEqual(self.end_parts(port, "complete", "0/models/m-2", headers, body)[0], 400)
        self.assertEqual(self.end_parts(port, "complete", folder, headers, dict(body, parts=[]))[0], 400)
        self.assertEqual(self.end_parts(port, "complete", folder, headers, dict(body, parts=body["parts"][::-1]))[0], 400)
        self.assertEqual(self.end_parts(port, "complete", folder, headers, dict(body, parts=[{"part_number": 9}]))[0], 400)
        self.assertEqual(self.end_parts(port, "complete", folder, headers, dict(body, upload_id="../" * 10 + "ab"))[0], 400)
        self.assertEqual(self.end_parts(port, "complete", folder, headers, dict(body, upload_id="0" * 32))[0], 404)
        for _ in range(2):  # sent again, it is done already
            self.assertEqual(self.end_parts(port, "complete", folder, headers, body), (200, ""))
        _, received = self.ask(port, f"{ROOT}/0/models/m-1/big.bin", headers=headers)
        self.assertEqual(received, b"onetwo")
        answer, body = self.ask(port, "/api/2.0/mlflow-artifacts/presigned/0/models/m-1/big.bin", headers=headers)
        self.assertEqual((answer.status, body["file_size"], body["url"]), (200, 6, f"http://127.0.0.1:{port}{ROOT}/0/models/m-1/big.bin"))
        self.assertEqual(body["headers"], {"Authorization": f"Bearer {token}"})

    def test_parts_that_are_given_up_leave_nothing(self):
        token = self.token("ada", "contributor")
        port = self.start("--demand-token")[1]
        before = self.snapshot()
        headers, body = self.send_parts(port, "0/models/m-1", [b"one"], token)
        self.assertNotEqual(self.snapshot(), before)
        for _ in range(2):
            self.assertEqual(self.end_parts(port, "abort", "0/models/m-1", headers, body), (200, ""))
        self.assertEqual(self.snapshot(), before)
        self.assertEqual(self.end_parts(port, "complete", "0/models/m-1", headers, body)[0], 404)


if __name__ == "__main__":
    run(ArtifactTest)
