using static TorchSharp.torch;

namespace FedChain.Learning.Models;

/// <summary>Keys and values of the tokens seen so far, per layer, in tensors of a fixed size: (B, KV, capacity, head).</summary>
internal sealed class KeyValueCache : IDisposable
{
    private readonly (Tensor Keys, Tensor Values)[] _layers;

    public KeyValueCache(Decoder decoder, int batch, int capacity)
    {
        var config = decoder.Config;
        Capacity = capacity;
        _layers = new (Tensor, Tensor)[config.Layers];
        for (var i = 0; i < _layers.Length; i++)
        {
            _layers[i] = (Empty(), Empty());
        }

        Tensor Empty() => empty([batch, config.KeyValueHeads, capacity, config.HeadSize], decoder.Compute, decoder.Device).DetachFromDisposeScope();
    }

    public int Capacity { get; }

    /// <summary>Tokens held.</summary>
    public int Length { get; private set; }

    /// <summary>Stores a layer's new keys and values (B, KV, T, head) behind the old ones and returns all: (B, KV, Length + T, head).</summary>
    public (Tensor Keys, Tensor Values) Append(int layer, Tensor keys, Tensor values)
    {
        var tokens = (int)keys.shape[2];
        if (tokens > Capacity - Length)
        {
            throw new InvalidOperationException($"The cache holds {Capacity} tokens; {Length} are in it and {tokens} more came.");
        }

        var (allKeys, allValues) = _layers[layer];
        allKeys.narrow(2, Length, tokens).copy_(keys);
        allValues.narrow(2, Length, tokens).copy_(values);
        return (allKeys.narrow(2, 0, Length + tokens), allValues.narrow(2, 0, Length + tokens));
    }

    /// <summary>Called once all layers have appended.</summary>
    public void Advance(int tokens) => Length += tokens;

    public void Dispose()
    {
        foreach (var (keys, values) in _layers)
        {
            keys.Dispose();
            values.Dispose();
        }
    }
}
