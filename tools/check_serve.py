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

from browser import Browser
from serve_process import Server

# Resolves with the page's status once it is not "Looking …" any more.
SETTLED = """
new Promise(resolve => {
  const look = () => {
    const text = document.getElementById('status').textContent;
    if (text === '' || text.startsWith('Looking')) setTimeout(look, 50); else resolve(text);
  };
  setTimeout(look, 200);
})
"""


def choose_file(browser, path):
    root = browser.call("DOM.getDocument")["root"]["nodeId"]
    node = browser.call("DOM.querySelector", nodeId=root, selector="#file")["nodeId"]
    browser.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])
    return browser.value(SETTLED)


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
        server = Server(arguments.build / "bin" / "ferplus", folder)
        photograph = (arguments.photograph or folder / "happiness.png").resolve()
        if not arguments.photograph:
            with urllib.request.urlopen(server.url + "api/samples/happiness.png") as answer:
                photograph.write_bytes(answer.read())
        (folder / "text.png").write_text("not a picture")
        browser = Browser()
        for width in [390, 1280]:
            for scheme in ["light", "dark"]:
                where = f"{width} px, {scheme}"
                browser.open(server.url, width, scheme == "dark")
                samples = browser.value("document.querySelectorAll('#samples button').length")
                if samples != 8:
                    failures.append(f"{where}: {samples} samples")
                for sample in range(samples):
                    browser.value(f"document.querySelectorAll('#samples button')[{sample}].click()")
                    text = browser.value(SETTLED)
                    if not text.startswith("One face"):
                        failures.append(f"{where}, sample {sample}: {text}")
                browser.picture(arguments.output / f"serve-{width}-{scheme}-sample.png")
                text = choose_file(browser, photograph)
                if "face" not in text or "Sorry" in text:
                    failures.append(f"{where}, photograph: {text}")
                browser.picture(arguments.output / f"serve-{width}-{scheme}-photograph.png")
                headings = browser.value("document.querySelectorAll('.face h3').length")
                if headings < 1:
                    failures.append(f"{where}: no answer is shown")
                failures += [f"{where}: {fault}" for fault in browser.faults(
                    lambda asked: asked.startswith(server.url))]
                wrong = choose_file(browser, folder / "text.png")
                if "neither a PNG nor a JPEG" not in wrong:
                    failures.append(f"{where}, no picture: {wrong}")
        browser.close()
        if server.close() != 0:
            failures.append("serve did not end well")
    for failure in failures:
        print(failure, file=sys.stderr)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
