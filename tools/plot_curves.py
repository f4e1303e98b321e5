#!/usr/bin/env python3
"""Draws the learning curves of runs as one SVG: losses on the left, public accuracy on the right.

    tools/plot_curves.py RUN… -o curves.svg

RUN is a folder with a metrics.jsonl, or such a file. Needs nothing but Python's standard library.
"""
import argparse
import html
import json
import math
import pathlib

COLORS = ["#0b6e99", "#d9730d", "#448361", "#9065b0", "#c14c8a", "#cb912f", "#787774"]
WIDTH, HEIGHT, MARGIN = 420, 300, 50


def read_run(path):
    file = path / "metrics.jsonl" if path.is_dir() else path
    name = path.name if path.is_dir() else path.stem
    rows = [json.loads(line) for line in file.read_text().splitlines() if line]
    if not rows:
        raise SystemExit(f"{file}: no epoch yet")
    return name, rows


def panel(left, title, series, low, high):
    """One set of axes; series is a list of (colour, dash, [(x, y)])."""
    last = max(x for _, _, points in series for x, _ in points)
    first = min(x for _, _, points in series for x, _ in points)

    def place(x, y):
        span = max(last - first, 1)
        return (left + (x - first) / span * WIDTH, MARGIN + HEIGHT - (y - low) / (high - low) * HEIGHT)

    out = [f'<text x="{left}" y="{MARGIN - 14}" class="title">{html.escape(title)}</text>']
    for i in range(6):
        value = low + (high - low) * i / 5
        _, y = place(first, value)
        out.append(f'<line x1="{left}" x2="{left + WIDTH}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>'
                   f'<text x="{left - 6}" y="{y + 4:.1f}" class="tick end">{value:.2g}</text>')
    for x in sorted({first, (first + last) // 2, last}):
        px, _ = place(x, low)
        out.append(f'<text x="{px:.1f}" y="{MARGIN + HEIGHT + 18}" class="tick middle">{x}</text>')
    for color, dash, points in series:
        placed = [place(x, min(max(y, low), high)) for x, y in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        out.append(f'<polyline points="{path}" stroke="{color}" stroke-dasharray="{dash}"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{color}"/>' for x, y in placed]
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=pathlib.Path)
    parser.add_argument("-o", "--output", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    runs = [read_run(path) for path in arguments.runs]

    losses, accuracies, legend = [], [], []
    for i, (name, rows) in enumerate(runs):
        color = COLORS[i % len(COLORS)]
        epochs = [row["epoch"] + 1 for row in rows]
        losses.append((color, "", list(zip(epochs, (row["train_loss"] for row in rows)))))
        losses.append((color, "5 4", list(zip(epochs, (row["public_loss"] for row in rows)))))
        accuracies.append((color, "", list(zip(epochs, (row["public_accuracy"] for row in rows)))))
        y = 2 * MARGIN + HEIGHT + 20 * i
        best = max(row["public_accuracy"] for row in rows)
        legend.append(f'<rect x="{MARGIN}" y="{y - 9}" width="12" height="12" fill="{color}"/>'
                      f'<text x="{MARGIN + 20}" y="{y + 2}">{html.escape(name)}: best public '
                      f'accuracy {100 * best:.2f} %</text>')
    highest = max(y for _, _, points in losses for _, y in points)
    left = 2 * MARGIN + WIDTH + 20
    body = panel(MARGIN, "loss by epoch (public dashed)", losses, 0, math.ceil(2 * highest) / 2)
    body += panel(left, "public accuracy by epoch", accuracies, 0, 1)
    width, height = left + WIDTH + 30, 2 * MARGIN + HEIGHT + 20 * len(runs) + 10
    arguments.output.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif" font-size="13">\n'
        "<style>.title{font-weight:bold}.tick{font-size:11px;fill:#555}.end{text-anchor:end}"
        ".middle{text-anchor:middle}.grid{stroke:#ddd}polyline{fill:none;stroke-width:2}</style>\n"
        f'<rect width="{width}" height="{height}" fill="white"/>\n' + "\n".join(body + legend) +
        "\n</svg>\n")


if __name__ == "__main__":
    main()
