"""The points of a build with crash points that were passed, as SLIPWAY_CRASH_LOG names the file of them."""
import os

LINE_BYTES = 64


def passed_points(path):
    """Their names, in the order of the passes."""
    if not os.path.exists(path):
        return []
    with open(path) as file:
        text = file.read()
    return [text[i:i + LINE_BYTES].rstrip() for i in range(0, len(text), LINE_BYTES)]
