"""Who hears of what happens: a receiver of webhooks and a tiny mail server, both on 127.0.0.1."""
import base64
import email
import email.policy
import hashlib
import hmac
import http.server
import json
import socketserver
import threading
import time

WAIT_SECONDS_MAX = 30


def wait_for(condition, what):
    end = time.monotonic() + WAIT_SECONDS_MAX
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen within {WAIT_SECONDS_MAX} s")
        time.sleep(0.01)


class Heard:
    """One request: what was sent, and how it was answered."""

    def __init__(self, headers, body, status):
        self.headers, self.raw, self.status = headers, body, status
        self.body = json.loads(body)
        self.id = headers["X-MLflow-Delivery-Id"]
        self.event = f"{self.body['entity']}.{self.body['action']}"
        self.data = self.body["data"]

    def is_signed_with(self, secret):
        signed = f"{self.id}.{self.headers['X-MLflow-Timestamp']}.".encode() + self.raw
        mac = base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
        fresh = abs(time.time() - int(self.headers["X-MLflow-Timestamp"])) < 300
        return fresh and self.headers["X-MLflow-Signature"] == f"v1,{mac}"


class Receiver:
    """Answers 200, or the next of the statuses that it was given, or, while it is held, nothing."""

    def __init__(self, statuses=(), port=0):
        self.heard, self.statuses, self.free = [], list(statuses), threading.Event()
        self.free.set()
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # pylint: disable=invalid-name
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = owner.statuses.pop(0) if owner.statuses else 200
                owner.heard.append(Heard(self.headers, body, status))
                owner.free.wait(WAIT_SECONDS_MAX)
                try:
                    self.send_response(status)
                    if 300 <= status < 400:
                        self.send_header("Location", "/elsewhere")
                    self.send_header("Content-Length", "2")
                    self.end_headers()
                    self.wfile.write(b"ok")
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.handle_error = lambda *_: None  # a server that was killed in the middle of a request
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def wait(self, count):
        wait_for(lambda: len(self.heard) >= count, f"request {count} of {[one.event for one in self.heard]}")
        return self.heard

    def close(self):
        self.free.set()
        self.server.shutdown()
        self.server.server_close()


class MailServer:
    """SMTP as far as it is needed: EHLO, AUTH PLAIN, MAIL, RCPT, DATA. Mails are (from, to, message, who signed in)."""

    def __init__(self, refusals=(), with_auth=False):
        self.mails, self.commands, self.refusals = [], [], list(refusals)
        owner = self

        class Handler(socketserver.StreamRequestHandler):
            def say(self, text):
                self.wfile.write(text.encode() + b"\r\n")

            def read_data(self):
                lines = []
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(line[1:] if line.startswith(b".") else line)
                return email.message_from_bytes(b"".join(lines), policy=email.policy.default)

            def handle(self):
                sender = recipient = user = None
                self.say("220 mail")
                while line := self.rfile.readline().decode().rstrip():
                    word = line.split()[0].upper()
                    owner.commands.append(line)
                    if word == "EHLO":
                        self.say("250-mail\r\n250 AUTH PLAIN" if with_auth else "250 mail")
                    elif word == "AUTH":
                        answer = line.split()[2] if len(line.split()) > 2 else ""
                        if not answer:
                            self.say("334 ")
                            answer = self.rfile.readline().decode().strip()
                        user = base64.b64decode(answer).decode().split("\0")[1:]
                        self.say("235 hello")
                    elif word == "MAIL":
                        sender = line
                        self.say("250 ok")
                    elif word == "RCPT":
                        recipient = line
                        self.say(owner.refusals.pop(0) if owner.refusals else "250 ok")
                    elif word == "DATA":
                        self.say("354 go on")
                        owner.mails.append((sender, recipient, self.read_data(), user))
                        self.say("250 taken")
                    elif word == "QUIT":
                        self.say("221 bye")
                        return
                    else:
                        self.say("250 ok")

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"smtp://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def wait(self, count):
        wait_for(lambda: len(self.mails) >= count, f"mail {count}")
        return self.mails

    def close(self):
        self.server.shutdown()
        self.server.server_close()
