#!/bin/sh
# The learning engine on an NVIDIA GPU: the vectors first, then tokens/s of a 1B-shaped model of random weights in bfloat16 beside PyTorch, and beside PEFT
# and transformers where they can be imported, all on the same GPU.
#
# On a machine with the .NET SDK, once (small: libtorch stays behind, the Python PyTorch's is used):
#   dotnet publish tests/Learning -c Release -r linux-x64 --self-contained -o gpu/tests && dotnet publish bench -c Release -r linux-x64 --self-contained -o gpu/bench
#   rm -rf gpu/tests/libtorch gpu/bench/libtorch && cp bench/gpu.sh gpu/ && tar czf gpu.tar.gz gpu
# On the machine with the GPU:  [FEDCHAIN_PYTHON=python3] [FEDCHAIN_VECTORS=dir] gpu/gpu.sh
# Exit code: 0, 1 where a vector fails (the speeds are measured all the same), 2 without a GPU.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
python=${FEDCHAIN_PYTHON:-python3}
"$python" - <<'PYTHON' || { echo "Needs a Python with a CUDA build of PyTorch that sees a GPU; set FEDCHAIN_PYTHON." >&2; exit 2; }
import sys, torch
print("PyTorch", torch.__version__, "CUDA", torch.version.cuda, torch.cuda.get_device_name() if torch.cuda.is_available() else "without a GPU")
sys.exit(0 if torch.cuda.is_available() else 1)
PYTHON
FEDCHAIN_LIBTORCH=${FEDCHAIN_LIBTORCH:-$("$python" -c 'import os, torch; print(os.path.join(os.path.dirname(torch.__file__), "lib"))')}
FEDCHAIN_PYTHON=$(command -v "$python")
export FEDCHAIN_LIBTORCH FEDCHAIN_PYTHON

failed=0
if [ -n "${FEDCHAIN_VECTORS:-}" ]; then
    FEDCHAIN_VECTORS=$(cd "$FEDCHAIN_VECTORS" && pwd) # the tests take a relative path from where they were built
    [ -d "$FEDCHAIN_VECTORS/llm" ] || { echo "$FEDCHAIN_VECTORS holds no folder llm; FEDCHAIN_VECTORS names the folder that does." >&2; exit 1; }
    FEDCHAIN_DEVICE=cuda "$here/tests/FedChain.Learning.Tests" -trait Category=Vectors || failed=1
else
    echo "FEDCHAIN_VECTORS names no folder: the vectors are left out." >&2
fi

FEDCHAIN_BENCH_DEVICE=cuda FEDCHAIN_BENCH_SHAPES="${FEDCHAIN_BENCH_SHAPES:-1B}" "$here/bench/FedChain.Bench" learning
nvidia-smi --query-gpu=name,memory.used,utilization.gpu --format=csv || true
exit $failed
