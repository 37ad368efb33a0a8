"""Writes a0.json: LoRA's first factor A as the protocol's appendix specifies it, computed without any of the project's code.

    python3 tests/vectors/a0.py > tests/vectors/a0.json
"""
import hashlib
import json
import math


def first_factor(seed, name, fan_in, fraction_bits, count):
    bound = math.isqrt(2 ** (2 * fraction_bits) // fan_in)
    values = []
    for block in range(-(-count // 4)):
        digest = hashlib.sha256(b"fedchain/a0" + seed + name.encode() + b"\0" + block.to_bytes(8, "big")).digest()
        for k in range(4):
            u = int.from_bytes(digest[8 * k:8 * k + 8], "big")
            values.append(u * (2 * bound + 1) // 2**64 - bound)
    return bound, values[:count]


if __name__ == "__main__":
    cases = []
    for i, (name, rank, fan_in, fraction_bits) in enumerate([
        ("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight", 4, 64, 20),
        ("base_model.model.model.layers.11.mlp.down_proj.lora_A.weight", 3, 171, 20),
        ("base_model.model.model.layers.2.mlp.up_proj.lora_A.weight", 1, 1, 22),
        ("x", 2, 5, 8),
        ("base_model.model.model.layers.31.self_attn.v_proj.lora_A.weight", 1, 4096, 16),
    ]):
        seed = hashlib.sha256(b"seed %d" % i).digest() if i else bytes(32)
        bound, values = first_factor(seed, name, fan_in, fraction_bits, rank * fan_in)
        little_endian = b"".join(v.to_bytes(4, "little", signed=True) for v in values)
        cases.append({"seed": "0x" + seed.hex(), "tensor": name, "rank": rank, "fanIn": fan_in, "fractionBits": fraction_bits, "bound": bound,
                      "first": values[:9], "last": values[-1], "sha256OfInt32LittleEndian": "0x" + hashlib.sha256(little_endian).hexdigest()})
    print(json.dumps(cases, indent=2))
