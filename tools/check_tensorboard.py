#!/usr/bin/env python3
"""Compares a run's event file, as TensorBoard reads it, with its metrics.jsonl.

    tools/check_tensorboard.py RUN
"""
import json
import pathlib
import struct
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

TAGS = {
    "loss/train": "train_loss",
    "loss/public": "public_loss",
    "accuracy/train": "train_accuracy",
    "accuracy/public": "public_accuracy",
    "learning_rate": "learning_rate",
    "images_per_second": "images_per_second",
}


def single(value):
    return struct.unpack("f", struct.pack("f", value))[0]


def main():
    run = pathlib.Path(sys.argv[1])
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    events = EventAccumulator(str(run))
    events.Reload()
    tags = events.Tags()["scalars"]
    assert sorted(tags) == sorted(TAGS), tags
    for tag, key in TAGS.items():
        found = [(event.step, event.value, event.wall_time) for event in events.Scalars(tag)]
        expected = [(row["epoch"] + 1, single(row[key]), row["wall_time"]) for row in rows]
        assert found == expected, (tag, found, expected)
    print(f"{len(rows)} epochs, {len(tags)} tags: TensorBoard reads what metrics.jsonl says")


if __name__ == "__main__":
    main()
