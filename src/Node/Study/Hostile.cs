using FedChain.Learning.Data;
using FedChain.Learning.Examples;
using FedChain.Protocol.Files;
using FedChain.Protocol.Numerics;

namespace FedChain.Node.Study;

/// <summary>Dishonest members. What they send keeps to the format: everything else is refused before it does anything.</summary>
internal static class Hostile
{
    private const int ScaleFactor = 100;
    private const double NoiseFactor = 10;

    /// <summary>The institutions that are dishonest: the same ones for every method.</summary>
    public static IReadOnlySet<string> Chosen(IReadOnlyList<PreparedData> institutions, int count) =>
        institutions.OrderBy(i => StudySeed.Of(0, $"hostile|{i.Name}")).Take(count).Select(i => i.Name).ToHashSet();

    /// <summary>Every prompt with the answer to the one before it: tokens of both are kept.</summary>
    public static IReadOnlyList<TokenizedExample> Flipped(IReadOnlyList<TokenizedExample> examples) => [.. examples.Select((example, i) =>
    {
        var other = examples[(i + examples.Count - 1) % examples.Count];
        var prompt = example.Tokens[..example.PromptLength];
        var response = other.Tokens[other.PromptLength..];
        var room = Math.Max(example.Tokens.Length, other.Tokens.Length) - prompt.Length;
        return new TokenizedExample([.. prompt, .. response.Take(Math.Max(1, room))], prompt.Length, other.ResponseBytes);
    })];

    /// <summary>What arrives: the honest members' updates as they are, the others' after the attack.</summary>
    public static List<LocalUpdate> Act(AttackKind kind, List<LocalUpdate> updates, IReadOnlySet<string> honest, Adapter @base, ulong seed, int round) =>
        [.. updates.Select(update => honest.Contains(update.Name) ? update : kind switch
        {
            AttackKind.SignFlip => Changed(update, @base, (d, _) => -d),
            AttackKind.Scale => Changed(update, @base, (d, _) => d * ScaleFactor),
            AttackKind.Noise => Noisy(update, @base, new Random(unchecked((int)StudySeed.Of(seed, $"noise/{update.Name}/{round}")))),
            AttackKind.Copy => update with { Adapter = (updates.Find(u => honest.Contains(u.Name)) ?? update).Adapter }, // nobody to copy from where all honest ones diverged
            _ => update,
        })];

    private static LocalUpdate Noisy(LocalUpdate update, Adapter @base, Random random)
    {
        var square = 0.0;
        for (var i = 0; i < @base.Values.Length; i++)
        {
            square += Math.Pow(update.Adapter.Values[i] - @base.Values[i], 2);
        }

        // Uniform numbers of this width have the wanted standard deviation.
        var width = NoiseFactor * Math.Sqrt(12 * square / @base.Values.Length);
        return Changed(update, @base, (d, changed) => changed ? (long)((random.NextDouble() - 0.5) * width) : d);
    }

    /// <summary>Changes the differences to the base; those that are 0 in a whole frozen factor stay so.</summary>
    private static LocalUpdate Changed(LocalUpdate update, Adapter @base, Func<long, bool, long> change)
    {
        var values = @base.Values.ToArray();
        foreach (var tensor in @base.Layout.Tensors)
        {
            var learnt = !update.Adapter[tensor].SequenceEqual(@base[tensor]);
            for (var i = tensor.Offset; i < tensor.Offset + tensor.Count; i++)
            {
                values[i] = FixedPoint.Clamp(values[i] + change((long)update.Adapter.Values[i] - values[i], learnt));
            }
        }

        return update with { Adapter = new Adapter(@base.Layout, @base.FractionBits, values) };
    }
}
