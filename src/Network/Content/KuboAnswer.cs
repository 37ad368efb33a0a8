using FedChain.Protocol;

namespace FedChain.Network.Content;

/// <summary>The bytes of a node's answer; a break in them is a <see cref="KuboException"/>, also one that only the trailer tells.</summary>
internal sealed class KuboAnswer(HttpResponseMessage response, Stream body, KuboClient client, string command) : ForwardStream
{
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            var read = await body.ReadAsync(buffer, cancellationToken);
            return read == 0 && buffer.Length > 0 && client.TrailingError(command, response) is { } error ? throw error : read;
        }
        catch (Exception e) when (e is HttpRequestException or HttpIOException)
        {
            throw new KuboException($"The IPFS node at {client.Api} broke off its answer to '{command}'. It is asked again.", isTransient: true, e);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            body.Dispose();
            response.Dispose();
        }

        base.Dispose(disposing);
    }
}
