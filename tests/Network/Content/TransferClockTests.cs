using FedChain.Network.Content;
using Microsoft.Extensions.Time.Testing;

namespace FedChain.Network.Tests.Content;

public sealed class TransferClockTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly TransferClock _clock;

    public TransferClockTests() =>
        _clock = new TransferClock(new ContentFetcherOptions { Patience = TimeSpan.FromSeconds(10), MinBytesPerSecond = 100 }, _time);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Patience_is_for_all_waits_together()
    {
        for (var i = 0; i < 3; i++)
        {
            await WaitAsync(TimeSpan.FromSeconds(3));
        }

        await TooSlowAsync(TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task Bytes_that_come_give_time()
    {
        for (var i = 0; i < 20; i++)
        {
            await WaitAsync(TimeSpan.FromSeconds(2));
            _clock.Received += 200;
        }

        await WaitAsync(TimeSpan.FromSeconds(9));
        await TooSlowAsync(TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task Time_that_the_reader_takes_does_not_count()
    {
        _time.Advance(TimeSpan.FromHours(1));
        await WaitAsync(TimeSpan.FromSeconds(9));
        _time.Advance(TimeSpan.FromHours(1));
        await WaitAsync(TimeSpan.FromMilliseconds(900));
    }

    [Fact]
    public async Task The_callers_cancellation_is_not_slowness()
    {
        using var cancel = new CancellationTokenSource();
        var waiting = _clock.WaitAsync(NeverAsync, cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    private static async ValueTask<int> NeverAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(Timeout.Infinite, cancellationToken);
        return 0;
    }

    private async Task WaitAsync(TimeSpan time)
    {
        var arrival = new TaskCompletionSource<int>();
        var waiting = _clock.WaitAsync(cancel => new ValueTask<int>(arrival.Task.WaitAsync(cancel)), Cancel).AsTask();
        _time.Advance(time);
        arrival.TrySetResult(1);
        await waiting;
    }

    private async Task TooSlowAsync(TimeSpan time)
    {
        var waiting = _clock.WaitAsync(NeverAsync, Cancel).AsTask();
        _time.Advance(time);
        Assert.Equal(FetchFailure.TooSlow, (await Assert.ThrowsAsync<FetchException>(() => waiting)).Failure);
    }
}
