"""Writes inputs for the fuzzers to start from, a folder a target: files of the tests, and PNG and
safetensors files of every form that the readers know.

    make_fuzz_seeds.py FOLDER
"""
import json
import pathlib
import shutil
import struct
import sys
import zlib

DATA = pathlib.Path(__file__).resolve().parent.parent / "tests" / "data_files"


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(color, depth, interlaced=False, extra=b"", side=9):
    """Rows of a gradient, in any of PNG's colour types and depths."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    width = (side * channels * depth + 7) // 8
    passes = [(side, width)]
    if interlaced:
        passes = []
        for x, y, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
                             (0, 1, 1, 2)):
            columns, rows = -(-(side - x) // dx), -(-(side - y) // dy)
            if columns > 0 and rows > 0:
                passes.append((rows, (columns * channels * depth + 7) // 8))
    body = b"".join(bytes([row % 5]) + bytes((7 * row + 3 * i) % 256 for i in range(columns))
                    for rows, columns in passes for row in range(rows))
    header = struct.pack(">IIBBBBB", side, side, depth, color, 0, 0, int(interlaced))
    palette = chunk(b"PLTE", bytes(range(48))) if color == 3 else b""
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + palette + extra +
            chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b""))


def exif(order, orientation):
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(order + "IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def safetensors(header, body=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def seeds():
    for path in (DATA / "onnx").glob("*.onnx"):
        yield "fuzz_onnx", path.name, path.read_bytes()
    for path in (DATA / "jpeg").glob("*.jpg"):
        yield "fuzz_jpeg", path.name, path.read_bytes()
    for color, depths in ((0, (1, 2, 4, 8, 16)), (2, (8, 16)), (3, (1, 2, 4, 8)), (4, (8, 16)), (6, (8, 16))):
        for depth in depths:
            for interlaced in (False, True):
                yield "fuzz_png", f"color{color}-{depth}-{int(interlaced)}", png(color, depth, interlaced)
    for order in "<>":
        for orientation in (1, 3, 6, 8):
            yield "fuzz_png", f"exif{orientation}{order == '<'}", png(2, 8, extra=chunk(b"eXIf", exif(order, orientation)))
    yield "fuzz_png", "transparent", png(3, 8, extra=chunk(b"tRNS", bytes(8)))
    yield "fuzz_png", "gamma", png(0, 8, extra=chunk(b"gAMA", struct.pack(">I", 45455)))
    types = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
    for name, size in types.items():
        tensor = {"dtype": name, "shape": [2, 3], "data_offsets": [0, 6 * size]}
        yield "fuzz_safetensors", name, safetensors({"__metadata__": {"a": "b", "c": "\u00e9"}, "t": tensor}, bytes(6 * size))
    two = {"a": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]},
           "b": {"dtype": "U8", "shape": [0, 5], "data_offsets": [4, 4]}}
    yield "fuzz_safetensors", "two", safetensors(two, bytes(4))
    for number, text in enumerate((b"{}", b"[]", b'{"a":1}', b'{"a":{"dtype":"F32"}}', b'{"a":{"shape":[-1]}}',
                                   b'{"a":{"shape":[1.5]}}', b'{"__metadata__":{"a":1}}', b'{"a":null}', b'{"a":true,"a":2}',
                                   b'{"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0]}}',
                                   b'{"a":{"data_offsets":[4,0],"shape":[18446744073709551615,2],"dtype":"X"}}')):
        yield "fuzz_safetensors", f"bad{number}", safetensors(text)
    fer = "emotion,pixels,Usage\n0," + " ".join(["7"] * 2304) + ",Training\n"
    yield "fuzz_fer_csv", "row", fer.encode()
    yield "fuzz_folder_label", "row", b'fer0000000.png,"(0, 0, 48, 48)",4,0,0,1,3,2,0,0,0,0\n'


def main():
    folder = pathlib.Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    for target, name, content in seeds():
        (folder / target).mkdir(parents=True, exist_ok=True)
        (folder / target / name).write_bytes(content)


if __name__ == "__main__":
    main()
