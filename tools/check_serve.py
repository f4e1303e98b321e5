#!/usr/bin/env python3
"""Opens the page of `ferplus serve` in headless Chromium, tries it and takes pictures of it.

    tools/check_serve.py BUILD -o FOLDER [--photograph FILE]

Narrow and wide, light and dark: a sample, a photograph (default: the sample again, as a file), a file
that is no picture. Fails if the console says anything unexpected, if anything but the server is asked,
if the page scrolls sideways, or if an answer is not the one expected. Needs chromium and the package
websocket-client from PyPI.
"""
import argparse
import pathlib
import sys
import tempfile
import urllib.request
from contextlib import closing

from browser import Browser
from serve_process import Server

# Resolves with what the page says of the last picture.
SETTLED = """
new Promise(resolve => {
  const status = document.getElementById('status'), begun = Date.now();
  const look = () => {
    const text = status.textContent;
    if (text !== '' && !text.startsWith('Looking')) resolve(text);
    else if (Date.now() - begun > 20000) resolve('no answer within 20 s');
    else setTimeout(look, 50);
  };
  look();
})
"""


def forget_status(browser):
    browser.value("document.getElementById('status').textContent = ''")


def choose_sample(browser, number):
    forget_status(browser)
    browser.value(f"document.querySelectorAll('#samples button')[{number}].click()")
    return browser.value(SETTLED)


def choose_file(browser, path):
    forget_status(browser)
    root = browser.call("DOM.getDocument")["root"]["nodeId"]
    node = browser.call("DOM.querySelector", nodeId=root, selector="#file")["nodeId"]
    browser.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])
    return browser.value(SETTLED)


def try_page(browser, server, photograph, no_picture, pictures):
    """What is wrong; writes PICTURES-sample.png and PICTURES-photograph.png."""
    faults = []
    samples = browser.value("document.querySelectorAll('#samples button').length")
    if samples != 8:
        faults.append(f"{samples} samples")
    for number in range(samples):
        text = choose_sample(browser, number)
        if not text.startswith("One face"):
            faults.append(f"sample {number}: {text}")
    browser.picture(pathlib.Path(f"{pictures}-sample.png"))
    text = choose_file(browser, photograph)
    if "face" not in text or "Sorry" in text:
        faults.append(f"photograph: {text}")
    browser.picture(pathlib.Path(f"{pictures}-photograph.png"))
    if browser.value("document.querySelectorAll('.face h3').length") < 1:
        faults.append("no answer is shown")
    faults += browser.faults(lambda asked: asked.startswith(server.url))
    text = choose_file(browser, no_picture)
    if "neither a PNG nor a JPEG" not in text:
        faults.append(f"no picture: {text}")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("-o", "--output", required=True, type=pathlib.Path)
    parser.add_argument("--photograph", type=pathlib.Path)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    failures = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        no_picture = folder / "text.png"
        no_picture.write_text("not a picture")
        program = arguments.build / "bin" / "ferplus"
        with closing(Server(program, folder)) as server, closing(Browser()) as browser:
            photograph = (arguments.photograph or folder / "happiness.png").resolve()
            if not arguments.photograph:
                with urllib.request.urlopen(server.url + "api/samples/happiness.png") as answer:
                    photograph.write_bytes(answer.read())
            for width in [390, 1280]:
                for scheme in ["light", "dark"]:
                    browser.open(server.url, width, scheme == "dark")
                    pictures = arguments.output / f"serve-{width}-{scheme}"
                    failures += [f"{width} px, {scheme}: {fault}" for fault in try_page(
                        browser, server, photograph, no_picture, pictures)]
    for failure in failures:
        print(failure, file=sys.stderr)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
