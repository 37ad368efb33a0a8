using System.Diagnostics;

namespace FedChain.Network.Tests.Differential;

/// <summary>
/// Mirror and contracts, driven with the same random calls at the same times, agree on every refusal, result, event and view. By default 300 sequences
/// on anvil. Environment variables make it longer, or repeat one:
/// <code>
/// FEDCHAIN_SEQUENCES=10000 FEDCHAIN_SEQUENCES_SEED=1 FEDCHAIN_SEQUENCES_NODE=anvil (or hardhat) \
///   tests/Network/bin/Debug/net10.0/FedChain.Network.Tests -class '*DifferentialTests' -showLiveOutput
/// </code>
/// Sequence i, from 0, has the seed SEED + i. A disagreement is told with the seed and the calls, as few as still disagree, in the form of tests/vectors/sequences.
/// </summary>
public sealed class DifferentialTests(ITestOutputHelper output)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Random_sequences_end_alike_in_mirror_and_contracts()
    {
        var count = int.Parse(Setting("", "300"));
        var seed = int.Parse(Setting("_SEED", "1"));
        var kind = Setting("_NODE", "anvil");
        var coverage = new Coverage();
        var watch = Stopwatch.StartNew();
        await using var node = await TestNode.StartAsync(kind, Cancellation);
        for (var i = 0; i < count; i++)
        {
            await RunAsync(node, seed + i, coverage);
            if ((i + 1) % 1000 == 0)
            {
                output.WriteLine($"{i + 1} sequences in {watch.Elapsed.TotalSeconds:F0} s");
            }
        }

        output.WriteLine($"{count} sequences from seed {seed} on {kind} in {watch.Elapsed.TotalSeconds:F0} s\n{coverage}");
        if (count >= 300)
        {
            Assert.Empty(coverage.Missing);
        }
    }

    private static string Setting(string suffix, string otherwise) =>
        Environment.GetEnvironmentVariable("FEDCHAIN_SEQUENCES" + suffix) is { Length: > 0 } value ? value : otherwise;

    private static async Task RunAsync(TestNode node, int seed, Coverage coverage)
    {
        var player = new Player(seed);
        await node.BeginAsync(player.Founding, Cancellation);
        var sequence = new Sequence(node, player.Founding, player.Mirror);
        try
        {
            for (var i = 0; i < player.Length; i++)
            {
                var operation = player.Next();
                coverage.Add(operation, await sequence.StepAsync(operation, Cancellation), player.Mirror);
            }

            await sequence.FinishAsync(Cancellation);
            coverage.Add(player.Mirror);
        }
        catch (DisagreementException found)
        {
            var least = await ShrinkAsync(node, player, found);
            Assert.Fail($"FEDCHAIN_SEQUENCES_SEED={seed}, a sequence of {found.Operations.Count} calls, of which these matter:\n{least.Message}");
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new InvalidOperationException($"FEDCHAIN_SEQUENCES_SEED={seed}, after {sequence.Operations.Count} calls: {e.Message}", e);
        }
    }

    /// <summary>Leaves out what the disagreement doesn't need: halves of the calls, then smaller parts, at last single ones.</summary>
    private static async Task<DisagreementException> ShrinkAsync(TestNode node, Player player, DisagreementException found)
    {
        for (var size = found.Operations.Count / 2; size > 0; size /= 2)
        {
            for (var at = found.Operations.Count - size; at >= 0; at -= size)
            {
                try
                {
                    var calls = found.Operations.Where((_, i) => i < at || i >= at + size);
                    await Sequence.RunAsync(node, player.Founding, new Mirror(player.Founding, player.Mirror.Names.Labels()), calls, Cancellation);
                }
                catch (DisagreementException smaller)
                {
                    found = smaller;
                    at = Math.Min(at, found.Operations.Count);
                }
            }
        }

        return found;
    }
}
