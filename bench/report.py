"""A result as Markdown: tables, and bars with where Slipway stands."""
import os
import subprocess
import sys

import measure


class Report:
    def __init__(self, bench, name, title, text, requirements="requirements.txt"):
        self.path = os.path.join(bench.results, f"{name}.md")
        self.parts = [f"# {title}", f"Written by `make bench F={name}` on {measure.today()}. {text}",
                      f"Machine: {measure.machine()}. {bench.load_remark()}",
                      f"Versions: Slipway {slipway_version(bench)}, {versions(bench, requirements)}."]
        self.bars = []

    def say(self, text):
        self.parts.append(text)

    def table(self, heads, rows):
        lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
        lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
        self.parts.append("\n".join(lines))

    def bar(self, what, value, limit, unit="", at_least=False):
        """A bar that the project set itself; short of it is said, not an error."""
        met = value >= limit if at_least else value <= limit
        self.bars.append((what, f"{value:.3g}{unit}", f"{'>=' if at_least else '<='} {limit:g}{unit}",
                          "met" if met else "short of it"))

    def write(self):
        if self.bars:
            self.say("## Bars")
            self.table(["what", "measured", "bar", ""], self.bars)
        text = "\n\n".join(self.parts) + "\n"
        print("\n" + text, flush=True)
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        with open(self.path, "w") as file:
            file.write(text)


def slipway_version(bench):
    done = subprocess.run(["git", "-C", bench.root, "log", "-1", "--format=%h"], capture_output=True, text=True)
    return done.stdout.strip() or "of this folder"


def versions(bench, requirements):
    with open(os.path.join(bench.root, "bench", requirements)) as file:
        pins = [line.strip().replace("==", " ") for line in file if "==" in line and not line.startswith("#")]
    return f"Python {sys.version.split()[0]}, " + ", ".join(pins)


def ratio(value):
    return f"{value:.1f} x" if value < 100 else f"{value:.0f} x"


def mebibytes(size):
    return f"{size / 2**20:.1f}"
