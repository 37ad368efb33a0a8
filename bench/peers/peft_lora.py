"""The same training by PEFT and transformers, where they can be imported (else exit code 3). Usage and commands as lora.py; "train" only."""
import sys
import time

import torch

try:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit(3)

folder, adapter, device, dtype, threads, rows, length = sys.argv[1:]
torch.set_num_threads(int(threads))
base = AutoModelForCausalLM.from_pretrained(folder, torch_dtype=getattr(torch, dtype)).to(device)
model = PeftModel.from_pretrained(base, adapter, is_trainable=True)
model.train()
trained = [p for p in model.parameters() if p.requires_grad]
vocabulary = base.config.vocab_size
tokens = torch.tensor([[(i * i + 7 * r) % vocabulary for i in range(int(length))] for r in range(int(rows))], device=device)
synchronize = torch.cuda.synchronize if device == "cuda" else lambda: None
print(f"ready PEFT on PyTorch {torch.__version__}", flush=True)
for line in sys.stdin:
    command, count = line.split()
    synchronize()
    started = time.perf_counter()
    optimiser = torch.optim.AdamW(trained, lr=1e-3, weight_decay=0.01)
    losses = []
    for _ in range(int(count)):
        loss = model(input_ids=tokens, labels=tokens).loss
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        losses.append(loss.item())
    synchronize()
    print(f"{time.perf_counter() - started} {losses[0]} {losses[-1]}", flush=True)
