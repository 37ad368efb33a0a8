using TorchSharp;
using static TorchSharp.torch;

namespace FedChain.Learning.Models;

/// <summary>What all layers of one pass through a decoder share.</summary>
/// <param name="Rotation">Cosines and sines of the positions, as <see cref="RotaryTable.Of"/> gives them.</param>
/// <param name="Masks">Which keys a query may look at.</param>
/// <param name="Cache">Earlier keys and values; null where there are none.</param>
internal sealed record Pass((Tensor Cos, Tensor Sin) Rotation, AttentionMasks Masks, KeyValueCache? Cache);

/// <summary>
/// Which keys a query may look at: true for yes, (B or 1, 1, T, S). Null where plain causality says it all (a first pass) or nothing is
/// hidden (one token after those in the cache). Made once for all layers of one window.
/// </summary>
internal sealed class AttentionMasks(Device device, int past, int length, Tensor? padding)
{
    private readonly Dictionary<int, Tensor?> _byWindow = [];

    public Tensor? Of(int? window)
    {
        var reach = window < past + length ? window.Value : int.MaxValue; // a window that holds everything is none
        if (!_byWindow.TryGetValue(reach, out var allowed))
        {
            _byWindow.Add(reach, allowed = Make(reach));
        }

        return allowed;
    }

    private Tensor? Make(int reach)
    {
        if (padding is null && reach == int.MaxValue && (past == 0 || length == 1))
        {
            return null;
        }

        var keys = ones([length, past + length], torch.@bool, device).tril(past);
        if (reach != int.MaxValue)
        {
            keys = keys.triu(past - reach + 1);
        }

        keys = keys[TensorIndex.None, TensorIndex.None]; // (1, 1, T, S)
        return padding is null ? keys : keys.logical_and(padding.to(torch.@bool).unsqueeze(1).unsqueeze(2));
    }
}
