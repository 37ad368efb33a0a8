using FedChain.Learning.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace FedChain.Tests.Learning.Models;

/// <summary>Every switch between the families against <see cref="PlainDecoder"/>.</summary>
public sealed class DecoderFamilyTests : IDisposable
{
    private static readonly DecoderConfig Plain = TinyModel.Config;

    private static readonly Dictionary<string, DecoderConfig> Cases = new()
    {
        ["llama"] = Plain,
        ["llama untied, biases, wide heads"] = Plain with { TiedEmbeddings = false, QueryKeyValueBias = true, OutputBias = true, FeedForwardBias = true, HeadSize = 8 },
        ["llama linear"] = Plain with { RopeScaling = new RopeScaling.Linear(4) },
        ["llama3"] = Plain with { HeadSize = 16, RopeScaling = new RopeScaling.Llama3(8, 1, 4, 256), RopeTheta = 500 },
        ["mistral"] = Plain with { ModelType = "mistral", SlidingWindow = 5 },
        ["qwen2"] = Plain with { ModelType = "qwen2", QueryKeyValueBias = true, RopeTheta = 1e6 },
        ["qwen2 window"] = Plain with { ModelType = "qwen2", QueryKeyValueBias = true, SlidingWindow = 3, FullAttentionLayers = [0] },
        ["qwen3"] = Plain with { ModelType = "qwen3", QueryKeyNorm = true, HeadSize = 8 },
        ["phi3"] = Plain with { ModelType = "phi3", FusedProjections = true, TiedEmbeddings = false, SlidingWindow = 7 },
    };

    private readonly DisposeScope _scope = NewDisposeScope();

    public static TheoryData<string> Names => [.. Cases.Keys];

    public void Dispose() => _scope.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public void Logits_are_those_of_the_formulas(string name)
    {
        using var decoder = Random(Cases[name]);
        using var _ = no_grad();
        var tokens = Tokens(24);
        var expected = new PlainDecoder(decoder.Config, decoder.Parameters).Logits(tokens, 30);

        var positions = arange(30, 54, int64)[TensorIndex.None];
        var actual = decoder.Logits(decoder.Forward(tensor([.. tokens.Select(t => (long)t)])[TensorIndex.None], positions: positions));

        Golden.Near([.. expected.SelectMany(row => row.Select(v => (float)v))], actual, 1e-4, name);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Pieces_with_a_cache_are_one_pass(string name)
    {
        using var decoder = Random(Cases[name]);
        using var _ = no_grad();
        var tokens = tensor([.. Tokens(24).Select(t => (long)t)])[TensorIndex.None];
        using var cache = new KeyValueCache(decoder, 1, 24);
        var whole = decoder.Logits(decoder.Forward(tokens));
        var at = 0;
        var parts = new List<Tensor>();
        foreach (var piece in new[] { 9, 1, 4, 1, 1, 8 })
        {
            parts.Add(decoder.Logits(decoder.Forward(tokens.narrow(1, at, piece), cache: cache)));
            at += piece;
        }

        Golden.Near(Golden.Values(whole), cat([.. parts], 1), 1e-4, name);
    }

    [Fact]
    public void Frequencies_are_those_of_Hugging_Face_where_the_vectors_have_them()
    {
        foreach (var folder in Golden.Models("rope_inv_freq").Select(row => row.Data))
        {
            var expected = new Golden(folder).Floats("rope_inv_freq");
            var actual = RotaryFrequencies.For(DecoderConfig.Read(folder));

            Assert.All(expected.Zip(actual), pair => Assert.Equal(1, pair.Second / pair.First, 1e-6));
            Assert.Equal(expected.Length, actual.Length);
        }
    }

    private static int[] Tokens(int count) => [.. Enumerable.Range(0, count).Select(i => ((i * i * 7) + (3 * i)) % 32)];

    /// <summary>Weights large enough that every switch shows.</summary>
    private static Decoder Random(DecoderConfig config)
    {
        var decoder = new Decoder(config, CPU);
        using var _ = no_grad();
        manual_seed(5);
        foreach (var (name, parameter) in decoder.Parameters)
        {
            using var scope = NewDisposeScope();
            parameter.copy_(randn(parameter.shape).mul(0.4));
            if (name.EndsWith("norm.weight", StringComparison.Ordinal))
            {
                parameter.add_(1);
            }
        }

        return decoder;
    }
}
