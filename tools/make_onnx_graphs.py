#!/usr/bin/env python3
"""Foreign ONNX graphs for tests of the importer, with random weights.

  tools/make_onnx_graphs.py OUT          full-size VGG13 graphs, for tools/check_onnx.sh
  tools/make_onnx_graphs.py OUT --tiny   the same with few channels, and the logits that ONNX
                                         Runtime gives for one input: tests/data_files/onnx

zoo_*: the graph of the model zoo's emotion-ferplus with its names, in the forms of opsets 2, 7 and 8
(CNTK). nhwc: as tf2onnx writes a Keras model. computed: weights and shapes computed from constants,
in the forms that the importer reads. torch_*: exported by PyTorch, left out without it.
Needs numpy, onnx and onnxruntime, none of which the build needs. ONNX Runtime does not run the
broadcast attributes of opset 2: the logits of zoo_opset2 are those of zoo_opset8, whose weights it
shares.
"""
import argparse
import json
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CONVS = [(362, 3, 4, 0), (380, 23, 24, 398), (418, 63, 64, 0), (436, 83, 84, 454), (474, 575, 576, 0),
         (492, 595, 596, 0), (510, 615, 616, 528), (548, 655, 656, 0), (566, 675, 676, 0),
         (584, 695, 696, 602)]
DENSE = [(622, 624, 636, 646, 1367, 1368), (656, 658, 670, 680, 1403, 1404), (690, 692, 0, 0, 1693, 1694)]
FULL = dict(filters=[64, 64, 128, 128, 256, 256, 256, 256, 256, 256], hidden=1024)
TINY = dict(filters=[2, 3, 2, 4, 3, 4, 3, 2, 4, 3], hidden=8)


def gray_input():
    """64x64 values 0..255 that a test can make again."""
    i = np.arange(64 * 64, dtype=np.int64)
    return ((i * i * 31 + i * 7) % 251).astype(np.float32).reshape(1, 1, 64, 64)


class Weights:
    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def __call__(self, *shape):
        fan_in = np.prod(shape[1:]) if len(shape) == 4 else shape[0]
        return (self.rng.standard_normal(shape) * np.sqrt(2 / fan_in)).astype(np.float32)

    def bias(self, *shape):
        return self.rng.uniform(-0.2, 0.2, shape).astype(np.float32)


