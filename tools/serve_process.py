"""`ferplus serve` as a process beside a script."""
import subprocess
import time


class Server:
    def __init__(self, program, folder):
        port_file = folder / "port"
        self.process = subprocess.Popen(
            [program, "serve", "--port", "0", "--port-file", port_file, "--quiet"])
        while not port_file.exists():
            if self.process.poll() is not None:
                raise SystemExit("serve did not start")
            time.sleep(0.05)
        self.url = f"http://127.0.0.1:{port_file.read_text().strip()}/"

    def close(self):
        self.process.terminate()
        return self.process.wait()
