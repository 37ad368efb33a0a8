namespace FedChain.Learning.Models;

/// <summary>How a base model's weights are held in memory, and with it what the model computes in. Adapters are float32 in every case.</summary>
public enum WeightType
{
    /// <summary>float32, 4 bytes per weight: the reference.</summary>
    Float32,

    /// <summary>bfloat16, 2 bytes per weight; norms, softmax and losses are taken in float32.</summary>
    BFloat16,

    /// <summary>
    /// The layers' linear weights as int8 with one scale per output channel, 1 byte per weight, dequantised as they are used; embeddings, norms and
    /// biases, and the arithmetic, as with <see cref="BFloat16"/>.
    /// </summary>
    Int8,
}