def zoo(opset, size):
    """Node by node what CNTK exported: 52 nodes."""
    w, nodes, initializers = Weights(5), [], []
    legacy = opset < 7

    def array(name, value):
        initializers.append(numpy_helper.from_array(value, name))
        return name

    def node(op, name, inputs, output=None, **attributes):
        nodes.append(helper.make_node(op, inputs, [output or name + '_Output_0'], name=name, **attributes))
        return output or name + '_Output_0'

    def reshape(name, value, shape, output):
        if legacy:
            return node('Reshape', name, [value], output, shape=shape)
        return node('Reshape', name, [value, array(name + '_shape', np.array(shape, np.int64))], output)

    broadcast = dict(broadcast=1) if legacy else {}
    filters, hidden = size['filters'], size['hidden']
    last = filters[-1]
    first_dense = w(last * 16, hidden).reshape(last, 4, 4, hidden)
    reshaped = reshape('Times622_reshape1', array('Parameter1367', first_dense), [last * 16, hidden],
                       'Parameter1367_reshape1')
    x = node('Sub', 'Minus340', ['Input3', array('Constant339', np.array(127.5, np.float32))], **broadcast)
    x = node('Div', 'Block352', [x, array('Constant343', np.array(255, np.float32))], **broadcast)
    channels = 1
    for (number, weight, bias, pool), k in zip(CONVS, filters):
        x = node('Conv', f'Convolution{number}', [x, array(f'Parameter{weight}', w(k, channels, 3, 3))],
                 kernel_shape=[3, 3], strides=[1, 1], auto_pad='SAME_UPPER', group=1, dilations=[1, 1])
        x = node('Add', f'Plus{number + 2}', [x, array(f'Parameter{bias}', w.bias(k, 1, 1))], **broadcast)
        x = node('Relu', f'ReLU{number + 4}', [x])
        channels = k
        if pool:
            x = node('MaxPool', f'Pooling{pool}', [x], kernel_shape=[2, 2], strides=[2, 2],
                     pads=[0, 0, 0, 0], auto_pad='NOTSET')
            x = node('Dropout', f'Dropout{pool + 10}', [x], ratio=0.25, **(dict(is_test=1) if legacy else {}))
    x = reshape('Dropout612_Output_0_reshape0', x, [1, last * 16], 'Dropout612_Output_0_reshape0')
    for times, plus, relu, dropout, weight, bias in DENSE:
        units = hidden if relu else 8
        matrix = reshaped if times == 622 else array(f'Parameter{weight}', w(hidden, units))
        x = node('MatMul', f'Times{times}', [x, matrix])
        x = node('Add', f'Plus{plus}', [x, array(f'Parameter{bias}', w.bias(units))], **broadcast)
        if relu:
            x = node('Relu', f'ReLU{relu}', [x])
            x = node('Dropout', f'Dropout{dropout}', [x], ratio=0.5, **(dict(is_test=1) if legacy else {}))
    value = helper.make_tensor_value_info
    inputs = [value('Input3', TensorProto.FLOAT, [1, 1, 64, 64])]
    inputs += [value(i.name, i.data_type, list(i.dims)) for i in initializers]
    graph = helper.make_graph(nodes, 'CNTKGraph', inputs, [value(x, TensorProto.FLOAT, [1, 8])], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', opset)], producer_name='CNTK')
    model.ir_version = 3
    return model


def nhwc(size):
    """Images are [N, 64, 64, 1]; biases and batch-norm meet them in either layout; rows are flattened in
    H, W, C order through computed shapes; a softmax ends it."""
    w, nodes, initializers, count = Weights(6), [], [], [0]

    def array(value):
        name = f'const_{len(initializers)}'
        initializers.append(numpy_helper.from_array(value, name))
        return name

    def node(op, *inputs, **attributes):
        count[0] += 1
        nodes.append(helper.make_node(op, inputs, [f't{count[0]}'], name=f'model/{op}_{count[0]}', **attributes))
        return f't{count[0]}'

    x = node('Mul', 'input_1', array(np.array(1 / 255, np.float32)))
    x = node('Transpose', x, perm=[0, 3, 1, 2])
    channels = 1
    for i, k in enumerate(size['filters']):
        x = node('Conv', x, array(w(k, channels, 3, 3)), kernel_shape=[3, 3], auto_pad='SAME_UPPER')
        if i % 3 == 0:
            x = node('Transpose', x, perm=[0, 2, 3, 1])
            x = node('Add', x, array(w.bias(k)))
            x = node('Relu', x)
            x = node('Transpose', x, perm=[0, 3, 1, 2])
            x = node('BatchNormalization', x, array(w.bias(k) + 1), array(w.bias(k)), array(w.bias(k)),
                     array(np.abs(w.bias(k)) + 0.9), epsilon=1e-3)
        else:
            x = node('Add', x, array(w.bias(1, k, 1, 1)))
            x = node('Relu', x)
        channels = k
        if CONVS[i][3]:
            x = node('MaxPool', x, kernel_shape=[2, 2], strides=[2, 2], auto_pad='VALID')
    x = node('Transpose', x, perm=[0, 2, 3, 1])
    sizes = node('Cast', node('Shape', x), to=TensorProto.INT32)
    batch = node('Squeeze', node('Slice', sizes, array(np.array([0])), array(np.array([1])), array(np.array([0]))),
                 array(np.array([0])))
    shape = node('Concat', node('Unsqueeze', batch, array(np.array([0]))), array(np.array([-1], np.int32)), axis=0)
    x = node('Reshape', x, node('Cast', shape, to=TensorProto.INT64))
    inputs = channels * 16
    for units, last in ((size['hidden'], False), (size['hidden'], False), (8, True)):
        x = node('MatMul', x, array(w(inputs, units)))
        x = node('Add', x, array(w.bias(units)))
        if not last:
            x = node('Relu', x)
        inputs = units
    logits = x
    node('Softmax', logits, axis=-1)
    value = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, 'tf2onnx', [value('input_1', TensorProto.FLOAT, ['N', 64, 64, 1])],
                              [value(nodes[-1].output[0], TensorProto.FLOAT, ['N', 8])], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)], producer_name='tf2onnx')
    model.ir_version = 7
    return model, logits


