"""LoRA training of a Llama-shaped model in plain PyTorch, written for itself: what bench/LearningBenchmark.cs is measured against.

Usage: python3 lora.py MODEL ADAPTER DEVICE DTYPE THREADS ROWS LENGTH. Reads config.json and model.safetensors, and a PEFT adapter; takes the same
tokens (token i of row r is (i * i + 7 * r) % vocabulary). Then one command a line: "train N" answers "seconds first-loss last-loss", "generate N"
(greedy, with a key-value cache) answers "seconds". Runs on PyTorch 1.13 and later; on 2.x it uses scaled_dot_product_attention.
"""
import json
import math
import os
import struct
import sys
import time

import torch
import torch.nn.functional as F


def read_safetensors(path):
    types = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
    with open(path, "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(size))
        data = bytearray(file.read())
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            flat = torch.frombuffer(data, dtype=torch.uint8, offset=begin, count=end - begin)
            tensors[name] = flat.view(types[entry["dtype"]]).view(entry["shape"]).clone()
    return tensors


class LoraLinear(torch.nn.Module):
    def __init__(self, weight, a, b, scale):
        super().__init__()
        self.weight = torch.nn.Parameter(weight, requires_grad=False)
        self.scale = scale
        self.a = torch.nn.Parameter(a) if a is not None else None
        self.b = torch.nn.Parameter(b) if b is not None else None

    def forward(self, x):
        y = F.linear(x, self.weight)
        if self.a is not None:
            y = y + F.linear(F.linear(x, self.a.to(x.dtype)), self.b.to(x.dtype)) * self.scale
        return y


class RmsNorm(torch.nn.Module):
    def __init__(self, weight, eps):
        super().__init__()
        self.weight = torch.nn.Parameter(weight, requires_grad=False)
        self.eps = eps

    def forward(self, x):
        wide = x.float()
        return self.weight * (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.eps)).to(x.dtype)


