"""Writes rounds.json: small rounds from the first adapter over the members' update files to the aggregate, computed without any of the project's
code, from docs/protocol.md alone: file bytes with json and struct, means with Python's unbounded integers and fractions.

    python3 tests/vectors/rounds.py > tests/vectors/rounds.json
"""
import hashlib
import json
import struct
from fractions import Fraction

from a0 import first_factor

LIMIT = 2**23 - 1


def sha(data):
    return "0x" + hashlib.sha256(data).hexdigest()


def safetensors(dtype, tensors, metadata, pack):
    header, data = {"__metadata__": dict(sorted(metadata.items()))}, b""
    for name, shape, values in sorted(tensors):
        packed = struct.pack(f"<{len(values)}{pack}", *values)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def adapter_file(tensors, fraction_bits):
    floats = [(name, shape, [q / 2**fraction_bits for q in values]) for name, shape, values in tensors]
    return safetensors("F32", floats, {"format": "pt"}, "f")


def random_integers(label, low, high, count):
    """Anything reproducible: the vectors carry the integers themselves."""
    return [low + int.from_bytes(hashlib.sha256(f"{label} {i}".encode()).digest(), "big") % (high - low + 1) for i in range(count)]


def make_round(label, rank, layers, fraction_bits, factors, weights, spread):
    seed = hashlib.sha256(label.encode()).digest()
    base = []
    for path, inputs, outputs in layers:
        name = f"base_model.model.{path}.lora_"
        base.append((name + "A.weight", [rank, inputs], first_factor(seed, name + "A.weight", inputs, fraction_bits, rank * inputs)[1]))
        base.append((name + "B.weight", [outputs, rank], [0] * (rank * outputs)))
    base.sort()
    base_digest = sha(adapter_file(base, fraction_bits))
    trained = [t for t in base if (".lora_A." in t[0] and "A" in factors) or (".lora_B." in t[0] and "B" in factors)]

    updates = []
    for k, weight in enumerate(weights):
        differences = []
        for name, _, values in trained:
            targets = random_integers(f"{label} {k} {name}", -spread, spread, len(values))
            differences.append([max(-LIMIT, min(LIMIT, v + d)) - v for v, d in zip(values, targets)])
        metadata = {
            "v": "1", "chain": "31337", "rounds": "0x" + "5f" * 20, "round": "4", "member": str(k + 1), "policy": "0x" + "ab" * 32, "base": base_digest,
            "salt": sha(f"salt {k}".encode()), "samples": str(weight), "loss.base0": "3100000", "loss.base": "2900000", "loss.result": str(2800000 + k),
        }
        file = safetensors("I32", [(n, s, d) for (n, s, _), d in zip(trained, differences)], metadata, "i")
        updates.append({"member": k + 1, "samples": weight, "salt": metadata["salt"], "differences": sum(differences, []), "size": len(file), "sha256": sha(file)})

    total = sum(weights)
    means = [round(Fraction(sum(w * u["differences"][i] for w, u in zip(weights, updates)), total)) for i in range(len(updates[0]["differences"]))]
    result, at = [], 0
    for name, shape, values in base:
        if any(name == t[0] for t in trained):
            values = [max(-LIMIT, min(LIMIT, v + m)) for v, m in zip(values, means[at:at + len(values)])]
            at += len(values)
        result.append((name, shape, values))
    file = adapter_file(result, fraction_bits)
    return {
        "name": label, "rank": rank, "fractionBits": fraction_bits, "seed": "0x" + seed.hex(), "factors": factors, "base": base_digest,
        "layers": [{"path": p, "inputs": i, "outputs": o} for p, i, o in layers], "updates": updates, "aggregateSize": len(file), "aggregate": sha(file),
    }


TWO = [("model.layers.10.self_attn.q_proj", 6, 4), ("model.layers.2.self_attn.q_proj", 6, 4)]
ROUNDS = [
    make_round("both factors, weight one, many halves", 2, TWO, 20, "AB", [1, 1], 2),
    make_round("B alone, four members", 3, TWO, 20, "B", [1, 1, 1, 1], 3),
    make_round("A alone, by samples", 2, TWO, 16, "A", [412, 3, 99_991], 2**20),
    make_round("the whole range, the largest weights", 1, TWO, 22, "AB", [2**20, 2**20, 1, 2**20 - 1, 7], LIMIT),
    make_round("one member", 2, [("h.0.attn.q_proj", 1, 1)], 8, "AB", [5], 100),
]
print(json.dumps(ROUNDS, indent=1))
