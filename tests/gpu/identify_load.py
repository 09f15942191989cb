"""Clients that send raw samples to a server to be identified, each again as soon as it is answered.

Needs grpcio alone: a request is put together by hand. Prints one line of JSON.
"""

import argparse
import json
import multiprocessing
import pathlib
import sys
import threading
import time

import grpc

METHOD = "/antiphon.v1.Retrieval/Identify"
PROCESSES = 8


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, value):
    """Of a message: an integer, or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def request(samples):
    # IdentifyRequest.audio.pcm: ENCODING_INT16, Hz, channels, samples
    pcm = field(1, 2) + field(2, 22050) + field(3, 1) + field(4, samples)
    return field(1, field(2, pcm))


def work(address, folder, threads, seconds, number, results):
    sounds = [(request(file.read_bytes()), file.with_suffix(".txt").read_text().strip().encode(),
               file.stat().st_size / 2 / 22050)
              for file in sorted(pathlib.Path(folder).glob("*.s16"))]
    answered, right, failed, sound_seconds, latencies, errors = [0], [0], [0], [0.0], [], set()
    lock = threading.Lock()
    end = time.monotonic() + seconds

    def client(place):
        channel = grpc.insecure_channel(
            address, options=[("grpc.enable_http_proxy", 0),
                              ("grpc.use_local_subchannel_pool", 1),
                              ("grpc.max_receive_message_length", -1)])
        call = channel.unary_unary(METHOD)
        while time.monotonic() < end:
            message, piece, length = sounds[place % len(sounds)]
            place += 1
            begun = time.monotonic()
            try:
                answer = call(message, timeout=60)
            except grpc.RpcError as error:
                with lock:
                    failed[0] += 1
                    errors.add(f"{error.code().name}: {error.details()}"[:200])
                time.sleep(0.05)
                continue
            with lock:
                answered[0] += 1
                right[0] += piece in answer
                sound_seconds[0] += length
                latencies.append(time.monotonic() - begun)
        channel.close()

    begun = time.monotonic()
    clients = [threading.Thread(target=client, args=(number * 1000 + 7 * i,))
               for i in range(threads)]
    for each in clients:
        each.start()
    for each in clients:
        each.join()
    results.put((answered[0], right[0], failed[0], sound_seconds[0], time.monotonic() - begun,
                 latencies, sorted(errors)[:3]))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", required=True)
    parser.add_argument("--sounds", required=True)
    parser.add_argument("--clients", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    options = parser.parse_args()
    processes = min(PROCESSES, options.clients)
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    workers = []
    for i in range(processes):
        threads = options.clients // processes + (i < options.clients % processes)
        workers.append(context.Process(
            target=work, args=(options.address, options.sounds, threads, options.seconds, i,
                               results)))
    for worker in workers:
        worker.start()
    parts = [results.get(timeout=options.seconds + 90) for _ in workers]
    for worker in workers:
        worker.join()
    latencies = sorted(latency for part in parts for latency in part[5])
    print(json.dumps({
        "clients": options.clients,
        "answered": sum(part[0] for part in parts),
        "named the piece": sum(part[1] for part in parts),
        "failed": sum(part[2] for part in parts),
        "seconds of sound a second": round(sum(part[3] / part[4] for part in parts), 1),
        "requests a second": round(sum(part[0] / part[4] for part in parts), 1),
        "milliseconds, median": latencies and round(1e3 * latencies[len(latencies) // 2], 2),
        "milliseconds, 99 %": latencies and round(1e3 * latencies[len(latencies) * 99 // 100], 2),
        "errors": sorted({error for part in parts for error in part[6]})[:3]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
