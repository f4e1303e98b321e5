#!/usr/bin/env python3
"""Writes tests/data_files/golden_network.safetensors: what a small network must compute.

An independent reference in float64 NumPy: forward and backward written out by hand, checked against
central differences on every run. It shares no code, layout or order of summation with the library.

    python3 tools/make_golden_network.py           writes the file
    python3 tools/make_golden_network.py --check   fails if the file differs from what it would write

Needs Python 3.8 and NumPy only. Deterministic: the random numbers are Python's own Mersenne Twister.

The network, on images [N, 12, 12, 1] (N = 6), activations channels-last:
    conv1  3x3 same, 6 filters, bias; relu1
    conv2  3x3 same, 8 filters, no bias; bn2 (momentum 0.1, epsilon 1e-5); relu2
    pool2  2x2 max, stride 2
    fc1    dense 16 over C, H, W order; relu3
    fc2    dense 8

Tensors, float32 unless said otherwise; parameters are laid out as PyTorch does (conv O, I, H, W;
dense O, inputs). P stands for every parameter, S for the batch-norm statistics:
    input [6,12,12,1], targets [6,8] (distributions), multi_targets [6,8] (0.001 or 1)
    initial.P, initial.S
    logits_inference    with the initial running statistics
    logits_training     with the batch's; trained.S: the running statistics afterwards
    cross_entropy.loss, max_target.loss            float64 [1], means over the batch
    cross_entropy.gradient.P, max_target.gradient.P   of the mean loss
    unit_gain.losses    float64 [10]: mean cross-entropy before each of ten SGD steps,
                        v = 0.9 v + 0.1 g, w -= 0.2 v; then unit_gain.P, unit_gain.S
    nesterov.losses     float64 [10]: mean max_target before each of ten steps of classical SGD with
                        Nesterov momentum, g += 0.005 w (conv and dense weights only),
                        v = 0.9 v + g, w -= 0.02 (g + 0.9 v); then nesterov.P, nesterov.S
"""

import json
import math
import pathlib
import random
import struct
import sys

import numpy as np

SEED = 75
BATCH, SIDE, CLASSES = 6, 12, 8
CONV1, CONV2, HIDDEN = 6, 8, 16
BN_MOMENTUM, BN_EPSILON = 0.1, 1e-5
STEPS = 10
PATH = pathlib.Path(__file__).resolve().parent.parent / "tests/data_files/golden_network.safetensors"

