using System.Net;
using System.Net.Http.Headers;
using FedChain.Protocol.Content;

namespace FedChain.Network.Content;

/// <summary>A file on its way to the node, named by us as it passes, so that the node's name for it can be held against ours.</summary>
internal sealed class KuboUpload : HttpContent
{
    private readonly Stream _content;
    private readonly UnixFsImporter _importer = new(UnixFsLayout.Default, sink: null);

    private KuboUpload(Stream content)
    {
        _content = content;
        Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
    }

    /// <summary>Bytes that have passed.</summary>
    public long Size => _importer.Size;

    /// <summary>The file as the one part of a multipart form, which is how the RPC takes it.</summary>
    public static (KuboUpload Upload, MultipartFormDataContent Form) Of(Stream content)
    {
        var upload = new KuboUpload(content);
        return (upload, Form(upload));
    }

    /// <summary>Likewise a block.</summary>
    public static MultipartFormDataContent Of(ReadOnlyMemory<byte> block)
    {
        var content = new ReadOnlyMemoryContent(block);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return Form(content);
    }

    /// <summary>Our name for the file; once, after it has passed.</summary>
    public ValueTask<Cid> CidAsync(CancellationToken cancellationToken) => _importer.CompleteAsync(cancellationToken);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        while (await _content.ReadAsync(buffer, cancellationToken) is > 0 and var read)
        {
            await _importer.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false; // sent in chunks
    }

    private static MultipartFormDataContent Form(HttpContent part) => new() { { part, "file", "file" } };
}
