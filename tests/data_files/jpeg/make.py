#!/usr/bin/env python3
"""Writes the pictures of this folder and cases.json: what Pillow reads from each, in gray and RGB.

    pip install pillow numpy && python3 make.py
"""
import io
import json
import pathlib

import numpy as np
from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).parent
WIDTH, HEIGHT = 21, 13  # neither a multiple of a block


def picture():
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    red = 40 + 7 * x + 3 * y
    green = 200 - 5 * x - 4 * y
    blue = 90 + 40 * np.sin(x / 4) + 30 * np.cos(y / 3)
    return Image.fromarray(np.stack([red, green, blue], -1).clip(0, 255).astype(np.uint8))


def exif(orientation, big_endian):
    if big_endian:
        return (b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"
                + bytes([orientation]) + b"\0\0\0\0\0\0")
    return (b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"
            + bytes([orientation]) + b"\0\0\0\0\0\0\0")


def main():
    rgb, cases = picture(), []

    def add(name, image, **options):
        data = io.BytesIO()
        image.save(data, "JPEG", quality=90, **options)
        (HERE / name).write_bytes(data.getvalue())
        seen = ImageOps.exif_transpose(Image.open(io.BytesIO(data.getvalue())))
        cases.append({"file": name, "width": seen.width, "height": seen.height,
                      "gray": seen.convert("RGB").convert("L").tobytes().hex(),
                      "rgb": seen.convert("RGB").tobytes().hex()})

    add("gray.jpg", rgb.convert("L"))
    add("rgb_444.jpg", rgb, subsampling=0)
    add("rgb_420.jpg", rgb, subsampling=2)
    add("progressive.jpg", rgb, progressive=True)
    add("rgb_stored.jpg", rgb, keep_rgb=True)
    cyan, magenta, yellow, _ = rgb.convert("CMYK").split()
    black = Image.fromarray((np.mgrid[0:HEIGHT, 0:WIDTH][1] * 9).astype(np.uint8))
    add("cmyk.jpg", Image.merge("CMYK", (cyan, magenta, yellow, black)))
    for orientation in range(1, 9):
        add(f"orientation_{orientation}.jpg", rgb.convert("L"),
            exif=exif(orientation, big_endian=orientation % 2 == 0))
    text = ",\n".join(json.dumps(case) for case in cases)
    (HERE / "cases.json").write_text(f"[\n{text}\n]\n")


main()
