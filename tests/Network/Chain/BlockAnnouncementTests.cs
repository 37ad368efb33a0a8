using FedChain.Network.Chain;
using FedChain.Tests;

namespace FedChain.Network.Tests.Chain;

public sealed class BlockAnnouncementTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_block_is_announced_and_a_lost_connection_is_made_again()
    {
        await using var chain = await LocalChain.StartAsync();
        await using var proxy = new FaultyProxy(chain.Client.Endpoint, seed: 1);
        await using var blocks = new BlockAnnouncements([new UriBuilder(proxy.Address) { Scheme = "ws" }.Uri], TimeProvider.System);
        await AnnouncedAsync(chain, blocks);
        await AnnouncedAsync(chain, blocks);
        proxy.IsOut = true;
        var next = blocks.Next;
        await chain.DoAsync("evm_mine");
        Assert.False(next.IsCompleted);
        proxy.IsOut = false;
        await AnnouncedAsync(chain, blocks);
    }

    [Fact]
    public async Task Without_a_node_that_announces_there_is_nothing_to_wait_for_and_nothing_to_stop()
    {
        await using var nowhere = new BlockAnnouncements([], TimeProvider.System);
        await using var refused = new BlockAnnouncements([new Uri("ws://127.0.0.1:9/")], TimeProvider.System);
        Assert.False(nowhere.Next.IsCompleted);
        Assert.False(refused.Next.IsCompleted);
    }

    /// <summary>Makes blocks until one is announced: the subscription may just be being made.</summary>
    private static async Task AnnouncedAsync(LocalChain chain, BlockAnnouncements blocks)
    {
        for (var next = blocks.Next; !next.IsCompleted; await Task.WhenAny(next, Task.Delay(50, Cancellation)))
        {
            await chain.DoAsync("evm_mine");
        }
    }
}
