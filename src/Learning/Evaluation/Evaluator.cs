using FedChain.Learning.Examples;
using FedChain.Learning.Models;
using FedChain.Learning.Training;
using static TorchSharp.torch;

namespace FedChain.Learning.Evaluation;

internal static class Evaluator
{
    /// <summary>Goes through all examples once, in batches of like length. The sum is taken in double precision, in a fixed order.</summary>
    /// <exception cref="ArgumentException">Examples that the model can't take.</exception>
    public static EvaluationResult Evaluate(Decoder decoder, IReadOnlyList<TokenizedExample> examples, int batchSize, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        var usable = ExampleChecks.Usable(examples, decoder.Config);
        double nats = 0;
        long tokens = 0;
        foreach (var indices in BatchOrder.ByLength(usable, batchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            using var _ = no_grad();
            var batch = TokenBatch.FromExamples([.. indices.Select(i => usable[i])], decoder.Device);
            nats += decoder.Loss(batch, nn.Reduction.None).to(float64).sum().item<double>();
            tokens += batch.TargetCount;
        }

        return new(nats, tokens, usable.Sum(e => (long)e.ResponseBytes));
    }
}
