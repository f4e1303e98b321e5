"""Headless Chromium for checks of pages: needs chromium and the package websocket-client from PyPI."""
import base64
import json
import subprocess
import tempfile
import time

import websocket

# Runs in the page's world through the protocol, which the page's own policy does not forbid.
FAULTS = """
(() => {
  const faults = [], width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) {
    faults.push(`the page is ${document.documentElement.scrollWidth} px wide in ${width}`);
  }
  for (const e of document.querySelectorAll('body *')) {
    const box = e.getBoundingClientRect();
    if (box.width === 0 || e.closest('.scroll') || e.closest('desc, title')) continue;
    const name = `${e.tagName} "${e.textContent.slice(0, 40)}"`;
    if (box.left < -1 || box.right > width + 1) faults.push(`${name} leaves the page`);
    if (e.tagName === 'text') {
      const drawing = e.ownerSVGElement.getBoundingClientRect();
      if (box.left < drawing.left - 1 || box.right > drawing.right + 1 ||
          box.top < drawing.top - 1 || box.bottom > drawing.bottom + 1) {
        faults.push(`${name} leaves its drawing`);
      }
      const scale = drawing.width / e.ownerSVGElement.viewBox.baseVal.width;
      const size = parseFloat(getComputedStyle(e).fontSize) * scale;
      if (size < 9.5) faults.push(`${name} is ${size.toFixed(1)} px high`);
    }
  }
  for (const svg of document.querySelectorAll('figure > svg')) {
    const boxes = [...svg.querySelectorAll('text')].filter(t => !t.hasAttribute('transform'))
      .map(t => [t.textContent, t.getBoundingClientRect()]);
    for (let i = 0; i < boxes.length; ++i) for (let k = 0; k < i; ++k) {
      const a = boxes[i][1], b = boxes[k][1];
      if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
          Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4) {
        faults.push(`${svg.getAttribute('aria-labelledby')}: "${boxes[i][0]}" lies on "${boxes[k][0]}"`);
      }
    }
  }
  return faults;
})()
"""


class Browser:
    def __init__(self):
        self.profile = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             "--remote-debugging-port=0", f"--user-data-dir={self.profile.name}", "about:blank"],
            stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if "DevTools listening on" in line:
                address = line.split()[-1]
                break
        else:
            raise SystemExit("chromium did not start")
        self.socket = websocket.create_connection(address, suppress_origin=True)
        self.count, self.events, self.session = 0, [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Log", "Network"]:
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.socket.send(json.dumps(message))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == self.count:
                if "error" in answer:
                    raise SystemExit(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, url, width, dark):
        """Shows the page; faults() then says what is wrong with it."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900,
                  deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.events.clear()
        answer = self.call("Page.navigate", url=url)
        if "errorText" in answer:
            raise SystemExit(f"{url}: {answer['errorText']}")
        time.sleep(1)

    def value(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True)
        return answer["result"].get("value")

    def faults(self, fetches):
        """What the console said, what does not fit, and requests for which `fetches` is not true."""
        faults = self.value(FAULTS)
        for event in self.events:
            method, about = event.get("method", ""), json.dumps(event.get("params", {}))[:300]
            if method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
                faults.append(f"console: {about}")
            if method == "Network.requestWillBeSent":
                asked = event["params"]["request"]["url"]
                if not fetches(asked):
                    faults.append(f"fetched: {asked}")
        return faults

    def picture(self, path):
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        image = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(image["data"]))

    def close(self):
        self.process.terminate()
        self.process.wait()
