using FedChain.Protocol;

namespace FedChain.Network.Content;

/// <summary>The body of an endpoint's answer: ends with a <see cref="FetchException"/> when it is too long, too slow or cut off.</summary>
internal sealed class EndpointBody(HttpResponseMessage response, Stream body, long maxBytes, TransferClock clock) : ForwardStream
{
    public override long Position
    {
        get => clock.Received;
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read;
        try
        {
            read = await clock.WaitAsync(cancel => body.ReadAsync(buffer, cancel), cancellationToken);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw new FetchException(FetchFailure.CutOff, $"the connection ended after {clock.Received} bytes", e);
        }

        clock.Received += read;
        return clock.Received <= maxBytes
            ? read
            : throw new FetchException(FetchFailure.TooLarge, $"it sent more than the {maxBytes} bytes that are accepted");
    }

    /// <summary>The whole body.</summary>
    public async Task<byte[]> ReadAllAsync(CancellationToken cancellationToken)
    {
        using var bytes = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (await ReadAsync(buffer, cancellationToken) is > 0 and var read)
        {
            bytes.Write(buffer, 0, read);
        }

        return bytes.ToArray();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            response.Dispose();
        }

        base.Dispose(disposing);
    }
}
