using static TorchSharp.torch;

namespace FedChain.Learning.Models;

/// <summary>Cosines and sines by position, made as far as they are asked for.</summary>
internal sealed class RotaryTable(DecoderConfig config, Device device, ScalarType type) : IDisposable
{
    private Tensor? _cos; // (positions, D)
    private Tensor? _sin; // (positions, D), the first half negated: see DecoderLayer.Rotate

    /// <summary>The rows of a table (N, W) that (B, T) indices name: (B, T, W).</summary>
    public static Tensor Rows(Tensor table, Tensor indices) =>
        table.index_select(0, indices.reshape(-1)).view(indices.shape[0], indices.shape[1], table.shape[1]);

    /// <summary>
    /// Cosines and sines for the positions of a pass, once per query head: (1, T, H D), or (B, T, H D) where positions are given. Spread out like
    /// this they multiply long rows; over a dimension as short as a head, torch is several times slower.
    /// </summary>
    /// <exception cref="ArgumentException">A position beyond the model's context.</exception>
    public (Tensor Cos, Tensor Sin) Of(int past, int length, Tensor? positions)
    {
        var needed = positions is null ? past + length : (int)positions.max().item<long>() + 1;
        if (needed > config.ContextLength)
        {
            throw new ArgumentException($"The model's context is {config.ContextLength} tokens; position {needed - 1} was asked for. Shorten the text.", positions is null ? nameof(length) : nameof(positions));
        }

        if (_cos is null || _cos.shape[0] < needed)
        {
            Grow(Math.Min(config.ContextLength, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)needed)));
        }

        return (Spread(_cos!), Spread(_sin!));

        Tensor Spread(Tensor table) =>
            (positions is null ? table.narrow(0, past, length).unsqueeze(0) : Rows(table, positions)).repeat(1, 1, config.Heads);
    }

    public void Dispose()
    {
        _cos?.Dispose();
        _sin?.Dispose();
    }

    private void Grow(int length)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var angles = outer(tensor([.. Enumerable.Range(0, length).Select(i => (float)i)], device: device), tensor(RotaryFrequencies.For(config), device: device)); // (positions, D/2)
        var sin = angles.sin();
        Dispose();
        _cos = cat([angles.cos(), angles.cos()], 1).to(type).DetachFromDisposeScope();
        _sin = cat([sin.neg(), sin], 1).to(type).DetachFromDisposeScope();
    }
}