SHAPES = {
    "conv1.weight": (CONV1, 1, 3, 3),
    "conv1.bias": (CONV1,),
    "conv2.weight": (CONV2, CONV1, 3, 3),
    "bn2.weight": (CONV2,),
    "bn2.bias": (CONV2,),
    "fc1.weight": (HIDDEN, CONV2 * SIDE * SIDE // 4),
    "fc1.bias": (HIDDEN,),
    "fc2.weight": (CLASSES, HIDDEN),
    "fc2.bias": (CLASSES,),
}
DECAYS = {"conv1.weight", "conv2.weight", "fc1.weight", "fc2.weight"}

# Smallest distances from a kink met so far: a relu's input from 0, a pool's two largest, the best two
# of max_target. The seed is one for which float32 stays on the same side everywhere.
margins = {"relu": math.inf, "pool": math.inf, "max_target": math.inf}


def closest(kind, value):
    margins[kind] = min(margins[kind], float(value))


# --- layers: each forward returns (output, what its backward needs) ---


def conv_forward(x, weight):
    """Same-padded 3x3 cross-correlation: x [N,H,W,C], weight [O,C,3,3]."""
    height, width = x.shape[1:3]
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    y = np.zeros(x.shape[:3] + (weight.shape[0],))
    for r in range(3):
        for s in range(3):
            window = padded[:, r : r + height, s : s + width, :]
            y += np.einsum("nhwc,oc->nhwo", window, weight[:, :, r, s])
    return y, (padded, weight)


def conv_backward(dy, saved):
    padded, weight = saved
    height, width = dy.shape[1:3]
    dweight = np.zeros_like(weight)
    dpadded = np.zeros_like(padded)
    for r in range(3):
        for s in range(3):
            window = padded[:, r : r + height, s : s + width, :]
            dweight[:, :, r, s] = np.einsum("nhwo,nhwc->oc", dy, window)
            dpadded[:, r : r + height, s : s + width, :] += np.einsum("nhwo,oc->nhwc", dy, weight[:, :, r, s])
    return dpadded[:, 1:-1, 1:-1, :], dweight


def relu_forward(x):
    closest("relu", np.abs(x).min())
    return np.maximum(x, 0), x > 0


def batch_norm_forward(x, weight, bias, state, training):
    if training:
        mean = x.mean(axis=(0, 1, 2))
        variance = ((x - mean) ** 2).mean(axis=(0, 1, 2))
        count = x.shape[0] * x.shape[1] * x.shape[2]
        state["bn2.running_mean"] += BN_MOMENTUM * (mean - state["bn2.running_mean"])
        state["bn2.running_var"] += BN_MOMENTUM * (variance * count / (count - 1) - state["bn2.running_var"])
    else:
        mean, variance = state["bn2.running_mean"], state["bn2.running_var"]
    deviation = np.sqrt(variance + BN_EPSILON)
    normalised = (x - mean) / deviation
    return weight * normalised + bias, (normalised, deviation, weight)


def batch_norm_backward(dy, saved):
    normalised, deviation, weight = saved
    axes = (0, 1, 2)
    dnormalised = dy * weight
    dx = (dnormalised - dnormalised.mean(axis=axes) - normalised * (dnormalised * normalised).mean(axis=axes)) / deviation
    return dx, (dy * normalised).sum(axis=axes), dy.sum(axis=axes)


def pool_forward(x):
    n, height, width, channels = x.shape
    windows = x.reshape(n, height // 2, 2, width // 2, 2, channels).transpose(0, 1, 3, 5, 2, 4)
    windows = windows.reshape(n, height // 2, width // 2, channels, 4)
    order = np.sort(windows, axis=-1)
    # Ties between zeros (after relu) pass no gradient on.
    gap = (order[..., 3] - order[..., 2])[order[..., 3] > 0]
    closest("pool", gap.min())
    place = windows.argmax(axis=-1)
    return order[..., 3], (x.shape, place)


def pool_backward(dy, saved):
    shape, place = saved
    dx = np.zeros(shape)
    for (n, y, x, c), gradient in np.ndenumerate(dy):
        dx[n, 2 * y + place[n, y, x, c] // 2, 2 * x + place[n, y, x, c] % 2, c] += gradient
    return dx


# --- losses: (mean loss, its gradient with respect to the logits) ---


def log_softmax(z):
    shifted = z - z.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def cross_entropy(z, targets):
    log_p = log_softmax(z)
    gradient = np.exp(log_p) * targets.sum(axis=1, keepdims=True) - targets
    return -(targets * log_p).sum() / len(z), gradient / len(z)


def max_target(z, targets):
    log_p = log_softmax(z)
    scores = targets * np.exp(log_p)
    order = np.sort(scores, axis=1)
    closest("max_target", (order[:, -1] / order[:, -2] - 1).min())
    best = scores.argmax(axis=1)
    gradient = np.exp(log_p) - np.eye(CLASSES)[best]
    return -np.log(scores.max(axis=1)).sum() / len(z), gradient / len(z)


# --- the network ---


def forward(p, state, x, training):
    y, conv1 = conv_forward(x, p["conv1.weight"])
    y, relu1 = relu_forward(y + p["conv1.bias"])
    y, conv2 = conv_forward(y, p["conv2.weight"])
    y, bn2 = batch_norm_forward(y, p["bn2.weight"], p["bn2.bias"], state, training)
    y, relu2 = relu_forward(y)
    y, pool2 = pool_forward(y)
    image_shape = y.shape
    flat = y.transpose(0, 3, 1, 2).reshape(len(y), -1)
    hidden, relu3 = relu_forward(np.einsum("ni,oi->no", flat, p["fc1.weight"]) + p["fc1.bias"])
    logits = np.einsum("ni,oi->no", hidden, p["fc2.weight"]) + p["fc2.bias"]
    return logits, (conv1, relu1, conv2, bn2, relu2, pool2, image_shape, flat, relu3, hidden)


def backward(p, saved, dlogits):
    conv1, relu1, conv2, bn2, relu2, pool2, image_shape, flat, relu3, hidden = saved
    g = {}
    g["fc2.weight"] = np.einsum("no,ni->oi", dlogits, hidden)
    g["fc2.bias"] = dlogits.sum(axis=0)
    dy = np.einsum("no,oi->ni", dlogits, p["fc2.weight"]) * relu3
    g["fc1.weight"] = np.einsum("no,ni->oi", dy, flat)
    g["fc1.bias"] = dy.sum(axis=0)
    dy = np.einsum("no,oi->ni", dy, p["fc1.weight"])
    n, height, width, channels = image_shape
    dy = dy.reshape(n, channels, height, width).transpose(0, 2, 3, 1)
    dy = pool_backward(dy, pool2) * relu2
    dy, g["bn2.weight"], g["bn2.bias"] = batch_norm_backward(dy, bn2)
    dy, g["conv2.weight"] = conv_backward(dy, conv2)
    dy = dy * relu1
    g["conv1.bias"] = dy.sum(axis=(0, 1, 2))
    _, g["conv1.weight"] = conv_backward(dy, conv1)
    return g


def copy_of(arrays):
    return {name: array.copy() for name, array in arrays.items()}


def check_gradients(p, state, x, loss, targets, gradients, rng):
    """Central differences of a few values of every parameter."""
    step = 1e-6
    for name, gradient in gradients.items():
        for _ in range(4):
            index = tuple(rng.randrange(size) for size in gradient.shape)
            values = []
            for sign in (1, -1):
                moved = copy_of(p)
                moved[name][index] += sign * step
                values.append(loss(forward(moved, copy_of(state), x, True)[0], targets)[0])
            numeric = (values[0] - values[1]) / (2 * step)
            if abs(numeric - gradient[index]) > 1e-8 + 1e-6 * abs(numeric):
                raise SystemExit(f"{name}{index}: gradient {gradient[index]}, by differences {numeric}")


def train(p, state, x, loss, targets, rate, unit_gain, nesterov, decay):
    p, state, losses = copy_of(p), copy_of(state), []
    velocity = {name: np.zeros_like(value) for name, value in p.items()}
    for _ in range(STEPS):
        logits, saved = forward(p, state, x, True)
        value, dlogits = loss(logits, targets)
        losses.append(value)
        for name, g in backward(p, saved, dlogits).items():
            if name in DECAYS:
                g = g + decay * p[name]
            if unit_gain:
                g = 0.1 * g
            velocity[name] = 0.9 * velocity[name] + g
            p[name] = p[name] - rate * (g + 0.9 * velocity[name] if nesterov else velocity[name])
    return losses, p, state


# --- data and file ---


def uniform(rng, shape, low, high):
    """Values that float32 holds exactly."""
    values = [low + (high - low) * rng.random() for _ in range(math.prod(shape))]
    return np.array(values, np.float32).astype(np.float64).reshape(shape)


def make_tensors():
    rng = random.Random(SEED)
    p = {}
    for name, shape in SHAPES.items():
        limit = math.sqrt(6 / math.prod(shape[1:])) if name in DECAYS else 0.3
        p[name] = uniform(rng, shape, -limit, limit)
    p["bn2.weight"] = uniform(rng, (CONV2,), 0.5, 1.5)
    state = {
        "bn2.running_mean": uniform(rng, (CONV2,), -0.5, 0.5),
        "bn2.running_var": uniform(rng, (CONV2,), 0.5, 2),
    }
    x = uniform(rng, (BATCH, SIDE, SIDE, 1), -2, 2)
    targets = uniform(rng, (BATCH, CLASSES), 0, 1) ** 3
    targets = (targets / targets.sum(axis=1, keepdims=True)).astype(np.float32).astype(np.float64)
    multi = [[1.0 if rng.random() < 0.3 else 0.001 for _ in range(CLASSES)] for _ in range(BATCH)]
    multi = np.array(multi, np.float32).astype(np.float64)

    out = {"input": x, "targets": targets, "multi_targets": multi}

    def add(prefix, arrays):
        for name, array in arrays.items():
            out[prefix + name] = array

    add("initial.", p)
    add("initial.", state)
    out["logits_inference"] = forward(p, copy_of(state), x, False)[0]
    trained = copy_of(state)
    out["logits_training"], saved = forward(p, trained, x, True)
    add("trained.", trained)
    doubles = {}
    for loss, wanted in ((cross_entropy, targets), (max_target, multi)):
        value, dlogits = loss(out["logits_training"], wanted)
        gradients = backward(p, saved, dlogits)
        check_gradients(p, state, x, loss, wanted, gradients, rng)
        doubles[loss.__name__ + ".loss"] = [value]
        add(loss.__name__ + ".gradient.", gradients)
    runs = {
        "unit_gain": train(p, state, x, cross_entropy, targets, 0.2, True, False, 0.0),
        "nesterov": train(p, state, x, max_target, multi, 0.02, False, True, 0.005),
    }
    for name, (losses, final, final_state) in runs.items():
        doubles[name + ".losses"] = losses
        add(name + ".", final)
        add(name + ".", final_state)
    return out, doubles


def safetensors(singles, doubles):
    """The file's bytes; float64 first, then float32, each by name, as the format asks."""
    header, data = {}, b""
    # Twelve digits: the last bits of float64 sums are the machine's own.
    tensors = [(n, "F64", np.array([float(f"{v:.12e}") for v in doubles[n]])) for n in sorted(doubles)]
    tensors += [(n, "F32", singles[n]) for n in sorted(singles)]
    for name, kind, array in tensors:
        content = np.ascontiguousarray(array, "<f8" if kind == "F64" else "<f4").tobytes()
        header[name] = {
            "dtype": kind,
            "shape": list(array.shape),
            "data_offsets": [len(data), len(data) + len(content)],
        }
        data += content
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def main():
    singles, doubles = make_tensors()
    content = safetensors(singles, doubles)
    for name in ("unit_gain.losses", "nesterov.losses"):
        print(name, " ".join(f"{value:.6f}" for value in doubles[name]))
    print("distance from kinks:", ", ".join(f"{kind} {value:.1e}" for kind, value in margins.items()))
    if "--check" in sys.argv[1:]:
        if PATH.read_bytes() != content:
            raise SystemExit(f"{PATH} differs")
        print(f"{PATH.name} is up to date, {len(content)} bytes")
    else:
        PATH.write_bytes(content)
        print(f"wrote {PATH.name}, {len(content)} bytes")


if __name__ == "__main__":
    main()
