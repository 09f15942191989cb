"""What is done to the server and to its bundle while clients work: one misfortune after the other,
as chance has it."""

import collections
import os
import pathlib
import random
import shutil
import signal
import threading
import time

import grpc

from service import CALL_SECONDS, StartFailed
from traffic import LOST, Code, Violation, describe


class Chaos:
    """Belongs to the thread that starts and stops the service."""

    def __init__(self, world, bundle, disk, seed):
        self.world, self.service = world, world.service
        self.bundle = pathlib.Path(bundle)
        self.disk = disk  # a folder with a file system of its own, or None
        self.random = random.Random(f"{seed} chaos")
        self.counts = collections.Counter()
        self.damaged = set()  # generations
        self.rejections_seen = 0
        self._filler = None

    def run(self, seconds):
        end = time.monotonic() + seconds
        misfortunes = (
            [self.kill] * 2 + [self.kill_during_write] * 3 + [self.kill_during_merge] * 2 +
            [self.damage] * 3 + [self.merge] * 2 +
            [self.reload, self.hang_up, self.stop, self.stray_files])
        if self.disk is not None:
            misfortunes += [self.fill_disk, self.kill_on_a_full_disk]
        deck = []
        while time.monotonic() < end and not self.world.stopping.wait(self.random.uniform(0.2, 2)):
            code = self.service.died()
            if code is not None:
                raise Violation(
                    f"the server ended by itself with {code}:\n{self.service.server.log()[-4000:]}")
            if not deck:  # as from a pack of cards: each has its turn, also in a short run
                deck = self.random.sample(misfortunes, len(misfortunes))
            deck.pop()()

    def _start(self):
        self.service.start()
        self.check_start()

    def check_start(self):
        """Of a server that has just started: it serves a generation that nobody damaged, and says
        which it refused."""
        client = self.service.client()
        status = client.admin.Status(self.world.admin.StatusRequest(), timeout=CALL_SECONDS)
        require = self.world.require
        require(not status.rejected_changes, f"changes are rejected: {status.rejected_changes}")
        require(
            status.last_change >= self.world.truth.last_version,
            f"the last change is {status.last_change}, "
            f"acknowledged was {self.world.truth.last_version}")
        name = f"gen-{status.generation:06d}"
        require(name not in self.damaged, f"{name} is served, and was damaged")
        current = self.current()
        if current in self.damaged:
            said = [text for text in status.rejected_generations if current in text]
            require(said, f"{current} is damaged; rejected are {status.rejected_generations}")
            require(current in self.service.server.log(), f"the log does not speak of {current}")
            self.rejections_seen += 1

    def current(self):
        return (self.bundle / "CURRENT").read_text(encoding="utf-8").strip()

    # Ends of the process.

    def kill(self):
        self.service.kill()
        self.counts["kills"] += 1
        self._start()

    def kill_during_write(self):
        """Around the moment when a change becomes durable."""
        end = time.monotonic() + 2
        while time.monotonic() < end and not self.world.truth.is_quick_change_pending():
            time.sleep(0.0005)
        time.sleep(self.random.uniform(0, 0.02))
        self.kill()
        self.counts["kills around a commit"] += 1

    def stop(self):
        code, log = self.service.stop()
        if code != 0:
            raise Violation(f"SIGTERM: exit status {code}:\n{log[-4000:]}")
        self.counts["stops"] += 1
        self._start()

    def kill_during_merge(self):
        client = self.service.client()
        thread = threading.Thread(target=self._merge_quietly, args=(client,), daemon=True)
        thread.start()
        time.sleep(self.random.uniform(0, 0.6))
        self.kill()
        self.counts["kills during a merge"] += 1
        thread.join()

    # Generations.

    def _merge_quietly(self, client):
        try:
            return client.admin.Merge(self.world.admin.MergeRequest(), timeout=CALL_SECONDS)
        except grpc.RpcError as error:
            # The disk may be full, and the server killed.
            self.world.require(
                error.code() in LOST or error.code() in (Code.RESOURCE_EXHAUSTED, Code.ABORTED),
                f"merge: {describe(error)}")
            return None

    def merge(self):
        answer = self._merge_quietly(self.service.client())
        if answer is not None and answer.merged_changes > 0:
            self.counts["merges"] += 1

    def reload(self):
        try:
            self.service.client().admin.Reload(self.world.admin.ReloadRequest(),
                                               timeout=CALL_SECONDS)
            self.counts["reloads"] += 1
        except grpc.RpcError as error:
            # What serves is kept where the newest generation is damaged.
            allowed = error.code() == Code.FAILED_PRECONDITION and self.current() in self.damaged
            self.world.require(allowed or error.code() == Code.RESOURCE_EXHAUSTED,
                               f"reload: {describe(error)}")

    def hang_up(self):
        self.service.server.send_signal(signal.SIGHUP)
        self.counts["SIGHUPs"] += 1

    # Files.

    def good_generations(self):
        return sorted(
            path.name for path in self.bundle.glob("gen-*") if path.name not in self.damaged)

    def damage(self):
        """A file of the newest generation is cut or changed while no server runs; the one before
        has to do."""
        good = self.good_generations()
        if len(good) < 2 or self.current() != good[-1]:
            self.merge()
            return
        self.service.kill()
        self.counts["kills"] += 1
        # A merge may have ended in between.
        good = self.good_generations()
        if len(good) >= 2 and self.current() == good[-1]:
            path = self.random.choice(sorted((self.bundle / good[-1]).iterdir()))
            self.damaged.add(good[-1])
            if self.random.random() < 0.4:
                self._truncate(path)
            else:
                self._flip_bits(path)
        self._start()

    def _truncate(self, path):
        size = path.stat().st_size
        os.truncate(path, self.random.randrange(size))
        self.counts["files truncated"] += 1

    def _flip_bits(self, path):
        size = path.stat().st_size
        with open(path, "r+b") as file:
            for _ in range(self.random.randint(1, 3)):
                position = self.random.randrange(size)
                file.seek(position)
                byte = file.read(1)[0]
                file.seek(position)
                file.write(bytes([byte ^ 1 << self.random.randrange(8)]))
        self.counts["files with bits flipped"] += 1

    def stray_files(self):
        """What a process that died may have left behind."""
        self.service.kill()
        self.counts["kills"] += 1
        folder = self.bundle / f"tmp-{self.random.randrange(10**6)}"
        folder.mkdir()
        (folder / "scores.faiss").write_bytes(self.random.randbytes(1000))
        (self.bundle / f"tmp-CURRENT-{self.random.randrange(10**6)}").write_bytes(b"gen-9")
        self.counts["stray files"] += 2
        self._start()

    # The disk.

    def _fill(self):
        self._filler = pathlib.Path(self.disk) / "filler"
        spare = self.random.choice([0, 0, 4096, 100_000, 1_000_000])
        with open(self._filler, "wb") as file:
            try:
                while True:
                    os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, 1 << 20)
            except OSError:
                pass
            try:
                while True:
                    os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, 4096)
            except OSError:
                pass
            os.ftruncate(file.fileno(), max(0, os.fstat(file.fileno()).st_size - spare))
        self.counts["disk filled"] += 1

    def _free(self):
        if self._filler is not None:
            self._filler.unlink(missing_ok=True)
            self._filler = None

    def fill_disk(self):
        self._fill()
        time.sleep(self.random.uniform(0.5, 2))
        if self.random.random() < 0.5:
            self._merge_quietly(self.service.client())
        self._free()

    def kill_on_a_full_disk(self):
        """A server may refuse to start then, if it says why."""
        self._fill()
        time.sleep(self.random.uniform(0.2, 1))
        self.service.kill()
        self.counts["kills"] += 1
        self.counts["kills on a full disk"] += 1
        try:
            self._start()
        except StartFailed as failure:
            log = str(failure)
            self.world.require("disk" in log or "space" in log,
                               f"on a full disk, the server does not start:\n{log[-3000:]}")
            self.counts["starts refused on a full disk"] += 1
            self._free()
            self._start()
        self._free()


def make_disk(folder, megabytes):
    """Mounts a file system in memory there; whether that was possible."""
    folder = pathlib.Path(folder)
    unmount(folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if os.geteuid() != 0:
        return False
    return os.system(
        f"mount -t tmpfs -o size={megabytes}m antiphon-torture '{folder}' 2>/dev/null") == 0


def unmount(folder):
    if os.path.ismount(folder):
        os.system(f"umount '{folder}'")
