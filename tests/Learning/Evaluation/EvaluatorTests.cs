using FedChain.Learning.Evaluation;
using FedChain.Learning.Examples;
using FedChain.Protocol.Numerics;

namespace FedChain.Tests.Learning.Evaluation;

public sealed class EvaluatorTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void The_mean_is_over_response_tokens_whatever_the_batches()
    {
        using var model = TinyModel.WithAdapter();
        var examples = TinyModel.Examples();
        var one = model.Evaluate(examples, 1, Cancellation);
        var many = model.Evaluate(examples, 64, Cancellation);

        Assert.Equal(examples.Sum(e => e.Tokens.Length - e.PromptLength), one.Tokens);
        Assert.Equal(one.Tokens, many.Tokens);
        Assert.Equal(one.NatsPerToken, many.NatsPerToken, 1e-6);
        Assert.Equal(many, model.Evaluate(examples, 64, Cancellation));
    }

    [Fact]
    public void The_sum_is_over_the_parts()
    {
        using var model = TinyModel.Create();
        var examples = TinyModel.Examples(10);
        var parts = examples.Select(e => model.Evaluate([e], cancellationToken: Cancellation)).ToList();
        var whole = model.Evaluate(examples, cancellationToken: Cancellation);

        Assert.Equal(parts.Sum(p => p.SummedNats), whole.SummedNats, 1e-4);
        Assert.Equal(parts.Sum(p => p.ResponseBytes), whole.ResponseBytes);
        var each = model.EvaluateEach(examples, batchSize: 3, Cancellation);
        Assert.Equal(parts.Select(p => (p.Tokens, p.ResponseBytes)), each.Select(p => (p.Tokens, p.ResponseBytes))); // in the examples' order
        Assert.All(parts.Zip(each), pair => Assert.Equal(pair.First.SummedNats, pair.Second.SummedNats, 1e-4));
    }

    [Fact]
    public void What_the_prompt_would_have_cost_does_not_count()
    {
        using var model = TinyModel.Create();
        int[] tokens = [1, 5, 6, 7, 8, 9];
        double Sum(int prompt) => model.Evaluate([new(tokens, prompt, 0)], cancellationToken: Cancellation).SummedNats;

        Assert.Equal(Sum(0), Sum(1)); // nothing predicts the first token
        Assert.True(Sum(1) > Sum(3) && Sum(3) > Sum(5));
        var single = Enumerable.Range(1, 5).Select(at => model.Evaluate([new(tokens[..(at + 1)], at, 0)], cancellationToken: Cancellation).SummedNats);
        Assert.Equal(Sum(1), single.Sum(), 1e-4);
    }

    [Fact]
    public void Losses_come_as_micronats_and_bits_per_byte()
    {
        var result = new EvaluationResult(SummedNats: Math.Log(2) * 60, Tokens: 20, ResponseBytes: 40);

        Assert.Equal(1.5, result.BitsPerByte!.Value, 1e-12);
        Assert.Equal(new Micronats(2_079_442), result.Loss);
        Assert.Null((result with { ResponseBytes = 0 }).BitsPerByte);
    }

    [Fact]
    public void Cancellation_is_heeded()
    {
        using var model = TinyModel.Create();

        Assert.Throws<OperationCanceledException>(() => model.Evaluate(TinyModel.Examples(), cancellationToken: new CancellationToken(true)));
    }

    [Fact]
    public void An_example_without_response_adds_nothing()
    {
        using var model = TinyModel.Create();
        var examples = TinyModel.Examples(3);

        Assert.Equal(
            model.Evaluate(examples, cancellationToken: Cancellation),
            model.Evaluate([.. examples, new TokenizedExample([1, 4, 5], 3, 0)], cancellationToken: Cancellation));
    }
}
