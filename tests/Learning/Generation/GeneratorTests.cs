using FedChain.Learning;
using FedChain.Learning.Generation;

namespace FedChain.Tests.Learning.Generation;

public sealed class GeneratorTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void It_stops_at_the_number_of_tokens_at_the_context_and_at_an_end_token()
    {
        using var model = TinyModel.Create();
        var free = new GenerationOptions { MaxTokens = 1000, StopAtEnd = false };

        var all = model.Generate([1, 5], free, Cancellation).ToArray();
        Assert.Equal(TinyModel.Config.ContextLength - 1, all.Length); // the last token is read off the full context
        Assert.Equal(all[..7], model.Generate([1, 5], free with { MaxTokens = 7 }, Cancellation));

        var end = all[3];
        using var stopping = CausalLanguageModel.Create(TinyModel.Config with { EndTokens = [end] }, 7, ComputeDevice.Cpu);
        Assert.Equal(all[..Array.IndexOf(all, end)], stopping.Generate([1, 5], free with { StopAtEnd = true }, Cancellation));
    }

    [Fact]
    public void The_adapter_takes_part_unless_disabled()
    {
        using var model = TinyModel.WithAdapter();
        var untouched = model.Generate([1, 5], new() { MaxTokens = 12 }, Cancellation).ToArray();
        model.TrainAdapter(TinyModel.Examples(), new() { Steps = 150, LearningRate = 2e-2 }, cancellationToken: Cancellation);

        Assert.NotEqual(untouched, model.Generate([1, 5], new() { MaxTokens = 12 }, Cancellation));
        model.AdapterEnabled = false;
        Assert.Equal(untouched, model.Generate([1, 5], new() { MaxTokens = 12 }, Cancellation));
        model.DetachAdapter();
        Assert.Equal(untouched, model.Generate([1, 5], new() { MaxTokens = 12 }, Cancellation));
    }

    [Fact]
    public void A_prompt_that_the_model_cannot_take_is_refused()
    {
        using var model = TinyModel.Create();

        Assert.Throws<ArgumentException>(() => model.Generate([], cancellationToken: Cancellation));
        Assert.Contains("token 32; the model knows 0 to 31. Is it the model's tokenizer?", Assert.Throws<ArgumentException>(() => model.Generate([1, 32], cancellationToken: Cancellation)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => model.Generate(new int[65], cancellationToken: Cancellation));
        Assert.Throws<OperationCanceledException>(() => model.Generate([1], cancellationToken: new CancellationToken(true)).ToList());
    }
}
