using FedChain.Learning.Generation;

namespace FedChain.Tests.Learning.Generation;

public sealed class SamplerTests
{
    private static readonly float[] Logits = [.. new[] { 0.5, 0.3, 0.15, 0.05 }.Select(p => (float)Math.Log(p) + 40)];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1, 0, 1, new[] { 0.5, 0.3, 0.15, 0.05 })]
    [InlineData(2, 0, 1, new[] { 0.3790, 0.2936, 0.2076, 0.1198 })] // square roots, to sum 1
    [InlineData(1, 0, 0.6, new[] { 0.625, 0.375, 0, 0 })]
    [InlineData(1, 0, 0.81, new[] { 0.5263, 0.3158, 0.1579, 0 })]
    [InlineData(1, 0, 0.1, new[] { 1.0, 0, 0, 0 })]
    [InlineData(1, 3, 1, new[] { 0.5263, 0.3158, 0.1579, 0 })]
    [InlineData(1, 3, 0.85, new[] { 0.5263, 0.3158, 0.1579, 0 })] // 0.8 of all is 0.84 of the three
    [InlineData(1, 3, 0.84, new[] { 0.625, 0.375, 0, 0 })]
    [InlineData(1, 1, 1, new[] { 1.0, 0, 0, 0 })]
    [InlineData(1, 9, 1, new[] { 0.5, 0.3, 0.15, 0.05 })]
    public void Tokens_come_as_often_as_temperature_top_k_and_nucleus_say(double temperature, int topK, double topP, double[] shares)
    {
        const int Draws = 20_000;
        var sampler = new Sampler(new() { Temperature = temperature, TopK = topK, TopP = topP, Seed = 5 });
        var counts = new int[4];
        for (var i = 0; i < Draws; i++)
        {
            counts[sampler.Draw(Logits)]++;
        }

        for (var token = 0; token < 4; token++)
        {
            Assert.Equal(shares[token], counts[token] / (double)Draws, 0.015);
        }
    }

    [Fact]
    public void Of_a_long_tail_as_much_is_drawn_from_as_was_asked_for()
    {
        // 500 tokens of e^0 and e^-1 in turn: half of all mass is the 250 heavy ones' 73 %, so 171 of them, the lowest ids among equals.
        var logits = Enumerable.Range(0, 500).Select(i => (float)-(i % 2)).ToArray();
        var seen = Drawn(new() { Temperature = 1, TopP = 0.5, Seed = 1 });
        Assert.Equal(Enumerable.Range(0, 171).Select(i => 2 * i), seen);
        Assert.Equal(Enumerable.Range(0, 250).Select(i => 2 * i).Append(1).Append(3).Order(), Drawn(new() { Temperature = 1, TopK = 252, Seed = 1 }));
        Assert.Equal(Enumerable.Range(0, 500), Drawn(new() { Temperature = 1, Seed = 1 }));

        IEnumerable<int> Drawn(GenerationOptions options)
        {
            var sampler = new Sampler(options);
            return Enumerable.Range(0, 20_000).Select(_ => sampler.Draw(logits)).Distinct().Order();
        }
    }

    [Fact]
    public void A_seed_gives_the_same_text_again_and_another_another()
    {
        using var model = TinyModel.Create();
        int[] Text(ulong seed, double temperature = 1, double topP = 1) =>
            [.. model.Generate([1, 5], new() { MaxTokens = 40, StopAtEnd = false, Temperature = temperature, TopP = topP, Seed = seed }, Cancellation)];

        Assert.Equal(Text(3), Text(3));
        Assert.NotEqual(Text(3), Text(4));
        Assert.Equal(Text(3, temperature: 0), Text(4, topP: 1e-9)); // both greedy
        Assert.Equal(Text(3, temperature: 0), Text(4, temperature: 1e-6));
    }

    [Fact]
    public void Values_out_of_range_are_refused()
    {
        using var model = TinyModel.Create();
        void Refused(GenerationOptions options) => Assert.Throws<ArgumentException>(() => model.Generate([1], options, Cancellation));

        Refused(new() { Temperature = -1 });
        Refused(new() { Temperature = double.NaN });
        Refused(new() { TopK = -1 });
        Refused(new() { TopP = 0 });
        Refused(new() { TopP = 1.5 });
        Refused(new() { MaxTokens = 0 });
    }
}
