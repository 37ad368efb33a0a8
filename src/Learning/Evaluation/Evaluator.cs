using FedChain.Learning.Examples;
using FedChain.Learning.Models;
using FedChain.Learning.Training;
using static TorchSharp.torch;

namespace FedChain.Learning.Evaluation;

internal static class Evaluator
{
    /// <summary>Goes through all examples once, in batches of like length. Sums are taken in double precision, in a fixed order.</summary>
    /// <returns>One result for each example in which something is predicted, in their order.</returns>
    /// <exception cref="ArgumentException">Examples that the model can't take.</exception>
    public static EvaluationResult[] EvaluateEach(Decoder decoder, IReadOnlyList<TokenizedExample> examples, int batchSize, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        var usable = ExampleChecks.Usable(examples, decoder.Config);
        var results = new EvaluationResult[usable.Count];
        foreach (var indices in BatchOrder.ByLength(usable, batchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            using var _ = no_grad();
            var batch = TokenBatch.FromExamples([.. indices.Select(i => usable[i])], decoder.Device);
            var nats = TensorData.Values(decoder.Loss(batch, nn.Reduction.None)).AsSpan();
            foreach (var i in indices)
            {
                var count = usable[i].PredictedTokens;
                results[i] = new(Sum(nats[..count]), count, usable[i].ResponseBytes);
                nats = nats[count..];
            }
        }

        return results;
    }

    private static double Sum(ReadOnlySpan<float> values)
    {
        var sum = 0.0;
        foreach (var value in values)
        {
            sum += value;
        }

        return sum;
    }
}
