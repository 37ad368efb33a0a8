"""Checks that a folder is a PEFT LoRA adapter, with nothing of the project's code: the settings of adapter_config.json against those of a folder that PEFT
wrote, the safetensors file against its format, names, shapes and types against the settings and the base model's config.json, and the weights' SHA-256
against fedchain.json. With numpy, the safetensors bytes are also read as arrays and must be finite.

    python3 tests/vectors/peft_folder.py EXPORTED BASE_MODEL [WRITTEN_BY_PEFT]
"""
import hashlib
import json
import os
import re
import struct
import sys


def read_safetensors(path):
    data = open(path, "rb").read()
    (size,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + size])
    metadata = header.pop("__metadata__", {})
    body, end = data[8 + size :], 0
    for name, tensor in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        start, stop = tensor["data_offsets"]
        count = 1
        for n in tensor["shape"]:
            count *= n
        assert start == end and stop - start == 4 * count, f"{name}: offsets {start}..{stop} for {tensor['shape']}, expected from {end}"
        end = stop
    assert end == len(body), f"{len(body) - end} bytes belong to no tensor"
    return header, metadata, body, hashlib.sha256(data).hexdigest()


def kind(value):
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


def main(folder, base, reference=None):
    config = json.load(open(os.path.join(folder, "adapter_config.json")))
    if reference:
        written = json.load(open(os.path.join(reference, "adapter_config.json")))
        assert set(config) == set(written), f"settings differ: {set(config) ^ set(written)}"
        for name, value in written.items():
            if name not in ("base_model_name_or_path", "r", "lora_alpha", "target_modules", "use_rslora"):
                assert config[name] == value, f"{name} is {config[name]}, PEFT writes {value}"
            elif name != "base_model_name_or_path":
                assert kind(config[name]) == kind(value), f"{name} is a {kind(config[name])}, PEFT writes a {kind(value)}"

    tensors, metadata, body, digest = read_safetensors(os.path.join(folder, "adapter_model.safetensors"))
    assert metadata == {"format": "pt"}, metadata
    provenance = json.load(open(os.path.join(folder, "fedchain.json")))
    assert provenance["aggregate"] == "0x" + digest, f"{digest} is not the aggregate {provenance['aggregate']}"

    model = json.load(open(os.path.join(base, "config.json")))
    hidden, heads = model["hidden_size"], model["num_attention_heads"]
    head = model.get("head_dim") or hidden // heads
    queries, keys, inner = heads * head, model.get("num_key_value_heads", heads) * head, model["intermediate_size"]
    shapes = {  # inputs, outputs
        "q_proj": ("self_attn", hidden, queries), "k_proj": ("self_attn", hidden, keys), "v_proj": ("self_attn", hidden, keys), "o_proj": ("self_attn", queries, hidden),
        "gate_proj": ("mlp", hidden, inner), "up_proj": ("mlp", hidden, inner), "down_proj": ("mlp", inner, hidden),
    }
    expected = {}
    for layer in range(model["num_hidden_layers"]):
        for target in config["target_modules"]:
            part, inputs, outputs = shapes[target]
            name = f"base_model.model.model.layers.{layer}.{part}.{target}.lora_"
            expected[name + "A.weight"] = [config["r"], inputs]
            expected[name + "B.weight"] = [outputs, config["r"]]
    assert {name: t["shape"] for name, t in tensors.items()} == expected, "names or shapes differ from what PEFT asks for"
    assert all(t["dtype"] == "F32" for t in tensors.values())
    if reference:  # the same names, but for the layer's number and the target's
        pattern = lambda name: re.sub(r"layers\.\d+\.\w+\.\w+\.", "layers.N.M.", name)
        theirs = read_safetensors(os.path.join(reference, "adapter_model.safetensors"))[0]
        assert {pattern(n) for n in tensors} == {pattern(n) for n in theirs}
    try:
        import numpy
    except ImportError:
        numpy = None
    if numpy:
        assert numpy.isfinite(numpy.frombuffer(body, "<f4")).all()
    print(f"ok: {len(tensors)} tensors of rank {config['r']}, sha256 {digest}")


main(*sys.argv[1:])
