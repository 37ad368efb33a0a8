// AdamW, on all parameters as one vector:
//   m = β1 m + (1 - β1) g        v = β2 v + (1 - β2) g²
//   p = (1 - η λ) p - η / (1 - β1ᵗ) · m / (sqrt(v) / sqrt(1 - β2ᵗ) + ε)
// Source: Loshchilov, Hutter, Decoupled Weight Decay Regularization (arXiv 1711.05101); the order of operations is torch.optim.AdamW's.
using FedChain.Learning.Models;
using static TorchSharp.torch;

namespace FedChain.Learning.Training;

/// <summary>
/// The optimiser. Small models have many small tensors: as one vector, an update takes a dozen operations rather than a dozen per tensor.
/// </summary>
internal sealed class AdamW : IDisposable
{
    private readonly IReadOnlyList<Tensor> _parameters;
    private readonly long[] _sizes;
    private readonly double _beta1;
    private readonly double _beta2;
    private readonly double _epsilon;
    private readonly double _weightDecay;
    private readonly Tensor _mean;
    private readonly Tensor _square;
    private readonly Tensor? _decayed; // 1 where weight decay applies, 0 on vectors; null where it applies everywhere
    private Tensor? _previous; // the parameters before the last update

    public AdamW(IReadOnlyList<Tensor> parameters, TrainingOptions options)
    {
        _parameters = parameters;
        _sizes = [.. parameters.Select(p => p.NumberOfElements)];
        (_beta1, _beta2, _epsilon, _weightDecay) = (options.Beta1, options.Beta2, options.Epsilon, options.WeightDecay);
        _mean = zeros(_sizes.Sum(), float32, parameters[0].device).DetachFromDisposeScope();
        _square = zeros_like(_mean).DetachFromDisposeScope();
        if (parameters.Any(p => p.dim() < 2))
        {
            using var scope = NewDisposeScope();
            _decayed = cat([.. parameters.Select(p => p.dim() < 2 ? zeros(p.NumberOfElements, float32, p.device) : ones(p.NumberOfElements, float32, p.device))]).DetachFromDisposeScope();
        }
    }

    /// <summary>Updates that the running means are of.</summary>
    public int Steps { get; private set; }

    /// <summary>All gradients as one vector, in the parameters' order.</summary>
    public static Tensor Flatten(IEnumerable<Tensor> tensors) => cat([.. tensors.Select(t => t.reshape(-1))]);

    /// <summary>One update with a gradient made by <see cref="Flatten"/>.</summary>
    public void Step(Tensor gradient, double learningRate)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        Steps++;
        _mean.TimesInPlace(_beta1).PlusInPlace(gradient, 1 - _beta1);
        _square.TimesInPlace(_beta2).PlusProductInPlace(gradient, gradient, 1 - _beta2);
        var denominator = _square.sqrt().OverInPlace(Math.Sqrt(1 - Math.Pow(_beta2, Steps))).PlusInPlace(_epsilon);
        var current = Flatten(_parameters);
        var next = _decayed is null ? current.Times(1 - (learningRate * _weightDecay)) : current.mul(_decayed.Times(-learningRate * _weightDecay).PlusInPlace(1));
        next.PlusQuotientInPlace(_mean, denominator, -learningRate / (1 - Math.Pow(_beta1, Steps)));
        Write(next);
        _previous?.Dispose();
        _previous = current.DetachFromDisposeScope();
    }

    /// <summary>Takes the last update of the parameters back.</summary>
    public void UndoStep()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        Write(_previous ?? throw new InvalidOperationException("There is no update to take back."));
    }

    /// <summary>All that the next update depends on, and the parameters themselves, by name.</summary>
    public Dictionary<string, float[]> Save()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var current = Flatten(_parameters);
        return new()
        {
            ["parameters"] = TensorData.Values(current),
            ["previous"] = TensorData.Values(_previous ?? current),
            ["mean"] = TensorData.Values(_mean),
            ["square"] = TensorData.Values(_square),
        };
    }

    /// <summary>Sets the parameters and what the next update depends on to what <see cref="Save"/> gave after so many steps.</summary>
    public void Load(IReadOnlyDictionary<string, float[]> saved, int steps)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        TensorData.Fill(_mean, saved["mean"]);
        TensorData.Fill(_square, saved["square"]);
        Write(tensor(saved["parameters"], device: _mean.device));
        _previous?.Dispose();
        _previous = tensor(saved["previous"], device: _mean.device).DetachFromDisposeScope();
        Steps = steps;
    }

    /// <summary>Goes on with the running means of an earlier training.</summary>
    /// <exception cref="ArgumentException">They are of other weights.</exception>
    public void Recall(OptimiserMemory memory)
    {
        if (memory.Steps == 0)
        {
            return;
        }

        if (memory.Mean.Length != _mean.NumberOfElements)
        {
            throw new ArgumentException($"The optimiser's memory is of {memory.Mean.Length} weights; {_mean.NumberOfElements} are trained.", nameof(memory));
        }

        TensorData.Fill(_mean, memory.Mean);
        TensorData.Fill(_square, memory.Square);
        Steps = memory.Steps;
    }

    /// <summary>Keeps the running means for a later training.</summary>
    public void Remember(OptimiserMemory memory) => memory.Keep(Steps, TensorData.Values(_mean), TensorData.Values(_square));

    public void Dispose()
    {
        _mean.Dispose();
        _square.Dispose();
        _decayed?.Dispose();
        _previous?.Dispose();
    }

    private void Write(Tensor flat)
    {
        var parts = flat.split(_sizes);
        for (var i = 0; i < parts.Length; i++)
        {
            _parameters[i].copy_(parts[i].view(_parameters[i].shape));
        }
    }
}
