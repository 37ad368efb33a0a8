using System.Numerics;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;

namespace FedChain.Aggregator.Tests.Rules;

/// <summary>An update as the definitions see it.</summary>
internal sealed record Client(uint Member, long Samples, UpdateLosses Losses, int[] Differences)
{
    public ValidUpdate In(Federation round) => round.Valid(Member, Differences, Samples, Losses);
}

/// <summary>The rules as their definitions read, with integers of any size, one coordinate after the other. They share no arithmetic with the program.</summary>
internal static class Definitions
{
    public static int[] Step(AggregationRule rule, IReadOnlyCollection<Client> updates, Hash256 beacon, RoundId round)
    {
        var clients = updates.OrderBy(c => c.Member).ToArray();
        return rule switch
        {
            AggregationRule.Mean(var weights) => Mean(clients, [.. clients.Select(c => Weight(c, weights))]),
            AggregationRule.FairMean fair => Mean(clients, Fair(fair, clients)),
            AggregationRule.ClippedMean(var norm) => Clipped(clients, norm),
            AggregationRule.Median => Each(clients.Length, clients[0].Differences.Length, (k, i) => clients[k].Differences[i], MedianOf),
            AggregationRule.TrimmedMean(var trim) => Each(
                clients.Length, clients[0].Differences.Length, (k, i) => clients[k].Differences[i], column =>
                {
                    var kept = column.Order().Skip(trim).SkipLast(trim).ToArray();
                    return Quotient(Sum(kept.Select(v => (BigInteger)v)), kept.Length);
                }),
            AggregationRule.MultiKrum(var faulty, var selected) => Mean(Krum(clients, faulty, selected)),
            AggregationRule.BucketedMedian(var size) => Bucketed(clients, size, beacon, round),
            _ => throw new ArgumentException($"No definition of {rule}.", nameof(rule)),
        };
    }

    /// <summary>The nearer neighbour of n / d, the even one at equal distance.</summary>
    public static int Quotient(BigInteger n, BigInteger d)
    {
        var low = BigInteger.DivRem(n, d, out var rest) - (rest.Sign < 0 ? 1 : 0);
        var order = (2 * (n - (low * d))).CompareTo(d);
        return (int)(order < 0 || (order == 0 && low.IsEven) ? low : low + 1);
    }

    public static BigInteger[] Fair(AggregationRule.FairMean rule, IReadOnlyList<Client> clients)
    {
        var figures = clients.Select(c => BigInteger.Max(
            1000, rule.By == Fairness.Gain ? (BigInteger)c.Losses.Untouched.Value - c.Losses.Base.Value : c.Losses.Base.Value)).ToArray();
        var median = figures.Order().ToArray()[(figures.Length - 1) / 2];
        return [.. clients.Select((c, k) =>
        {
            var (above, below) = rule.By == Fairness.Gain ? (median, figures[k]) : (figures[k], median);
            var w = rule.Weights == Weighting.Uniform ? 1024 : (BigInteger)Weight(c, rule.Weights);
            var raised = w * BigInteger.Pow(above, rule.Power) / BigInteger.Pow(below, rule.Power);
            return BigInteger.Min(BigInteger.Max(raised, 1), 3 * w);
        })];
    }

    public static Client[] Krum(IReadOnlyList<Client> clients, int faulty, int selected)
    {
        var neighbours = clients.Count - faulty - 2;
        var scored = clients.Select(c =>
        {
            var distances = clients.Where(other => other != c)
                .Select(other => Sum(c.Differences.Zip(other.Differences, (x, y) => BigInteger.Pow((BigInteger)x - y, 2)))).Order();
            return (Score: Sum(distances.Take(neighbours)), Client: c);
        });
        return [.. scored.OrderBy(s => s.Score).ThenBy(s => s.Client.Member).Take(Math.Min(selected, neighbours)).Select(s => s.Client)];
    }

    public static BigInteger Norm(Client client)
    {
        // By bisection, from the definition: the largest integer whose square is no more.
        var square = Sum(client.Differences.Select(d => BigInteger.Pow(d, 2)));
        BigInteger low = 0, high = BigInteger.One << 64;
        while (high - low > 1)
        {
            var middle = (low + high) / 2;
            (low, high) = middle * middle <= square ? (middle, high) : (low, middle);
        }

        return low;
    }

    private static int[] Clipped(Client[] clients, long? limit)
    {
        var norms = clients.Select(Norm).ToArray();
        var t = limit ?? norms.Order().ToArray()[(norms.Length - 1) / 2];
        var unit = BigInteger.Pow(2, 22);
        var scales = norms.Select(n => n <= t ? unit : BigInteger.Min(unit, unit * t / n)).ToArray();
        return [.. Enumerable.Range(0, clients[0].Differences.Length)
            .Select(i => Quotient(Sum(clients.Select((c, k) => scales[k] * c.Differences[i])), unit * clients.Length))];
    }

    private static int[] Bucketed(Client[] clients, int size, Hash256 beacon, RoundId round)
    {
        var order = Enumerable.Range(0, clients.Length).ToArray();
        for (var i = 0; i < order.Length; i++)
        {
            var draw = new BigInteger(Keccak256.OfWords(beacon, round, (ulong)i).ToArray(), isUnsigned: true, isBigEndian: true);
            var j = i + (int)(draw % (order.Length - i));
            (order[i], order[j]) = (order[j], order[i]);
        }

        var means = Enumerable.Range(0, (order.Length + size - 1) / size)
            .Select(b => Mean([.. order.Skip(b * size).Take(size).Select(k => clients[k])])).ToArray();
        return Each(means.Length, clients[0].Differences.Length, (b, i) => means[b][i], MedianOf);
    }

    private static int MedianOf(int[] column)
    {
        var sorted = column.Order().ToArray();
        var half = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[half] : Quotient((BigInteger)sorted[half - 1] + sorted[half], 2);
    }

    private static int[] Each(int rows, int columns, Func<int, int, int> at, Func<int[], int> of) =>
        [.. Enumerable.Range(0, columns).Select(i => of([.. Enumerable.Range(0, rows).Select(k => at(k, i))]))];

    private static int[] Mean(Client[] clients) => Mean(clients, [.. clients.Select(_ => BigInteger.One)]);

    private static int[] Mean(Client[] clients, BigInteger[] weights) =>
        [.. Enumerable.Range(0, clients[0].Differences.Length).Select(i => Quotient(Sum(clients.Select((c, k) => weights[k] * c.Differences[i])), Sum(weights)))];

    private static BigInteger Weight(Client client, Weighting weights) => weights == Weighting.Uniform ? 1 : client.Samples;

    private static BigInteger Sum(IEnumerable<BigInteger> values) => values.Aggregate(BigInteger.Zero, (x, y) => x + y);
}
