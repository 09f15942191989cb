"""What scripts/gpu_check.sh runs: stages, each a process or a few with a limit of time.

Exit status: 0 when every stage ran and found nothing wrong, else 1.
"""

import argparse
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
MODEL = HERE.parent.parent / "models" / "default"
FULL_GPU = """
import sys, torch
keep = []
free, _ = torch.cuda.mem_get_info()
for size in (1 << 30, 1 << 26, 1 << 22):
    while torch.cuda.mem_get_info()[0] > size + (64 << 20):
        try:
            keep.append(torch.empty(size, dtype=torch.uint8, device="cuda"))
        except torch.cuda.OutOfMemoryError:
            break
print("full", torch.cuda.mem_get_info()[0] >> 20, "MiB left", flush=True)
sys.stdin.read()
"""


class Utilisation:
    """What nvidia-smi says of the GPU while something runs."""

    def __init__(self):
        self._lines, self._process = [], None

    def __enter__(self):
        try:
            self._process = subprocess.Popen(
                ["nvidia-smi", "--query-gpu=utilization.gpu,memory.used,power.draw",
                 "--format=csv,noheader,nounits", "-lms", "200"],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            threading.Thread(target=lambda: self._lines.extend(self._process.stdout),
                             daemon=True).start()
        except OSError:
            pass
        return self

    def __exit__(self, *unused):
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def summary(self):
        rows = []
        for line in list(self._lines):
            try:
                rows.append([float(part) for part in line.split(",")])
            except ValueError:
                pass
        if not rows:
            return None
        busy = [row[0] for row in rows]
        return {"samples": len(rows), "mean_percent": round(statistics.mean(busy), 1),
                "median_percent": statistics.median(busy),
                "most_memory_mib": max(row[1] for row in rows),
                "mean_watts": round(statistics.mean(row[2] for row in rows), 1)}


class Check:
    def __init__(self, options):
        self.options = options
        self.programs = pathlib.Path(options.programs).resolve()
        self.data = pathlib.Path(options.data).resolve()
        self.out = pathlib.Path(options.out).resolve()
        self.out.mkdir(parents=True, exist_ok=True)
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="antiphon_gpu_"))
        self.device = options.device
        self.deadline = time.monotonic() + options.seconds
        self.results, self.failures = {}, []
        self.log = open(self.out / "log.txt", "a", encoding="utf-8", errors="replace")

    # Helpers of the stages.

    def say(self, text):
        print(text, flush=True)
        self.log.write(text + "\n")
        self.log.flush()

    def expect(self, holds, what):
        if not holds:
            self.failures.append(what)
            self.say(f"  FAILED: {what}")

    def left(self, most):
        return max(1.0, min(most, self.deadline - time.monotonic()))

    def run(self, command, most, environment=None, stop=signal.SIGKILL, must=True):
        """Runs to the end or for `most` seconds: (exit status or None, output, seconds)."""
        command = [str(part) for part in command]
        if "/" not in command[0] and (self.programs / command[0]).exists():
            command[0] = str(self.programs / command[0])
        self.log.write("$ " + " ".join(command) + "\n")
        begun = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True, errors="replace", start_new_session=True,
                                   env={**os.environ, **(environment or {})})
        status = None
        try:
            output, _ = process.communicate(timeout=self.left(most))
            status = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, stop)
            try:
                output, _ = process.communicate(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                output, _ = process.communicate()
        seconds = time.monotonic() - begun
        self.log.write(output[-200_000:] + f"\n[exit status {status}, {seconds:.1f} s]\n")
        self.log.flush()
        if must:
            self.expect(status == 0, f"{pathlib.Path(command[0]).name} {' '.join(command[1:3])}: "
                                     f"{'too slow' if status is None else status}: "
                                     f"{output[-300:].strip()}")
        return status, output, seconds

    def program_json(self, name, most, *flags):
        """Runs a program that writes JSON to --out."""
        if not (self.programs / name).exists():
            self.expect(False, f"{name} is not among the programs")
            return None
        out = self.work / f"{name}-{len(list(self.work.iterdir()))}.json"
        self.run([name, "--out", out, "--seconds", int(self.left(most)), *flags], most + 5)
        return json.loads(out.read_text()) if out.exists() else None

    # The stages. Each returns what goes into results.json.

    def environment(self):
        found = {"machine": platform.platform(), "cores": os.cpu_count(),
                 "python": sys.version.split()[0]}
        for name, command in {
                "gpu": ["nvidia-smi", "--query-gpu=name,driver_version,memory.total",
                        "--format=csv,noheader"],
                "processor": ["sh", "-c", "grep -m1 'model name' /proc/cpuinfo"],
                "libc": ["sh", "-c", "ldd --version | head -1"],
                "torch": [sys.executable, "-c",
                          "import torch; print(torch.__version__, torch.version.cuda)"],
                "server": ["antiphon-server", "--version"],
                "trainer": ["antiphon-trainer", "--version"]}.items():
            try:
                status, output, _ = self.run(command, 30, must=name in ("server", "trainer"))
                found[name] = output.strip() if status == 0 else f"({status}) {output[-300:]}"
            except OSError as error:
                found[name] = str(error)
                self.expect(name not in ("server", "trainer"), f"{name}: {error}")
        return found

    def index(self):
        return {"check": self.program_json("gpu_index_check", 50)}

    def index_benchmark(self):
        return {"benchmark": self.program_json("gpu_index_benchmark", 85)}

    def encoders(self):
        return self.program_json("gpu_pipeline_check", 80, *self.pipeline_flags(),
                                 "--part", "notices,audio,score")

    def pipeline_flags(self):
        return ["--model", MODEL, "--sounds", self.data / "sounds" / "queries.tsv", "--midi",
                self.data / "midi", "--device", self.device]

    def bundle(self, name, device, kind="flat", most=100, midi=None):
        root = self.work / name
        if root.exists():
            return root, None
        _, output, seconds = self.run(
            ["antiphon-trainer", "index", "--midi", midi or self.data / "midi", "--model", MODEL,
             "--bundle", root, "--index", kind, "--device", device,
             *(["--index-device", device] if kind == "ivf" else [])],
            most)
        self.say(f"  index {name}: {seconds:.1f} s: {output.strip().splitlines()[-1:]}")
        return root, {"seconds": round(seconds, 2), "says": output.strip().splitlines()[-3:]}

    def bundles(self):
        with Utilisation() as utilisation:
            _, flat = self.bundle("flat", self.device)
        _, ivf = self.bundle("ivf", self.device, "ivf")
        return {"flat": flat, "ivf": ivf, "gpu": utilisation.summary()}

    def bundles_cpu(self):
        """Every fifth score, on the CPU and on the GPU: all of them take the CPU minutes."""
        scores = sorted((self.data / "midi").rglob("*.mid"))[::5]
        folder = self.work / "fifth"
        folder.mkdir()
        for score in scores:
            shutil.copy(score, folder / score.name)
        return {"scores": len(scores),
                "gpu": self.bundle("fifth-gpu", self.device, midi=folder)[1],
                "cpu": self.bundle("fifth-cpu", "cpu", most=90, midi=folder)[1]}

    def answers(self):
        flat, _ = self.bundle("flat", self.device)
        ivf, _ = self.bundle("ivf", self.device, "ivf")
        return self.program_json("gpu_pipeline_check", 60, *self.pipeline_flags(), "--part",
                                 "answers", "--bundle", f"{flat},{ivf}")

    def in_process(self):
        flat, _ = self.bundle("flat", self.device)
        with Utilisation() as utilisation:
            found = self.program_json("gpu_pipeline_check", 70, *self.pipeline_flags(), "--part",
                                      "in-process,paths", "--bundle", flat)
        return {"found": found, "gpu": utilisation.summary()}

    def server(self, bundle, device, environment=None, flags=()):
        return Server(self, bundle, device, environment or {}, flags)

    def sounds(self):
        """Raw samples of some queries, and the pieces they are of."""
        folder = self.work / "pcm"
        if not folder.exists():
            folder.mkdir()
            self.program_json("gpu_pipeline_check", 30, *self.pipeline_flags(), "--part",
                              "write-sounds", "--write", folder)
        sounds = []
        for file in sorted(folder.glob("*.s16")):
            sounds.append((file.read_bytes(), (folder / f"{file.stem}.txt").read_text().strip()))
        return sounds

    def load(self, server, clients, seconds):
        """Seconds of sound identified a second, by so many clients that ask again at once."""
        folder = self.work / "pcm"
        _, output, _ = self.run(
            [sys.executable, HERE / "identify_load.py", "--address", server.address, "--sounds",
             folder, "--clients", clients, "--seconds", seconds], seconds + 20)
        try:
            return json.loads(output.strip().splitlines()[-1])
        except (ValueError, IndexError):
            return {"output": output[-500:]}

    def serving(self):
        flat, _ = self.bundle("flat", self.device)
        self.sounds()
        found = {}
        for device, clients, seconds in ((self.device, (1, 16, 32, 64), 3), ("cpu", (32,), 4)):
            with self.server(flat, device) as server:
                for count in clients:
                    with Utilisation() as utilisation:
                        rate = self.load(server, count, seconds)
                    rate["gpu"] = utilisation.summary()
                    found[f"{device}, {count} clients"] = rate
                    self.say(f"  {device}, {count} clients: {json.dumps(rate)}")
                    self.expect(rate.get("failed") == 0, f"serving on {device}: calls failed")
                found[f"{device}, warnings"] = server.warnings()
        return found

    def editing(self):
        """A piece is added to a server on the GPU and found; then a reload."""
        flat, _ = self.bundle("flat", self.device)
        bundle = self.work / "edited"
        shutil.copytree(flat, bundle)
        score = sorted((self.data / "midi").rglob("*.mid"))[0]
        found = {}
        with self.server(bundle, self.device) as server:
            for name, arguments in {
                    "add": ["piece", "add", score, "--id", "added-piece", "--title", "Added"],
                    "identify": ["identify", score],
                    "merge": ["admin", "merge"],
                    "reload": ["admin", "reload"],
                    "identify again": ["identify", score],
                    "status": ["status"]}.items():
                status, output, seconds = self.run(
                    ["antiphon", "--server", server.address, "--json", *arguments], 40, must=False)
                found[name] = {"status": status, "seconds": round(seconds, 3),
                               "says": output.strip()[:600]}
                self.expect(status == 0 or name.startswith("identify") and status == 1,
                            f"editing: {name}: {status}: {output[-300:]}")
            found["load after"] = self.sounds() and self.load(server, 8, 2)
            found["warnings"] = server.warnings()
        return found

    def full(self):
        """A GPU without memory when the server starts, and one that fills up under it; and none."""
        flat, _ = self.bundle("flat", self.device)
        self.sounds()
        found = {}
        eater = [sys.executable, "-c", FULL_GPU]
        for name, before in (("full at the start", True), ("full later", False)):
            hungry = None
            try:
                if before:
                    hungry = subprocess.Popen(eater, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                              text=True)
                    found[name] = {"memory": hungry.stdout.readline().strip()}
                with self.server(flat, self.device) as server:
                    if not before:
                        hungry = subprocess.Popen(eater, stdin=subprocess.PIPE,
                                                  stdout=subprocess.PIPE, text=True)
                        found[name] = {"memory": hungry.stdout.readline().strip()}
                    found[name]["load"] = self.load(server, 16, 2)
                    hungry.communicate()
                    time.sleep(11)
                    found[name]["load when free"] = self.load(server, 16, 2)
                    found[name]["warnings"] = server.warnings()
                    for load in ("load", "load when free"):
                        self.expect(found[name][load].get("failed") == 0
                                    and found[name][load].get("answered", 0) > 0,
                                    f"{name}: {load}: {found[name][load]}")
            except Exception as error:  # pylint: disable=broad-except
                self.expect(False, f"{name}: {error}")
            finally:
                if hungry is not None:
                    hungry.kill()
                    hungry.wait()
            self.say(f"  {name}: {json.dumps(found.get(name))}")
        try:
            with self.server(flat, self.device, {"CUDA_VISIBLE_DEVICES": ""}) as server:
                found["no GPU"] = {"load": self.load(server, 8, 2), "warnings": server.warnings()}
            self.expect(found["no GPU"]["load"].get("failed") == 0, "no GPU: calls failed")
            self.expect(found["no GPU"]["warnings"], "no GPU: nothing was said")
        except Exception as error:  # pylint: disable=broad-except
            self.expect(False, f"no GPU: {error}")
        return found

    def train(self, name, device, most, *flags):
        out = self.work / f"train-{name}"
        with Utilisation() as utilisation:
            status, output, _ = self.run(
                ["antiphon-trainer", "train", "--store", self.data / "store", "--out", out,
                 "--device", device, "--seed", "1", "--fresh", "--validate-every", "100000",
                 "--validation-pairs", "200", *flags],
                most, stop=signal.SIGINT, must=False)
        steps = [(int(step), float(loss), float(pairs)) for step, loss, pairs in re.findall(
            r"step (\d+)  loss ([-\d.naif]+)  learning rate \S+  (\d+) pairs/s", output)]
        self.expect(steps, f"training {name}: {status}: {output[-400:]}")
        rates = [pairs for _, _, pairs in steps[1:]] or [pairs for _, _, pairs in steps]
        shutil.rmtree(out, ignore_errors=True)
        return {"losses": {str(step): loss for step, loss, _ in steps[:20]},
                "pairs_per_second": statistics.median(rates) if rates else None,
                "steps": steps[-1][0] if steps else 0, "gpu": utilisation.summary()}

    def training(self):
        found = {}
        for name, device, most, flags in (
                ("gpu 1024", self.device, 14, ("--batch", "1024", "--steps", "20000")),
                ("gpu 4096", self.device, 18, ("--batch", "4096", "--steps", "20000")),
                ("gpu fine 1024", self.device, 14,
                 ("--batch", "1024", "--steps", "20000", "--architecture", "residual_fine")),
                ("same, gpu", self.device, 30, ("--batch", "128", "--steps", "150")),
                ("same, gpu float32", self.device, 30,
                 ("--batch", "128", "--steps", "150", "--precision", "float32")),
                ("same, cpu", "cpu", 50, ("--batch", "128", "--steps", "150", "--precision",
                                          "float32"))):
            found[name] = self.train(name.replace(" ", "-").replace(",", ""), device, most, *flags)
            self.say(f"  {name}: {json.dumps(found[name])}")
        return found

    # name: (stage, in a plain run)
    STAGES = {"environment": environment, "index": index, "encoders": encoders, "bundles": bundles,
              "answers": answers, "in_process": in_process, "serving": serving,
              "editing": editing, "full": full, "training": training,
              "index_benchmark": index_benchmark, "bundles_cpu": bundles_cpu}

    def all(self, names):
        for name in names:
            if time.monotonic() > self.deadline - 3:
                self.results[name] = {"outcome": "no time left"}
                self.expect(False, f"{name}: no time left")
                continue
            self.say(f"== {name}")
            failures, begun = len(self.failures), time.monotonic()
            try:
                found = self.STAGES[name](self)
            except Exception as error:  # pylint: disable=broad-except
                found = None
                self.expect(False, f"{name}: {type(error).__name__}: {error}")
            self.results[name] = {
                "outcome": "ok" if len(self.failures) == failures else self.failures[failures:],
                "seconds": round(time.monotonic() - begun, 1), "found": found}
            self.say(f"== {name}: {self.results[name]['seconds']} s, "
                     f"{'ok' if len(self.failures) == failures else 'FAILED'}")
            self.write()
        shutil.rmtree(self.work, ignore_errors=True)
        return 1 if self.failures else 0

    def write(self):
        (self.out / "results.json").write_text(json.dumps(self.results, indent=1) + "\n")
        lines = []

        def add(value, path):
            if isinstance(value, dict):
                for key, inner in value.items():
                    add(inner, f"{path}  {key}" if path else str(key))
            elif value is not None:
                lines.append(f"{path}: {value}")

        add(self.results, "")
        (self.out / "results.txt").write_text("\n".join(lines) + "\n")


class Server:
    """antiphon-server on a free port of the loopback."""

    def __init__(self, check, bundle, device, environment, flags):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"
        self._check = check
        self._path = check.work / f"server-{time.monotonic_ns()}.log"
        self._log = open(self._path, "w", encoding="utf-8")
        self._process = subprocess.Popen(
            [str(check.programs / "antiphon-server"), "--bundle", str(bundle), "--listen",
             self.address, "--metrics-listen", "0", "--device", device, *flags],
            stdout=self._log, stderr=subprocess.STDOUT, env={**os.environ, **environment})

    def __enter__(self):
        begun = time.monotonic()
        host, port = self.address.split(":")
        while True:
            try:
                socket.create_connection((host, int(port)), 1).close()
                break
            except OSError:
                if self._process.poll() is not None or time.monotonic() - begun > 40:
                    self.__exit__()
                    raise RuntimeError("the server did not start: " + self.log()[-600:]) from None
                time.sleep(0.05)
        self._check.say(f"  the server started in {time.monotonic() - begun:.1f} s")
        return self

    def __exit__(self, *unused):
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(8)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._log.close()
        self._check.log.write("server:\n" + self.log()[-20_000:] + "\n")

    def log(self):
        return self._path.read_text(encoding="utf-8", errors="replace")

    def warnings(self):
        return [line for line in self.log().splitlines()
                if re.search(r"warn|error|critical", line, re.IGNORECASE)][:20]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--stages", default=",".join(Check.STAGES))
    parser.add_argument("--seconds", type=float, default=470)
    options = parser.parse_args()
    names = options.stages.split(",")
    for name in names:
        if name not in Check.STAGES:
            parser.error(f"--stages: {name} is none of {', '.join(Check.STAGES)}")
    return Check(options).all(names)


if __name__ == "__main__":
    sys.exit(main())
