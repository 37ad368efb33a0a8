using System.Collections.Immutable;
using System.Globalization;

namespace FedChain.Chaos;

/// <summary>The phase in which a fault is due.</summary>
internal enum Moment
{
    Training,
    Aggregation,
    Attestation,
}

/// <summary>A member is killed by SIGKILL, and started again later.</summary>
/// <param name="Round">In which round.</param>
/// <param name="Member">Its number, from 1; null for whoever aggregates, which the beacon decides.</param>
/// <param name="During">The phase whose begin counts.</param>
/// <param name="After">From that begin to the kill. A phase that is over by then has passed into the next.</param>
/// <param name="Down">From the kill to the start.</param>
internal sealed record Fault(int Round, int? Member, Moment During, TimeSpan After, TimeSpan Down)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"round {Round}: {(Member is null ? "the aggregator" : $"member {Member}")}, {After.TotalMilliseconds:F0} ms into {During}, is killed and down for {Down.TotalSeconds:F1} s");
}

/// <summary>Which faults are injected, from the seed alone: the same seed gives the same ones.</summary>
internal static class Schedule
{
    /// <summary>Every fourth round the aggregator is killed, from this one on.</summary>
    public const int FirstAggregator = 2;

    private const int AggregatorEvery = 4;

    /// <param name="phase">How long a phase lasts that goes well.</param>
    /// <param name="window">How long a dead aggregator has before its turn passes.</param>
    public static ImmutableArray<Fault> Of(int seed, int members, int rounds, TimeSpan phase, TimeSpan window)
    {
        var random = new Random(seed);
        var faults = ImmutableArray.CreateBuilder<Fault>();
        for (var round = 1; round <= rounds; round++)
        {
            var aggregator = round % AggregatorEvery == FirstAggregator;
            var member = random.Next(members) + 1;
            var moment = aggregator ? Moment.Aggregation : (Moment)random.Next(3);
            var after = phase * random.NextDouble() * (aggregator ? 0.2 : moment == Moment.Training ? 2 : 0.5);
            var down = aggregator ? window * 1.5 * random.NextDouble() : phase * 3 * random.NextDouble();
            faults.Add(new Fault(round, aggregator ? null : member, moment, after, down));
        }

        return faults.ToImmutable();
    }
}
