using FedChain.Learning.Examples;
using FedChain.Learning.Models;

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

        var nats = Evaluator.EvaluateEach(decoder, answers, batchSize, cancellationToken).Select(r => r.SummedNats).ToArray();
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
