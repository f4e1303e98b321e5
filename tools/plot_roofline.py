#!/usr/bin/env python3
"""Draws a roofline of the convolutions as one SVG, from the benchmarks' JSON.

    ferplus_bench --benchmark_filter=conv2d/ --benchmark_out=bench.json --benchmark_out_format=json
    tools/plot_roofline.py bench.json -o roofline.svg

A bar is one algorithm in one layer and pass: floating-point operations of direct convolution a
second, as a share of the multiply-add peak that the same benchmark measured. Direct convolution
cannot pass 1, the dashed line; an algorithm with fewer multiplications can. With repetitions
(--benchmark_repetitions) medians are drawn. Needs nothing but Python's standard library.
"""
import argparse
import html
import json
import math
import pathlib
import re
import statistics
import sys

COLORS = ["#787774", "#cb912f", "#448361", "#0b6e99", "#d9730d", "#9065b0", "#c14c8a"]
PASSES = {"forward": "forward", "backward_data": "backward, gradient of the input",
          "backward_weights": "backward, gradient of the weights"}
BAR, GROUP_GAP, HEIGHT, LEFT, RIGHT, TOP, PANEL_GAP = 22, 26, 200, 70, 80, 92, 74
NAME = re.compile(r"conv2d/(?P<pass>\w+)/(?P<algorithm>\w+)/(?P<isa>\w+)/(?P<layer>\w+)"
                  r"/batch:(?P<batch>\d+)")


