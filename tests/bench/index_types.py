"""Recall, time and memory of Antiphon's indexes and of FAISS's own, of the same vectors.

All are asked in turn for the nearest neighbours of the same windows, as packed_search_benchmark
asks: the middle WINDOWS of each array of queries. Recall is the share of the exact neighbours that
are found. Times are the best of all searches: on a busy machine the others hold waits.
"""

import pathlib
import re
import subprocess
import tempfile
import time

import plot

WINDOWS, NEIGHBOURS, ROUNDS = 33, 25, 5
LISTS = 1024  # of the inverted files, near the square root of a million
PROBES = (1, 4, 16, 64)
LINKS, BREADTHS = 32, (32, 128, 512)  # of the graph


def row(name, parameter, wall_ms, cpu_ms, recall, mebibytes):
    return {"name": name, "parameter": parameter, "wall_ms": wall_ms, "cpu_ms": cpu_ms,
            "recall": recall, "mebibytes": mebibytes}


def of_antiphon(program, index, queries, threads, name="Antiphon"):
    """An index of a bundle, exactly and as a server searches it."""
    done = subprocess.run([program, str(threads), index, *queries], check=True,
                          capture_output=True, text=True)
    times = {way: (float(wall), float(cpu)) for way, wall, cpu in re.findall(
        r"^(exact|packed) .*wall: best ([\d.]+).*threads: best ([\d.]+)", done.stdout,
        re.MULTILINE)}
    recall = float(re.search(r"^recall@\d+ ([\d.]+)", done.stdout, re.MULTILINE)[1])
    memory = [[int(kilobytes) / 1024 for kilobytes in re.findall(r"Rss\w+:\s+(\d+)", line)]
              for line in done.stdout.splitlines() if "RssAnon" in line]
    taken = sum(memory[-1]) - sum(memory[0])
    return [row(f"{name}: {how}", "", *times[way], found, taken)
            for how, way, found in (("exact", "exact", 1.0), ("as served", "packed", recall))]


def read_queries(numpy, paths):
    arrays = []
    for path in paths:
        rows = numpy.load(path)
        if len(rows) >= WINDOWS:
            first = (len(rows) - WINDOWS) // 2
            arrays.append(numpy.ascontiguousarray(rows[first:first + WINDOWS], numpy.float32))
    return arrays


def kinds(faiss, dimension):
    """FAISS's indexes: (name, index, settings to search with, by their names)."""
    product = faiss.METRIC_INNER_PRODUCT
    eight_bits, half = faiss.ScalarQuantizer.QT_8bit, faiss.ScalarQuantizer.QT_fp16

    def coarse():
        return faiss.IndexFlatIP(dimension)

    probes = [("nprobe", count) for count in PROBES]
    return [
        ("IndexFlatIP", faiss.IndexFlatIP(dimension), [("", 0)]),
        ("SQ fp16", faiss.IndexScalarQuantizer(dimension, half, product), [("", 0)]),
        ("SQ8", faiss.IndexScalarQuantizer(dimension, eight_bits, product), [("", 0)]),
        ("IVF flat", faiss.IndexIVFFlat(coarse(), dimension, LISTS, product), probes),
        ("IVF SQ8", faiss.IndexIVFScalarQuantizer(coarse(), dimension, LISTS, eight_bits, product),
         probes),
        ("HNSW", faiss.IndexHNSWFlat(dimension, LINKS, product),
         [("efSearch", breadth) for breadth in BREADTHS]),
    ]


def size_of(faiss, index):
    """MiB, of the index as it is written to a file: vectors, lists and graph."""
    with tempfile.NamedTemporaryFile() as file:
        faiss.write_index(index, file.name)
        return pathlib.Path(file.name).stat().st_size / 2**20


def timed(index, queries):
    """Searches in turn: the best wall and processor milliseconds, and the neighbours."""
    walls, cpus, found = [], [], []
    for number in range(ROUNDS):
        for windows in queries:
            wall, cpu = time.perf_counter(), time.process_time()
            neighbours = index.search(windows, NEIGHBOURS)[1]
            cpus.append(1e3 * (time.process_time() - cpu))
            walls.append(1e3 * (time.perf_counter() - wall))
            if number == 0:
                found.append(neighbours)
    return min(walls), min(cpus), found


def share_found(found, exact):
    common = sum(len(set(some) & set(all_)) for some_rows, all_rows in zip(found, exact)
                 for some, all_ in zip(some_rows, all_rows))
    return common / (len(exact) * WINDOWS * NEIGHBOURS)


def of_faiss(faiss, numpy, index_path, query_paths, threads):
    faiss.omp_set_num_threads(threads)
    stored = faiss.read_index(index_path)
    vectors = stored.reconstruct_n(0, stored.ntotal)
    queries = read_queries(numpy, query_paths)
    rows, exact = [], None
    for name, index, settings in kinds(faiss, stored.d):
        if not index.is_trained:
            index.train(vectors)
        index.add(vectors)
        size = size_of(faiss, index)
        for setting, value in settings:
            if setting == "nprobe":
                index.nprobe = value
            elif setting == "efSearch":
                index.hnsw.efSearch = value
            wall, cpu, found = timed(index, queries)
            exact = exact or found
            rows.append(row(f"FAISS {faiss.__version__}: {name}",
                            f"{setting} {value}" if setting else "", wall, cpu,
                            share_found(found, exact), size))
    return rows


def compare(program, indexes, query_paths, threads):
    """Rows of all kinds, and what was skipped. The first of the indexes is flat; several are told
    apart by the names of their bundles."""
    rows = []
    for index in indexes:
        bundle = pathlib.Path(index).parent.parent.name
        name = "Antiphon" if len(indexes) == 1 else f"Antiphon, {bundle}"
        rows += of_antiphon(program, index, query_paths, threads, name)
    try:
        import faiss
        import numpy
    except ImportError:
        return rows, ["FAISS's own indexes (faiss is not importable by this Python)"]
    return rows + of_faiss(faiss, numpy, indexes[0], query_paths, threads), []


def table(rows):
    return [["index", "", f"ms, {WINDOWS} windows", "CPU ms", f"recall@{NEIGHBOURS}", "MiB"],
            *([one["name"], one["parameter"], f"{one['wall_ms']:.1f}", f"{one['cpu_ms']:.1f}",
               f"{one['recall']:.5f}", f"{one['mebibytes']:.0f}"] for one in rows)]


def draw(rows, path):
    """Two plots: recall against time, and against memory (-memory before the ending)."""
    for key, label, file in (
            ("cpu_ms", f"CPU ms of a search for {WINDOWS} windows", path),
            ("mebibytes", "MiB of memory", path.with_stem(path.stem + "-memory"))):
        series = {}
        for one in rows:
            series.setdefault(one["name"], []).append((one[key], one["recall"]))
        plot.chart(file, f"Recall@{NEIGHBOURS} of the kinds of index", label,
                   f"recall@{NEIGHBOURS}", series, log_x=True)
