using FedChain.Tests;

namespace FedChain.Network.Tests.Content;

public sealed class HarmedEndpointTests : FetcherScene
{
    private const int Seed = 20_261_125;

    [Fact]
    public async Task A_file_comes_whole_or_not_at_all_while_traffic_is_dropped_late_cut_garbled_and_doubled()
    {
        await using var proxy = new FaultyProxy(Gateway.BaseAddress, Seed) { Rate = 0.02, Lateness = TimeSpan.FromMilliseconds(1) };
        for (var attempt = 0; attempt < 500; attempt++)
        {
            var fetching = FetchAsync(proxy.Address);
            while (!fetching.IsCompleted)
            {
                await Task.WhenAny(fetching, Task.Delay(100, Cancel));
                Time.Advance(TimeSpan.FromSeconds(1)); // an answer whose length was garbled is waited for in vain
            }

            if ((await fetching).IsComplete)
            {
                Assert.Equal(Content, await ReadOursAsync(Root));
                Assert.NotEmpty(proxy.Injected);
                return;
            }
        }

        Assert.Fail($"seed {Seed}: nothing came through");
    }
}