def computed():
    """A convolution and a dense layer whose scale, bias, weights and shape are computed from constants."""
    w, nodes, count = Weights(8), [], [0]

    def node(op, *inputs, **attributes):
        count[0] += 1
        nodes.append(helper.make_node(op, inputs, [f't{count[0]}'], name=f'{op}_{count[0]}', **attributes))
        return f't{count[0]}'

    def array(value):
        return node('Constant', value=numpy_helper.from_array(value))

    def filled(count, value):
        return node('ConstantOfShape', node('Constant', value_ints=[count]), value=numpy_helper.from_array(value))

    two = node('Constant', value_int=2)
    scale = node('Div', node('Cast', two, to=TensorProto.FLOAT), node('Constant', value_float=255.0))
    x = node('Mul', 'faces', scale)
    bias = node('Add', filled(2, np.array([0.25], np.float32)), array(np.array([0.5, -0.125], np.float32)))
    x = node('Conv', x, array(w(2, 1, 4, 4)), bias, kernel_shape=[4, 4], strides=[4, 4])
    x = node('MaxPool', node('Relu', x), kernel_shape=[4, 4], strides=[4, 4])
    sixteen = node('Cast', array(np.array([16], np.float32)), to=TensorProto.INT64)
    batch = node('Sub', filled(1, np.array([2], np.int64)), node('Constant', value_ints=[3]))
    x = node('Reshape', x, node('Concat', batch, node('Mul', sixteen, two), axis=0))
    x = node('MatMul', x, node('Flatten', array(w(32, 8).reshape(32, 2, 4)), axis=1))
    last = node('Mul', node('Cast', array(np.arange(8)), to=TensorProto.FLOAT), node('Constant', value_float=0.1))
    x = node('Add', x, last)
    value = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, 'computed', [value('faces', TensorProto.FLOAT, ['N', 1, 64, 64])],
                              [value(x, TensorProto.FLOAT, ['N', 8])])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)])
    model.ir_version = 7
    helper.set_model_props(model, {'preprocessing': 'raw', 'ferplus.note': 'kept', 'other': 'left'})
    return model


