"""Asks ferplus and its peers in turns for timings of VGG13 and writes a table and JSON of ratios.

    bench_peers.py --bench ferplus_bench [--rounds 12] [--threads 2] [-o FOLDER]

Run through tools/bench_peers.sh. Every library is a process of its own that waits while another
works. A round asks each once, in an order that turns; figures are medians over the rounds' medians,
ratios are medians of the ratios within rounds, so that a machine that changes its speed changes both.
"""
import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TRAINING_FLOPS = 5.25e9  # of an image, by direct convolution (three times the forward pass)
INFERENCE_FLOPS = 1.75e9

# Rows: task, precision, batch and runs a round.
TASKS = [("train", "fp32", 32, 2), ("train", "bf16", 32, 2), ("train", "fp32", 64, 2), ("train", "bf16", 64, 2),
         ("infer", "fp32", 32, 4), ("infer", "bf16", 32, 4), ("infer", "fp32", 1, 40), ("infer", "bf16", 1, 40)]


class Worker:
    def __init__(self, name, command, environment):
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True, env=environment)
        self.version = self.process.stdout.readline().strip()

    def ask(self, request):
        try:
            self.process.stdin.write(request + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            return {"error": "the process ended"}
        return json.loads(line)


def start(name, command, environment):
    try:
        worker = Worker(name, command, environment)
    except OSError:
        return None
    return worker if worker.version else None


def find_workers(arguments):
    environment = dict(os.environ, OMP_NUM_THREADS=str(arguments.threads))
    peer = lambda python, library: [python, str(HERE / "peer_worker.py"), library, "--threads", str(arguments.threads)]
    newest = os.environ.get("PEERS", "python3")
    candidates = [("ferplus", [arguments.bench, "--worker"], environment),
                  ("ferplus avx2", [arguments.bench, "--worker"], dict(environment, FERPLUS_ISA="avx2")),
                  ("pytorch of debian", peer("/usr/bin/python3", "torch"), environment),
                  ("pytorch", peer(newest, "torch"), environment),
                  ("onnxruntime", peer(newest, "onnxruntime"), environment),
                  ("openvino", peer(newest, "openvino"), environment)]
    workers, versions = [], set()
    for candidate in candidates:
        worker = start(*candidate)
        if worker is None or worker.version in versions:
            print(f"{candidate[0]}: not installed, left out" if worker is None else f"{candidate[0]}: the same again",
                  file=sys.stderr)
            continue
        versions.add(worker.version)
        workers.append(worker)
    return workers


def cpu_name():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def measure(workers, rounds):
    """{(worker, task): [seconds a run, one a round]}, {worker: [peak, one a round]}"""
    seconds, peaks, missing = {}, {w.name: [] for w in workers if w.name.startswith("ferplus")}, set()
    for task in TASKS:
        request = " ".join(map(str, task))
        for number in range(rounds):
            order = workers[number % len(workers):] + workers[:number % len(workers)]
            for worker in order:
                if (worker.name, task) in missing:
                    continue
                answer = worker.ask(request)
                if isinstance(answer, dict):
                    missing.add((worker.name, task))
                    continue
                seconds.setdefault((worker.name, task), []).append(statistics.median(answer))
                if worker.name in peaks:
                    peaks[worker.name].append((task, worker.ask("peak")))
            print(f"\r{request}: round {number + 1} of {rounds}   ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return seconds, peaks


def rows_of(workers, seconds, peaks):
    rows = []
    for task in TASKS:
        kind, precision, batch, _ = task
        ours = seconds.get(("ferplus", task))
        for worker in workers:
            times = seconds.get((worker.name, task))
            if not times:
                continue
            row = {"task": kind, "precision": precision, "batch": batch, "library": worker.version,
                   "milliseconds": 1e3 * statistics.median(times), "images_per_second": batch / statistics.median(times)}
            if ours and not worker.name.startswith("ferplus"):
                row["times_ours"] = statistics.median(a / b for a, b in zip(times, ours))
            if worker.name in peaks:
                flops = (TRAINING_FLOPS if kind == "train" else INFERENCE_FLOPS) * batch
                own = [peak for of, peak in peaks[worker.name] if of == task]
                row["fma_peak_gflops"] = 1e-9 * statistics.median(own)
                row["times_direct_roofline"] = statistics.median(flops / t / p for t, p in zip(times, own))
            rows.append(row)
    return rows


def table(rows):
    lines = ["| task | precision | batch | library | ms | images/s | our speed ÷ its | × direct fp32 roofline |",
             "|---|---|---|---|---|---|---|---|"]
    for row in rows:
        of = lambda key, form: form.format(row[key]) if key in row else "–"
        lines.append(f"| {row['task']} | {row['precision']} | {row['batch']} | {row['library']} "
                     f"| {row['milliseconds']:.2f} | {row['images_per_second']:.1f} "
                     f"| {of('times_ours', '{:.2f}')} | {of('times_direct_roofline', '{:.2f}')} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", required=True, help="the ferplus_bench to time")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("-o", "--output", type=pathlib.Path, help="folder for peers.md and peers.json")
    arguments = parser.parse_args()
    workers = find_workers(arguments)
    seconds, peaks = measure(workers, arguments.rounds)
    rows = rows_of(workers, seconds, peaks)
    print(table(rows))
    if arguments.output:
        arguments.output.mkdir(parents=True, exist_ok=True)
        machine = {"cpu": cpu_name(), "threads": arguments.threads, "rounds": arguments.rounds}
        (arguments.output / "peers.json").write_text(json.dumps({"machine": machine, "rows": rows}, indent=2) + "\n")
        (arguments.output / "peers.md").write_text(
            f"{machine['cpu']}, {machine['threads']} threads, medians of {machine['rounds']} rounds in turns.\n\n" + table(rows))


if __name__ == "__main__":
    main()
