#!/usr/bin/env python3
"""Opens a report in headless Chromium, narrow and wide, light and dark, and takes pictures of it.

    tools/check_report.py report.html -o FOLDER [--width 390 --width 1280]

Fails if the console says anything, if anything is fetched, if the page scrolls sideways, or if text
is cut off or smaller than 9.5 px. Needs chromium and the package websocket-client from PyPI.
"""
import argparse
import pathlib
import sys
from contextlib import closing

from browser import Browser

def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("-o", "--output", required=True, type=pathlib.Path)
    parser.add_argument("--width", type=int, action="append")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    failed = False
    with closing(Browser()) as browser:
        for width in arguments.width or [390, 1280]:
            for scheme in ["light", "dark"]:
                url = arguments.page.resolve().as_uri()
                browser.open(url, width, scheme == "dark")
                faults = browser.faults(lambda asked: asked == url or asked.startswith("data:"))
                browser.picture(arguments.output / f"{arguments.page.stem}-{width}-{scheme}.png")
                for fault in faults:
                    print(f"{width} px, {scheme}: {fault}", file=sys.stderr)
                failed = failed or bool(faults)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
