using System.Diagnostics;

namespace FedChain.Network.Tests.Differential;

/// <summary>Mirror and contracts, driven with the same random calls.</summary>
public sealed class DifferentialTests(ITestOutputHelper output)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Mirror_and_contracts_agree()
    {
        var count = int.Parse(Environment.GetEnvironmentVariable("FEDCHAIN_SEQUENCES") ?? "300");
        var kind = Environment.GetEnvironmentVariable("FEDCHAIN_SEQUENCES_NODE") ?? "anvil";
        var seed = int.Parse(Environment.GetEnvironmentVariable("FEDCHAIN_SEQUENCES_SEED") ?? "1");
        var coverage = new Coverage();
        var watch = Stopwatch.StartNew();
        await using var node = await TestNode.StartAsync(kind, Cancellation);
        for (var i = 0; i < count; i++)
        {
            var player = new Player(seed + i);
            await node.BeginAsync(player.Founding, Cancellation);
            var sequence = new Sequence(node, player.Founding, player.Mirror);
            try
            {
                for (var step = 0; step < player.Length; step++)
                {
                    await sequence.StepAsync(player.Next(), coverage, Cancellation);
                }

                await sequence.FinishAsync(Cancellation);
            }
            catch (DisagreementException e)
            {
                Assert.Fail($"seed {seed + i} on {kind}: {e.Message}");
            }
        }

        output.WriteLine($"{count} sequences in {watch.Elapsed.TotalSeconds:F1} s\n{coverage}");
    }
}
