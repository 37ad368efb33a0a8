using FedChain.Network.Chain;
using FedChain.Network.Tests.Content;

namespace FedChain.Network.Tests.Chain;

public sealed class ReorganisationTests
{
    private const int MostDepth = 12;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task At_each_phase_and_depth_the_rewound_state_is_the_chains_and_everything_lands_once()
    {
        await using var scene = await RoundScene.StartAsync(blocksBefore: MostDepth + 1);
        using var folder = new TemporaryFolder();
        using var index = EventIndex.Open(Path.Combine(folder.Path, "events.sqlite"), LocalChain.ChainId, scene.Federation.Membership);
        var reader = scene.Reader(index: index);
        var rewinds = 0;
        for (var phase = 0; phase <= scene.Steps.Count; phase++)
        {
            await TakeAsync(scene, phase);
            for (var depth = 1; depth <= MostDepth; depth++)
            {
                await reader.ReadAsync(Cancellation);
                var before = await HashesAsync(scene);
                await scene.Chain.DoAsync("anvil_reorg", depth, Array.Empty<object>());
                var after = await HashesAsync(scene);
                var common = before.Where(b => after.Contains(b)).Max(b => b.Block); // empty blocks come out the same again
                Assert.InRange(common, before[^1].Block - (ulong)depth, before[^1].Block);
                var fork = await reader.ReadAsync(Cancellation);
                Assert.Equal(common == before[^1].Block ? null : common, fork?.Block);
                Assert.Equal(await scene.FromScratchAsync(), RoundScene.Describe(reader));
                rewinds += fork is null ? 0 : 1;

                scene.Restart();
                await TakeAsync(scene, phase); // all that the reorganisation undid
                await reader.ReadAsync(Cancellation);
                Assert.Equal(await scene.FromScratchAsync(), RoundScene.Describe(reader));
            }
        }

        Assert.True(rewinds >= MostDepth * scene.Steps.Count, $"only {rewinds} reorganisations undid anything");
        await scene.EverythingLandedOnceAsync(reader);

        // what the index holds is what was read: another process begins with it
        index.Dispose();
        using var kept = EventIndex.Open(Path.Combine(folder.Path, "events.sqlite"), LocalChain.ChainId, scene.Federation.Membership);
        var again = scene.Reader(index: kept);
        Assert.Null(await again.ReadAsync(Cancellation));
        Assert.Equal(RoundScene.Describe(reader), RoundScene.Describe(again));
    }

    [Fact]
    public async Task A_chain_that_loses_its_latest_blocks_is_caught_up_with_at_each_phase()
    {
        await using var scene = await RoundScene.StartAsync(blocksBefore: MostDepth + 1);
        var reader = scene.Reader();
        for (var phase = 0; phase <= scene.Steps.Count; phase++)
        {
            await TakeAsync(scene, phase);
            foreach (var depth in (int[])[1, phase + 1, MostDepth])
            {
                await reader.ReadAsync(Cancellation);
                await scene.Chain.DoAsync("anvil_rollback", depth);
                await reader.ReadAsync(Cancellation);
                Assert.Equal(await scene.FromScratchAsync(), RoundScene.Describe(reader));
                await scene.Chain.DoAsync("anvil_mine", depth);
                await TakeAsync(scene, phase);
            }
        }

        await reader.ReadAsync(Cancellation);
        await scene.EverythingLandedOnceAsync(reader);
    }

    [Fact]
    public async Task A_reorganisation_while_nothing_ran_is_found_at_the_start()
    {
        await using var scene = await RoundScene.StartAsync(blocksBefore: MostDepth + 1);
        using var folder = new TemporaryFolder();
        await TakeAsync(scene, 5);
        await ReadWithIndexAsync(scene, Path.Combine(folder.Path, "events.sqlite"));
        await scene.Chain.DoAsync("anvil_reorg", 3, Array.Empty<object>());
        Assert.Equal(await scene.FromScratchAsync(), await ReadWithIndexAsync(scene, Path.Combine(folder.Path, "events.sqlite")));
    }

    /// <summary>The latest blocks, as far down as any reorganisation here goes.</summary>
    private static async Task<List<ChainCursor>> HashesAsync(RoundScene scene)
    {
        var head = await scene.Chain.Client.GetBlockNumberAsync(Cancellation);
        var blocks = new List<ChainCursor>();
        for (var number = head - MostDepth; number <= head; number++)
        {
            blocks.Add(new ChainCursor(number, (await scene.Chain.Client.GetBlockAsync(BlockTag.Number(number), Cancellation))!.Hash));
        }

        return blocks;
    }

    private static async Task<string> ReadWithIndexAsync(RoundScene scene, string file)
    {
        using var index = EventIndex.Open(file, LocalChain.ChainId, scene.Federation.Membership);
        var reader = scene.Reader(index: index);
        await reader.ReadAsync(Cancellation);
        Assert.Null(index.Fault);
        return RoundScene.Describe(reader);
    }

    private static async Task TakeAsync(RoundScene scene, int steps)
    {
        foreach (var step in scene.Steps.Take(steps))
        {
            await step();
        }
    }
}
