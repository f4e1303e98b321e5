#!/usr/bin/env python3
"""Regenerates the arrays beside it: warp and normalize of transform.h in numpy, pixel by pixel, in float64.

Faces of several sizes and rectangles, drawn from sines and a linear congruential generator, so that
no data set is needed. Independent of the library: least squares by lstsq, mirroring by numpy.pad.
"""
import json
import os

import numpy as np

here = os.path.dirname(os.path.abspath(__file__))


def face(number, height, width):
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    state = number + 1
    noise = np.empty(height * width)
    for i in range(noise.size):
        state = (1664525 * state + 1013904223) % 2**32
        noise[i] = state / 2**32
    value = (110 + 60 * np.sin(x / (4 + number)) * np.cos(y / (3 + number)) + 1.1 * y
             + 50 * (noise.reshape(height, width) - 0.5))
    if number == 3:
        value[:] = 77  # flat: nothing to equalise
    return np.clip(np.floor(value), 0, 255).astype(np.uint8)


def warp(image, rectangle, d):
    left, top, right, bottom = rectangle
    angle = np.deg2rad(d["angle"])
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = matrix @ np.array([[1, d["skew_y"]], [0, 1]]) @ np.array([[1, 0], [d["skew_x"], 1]])
    matrix = matrix @ np.diag([d["scale_y"] * (bottom - top - 1) / 63,
                               d["scale_x"] * (right - left - 1) / 63])
    centre_in = np.array([(top + bottom) / 2, (left + right) / 2])
    centre_out = np.array([32 + d["shift_y"], 32 + d["shift_x"]])
    margin = min(image.shape)
    padded = np.pad(image.astype(np.float64), margin, mode="symmetric")
    result = np.empty((64, 64), np.uint8)
    for row in range(64):
        for column in range(64):
            y, x = (np.array([row, column]) - centre_out) @ matrix + centre_in + margin
            y0, x0 = int(np.floor(y)), int(np.floor(x))
            wy, wx = y - y0, x - x0
            value = ((1 - wy) * ((1 - wx) * padded[y0, x0] + wx * padded[y0, x0 + 1])
                     + wy * ((1 - wx) * padded[y0 + 1, x0] + wx * padded[y0 + 1, x0 + 1]))
            result[row, column] = int(np.floor(value + 0.5))
    return result[:, ::-1] if d["flip"] else result


def normalize(image):
    flat = image.ravel()
    cdf = np.bincount(flat, minlength=256).cumsum()
    equalized = 2.0 * cdf[flat] / 4096 - 1
    y, x = np.mgrid[0:64, 0:64]
    basis = np.stack([np.ones(4096), x.ravel(), y.ravel()], 1)
    rest = equalized - basis @ np.linalg.lstsq(basis, equalized, rcond=None)[0]
    deviation = np.sqrt(np.mean(rest**2))
    return (rest / deviation if deviation > 1e-6 else rest).astype(np.float32).reshape(64, 64)


identity = dict(shift_y=0, shift_x=0, angle=0, skew_y=0, skew_x=0, scale_y=1, scale_x=1, flip=False)
cases = [
    dict(size=[48, 48], face=[0, 0, 48, 48], **identity),
    dict(size=[48, 48], face=[0, 0, 48, 48], **{**identity, "shift_y": 4.9, "shift_x": -5.1,
         "angle": 19.5, "skew_y": 0.049, "skew_x": -0.047, "scale_y": 1.05, "scale_x": 1 / 1.05}),
    dict(size=[48, 48], face=[0, 0, 48, 48], **{**identity, "angle": -13.25, "flip": True,
         "shift_x": 2.5}),
    dict(size=[48, 48], face=[0, 0, 48, 48], **identity),
    dict(size=[60, 83], face=[11, 5, 70, 57], **{**identity, "angle": 7.0, "scale_y": 0.97}),
    dict(size=[200, 180], face=[3, 2, 177, 199], **{**identity, "angle": -20, "shift_y": -5,
         "flip": True}),
    dict(size=[48, 48], face=[0, 0, 48, 48], **{**identity, "shift_x": 40.2718, "shift_y": -30.5772}),
]
sources = [face(i, *case["size"]) for i, case in enumerate(cases)]
warped = [warp(image, case["face"], case) for image, case in zip(sources, cases)]
np.save(os.path.join(here, "source_u8.npy"), np.concatenate([s.ravel() for s in sources]))
np.save(os.path.join(here, "warped_u8.npy"), np.stack(warped))
np.save(os.path.join(here, "normalized_f32.npy"), np.stack([normalize(w) for w in warped]))
with open(os.path.join(here, "cases.json"), "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
