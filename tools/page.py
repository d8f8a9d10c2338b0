"""A page of docs/results that a target other than `make bench` writes."""
import os
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.join(ROOT, "bench"))
import measure  # noqa: E402


def commit():
    done = subprocess.run(["git", "-C", ROOT, "log", "-1", "--format=%h"], capture_output=True, text=True)
    return done.stdout.strip() or "of this folder"


class Page:
    """Printed, and written into the folder that SLIPWAY_RESULTS names (docs/results)."""

    def __init__(self, name, title, text, target=None):
        folder = os.environ.get("SLIPWAY_RESULTS", os.path.join(ROOT, "docs", "results"))
        self.path = os.path.join(folder, f"{name}.md")
        self.parts = [f"# {title}",
                      f"Written by `make {target or name}` on {measure.today()}. {text}",
                      f"Machine: {measure.machine()}. Slipway {commit()}."]

    def say(self, text):
        self.parts.append(text)

    def table(self, heads, rows):
        lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
        lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
        self.parts.append("\n".join(lines))

    def write(self):
        text = "\n\n".join(self.parts) + "\n"
        print("\n" + text, flush=True)
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        with open(self.path, "w") as file:
            file.write(text)
