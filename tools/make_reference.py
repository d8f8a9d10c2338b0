#!/usr/bin/env python3
"""Write docs/reference/cli.md, api.md and mlflow-api.md from what the program says of itself.

usage: make_reference.py [--check]

cli.md comes from `slipway help` and each command's --help, the others from the OpenAPI document of
a server that is started for a moment on a free port. --check writes nothing and fails when a page is
not what would be written; without a binary it says so and is content. SLIPWAY is the binary
(build/release/slipway).
"""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
SLIPWAY = os.path.abspath(os.environ.get("SLIPWAY", os.path.join(ROOT, "build/release/slipway")))
FOLDER = os.path.join(ROOT, "docs/reference")
SECONDS_MAX = 60
NOTE = "<!-- Written by make docs; do not edit. -->\n"


def say(*arguments):
    """What the program prints, away from the settings of who calls."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SLIPWAY_")}
    done = subprocess.run([SLIPWAY, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          check=True, timeout=SECONDS_MAX, env=environment)
    return done.stdout


def cell(text):
    return text.replace("|", "\\|").replace("<", "&lt;")


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(cell(part) for part in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


# The command line.


def section(text, name):
    """The lines below "name:" up to the next line that is not indented."""
    found = re.search(rf"^{name}:\n((?:  .*\n|\n)*)", text, re.M)
    return [line.strip() for line in found[1].splitlines() if line.strip()] if found else []


def split_line(line):
    head, _, summary = line.partition("  ")
    if not summary and "  " not in line:  # the head is wider than its column
        found = re.match(r"(--\S+(?: [A-Z][^ ]*)?) (.*)", line)
        return (found[1], found[2]) if found else (line, "")
    return head, summary.strip()


def command_words(line):
    words = []
    for word in line.split("  ")[0].split():
        if not re.fullmatch(r"[a-z]+", word) or len(words) == 2:
            break
        words.append(word)
    return words


def command_part(words, common):
    said = say(*words, "--help")
    usage = re.match(r"usage: (.*)\n\n(.*)\n", said)
    options = [split_line(line) for line in section(said, "options") if line not in common]
    example = section(said, "example")
    part = f"\n## slipway {' '.join(words)}\n\n{usage[2]}\n\n```text\n{usage[1]}\n```\n"
    if options:
        part += "\n" + table(("option", "meaning"), [(f"`{head}`", summary) for head, summary in options])
    return part + (f"\nExample: `{example[0]}`\n" if example else "")


def cli_page():
    said = say("help")
    common = section(said, "options of every command")
    codes = " ".join(section(said, "exit codes"))
    page = f"# Command line\n\n{NOTE}\n`slipway COMMAND [arguments] [options]`. Options of every command:\n\n"
    page += table(("option", "meaning"), [(f"`{head}`", text) for head, text in map(split_line, common)])
    page += f"\nExit codes: {codes}.\n"
    return page + "".join(command_part(command_words(line), common) for line in section(said, "commands"))


# The routes.


def openapi():
    """The document of a server of its own."""
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen([SLIPWAY, "server", "--port", "0", "--quiet", "--data", os.path.join(folder, "data")],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, cwd=folder)
        try:
            url = re.search(r"http://[0-9.:]+", server.stdout.readline())[0]
            with urllib.request.urlopen(url + "/openapi.json", timeout=SECONDS_MAX) as answer:
                return json.load(answer)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(SECONDS_MAX)


def type_of(schema):
    kind = schema.get("type", "any")
    if kind == "array" and schema.get("items", {}).get("type"):
        return f"array of {schema['items']['type']}"
    return kind


def field_rows(operation):
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "query":
            yield (f"`{parameter['name']}`", "query", type_of(parameter["schema"]),
                   parameter["schema"].get("description", ""))
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schema = content.get("schema")
        for name, field in schema["properties"].items() if schema else ():
            required = "body, required" if name in schema.get("required", []) else "body"
            yield (f"`{name}`", required, type_of(field), field.get("description", ""))


def body_kind(operation):
    """A body without fields: its bytes are what counts."""
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        if not content.get("schema"):
            return {"text/plain": " Body: text.", "application/octet-stream": " Body: the bytes."}[kind]
    return ""


def route_part(method, path, operation):
    role = operation["x-role"] + (", or a step" if operation["x-step"] and operation["x-role"] == "contributor" else "")
    part = f"\n### {method.upper()} {path}\n\n{operation['summary']} Role: {role}."
    part += body_kind(operation) + "\n"
    rows = list(field_rows(operation))
    return part + ("\n" + table(("field", "where", "type", "meaning"), rows) if rows else "")


def group_of(path):
    parts = path.strip("/").split("/")
    if parts[:2] == ["api", "v1"]:
        return parts[2]
    return "endpoints: scoring" if parts[0] == "endpoints" else "server"


def speaks_mlflow(path):
    return re.match(r"/api/\d|/v1/", path) or path in ("/health", "/version")


def mlflow_group_of(path):
    parts = path.strip("/").split("/")
    return " ".join(parts[2:4] if parts[2:3] == ["mlflow"] and len(parts) > 4 else parts[2:3]) or "server"


def parts_of_groups(wanted, group):
    groups = {"server": []}
    for path, operations in openapi()["paths"].items():
        for method, operation in operations.items():
            if wanted(path):
                groups.setdefault(group(path), []).append(route_part(method, path, operation))
    return "".join(f"\n## {name}\n" + "".join(parts) for name, parts in groups.items() if parts)


def mlflow_page():
    page = (f"# MLflow's routes\n\n{NOTE}\nThe same routes are at `/ajax-api`. [mlflow.md](mlflow.md) says what MLflow's "
            "clients can count on. An error is `{\"error_code\", \"message\"}`; fields that are not listed are "
            "ignored.\n")
    return page + parts_of_groups(speaks_mlflow, mlflow_group_of)


def api_page():
    page = (f"# Routes\n\n{NOTE}\nA running server shows the same at `/docs` and `/openapi.json`. The role is the "
            "least that may call a route; a step is one of a pipeline, with [its own token](token.md#of-a-step). An "
            "error is `{\"error\": {\"code\", \"message\", \"field\", \"request_id\"}}`, and the HTTP status says the same. JSON bodies take the fields of their table and "
            "no others. What MLflow's clients call is in [mlflow-api.md](mlflow-api.md).\n")
    return page + parts_of_groups(lambda path: not speaks_mlflow(path), group_of)


def main():
    pages = {"cli.md": cli_page, "api.md": api_page, "mlflow-api.md": mlflow_page}
    check = "--check" in sys.argv[1:]

    if check and not os.path.exists(SLIPWAY):
        print("not looked at: the program is not built")
        return 0
    for name, write in pages.items():
        path, text = os.path.join(FOLDER, name), write()
        if check:
            with open(path, encoding="utf-8") as file:
                if file.read() != text:
                    print(f"docs/reference/{name} is not what the program says; run make docs")
                    return 1
            continue
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    print("the reference is what the program says")
    return 0


if __name__ == "__main__":
    sys.exit(main())