class Layer(torch.nn.Module):
    def __init__(self, config, linear, norm, index):
        super().__init__()
        self.heads, self.groups, self.size = config["num_attention_heads"], config["num_key_value_heads"], config["head_dim"]
        name = f"model.layers.{index}."
        for kind in ("q_proj", "k_proj", "v_proj", "o_proj"):
            setattr(self, kind, linear(f"{name}self_attn.{kind}"))
        for kind in ("gate_proj", "up_proj", "down_proj"):
            setattr(self, kind, linear(f"{name}mlp.{kind}"))
        self.norm1, self.norm2 = norm(f"{name}input_layernorm"), norm(f"{name}post_attention_layernorm")

    def forward(self, x, cos, sin, mask, cache):
        b, t, _ = x.shape
        n = self.norm1(x)
        q = self.q_proj(n).view(b, t, self.heads, self.size).transpose(1, 2)
        k = self.k_proj(n).view(b, t, self.groups, self.size).transpose(1, 2)
        v = self.v_proj(n).view(b, t, self.groups, self.size).transpose(1, 2)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        if cache is not None:
            if cache:
                k, v = torch.cat([cache[0], k], 2), torch.cat([cache[1], v], 2)
            cache[:] = [k, v]
        if self.groups != self.heads:
            k = k.repeat_interleave(self.heads // self.groups, 1)
            v = v.repeat_interleave(self.heads // self.groups, 1)
        if hasattr(F, "scaled_dot_product_attention"):
            y = F.scaled_dot_product_attention(q, k, v, is_causal=mask is not None)
        else:
            scores = q @ k.transpose(2, 3) / math.sqrt(self.size)
            if mask is not None:
                scores = scores + mask
            y = F.softmax(scores, -1, dtype=torch.float32).to(q.dtype) @ v
        x = x + self.o_proj(y.transpose(1, 2).reshape(b, t, -1))
        n = self.norm2(x)
        return x + self.down_proj(F.silu(self.gate_proj(n)) * self.up_proj(n))


def rotate(x, cos, sin):
    half = x.shape[-1] // 2
    return x * cos + torch.cat((-x[..., half:], x[..., :half]), -1) * sin


class Model(torch.nn.Module):
    def __init__(self, folder, adapter, device, dtype):
        super().__init__()
        with open(os.path.join(folder, "config.json")) as file:
            config = json.load(file)
        with open(os.path.join(adapter, "adapter_config.json")) as file:
            lora = json.load(file)
        weights = {n: w.to(device, dtype) for n, w in read_safetensors(os.path.join(folder, "model.safetensors")).items()}
        factors = {n: w.to(device) for n, w in read_safetensors(os.path.join(adapter, "adapter_model.safetensors")).items()}
        scale = lora["lora_alpha"] / lora["r"]

        def linear(name):
            prefix = f"base_model.model.{name}.lora_"
            return LoraLinear(weights[f"{name}.weight"], factors.get(f"{prefix}A.weight"), factors.get(f"{prefix}B.weight"), scale)

        def norm(name):
            return RmsNorm(weights[f"{name}.weight"], config["rms_norm_eps"])

        self.config, self.device, self.dtype = config, device, dtype
        self.embedding = weights["model.embed_tokens.weight"]
        self.head = self.embedding if config["tie_word_embeddings"] else weights["lm_head.weight"]
        self.layers = torch.nn.ModuleList(Layer(config, linear, norm, i) for i in range(config["num_hidden_layers"]))
        self.norm = norm("model.norm")
        size = config["head_dim"]
        self.frequencies = 1.0 / (config["rope_theta"] ** (torch.arange(0, size, 2, device=device).float() / size))

    def forward(self, tokens, start=0, caches=None):
        length = tokens.shape[1]
        angles = torch.outer(torch.arange(start, start + length, device=self.device).float(), self.frequencies)
        angles = torch.cat((angles, angles), -1)
        cos, sin = angles.cos().to(self.dtype), angles.sin().to(self.dtype)
        mask = None if length == 1 else torch.full((length, length), float("-inf"), device=self.device, dtype=self.dtype).triu(1)
        x = F.embedding(tokens, self.embedding)
        for i, layer in enumerate(self.layers):
            x = layer(x, cos, sin, mask, None if caches is None else caches[i])
        return F.linear(self.norm(x), self.head)


def main():
    folder, adapter, device, dtype, threads, rows, length = sys.argv[1:]
    torch.set_num_threads(int(threads))
    model = Model(folder, adapter, torch.device(device), getattr(torch, dtype))
    vocabulary = model.config["vocab_size"]
    tokens = torch.tensor([[(i * i + 7 * r) % vocabulary for i in range(int(length))] for r in range(int(rows))], device=device)
    trained = [p for p in model.parameters() if p.requires_grad]
    synchronize = torch.cuda.synchronize if device == "cuda" else lambda: None
    print(f"ready PyTorch {torch.__version__}", flush=True)
    for line in sys.stdin:
        command, count = line.split()
        synchronize()
        started = time.perf_counter()
        if command == "train":
            optimiser = torch.optim.AdamW(trained, lr=1e-3, weight_decay=0.01)
            losses = []
            for _ in range(int(count)):
                logits = model(tokens)[:, :-1]
                loss = F.cross_entropy(logits.reshape(-1, vocabulary).float(), tokens[:, 1:].reshape(-1))
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(trained, 1.0)
                optimiser.step()
                losses.append(loss.item())
            answer = f" {losses[0]} {losses[-1]}"
        else:
            with torch.no_grad():
                caches = [[] for _ in model.layers]
                logits = model(tokens[:1, :16], 0, caches)
                for i in range(int(count)):
                    token = logits[:, -1:].argmax(-1)
                    logits = model(token, 16 + i, caches)
                logits[0, -1, 0].item()
            answer = ""
        synchronize()
        print(f"{time.perf_counter() - started}{answer}", flush=True)


main()
