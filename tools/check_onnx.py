#!/usr/bin/env python3
"""What tools/check_onnx.sh compares.

  check_onnx.py logits GRAPH.onnx PREFIX --batch N   ONNX Runtime on PREFIX.input against PREFIX.logits
  check_onnx.py safetensors MODEL.safetensors BACK.safetensors
      MODEL, a vgg13_bn, through Python's safetensors into a PyTorch module and back into a file
"""
import argparse
import sys

import numpy as np

BOUND = 1e-4


def logits(arguments):
    import onnx
    import onnxruntime
    model = onnx.load(arguments.graph)
    onnx.checker.check_model(model, full_check=True)
    # A graph that ends in a softmax is compared before it.
    last = model.graph.node[-1]
    if last.op_type == 'Softmax':
        model.graph.output[0].name = last.input[0]
        model.graph.node.pop()
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=['CPUExecutionProvider'])
    graph_input = session.get_inputs()[0]
    inputs = np.fromfile(arguments.prefix + '.input', np.float32).reshape(-1, 1, 64, 64)
    expected = np.fromfile(arguments.prefix + '.logits', np.float32).reshape(-1, 8)
    if graph_input.shape[-1] == 1:
        inputs = inputs.reshape(-1, 64, 64, 1)
    for batch in arguments.batch:
        got = np.concatenate([session.run(None, {graph_input.name: inputs[i:i + batch]})[0]
                              for i in range(0, len(inputs), batch)])
        worst = np.abs(got - expected).max()
        name = arguments.graph.rsplit('/', 1)[-1]
        print(f'{name}, batch {batch}: {len(inputs)} faces, logits up to {np.abs(expected).max():.2f}, '
              f'largest difference {worst:.2g}')
        if not worst <= BOUND:
            sys.exit(f'above {BOUND}')


def safetensors(arguments):
    from safetensors import safe_open
    from safetensors.numpy import load_file
    arrays = load_file(arguments.model)
    print(f'{len(arrays)} arrays read by safetensors')
    try:
        import torch
        from torch import nn
    except ImportError:
        print('no torch: load_state_dict is left out')
        return

    class Vgg(nn.Module):
        def __init__(self):
            super().__init__()
            channels = 1
            for block, filters in enumerate([(64, 64), (128, 128), (256,) * 3, (256,) * 3], 1):
                for i, k in enumerate(filters, 1):
                    self.add_module(f'conv{block}_{i}', nn.Conv2d(channels, k, 3, padding=1, bias=False))
                    self.add_module(f'bn{block}_{i}', nn.BatchNorm2d(k))
                    channels = k
            self.fc1, self.fc_bn1 = nn.Linear(4096, 1024, bias=False), nn.BatchNorm1d(1024)
            self.fc2, self.fc_bn2 = nn.Linear(1024, 1024, bias=False), nn.BatchNorm1d(1024)
            self.fc3 = nn.Linear(1024, 8)

        def forward(self, x):
            for block, count in enumerate((2, 2, 3, 3), 1):
                for i in range(1, count + 1):
                    x = torch.relu(getattr(self, f'bn{block}_{i}')(getattr(self, f'conv{block}_{i}')(x)))
                x = torch.max_pool2d(x, 2)
            x = torch.relu(self.fc_bn1(self.fc1(x.flatten(1))))
            return self.fc3(torch.relu(self.fc_bn2(self.fc2(x))))

    module = Vgg().eval()
    state = {name: torch.from_numpy(values.copy()) for name, values in arrays.items()}
    # PyTorch also counts batches, which no result depends on.
    missing, unexpected = module.load_state_dict(state, strict=False)
    if unexpected or any(not name.endswith('num_batches_tracked') for name in missing):
        sys.exit(f'load_state_dict: missing {missing}, unexpected {unexpected}')
    prefix = arguments.model[:-len('.safetensors')]
    inputs = np.fromfile(prefix + '.input', np.float32).reshape(-1, 1, 64, 64)
    expected = np.fromfile(prefix + '.logits', np.float32).reshape(-1, 8)
    with torch.no_grad():
        got = module(torch.from_numpy((inputs - np.float32(127.5)) / np.float32(255))).numpy()
    worst = np.abs(got - expected).max()
    print(f'load_state_dict: {len(inputs)} faces, largest difference of logits {worst:.2g}')
    if not worst <= BOUND:
        sys.exit(f'above {BOUND}')
    # Back, with the metadata that says what the model is, but for the hash of its bytes.
    with safe_open(arguments.model, 'np') as file:
        metadata = file.metadata()
    del metadata['content_hash']
    from safetensors.numpy import save_file
    save_file({name: values.numpy() for name, values in module.state_dict().items() if name in arrays},
              arguments.back, metadata)


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser('logits')
    one.add_argument('graph')
    one.add_argument('prefix')
    one.add_argument('--batch', type=int, action='append', required=True)
    one.set_defaults(run=logits)
    one = commands.add_parser('safetensors')
    one.add_argument('model')
    one.add_argument('back')
    one.set_defaults(run=safetensors)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == '__main__':
    main()
