namespace FedChain.Network.Content;

/// <summary>
/// How long one may wait for an endpoint: by the time n bytes have come, patience + n / rate, counted over the waits alone, since what the
/// reader does with the bytes isn't the sender's fault.
/// </summary>
internal sealed class TransferClock(ContentFetcherOptions options, TimeProvider time)
{
    private TimeSpan _waited;

    public long Received { get; set; }

    /// <exception cref="FetchException">Time ran out.</exception>
    public async ValueTask<T> WaitAsync<T>(Func<CancellationToken, ValueTask<T>> operation, CancellationToken cancellationToken)
    {
        var left = options.Patience + TimeSpan.FromSeconds((double)Received / options.MinBytesPerSecond) - _waited;
        using var timer = new CancellationTokenSource(left > TimeSpan.Zero ? left : TimeSpan.Zero, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        var start = time.GetTimestamp();
        try
        {
            return await operation(either.Token);
        }
        catch (OperationCanceledException e) when (timer.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new FetchException(
                FetchFailure.TooSlow,
                $"too slow: {Received} bytes in {(_waited + time.GetElapsedTime(start)).TotalSeconds:0} s; at least {options.MinBytesPerSecond} a second are expected, with {options.Patience.TotalSeconds:0} s of patience",
                e);
        }
        finally
        {
            _waited += time.GetElapsedTime(start);
        }
    }
}