def read_bench(path):
    """Context, and of each (isa, batch) a dictionary (pass, layer, algorithm): share, FLOP/s."""
    try:
        content = json.loads(path.read_text())
        context, rows = content["context"], content["benchmarks"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.exit(f"{path}: not the JSON of ferplus_bench: {error}")
    runs = {}
    for row in rows:
        name = NAME.match(row.get("run_name", ""))
        if not name or row.get("run_type") == "aggregate" or "fma_share" not in row:
            continue
        key = (name["isa"], int(name["batch"]))
        place = (name["pass"], name["layer"], name["algorithm"])
        runs.setdefault(key, {}).setdefault(place, []).append((row["fma_share"], row["FLOP/s"]))
    if not runs:
        sys.exit(f"{path}: no benchmark conv2d/… with a share of the peak; run ferplus_bench "
                 "with --benchmark_filter=conv2d/ (aggregates alone do not do)")
    return context, {key: {place: tuple(map(statistics.median, zip(*values)))
                           for place, values in places.items()} for key, places in runs.items()}


def choose(path, runs, isa, batch):
    """The first ISA and the largest batch of the file, unless the command line says."""
    isa = isa or next(iter(runs))[0]
    batches = [b for i, b in runs if i == isa]
    batch = batch or max(batches, default=0)
    if (isa, batch) not in runs:
        known = ", ".join(f"{i} batch {b}" for i, b in runs)
        sys.exit(f"{path}: nothing for {isa}, batch {batch}; it has {known}")
    return isa, batch


def distinct(values):
    return list(dict.fromkeys(values))


def axes(left, top, width, high, step, peak):
    out = []
    for i in range(round(high / step) + 1):
        value = i * step
        y = top + HEIGHT - value / high * HEIGHT
        out.append(f'<line x1="{left}" x2="{left + width}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>'
                   f'<text x="{left - 8}" y="{y + 4:.1f}" class="tick end">{value:g}</text>'
                   f'<text x="{left + width + 8}" y="{y + 4:.1f}" class="tick">'
                   f'{value * peak * 1e-9:.0f}</text>')
    return out


def panel(left, top, width, title, values, layers, colors, high, step, peak):
    out = [f'<text x="{left}" y="{top - 14}" class="title">{html.escape(title)}</text>']
    out += axes(left, top, width, high, step, peak)
    y = top + HEIGHT - HEIGHT / high
    roof = f'<line x1="{left}" x2="{left + width}" y1="{y:.1f}" y2="{y:.1f}" class="roof"/>'
    labels = []  # above the line that they may cross
    x = left + GROUP_GAP / 2
    slots = len(colors)
    for layer in layers:
        here = [a for a in colors if (layer, a) in values]
        bar_x = x + (slots - len(here)) * BAR / 2
        for algorithm in here:
            share, flops = values[layer, algorithm]
            bar = share / high * HEIGHT
            y = top + HEIGHT - bar
            out.append(f'<rect x="{bar_x + 1:.1f}" y="{y:.1f}" width="{BAR - 2}" '
                       f'height="{bar:.1f}" fill="{colors[algorithm]}"><title>{html.escape(layer)}, '
                       f'{html.escape(algorithm)}: {flops * 1e-9:.1f} GFLOP/s</title></rect>')
            labels.append(f'<text x="{bar_x + BAR / 2:.1f}" y="{y - 4:.1f}" class="value">'
                          f'{share:.2f}</text>')
            bar_x += BAR
        out.append(f'<text x="{x + slots * BAR / 2:.1f}" y="{top + HEIGHT + 18}" '
                   f'class="tick middle">{html.escape(layer)}</text>')
        x += slots * BAR + GROUP_GAP
    return out + [roof] + labels


def picture(context, isa, batch, places):
    layers = distinct(layer for _, layer, _ in places)
    algorithms = distinct(algorithm for _, _, algorithm in reversed(places))
    colors = {name: COLORS[i % len(COLORS)] for i, name in enumerate(algorithms)}
    highest = max(share for share, _ in places.values())
    step = next(s for s in (0.25, 0.5, 1, 2, 5, 10, 100) if highest * 1.1 / s <= 6)
    high = max(step * math.ceil(highest * 1.1 / step), 2 * step)
    peak = statistics.median(flops / share for share, flops in places.values())

    passes = [p for p in PASSES if any(found == p for found, _, _ in places)]
    width = len(layers) * (len(colors) * BAR + GROUP_GAP)
    body = []
    for i, name in enumerate(passes):
        values = {(layer, algorithm): value for (found, layer, algorithm), value in places.items()
                  if found == name}
        body += panel(LEFT, TOP + i * (HEIGHT + PANEL_GAP), width, PASSES[name], values, layers,
                      colors, high, step, peak)
    total_width = LEFT + width + RIGHT
    total_height = TOP + len(passes) * (HEIGHT + PANEL_GAP) - 20
    threads = context.get("threads", "?")
    body.append(f'<text x="{LEFT}" y="26" class="head">Convolutions of VGG13: {html.escape(isa)}, '
                f'batch {batch}, {html.escape(str(threads))} threads, multiply-add peak '
                f'{peak * 1e-9:.1f} GFLOP/s</text>')
    x = LEFT
    for name, color in colors.items():
        body.append(f'<rect x="{x}" y="39" width="12" height="12" fill="{color}"/>'
                    f'<text x="{x + 18}" y="50">{html.escape(name)}</text>')
        x += 34 + 8 * len(name)
    body.append(f'<line x1="{x}" x2="{x + 26}" y1="45" y2="45" class="roof"/>'
                f'<text x="{x + 34}" y="50">direct roofline: the most that direct convolution '
                'could do</text>')
    middle = (TOP + total_height - PANEL_GAP) / 2
    for px, text in ((18, "share of the multiply-add peak"),
                     (total_width - 12, "GFLOP/s, counted as direct convolution")):
        body.append(f'<text x="{px}" y="{middle}" transform="rotate(-90 {px} {middle})" '
                    f'class="tick middle">{text}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total_width} {total_height}" '
        f'width="{total_width}" height="{total_height}" font-family="sans-serif" font-size="13">\n'
        "<style>.head{font-size:16px;font-weight:bold}.title{font-weight:bold}"
        ".tick{font-size:12px;fill:#444}.end{text-anchor:end}.middle{text-anchor:middle}"
        ".value{font-size:10px;text-anchor:middle;fill:#222;"
        "paint-order:stroke;stroke:white;stroke-width:3px}.grid{stroke:#e3e3e3}"
        ".roof{stroke:#b00020;stroke-width:1.5;stroke-dasharray:6 4}</style>\n"
        f'<rect width="{total_width}" height="{total_height}" fill="white"/>\n' +
        "\n".join(body) + "\n</svg>\n")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", type=pathlib.Path, metavar="BENCH.json")
    parser.add_argument("-o", "--output", required=True, type=pathlib.Path, metavar="FILE.svg")
    parser.add_argument("--isa", help="instruction set (default: the first in the file)")
    parser.add_argument("--batch", type=int, help="batch size (default: the largest in the file)")
    arguments = parser.parse_args()
    context, runs = read_bench(arguments.bench)
    isa, batch = choose(arguments.bench, runs, arguments.isa, arguments.batch)
    arguments.output.write_text(picture(context, isa, batch, runs[isa, batch]))


if __name__ == "__main__":
    main()