def torch_models(size):
    """VGG13 as PyTorch would hold it, and (tiny only) a network of what else Conv and pooling can do."""
    import torch
    from torch import nn

    class Vgg(nn.Module):
        def __init__(self):
            super().__init__()
            layers, channels = [], 1
            for (_, _, _, pool), k in zip(CONVS, size['filters']):
                layers += [nn.Conv2d(channels, k, 3, padding=1), nn.BatchNorm2d(k), nn.ReLU()]
                channels = k
                if pool:
                    layers += [nn.MaxPool2d(2), nn.Dropout(0.25)]
            self.features = nn.Sequential(*layers)
            hidden = size['hidden']
            self.classifier = nn.Sequential(
                nn.Linear(channels * 16, hidden), nn.ReLU(), nn.Dropout(0.5), nn.Linear(hidden, hidden), nn.ReLU(),
                nn.Dropout(0.5), nn.Linear(hidden, 8))

        def forward(self, x):
            x = self.features(x / 255)
            return self.classifier(x.view(x.size(0), -1))

    class Odd(nn.Module):
        """Strides, groups, dilations, non-square and asymmetric windows, a batch-norm after a ReLU."""

        def __init__(self):
            super().__init__()
            self.features = nn.Sequential(
                nn.Conv2d(1, 4, 5, stride=2, padding=2), nn.ReLU(), nn.BatchNorm2d(4),
                nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False), nn.Conv2d(4, 6, 1), nn.BatchNorm2d(6), nn.ReLU(),
                nn.MaxPool2d(3, stride=2, padding=1), nn.Conv2d(6, 6, (1, 3), padding=(0, 1), groups=2), nn.ReLU(),
                nn.Conv2d(6, 5, 3, padding=2, dilation=2), nn.ReLU(),
                nn.AvgPool2d(3, stride=2, padding=1), nn.MaxPool2d(3, stride=2, ceil_mode=True),
                nn.AdaptiveAvgPool2d(1))
            self.classifier = nn.Linear(5, 8)

        def forward(self, x):
            return torch.log_softmax(self.classifier(torch.flatten(self.features(x * 0.01 - 1), 1)), 1)

    torch.manual_seed(7)
    models = {'torch': Vgg(), **({'torch_odd': Odd()} if size is TINY else {})}
    for model in models.values():
        model.eval()
        for module in model.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(module.weight, nonlinearity='relu')
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.running_mean, -0.3, 0.3)
                nn.init.uniform_(module.running_var, 0.5, 2)
                nn.init.uniform_(module.weight, 0.7, 1.4)
                nn.init.uniform_(module.bias, -0.2, 0.2)
    return torch, models


def run(model, x, output=None):
    import onnxruntime
    if output:
        model = onnx.ModelProto.FromString(model.SerializeToString())
        model.graph.output.append(helper.make_tensor_value_info(output, TensorProto.FLOAT, ['N', 8]))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=['CPUExecutionProvider'])
    return session.run([output] if output else None, {session.get_inputs()[0].name: x})[0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('out', type=pathlib.Path)
    parser.add_argument('--tiny', action='store_true')
    arguments = parser.parse_args()
    size = TINY if arguments.tiny else FULL
    out = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    expected, x = {}, gray_input()

    for opset in (2, 7, 8):
        model = zoo(opset, size)
        onnx.checker.check_model(model)
        onnx.save(model, out / f'zoo_opset{opset}.onnx')
        expected[f'zoo_opset{opset}'] = run(zoo(8, size), x)
    model, logits = nhwc(size)
    onnx.checker.check_model(model)
    onnx.save(model, out / 'nhwc.onnx')
    expected['nhwc'] = run(model, x.reshape(1, 64, 64, 1), logits)
    model = computed()
    onnx.checker.check_model(model)
    onnx.save(model, out / 'computed.onnx')
    expected['computed'] = run(model, x)
    try:
        torch, models = torch_models(size)
    except ImportError:
        print('no torch: its graphs are left out')
        models = {}
    for name, module in models.items():
        for opset in (9, 13, 17):
            path = out / f'{name}_opset{opset}.onnx'
            # Once with batch-norm as nodes, as old exporters write it.
            keep = dict(training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False) if opset == 9 else {}
            torch.onnx.export(module, torch.zeros(2, 1, 64, 64), str(path), opset_version=opset,
                              input_names=['input'], output_names=['output'],
                              dynamic_axes={'input': {0: 'batch'}, 'output': {0: 'batch'}}, **keep)
            model = onnx.load(path)
            onnx.checker.check_model(model)
            for node in model.graph.node:
                node.doc_string = ''
            onnx.save(model, path)
            expected[path.stem] = run(model, x)
    if arguments.tiny:
        (out / 'expected.json').write_text(json.dumps(
            {name: [float(v) for v in values.reshape(-1)] for name, values in sorted(expected.items())}, indent=1) + '\n')


if __name__ == '__main__':
    main()
