using FedChain.Learning.Examples;
using FedChain.Learning.Models;
using FedChain.Learning.Training;
using static TorchSharp.torch;

namespace FedChain.Learning.Evaluation;

internal static class LabelEvaluator
{
    /// <exception cref="ArgumentException">No question, one with fewer than two answers or no such right one, or answers that the model can't take.</exception>
    public static LabelAccuracy Evaluate(Decoder decoder, IReadOnlyList<LabelQuestion> questions, int batchSize, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        if (questions.Count == 0 || questions.Any(q => q.Answers.Count < 2 || q.Correct < 0 || q.Correct >= q.Answers.Count))
        {
            throw new ArgumentException("Expected at least one question, each with two answers or more and the index of the right one.", nameof(questions));
        }

        var answers = questions.SelectMany(q => q.Answers).ToList();
        if (ExampleChecks.Usable(answers, decoder.Config).Count < answers.Count)
        {
            throw new ArgumentException("An answer has no token to predict.", nameof(questions));
        }

        var nats = Nats(decoder, answers, batchSize, cancellationToken);
        var (at, correct, correctPerByte) = (0, 0, 0);
        foreach (var question in questions)
        {
            var losses = nats.AsSpan(at, question.Answers.Count);
            correct += Least(losses, _ => 1) == question.Correct ? 1 : 0;
            correctPerByte += Least(losses, i => Math.Max(1, question.Answers[i].ResponseBytes)) == question.Correct ? 1 : 0;
            at += question.Answers.Count;
        }

        return new(questions.Count, correct, correctPerByte);
    }

    /// <summary>Each answer's summed loss, in the given order.</summary>
    private static double[] Nats(Decoder decoder, List<TokenizedExample> answers, int batchSize, CancellationToken cancellationToken)
    {
        var nats = new double[answers.Count];
        foreach (var indices in BatchOrder.ByLength(answers, batchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            using var _ = no_grad();
            var batch = TokenBatch.FromExamples([.. indices.Select(i => answers[i])], decoder.Device);
            var losses = TensorData.Values(decoder.Loss(batch, nn.Reduction.None)).AsSpan();
            foreach (var index in indices)
            {
                foreach (var loss in losses[..answers[index].PredictedTokens])
                {
                    nats[index] += loss;
                }

                losses = losses[answers[index].PredictedTokens..];
            }
        }

        return nats;
    }

    private static int Least(ReadOnlySpan<double> losses, Func<int, int> divisor)
    {
        var least = 0;
        for (var i = 1; i < losses.Length; i++)
        {
            least = losses[i] / divisor(i) < losses[least] / divisor(least) ? i : least;
        }

        return least;
    }
}
