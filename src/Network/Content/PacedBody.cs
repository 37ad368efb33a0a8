using System.Globalization;

namespace FedChain.Network.Content;

/// <summary>
/// The body of an answer, whose reader may let the sender wait: while n bytes are sent, <see cref="ContentGatewayOptions.ReaderPatience"/> +
/// n / <see cref="ContentGatewayOptions.MinBytesPerSecond"/> in all, counted over the waits alone. Kestrel's own least rate is no such limit: it lets each
/// write take its grace anew.
/// </summary>
internal sealed class PacedBody(Stream body, ContentGatewayOptions options) : Stream
{
    private TimeSpan _waited;
    private long _sent;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <exception cref="TimeoutException">The reader took too little of it for too long.</exception>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _sent += buffer.Length;
        await WaitAsync(token => body.WriteAsync(buffer, token), cancellationToken);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>
    public override Task FlushAsync(CancellationToken cancellationToken) => WaitAsync(token => new ValueTask(body.FlushAsync(token)), cancellationToken).AsTask();

    public override void Flush() => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private async ValueTask WaitAsync(Func<CancellationToken, ValueTask> operation, CancellationToken cancellationToken)
    {
        var left = options.ReaderPatience + TimeSpan.FromSeconds((double)_sent / options.MinBytesPerSecond) - _waited;
        using var timer = new CancellationTokenSource(left > TimeSpan.Zero ? left : TimeSpan.Zero, options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        var start = options.Time.GetTimestamp();
        try
        {
            await operation(either.Token);
        }
        catch (OperationCanceledException e) when (timer.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(
                string.Create(CultureInfo.InvariantCulture, $"The reader is too slow: it hasn't taken {_sent} bytes in {(_waited + options.Time.GetElapsedTime(start)).TotalSeconds:0} s; at least {options.MinBytesPerSecond} a second are expected, with {options.ReaderPatience.TotalSeconds:0} s of patience."),
                e);
        }
        finally
        {
            _waited += options.Time.GetElapsedTime(start);
        }
    }
}
