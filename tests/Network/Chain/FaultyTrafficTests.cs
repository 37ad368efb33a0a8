using FedChain.Network.Chain;
using FedChain.Tests;
using Microsoft.Extensions.Time.Testing;

namespace FedChain.Network.Tests.Chain;

/// <summary>Traffic that is dropped, late, cut short, garbled and doubled between us and the nodes.</summary>
public sealed class FaultyTrafficTests
{
    private const int Seed = 20_261_125;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_round_goes_through_and_lands_once_while_a_quarter_of_all_traffic_is_harmed()
    {
        await using var scene = await RoundScene.StartAsync();
        await using var proxy = new FaultyProxy(scene.Chain.Client.Endpoint, Seed) { Rate = 0.25, Lateness = TimeSpan.FromMilliseconds(2) };
        using var http = new HttpClient();
        var harmed = new ChainClient(http, proxy.Address, new ChainOptions { Retries = 1, RetryDelay = TimeSpan.FromMilliseconds(1), PollInterval = TimeSpan.FromMilliseconds(2), RequestTimeout = TimeSpan.FromSeconds(2) });
        var reader = scene.Reader(harmed);
        scene.Restart(harmed);
        var failures = 0;
        foreach (var step in scene.Steps)
        {
            await UntilItWorksAsync(step);
            await UntilItWorksAsync(() => reader.ReadAsync(Cancellation));
        }

        proxy.Rate = 0;
        await reader.ReadAsync(Cancellation);
        Assert.Equal(await scene.FromScratchAsync(), RoundScene.Describe(reader));
        await scene.EverythingLandedOnceAsync(reader);
        Assert.All(Enum.GetValues<Fault>(), fault => Assert.True(proxy.Injected.GetValueOrDefault(fault) > 0, $"seed {Seed}: no {fault} in {failures} failures"));

        async Task UntilItWorksAsync(Func<Task> act)
        {
            while (true)
            {
                try
                {
                    await act();
                    return;
                }
                catch (ChainException) when (++failures < 1000)
                {
                    // tried again, as a peer does
                }
            }
        }
    }

    [Fact]
    public async Task Six_minutes_without_any_node_are_waited_out()
    {
        await using var scene = await RoundScene.StartAsync();
        await using var proxy = new FaultyProxy(scene.Chain.Client.Endpoint, Seed);
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        using var http = new HttpClient();
        var client = new ChainClient(http, proxy.Address, new ChainOptions { Retries = 12, RetryDelay = TimeSpan.FromMilliseconds(200), RequestTimeout = TimeSpan.FromDays(1) }, time);
        var reader = new FederationReader(client, scene.Federation.Membership, scene.Federation.DeploymentBlock, time);
        await reader.ReadAsync(Cancellation);
        var before = reader.Now;
        await scene.Steps[0]();
        proxy.IsOut = true;
        var reading = reader.ReadAsync(Cancellation);
        for (var passed = TimeSpan.Zero; passed < TimeSpan.FromMinutes(6); passed += TimeSpan.FromSeconds(1))
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.False(reading.IsCompleted);
        proxy.IsOut = false;
        while (!reading.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(30));
            await Task.WhenAny(reading, Task.Delay(1, Cancellation));
        }

        await reading;
        Assert.True(reader.Now >= before);
        Assert.Equal(await scene.FromScratchAsync(), RoundScene.Describe(reader));
    }
}
