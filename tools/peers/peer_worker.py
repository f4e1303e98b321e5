"""Times one library on the VGG13 of FER+, one request a line on standard input.

    peer_worker.py torch|onnxruntime|openvino [--threads 2]

Requests: `train PRECISION BATCH STEPS`, `infer PRECISION BATCH RUNS`; PRECISION is fp32 or bf16
(torch: autocast, channels-last, as its documentation advises; openvino: its precision hint; onnxruntime
has fp32 only). Answers: a JSON list of seconds,
one a step, or {"error": "…"}. The first line that it writes names the library and its version.
Random weights and inputs: time does not depend on them.
"""
import argparse
import json
import os
import sys
import tempfile
import time

BLOCKS = [(64, 2), (128, 2), (256, 3), (256, 3)]
HIDDEN, CLASSES = 1024, 8


def onnx_model(folder):
    """Writes the network into the folder and returns the file's path."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(1)
    nodes, weights = [], []
    current, channels, count = "input", 1, 0

    def weight(shape, fan_in):
        nonlocal count
        count += 1
        values = (rng.standard_normal(shape) * (2 / fan_in) ** 0.5).astype(np.float32)
        weights.append(numpy_helper.from_array(values, f"w{count}"))
        return f"w{count}"

    def add(kind, inputs, **attributes):
        nonlocal current
        current = f"{kind}{len(nodes)}"
        nodes.append(helper.make_node(kind, inputs, [current], **attributes))

    for filters, convolutions in BLOCKS:
        for _ in range(convolutions):
            add("Conv", [current, weight((filters, channels, 3, 3), channels * 9), weight((filters,), 100)],
                kernel_shape=[3, 3], pads=[1, 1, 1, 1])
            add("Relu", [current])
            channels = filters
        add("MaxPool", [current], kernel_shape=[2, 2], strides=[2, 2])
    add("Flatten", [current])
    for inputs, units in ((16 * channels, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, CLASSES)):
        add("Gemm", [current, weight((units, inputs), inputs), weight((units,), 100)], transB=1)
        if units != CLASSES:
            add("Relu", [current])
    value = lambda name, tail: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *tail])
    graph = helper.make_graph(nodes, "vgg13", [value("input", (1, 64, 64))], [value(current, (CLASSES,))], weights)
    path = os.path.join(folder, "vgg13.onnx")
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def timed(run, count):
    seconds = []
    for _ in range(count):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return seconds


class Torch:
    def __init__(self, threads):
        import torch

        torch.set_num_threads(threads)
        self.torch = torch
        self.version = f"PyTorch {torch.__version__}"
        self.ready = {}

    def network(self):
        nn = self.torch.nn
        layers, channels = [], 1
        for filters, convolutions in BLOCKS:
            for _ in range(convolutions):
                layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.ReLU(inplace=True)]
                channels = filters
            layers += [nn.MaxPool2d(2), nn.Dropout(0.25)]
        layers += [nn.Flatten(), nn.Linear(16 * channels, HIDDEN), nn.ReLU(inplace=True), nn.Dropout(0.5),
                   nn.Linear(HIDDEN, HIDDEN), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(HIDDEN, CLASSES)]
        return nn.Sequential(*layers)

    def prepare(self, task, precision, batch):
        torch = self.torch
        torch.manual_seed(1)
        network, images = self.network(), torch.randn(batch, 1, 64, 64)
        autocast = lambda: torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16")
        if precision == "bf16" or task == "infer":
            network = network.to(memory_format=torch.channels_last)
            images = images.to(memory_format=torch.channels_last)
        if task == "infer":
            network.eval()

            def infer():
                with torch.no_grad(), autocast():
                    network(images)

            return infer
        labels = torch.randint(0, CLASSES, (batch,))
        optimizer = torch.optim.SGD(network.parameters(), lr=1e-4, momentum=0.9)
        loss_of = torch.nn.CrossEntropyLoss()

        def train():
            optimizer.zero_grad()
            with autocast():
                loss = loss_of(network(images), labels)
            loss.backward()
            optimizer.step()

        return train

    def run(self, task, precision, batch, count):
        key = (task, precision, batch)
        if key not in self.ready:
            self.ready = {key: self.prepare(*key)}
            timed(self.ready[key], 3)
        return timed(self.ready[key], count)


class OnnxRuntime:
    def __init__(self, threads):
        import onnxruntime

        self.version = f"ONNX Runtime {onnxruntime.__version__}"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        with tempfile.TemporaryDirectory() as folder:
            self.session = onnxruntime.InferenceSession(onnx_model(folder), options, providers=["CPUExecutionProvider"])

    def run(self, task, precision, batch, count):
        import numpy as np

        if task != "infer" or precision != "fp32":
            raise ValueError("inference in fp32 only")
        images = {"input": np.random.default_rng(1).standard_normal((batch, 1, 64, 64)).astype(np.float32)}
        timed(lambda: self.session.run(None, images), 2)
        return timed(lambda: self.session.run(None, images), count)


class OpenVino:
    def __init__(self, threads):
        import openvino

        self.version = f"OpenVINO {openvino.__version__.split('-')[0]}"
        self.threads, self.openvino = threads, openvino
        self.folder = tempfile.TemporaryDirectory()
        self.file = onnx_model(self.folder.name)
        self.ready = {}

    def run(self, task, precision, batch, count):
        import numpy as np

        if task != "infer":
            raise ValueError("inference only")
        if (precision, batch) not in self.ready:
            core = self.openvino.Core()
            model = core.read_model(self.file)
            model.reshape([batch, 1, 64, 64])
            hint = {"fp32": "f32", "bf16": "bf16"}[precision]
            compiled = core.compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": self.threads,
                                                         "INFERENCE_PRECISION_HINT": hint,
                                                         "PERFORMANCE_HINT": "LATENCY"})
            self.ready = {(precision, batch): compiled.create_infer_request()}
        request = self.ready[(precision, batch)]
        images = np.random.default_rng(1).standard_normal((batch, 1, 64, 64)).astype(np.float32)
        timed(lambda: request.infer([images]), 2)
        return timed(lambda: request.infer([images]), count)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", choices=["torch", "onnxruntime", "openvino"])
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)
    kind = {"torch": Torch, "onnxruntime": OnnxRuntime, "openvino": OpenVino}[arguments.library]
    # What libraries print must not mix with the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = kind(arguments.threads)
    print(worker.version, file=answers, flush=True)
    for line in sys.stdin:
        task, precision, batch, count = line.split()
        try:
            answer = worker.run(task, precision, int(batch), int(count))
        except Exception as error:  # told to the driver, which leaves the entry out
            answer = {"error": str(error).splitlines()[0]}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
