"""Aggregation in NumPy, written for itself: what bench/MeanBenchmark.cs and bench/RulesBenchmark.cs are measured against.

Usage: python3 aggregate.py OFFSET PATH WEIGHT [PATH WEIGHT …]; each file holds int32 from OFFSET on. Then one command a line, answered by the CPU
seconds it took: "load" (into float32 arrays in memory, 100 layers each, as Flower's server has them), "flower" (their mean as Flower makes it), "exact" (the mean
in int64, in place, of the files), and a chunk of columns at a time "median", "trimmed", "bucketed", "clipped" and "krum" (distances by float32 matrix
products).
"""
import functools
import sys
import time

import numpy as np

CHUNK = 1 << 16
LAYERS = 100
offset = int(sys.argv[1])
paths, weights = sys.argv[2::2], [int(w) for w in sys.argv[3::2]]


def maps():
    return [np.memmap(p, dtype=np.int32, mode="r", offset=offset) for p in paths]


def chunks(kind=np.int32):
    updates = maps()
    for at in range(0, updates[0].size, CHUNK):
        yield np.stack([u[at:at + CHUNK] for u in updates]).astype(kind, copy=False)


def exact():
    total = np.zeros(maps()[0].shape, np.int64)
    product = np.empty_like(total)
    for d, w in zip(maps(), weights):
        np.multiply(d, w, out=product, dtype=np.int64)
        total += product
    return total // sum(weights)


def load():
    global clients
    clients = [np.array_split(d.astype(np.float32) * np.float32(2.0 ** -20), LAYERS) for d in maps()]


def flower():
    weighted = [[layer * w for layer in layers] for layers, w in zip(clients, weights)]
    return [functools.reduce(np.add, layers) / sum(weights) for layers in zip(*weighted)]


def median():
    return [np.median(c, axis=0) for c in chunks()]


def trimmed():
    k = len(paths) // 5
    return [np.sort(c, axis=0)[k:-k].mean(axis=0) for c in chunks()]


def bucketed():
    order = np.random.default_rng(1).permutation(len(paths))
    buckets = [order[i:i + 4] for i in range(0, len(order), 4)]
    return [np.median(np.stack([c[b].mean(axis=0) for b in buckets]), axis=0) for c in chunks()]


def clipped():
    norms = np.sqrt(sum(np.square(c, dtype=np.float32).sum(axis=1) for c in chunks(np.float32)))
    scale = np.minimum(1, np.median(norms) / norms) / len(paths)
    return [scale @ c for c in chunks(np.float32)]


def krum():
    gram = sum(c @ c.T for c in chunks(np.float32))
    squares = np.diag(gram)
    distances = squares[:, None] + squares[None, :] - 2 * gram
    n, f = len(paths), len(paths) // 5
    scores = np.sort(distances, axis=1)[:, 1:n - f - 1].sum(axis=1)
    chosen = np.argsort(scores)[:n - 2 * f]
    return [c[chosen].mean(axis=0) for c in chunks()]


print(f"ready NumPy {np.__version__}", flush=True)
for line in sys.stdin:
    begun = time.process_time()
    globals()[line.strip()]()
    print(time.process_time() - begun, flush=True)
