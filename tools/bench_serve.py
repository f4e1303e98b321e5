#!/usr/bin/env python3
"""Times `ferplus serve`: predictions a second, latencies, and whether memory grows.

    tools/bench_serve.py BUILD [--connections 1 --connections 8 …] [--requests 5000] [--json FILE]

Each connection is a thread of this program that sends the same synthetic face again and again, and
waits for each answer; this program runs beside the server, on the same processors. Prints a Markdown
table; memory is the server's resident set after a tenth of the requests and after all of them.
"""
import argparse
import http.client
import json
import pathlib
import statistics
import tempfile
import threading
import time
import urllib.request
from contextlib import closing

from serve_process import Server


def resident_kb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise SystemExit("no VmRSS")


def ask(port, picture, requests, milliseconds, failures):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    try:
        for _ in range(requests):
            start = time.perf_counter()
            connection.request("POST", "/predict", picture)
            answer = connection.getresponse()
            answer.read()
            milliseconds.append(1000 * (time.perf_counter() - start))
            if answer.status != 200:
                failures.append(f"status {answer.status}")
    except (OSError, http.client.HTTPException) as error:
        failures.append(repr(error))


def load(port, picture, connections, requests):
    milliseconds, failures = [], []
    threads = [threading.Thread(target=ask, args=(port, picture, max(1, requests // connections),
                                                  milliseconds, failures))
               for _ in range(connections)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    if failures:
        raise SystemExit(f"{len(failures)} requests failed, the first with {failures[0]}")
    milliseconds.sort()
    return {"connections": connections, "requests": len(milliseconds),
            "per_second": len(milliseconds) / seconds,
            "median_ms": statistics.median(milliseconds),
            "p99_ms": milliseconds[int(0.99 * (len(milliseconds) - 1))]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--connections", type=int, action="append")
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        with closing(Server(arguments.build / "bin" / "ferplus", pathlib.Path(folder))) as server:
            port = int(server.url.rstrip("/").rsplit(":", 1)[1])
            with urllib.request.urlopen(server.url + "api/samples/happiness.png") as answer:
                picture = answer.read()
            load(port, picture, 4, arguments.requests // 10)
            early = resident_kb(server.process.pid)
            for connections in arguments.connections or [1, 2, 8, 64]:
                rows.append(load(port, picture, connections, arguments.requests))
            late = resident_kb(server.process.pid)
    print("| connections | predictions a second | median | 99 of 100 below |\n|---|---|---|---|")
    for row in rows:
        print(f"| {row['connections']} | {row['per_second']:.0f} | {row['median_ms']:.2f} ms "
              f"| {row['p99_ms']:.2f} ms |")
    total = sum(row["requests"] for row in rows)
    print(f"\nMemory {early:,} kB after {arguments.requests // 10:,} requests, "
          f"{late:,} kB after {total:,} more.")
    if arguments.json:
        arguments.json.write_text(json.dumps({"rows": rows, "early_kb": early, "late_kb": late},
                                             indent=2) + "\n")


if __name__ == "__main__":
    main()
