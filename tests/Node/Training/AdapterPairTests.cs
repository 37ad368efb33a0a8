using FedChain.Node.Training;
using FedChain.Protocol.Files;

namespace FedChain.Node.Tests.Training;

public sealed class AdapterPairTests
{
    private static readonly AdapterConfig Config = new(rank: 2, alpha: 6, ["q_proj", "up_proj"]);

    private static readonly (string, int, int)[] Layers = [("model.layers.0.self_attn.q_proj", 3, 4), ("model.layers.0.mlp.up_proj", 3, 5)];

    private static readonly AdapterLayout One = AdapterLayout.Create(Config, Layers);

    private static readonly AdapterLayout Two = AdapterLayout.Create(AdapterPair.ConfigOf(Config), Layers);

    [Fact]
    public void The_products_of_both_add_up_under_the_same_scale()
    {
        var (shared, own) = (Filled(1), Filled(2));
        var pair = AdapterPair.Join(shared, own, Two);

        Assert.Equal(Config.Scale, AdapterPair.ConfigOf(Config).Scale);
        foreach (var (path, inputs, outputs) in Layers)
        {
            for (var o = 0; o < outputs; o++)
            {
                for (var i = 0; i < inputs; i++)
                {
                    Assert.Equal(Product(shared, path, o, i) + Product(own, path, o, i), Product(pair, path, o, i));
                }
            }
        }
    }

    [Fact]
    public void What_is_joined_comes_apart_again()
    {
        var (shared, own) = (Filled(3), Filled(4));
        var (first, second) = AdapterPair.Split(AdapterPair.Join(shared, own, Two), One);
        Assert.Equal(shared.Values.ToArray(), first.Values.ToArray());
        Assert.Equal(own.Values.ToArray(), second.Values.ToArray());
    }

    private static Adapter Filled(int seed)
    {
        var random = new Random(seed);
        return new Adapter(One, Config.FractionBits, [.. Enumerable.Range(0, One.Count).Select(_ => random.Next(-1000, 1000))]);
    }

    /// <summary>One element of B A.</summary>
    private static long Product(Adapter adapter, string path, int output, int input)
    {
        var a = adapter.Layout.Tensors.Single(t => t.Name == $"base_model.model.{path}.lora_A.weight");
        var b = adapter.Layout.Tensors.Single(t => t.Name == $"base_model.model.{path}.lora_B.weight");
        long sum = 0;
        for (var r = 0; r < adapter.Layout.Rank; r++)
        {
            sum += (long)adapter.Values[b.Offset + (output * b.Columns) + r] * adapter.Values[a.Offset + (r * a.Columns) + input];
        }

        return sum;
    }
}
