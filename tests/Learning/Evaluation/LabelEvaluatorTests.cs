using FedChain.Learning.Evaluation;
using FedChain.Learning.Examples;

namespace FedChain.Tests.Learning.Evaluation;

public sealed class LabelEvaluatorTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void A_trained_model_finds_the_right_answers_and_an_untrained_one_does_not()
    {
        using var model = TinyModel.Create();
        var questions = TinyModel.Examples().Select((e, i) => Question(e, i % 3)).ToList();
        var before = model.EvaluateLabels(questions, cancellationToken: Cancellation);

        model.TrainAllWeights(TinyModel.Examples(), new() { Steps = 150, LearningRate = 1e-2 }, cancellationToken: Cancellation);

        var after = model.EvaluateLabels(questions, batchSize: 7, cancellationToken: Cancellation);
        Assert.InRange(before.Share, 0, 0.7); // a third by chance
        Assert.Equal((40, 1.0, 1.0), (after.Questions, after.Share, after.SharePerByte));
        Assert.Equal(after, model.EvaluateLabels(questions, batchSize: 64, cancellationToken: Cancellation));
    }

    [Fact]
    public void The_sum_favours_short_answers_and_the_mean_per_byte_does_not()
    {
        // An untrained model finds all tokens about equally likely: by the sum the short answer wins, by the byte the one of more bytes.
        using var model = TinyModel.Create();
        var question = new LabelQuestion([new([1, 5, 6], 2, 1), new([1, 5, 6, 7, 8], 2, 30)], 1);

        var accuracy = model.EvaluateLabels([question], cancellationToken: Cancellation);

        Assert.Equal(new LabelAccuracy(1, 0, 1), accuracy);
    }

    [Fact]
    public void Questions_without_a_choice_are_refused()
    {
        using var model = TinyModel.Create();
        var answer = TinyModel.Examples()[0];

        Assert.Throws<ArgumentException>(() => model.EvaluateLabels([], cancellationToken: Cancellation));
        Assert.Throws<ArgumentException>(() => model.EvaluateLabels([new([answer], 0)], cancellationToken: Cancellation));
        Assert.Throws<ArgumentException>(() => model.EvaluateLabels([new([answer, answer], 2)], cancellationToken: Cancellation));
        Assert.Throws<ArgumentException>(() => model.EvaluateLabels([new([answer, answer with { PromptLength = answer.Tokens.Length }], 0)], cancellationToken: Cancellation));
    }

    /// <summary>The example's own response among two that count wrongly.</summary>
    private static LabelQuestion Question(TokenizedExample right, int place)
    {
        TokenizedExample Wrong(int step) => right with { Tokens = [.. right.Tokens.Select((t, i) => i < right.PromptLength ? t : 3 + ((t + (i * step)) % 29))], ResponseBytes = 5 };
        var answers = new List<TokenizedExample> { Wrong(5), Wrong(11) };
        answers.Insert(place, right with { ResponseBytes = 5 });
        return new(answers, place);
    }
}
