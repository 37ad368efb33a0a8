using CsCheck;
using FedChain.Node.Adapters;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Numerics;

namespace FedChain.Node.Tests.Adapters;

public sealed class ValidationLossesTests
{
    private static readonly Hash256 Set = Hash(1);

    [Fact]
    public void The_best_before_an_adapter_is_the_lowest_of_earlier_rounds_and_of_equals_the_earliest()
    {
        var losses = Losses((0, 2_000_000), (4, 1_300_000), (5, 1_201_000), (6, 1_201_000), (7, 1_234_000), (8, 1_000_000));
        Assert.Equal(new RoundId(5), losses.BestBefore(losses.Losses[4], _ => true)!.Round);
        Assert.Equal(new RoundId(4), losses.BestBefore(losses.Losses[2], _ => true)!.Round);
        Assert.Null(losses.BestBefore(losses.Losses[0], _ => true));
    }

    [Fact]
    public void An_adapter_of_a_branch_that_left_the_chain_is_not_recommended()
    {
        var losses = Losses((0, 2_000_000), (1, 1_000_000), (2, 1_500_000));
        Assert.Equal(new RoundId(0), losses.BestBefore(losses.Losses[2], l => l.Round.Value != 1)!.Round);
    }

    [Fact]
    public void Another_validation_set_begins_anew_and_another_measurement_takes_the_place_of_the_first()
    {
        var losses = Losses((1, 1_000_000), (2, 1_500_000));
        Assert.Equal(1_400_000, Assert.Single(losses.With(Hash(2), Loss(3, 1_400_000)).Losses).Loss.Value);
        var again = losses.With(Set, Loss(2, 900_000));
        Assert.Equal(2, again.Losses.Length);
        Assert.Equal(900_000, again.Of(Hash(2))!.Loss.Value);
    }

    [Fact]
    public void Nothing_measured_earlier_was_better_than_the_best() => Gen.Long[0, 100].Array[1, 20].Sample(values =>
    {
        var losses = Losses([.. values.Select((v, i) => ((ulong)i, v))]);
        var latest = losses.Losses[^1];
        var best = losses.BestBefore(latest, _ => true);
        Assert.Equal(losses.Losses.Length > 1 ? losses.Losses.SkipLast(1).Min(l => l.Loss.Value) : null, best?.Loss.Value);
    });

    [Fact]
    public void The_peer_says_what_is_worse_than_what_and_what_can_be_done()
    {
        var worse = new PeerEvent.AdapterMeasured(7, 1.234, 5, 1.201);
        Assert.True(worse.IsWorse);
        Assert.Equal(
            "round 7's adapter is worse on this institution's own validation set (1.234) than round 5's (1.201) nats per token; 'fedchain adapter keep round:5' keeps using that", worse.InWords);
        Assert.Contains("'fedchain adapter keep none'", new PeerEvent.AdapterMeasured(7, 1.234, 0, 1.201).InWords, StringComparison.Ordinal);
        Assert.Contains("(1.201001) than round 5's (1.201000)", new PeerEvent.AdapterMeasured(7, 1.201001, 5, 1.201).InWords, StringComparison.Ordinal);
        Assert.False(new PeerEvent.AdapterMeasured(7, 1.201, 5, 1.201).IsWorse);
        Assert.False(new PeerEvent.AdapterMeasured(1, 1.201, null, null).IsWorse);
        Assert.Equal(worse, PeerEvent.FromJson(worse.ToJson()));
    }

    private static ValidationLosses Losses(params (ulong Round, long Micronats)[] losses) =>
        losses.Aggregate(new ValidationLosses(Set, []), (all, l) => all.With(Set, Loss(l.Round, l.Micronats)));

    private static AdapterLoss Loss(ulong round, long micronats) => new(new RoundId(round), Hash((byte)round), new Micronats(micronats));

    private static Hash256 Hash(byte b) => new([.. Enumerable.Repeat(b, 32)]);
}
