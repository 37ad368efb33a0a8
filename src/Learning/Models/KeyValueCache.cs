using static TorchSharp.torch;

namespace FedChain.Learning.Models;

/// <summary>Keys and values of the tokens seen so far, per layer: (B, KV, capacity, head).</summary>
internal sealed class KeyValueCache : IDisposable
{
    private readonly Decoder _decoder;
    private readonly int _batch;
    private readonly (Tensor Keys, Tensor Values)[] _layers;

    public KeyValueCache(Decoder decoder, int batch, int capacity)
    {
        (_decoder, _batch, Capacity) = (decoder, batch, capacity);
        _layers = new (Tensor, Tensor)[decoder.Config.Layers];
        for (var i = 0; i < _layers.Length; i++)
        {
            _layers[i] = (Empty(capacity), Empty(capacity));
        }
    }

    /// <summary>The most tokens that it can hold.</summary>
    public int Capacity { get; private set; }

    /// <summary>Tokens held.</summary>
    public int Length { get; private set; }

    /// <summary>Makes room for more; what is held stays.</summary>
    public void Grow(int capacity)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        for (var i = 0; i < _layers.Length; i++)
        {
            var (keys, values) = _layers[i];
            _layers[i] = (Larger(keys), Larger(values));
            keys.Dispose();
            values.Dispose();
        }

        Capacity = capacity;

        Tensor Larger(Tensor held)
        {
            var larger = Empty(capacity);
            larger.narrow(2, 0, Length).copy_(held.narrow(2, 0, Length));
            return larger;
        }
    }

    /// <summary>Forgets all but the first tokens.</summary>
    public void Cut(int length) => Length = Math.Min(Length, length);

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

    private Tensor Empty(int capacity) =>
        empty([_batch, _decoder.Config.KeyValueHeads, capacity, _decoder.Config.HeadSize], _decoder.Compute, _decoder.Device).DetachFromDisposeScope();

    public void Dispose()
    {
        foreach (var (keys, values) in _layers)
        {
            keys.Dispose();
            values.Dispose();
        }
    }
}
