using FedChain.Learning;
using FedChain.Learning.Generation;
using FedChain.Learning.Models;

namespace FedChain.Tests.Learning.Generation;

public sealed class ConversationTests
{
    private static readonly GenerationOptions Options = new() { MaxTokens = 6, StopAtEnd = false };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void A_text_that_goes_on_or_turns_off_is_continued_as_if_it_were_the_first()
    {
        using var model = TinyModel.WithAdapter();
        model.TrainAdapter(TinyModel.Examples(), new() { Steps = 30 }, cancellationToken: Cancellation);
        using var conversation = model.Converse();
        int[] text = [1, 5, 6];
        var first = Continue(text);
        int[] longer = [.. text, .. first, 9, 4, 7];
        Continue(longer);
        Continue([.. longer[..5], 8, 8]); // parts halfway
        Continue([.. longer[..5], 8, 8]); // the same again
        Continue([2]); // shares nothing
        Continue([.. Enumerable.Range(0, 50).Select(i => 3 + (i % 29))]); // more than there was room for
        Continue(text);

        int[] Continue(int[] tokens)
        {
            int[] expected = [.. Fresh(tokens)];
            Assert.Equal(expected, conversation.Continue(tokens, Options, Cancellation));
            return expected;
        }

        IEnumerable<int> Fresh(int[] tokens) => model.Generate(tokens, Options, Cancellation).ToList();
    }

    [Fact]
    public void An_abandoned_answer_and_a_sliding_window_do_no_harm()
    {
        using var model = CausalLanguageModel.Create(TinyModel.Config with { ModelType = "mistral", SlidingWindow = 5, TiedEmbeddings = false }, 7, ComputeDevice.Cpu);
        using var conversation = model.Converse();
        int[] text = [1, 5, 6, 7, 8, 9];
        var begun = conversation.Continue(text, Options, Cancellation).Take(3).ToArray();
        int[] next = [.. text, .. begun, 3, 4];

        Assert.Equal(model.Generate(next, Options, Cancellation).ToList(), conversation.Continue(next, Options, Cancellation));
        using var stop = new CancellationTokenSource();
        var seen = new List<int>();
        Assert.Throws<OperationCanceledException>(() =>
        {
            foreach (var token in conversation.Continue(next, Options, stop.Token))
            {
                seen.Add(token);
                stop.Cancel();
            }
        });
        Assert.Single(seen);
        Assert.Equal(model.Generate(text, Options, Cancellation).ToList(), conversation.Continue(text, Options, Cancellation));
    }

    [Fact]
    public void What_is_shared_is_not_computed_again()
    {
        using var decoder = new Decoder(TinyModel.Config, TorchSharp.torch.CPU);
        FirstWeights.Fill(decoder, 7);
        using var generator = new Generator(decoder);
        int[] text = [.. Enumerable.Range(0, 40).Select(i => 3 + (i % 29))];
        _ = generator.Continue(text, Options with { MaxTokens = 1 }, Cancellation).Count();
        foreach (var (_, weight) in decoder.Parameters.Where(p => p.Key.EndsWith("v_proj.weight", StringComparison.Ordinal)))
        {
            weight.copy_(TorchSharp.torch.ones_like(weight)); // another model from here on: only what was computed before is of the old one
        }

        using var fresh = new Generator(decoder);
        var drawn = Options with { MaxTokens = 20, Temperature = 1, Seed = 1 };
        Assert.NotEqual(fresh.Continue(text, drawn, Cancellation).ToList(), generator.Continue(text, drawn, Cancellation));
    }

    [Fact]
    public void The_cache_grows_around_what_it_holds_and_forgets_from_the_end()
    {
        using var decoder = new Decoder(TinyModel.Config, TorchSharp.torch.CPU);
        using var scope = TorchSharp.torch.NewDisposeScope();
        using var cache = new KeyValueCache(decoder, 1, 4);
        var held = TorchSharp.torch.rand(1, 2, 4, 4);
        foreach (var layer in new[] { 0, 1 })
        {
            cache.Append(layer, held, held.neg());
        }

        cache.Advance(4);
        Assert.Throws<InvalidOperationException>(() => cache.Append(0, held, held));
        cache.Cut(9);
        Assert.Equal(4, cache.Length);
        cache.Cut(3);
        cache.Grow(6);
        Assert.Equal((3, 6), (cache.Length, cache.Capacity));
        var (keys, values) = cache.Append(1, held.narrow(2, 0, 2), held.narrow(2, 0, 2));
        Assert.Equal([1, 2, 5, 4], keys.shape);
        Assert.Equal(Golden.Values(held.narrow(2, 0, 3).neg()), Golden.Values(values.narrow(2, 0, 3).contiguous()));
    }

    [Fact]
    public void Further_end_tokens_end_it_even_where_the_models_own_do_not()
    {
        using var model = TinyModel.Create();
        var all = model.Generate([1, 5], Options with { MaxTokens = 20 }, Cancellation).ToArray();
        var end = all[4];
        Assert.Equal(all[..Array.IndexOf(all, end)], model.Generate([1, 5], Options with { MaxTokens = 20, EndTokens = [end] }, Cancellation));
    }
}
