using System.Buffers;
using System.Globalization;
using System.Text.Json;
using FedChain.Protocol.Content;

namespace FedChain.Network.Content;

/// <summary>
/// The operator's own IPFS node as the store, over Kubo's RPC API. What is kept is pinned, so that the node's garbage collector spares it; what is
/// given up is unpinned and left to that collector, since the node may serve others too. The node is the operator's, and still not
/// believed: each name that it gives is held against ours, and each block that it returns against its CID.
/// </summary>
public sealed class KuboStore : IContentStore
{
    /// <summary>The oldest version of Kubo whose answers are known: block/put has named codecs since.</summary>
    public static readonly Version Oldest = new(0, 14);

    // What 'ipfs add' would do today is spelled out: the node's configuration may say otherwise (Import.*), and names must not depend on it.
    private const string Layout =
        "cid-version=1&raw-leaves=true&chunker=size-262144&max-file-links=174&hash=sha2-256&trickle=false&inline=false&nocopy=false&wrap-with-directory=false&only-hash=false";

    private const string NotPinned = "not pinned";

    private static readonly string[] NotHere = ["not found", "could not find", "timed out", "deadline exceeded"];

    private readonly KuboOptions _options;
    private readonly KuboClient _client;

    public KuboStore(KuboOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _client = new KuboClient(options);
    }

    public Uri Api => _options.Api;

    /// <summary>The node's version, such as "0.39.0".</summary>
    /// <exception cref="KuboException">It is too old, or no IPFS node.</exception>
    public async Task<string> VersionAsync(CancellationToken cancellationToken = default)
    {
        var text = Text(await CallAsync("version", "", null, cancellationToken), "version", "Version");
        return !Version.TryParse(text.Split('-')[0], out var version) ? throw _client.Garbage("version", "a version that is none")
            : version >= Oldest ? text
            : throw new KuboException($"The IPFS node at {Api} is version {text}; {Oldest} or later is expected. Upgrade Kubo.", isTransient: false);
    }

    public async ValueTask<bool> HasAsync(Cid cid, CancellationToken cancellationToken = default)
    {
        if (cid.IsIdentity || !cid.IsSha256)
        {
            return cid.IsIdentity;
        }

        try
        {
            return CidOf(await _client.CallAsync("block/stat", Here(cid), body: null, _options.Patience, cancellationToken), "block/stat", "Key") == cid;
        }
        catch (KuboException e) when (IsNotHere(e))
        {
            return false;
        }
    }

    public async ValueTask<ReadOnlyMemory<byte>?> GetAsync(Cid cid, ArrayBufferWriter<byte>? reuse = null, CancellationToken cancellationToken = default) =>
        await BlockAsync(cid, Here(cid), cancellationToken);

    /// <summary>The block, from the node or from whoever it finds among its peers within <see cref="KuboOptions.SwarmPatience"/>; null if nobody.</summary>
    /// <exception cref="CorruptBlockException">The node holds other bytes under this name.</exception>
    public ValueTask<ReadOnlyMemory<byte>?> SeekAsync(Cid cid, CancellationToken cancellationToken = default) =>
        BlockAsync(cid, $"arg={cid}&timeout={Seconds(_options.SwarmPatience)}", cancellationToken);

    public IContentWriter BeginWrite() => new Writer(this);

    public async Task<(Cid Cid, long Size)> AddAsync(Stream content, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(content);
        var (upload, form) = KuboUpload.Of(content);
        using (form)
        {
            var patience = content.CanSeek ? TimeFor(content.Length - content.Position) : Timeout.InfiniteTimeSpan;
            var answer = await _client.CallAsync("add", $"{Layout}&pin=true&progress=false&quieter=true&cid-base=base32", form, patience, cancellationToken);
            var (ours, theirs) = (await upload.CidAsync(cancellationToken), CidOf(answer, "add", "Hash"));
            return ours == theirs ? (ours, upload.Size) : throw Misnamed("add", ours, theirs);
        }
    }

    public Stream OpenFile(Cid cid, long maxSize = long.MaxValue)
    {
        var file = new KuboFile(this, _client, cid);
        return new UnixFsReader(cid, file.BlockAsync, new UnixFsLimits { MaxSize = maxSize, SourceVerifies = true }).AsStream(file);
    }

    public Task PinAsync(Cid root, CancellationToken cancellationToken = default) => PinAsync(root, _options.Patience, cancellationToken);

    /// <summary>Pins a root, for which the node fetches what it lacks from its peers; false if it hasn't found all of it in time.</summary>
    /// <param name="size">Bytes of the file.</param>
    public async Task<bool> PullAsync(Cid root, long size, CancellationToken cancellationToken = default)
    {
        try
        {
            await PinAsync(root, TimeFor(size), cancellationToken);
            return true;
        }
        catch (KuboException e) when (e.IsTransient)
        {
            return false;
        }
    }

    /// <summary>Gives up what was pinned; false if it wasn't. Its blocks stay until the node collects its garbage.</summary>
    public async Task<bool> UnpinAsync(Cid root, CancellationToken cancellationToken = default)
    {
        try
        {
            await CallAsync("pin/rm", $"arg={root}&recursive=true", null, cancellationToken);
            return true;
        }
        catch (KuboException e) when (e.Message.Contains(NotPinned, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }
    }

    /// <summary>All roots that are pinned on this node, by whomever.</summary>
    public async Task<IReadOnlySet<Cid>> PinsAsync(CancellationToken cancellationToken = default)
    {
        var answer = await CallAsync("pin/ls", "type=recursive&cid-base=base32", null, cancellationToken);
        if (!answer.TryGetProperty("Keys", out var keys) || keys.ValueKind != JsonValueKind.Object)
        {
            throw _client.Garbage("pin/ls", "an object without \"Keys\"");
        }

        return keys.EnumerateObject().Select(key => Cid.TryParse(key.Name, out var cid) ? cid : throw _client.Garbage("pin/ls", "a key that is no CID")).ToHashSet();
    }

    public void Dispose() => _client.Dispose();

    private static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0}ms");

    private async Task PinAsync(Cid root, TimeSpan patience, CancellationToken cancellationToken)
    {
        var answer = await _client.CallAsync("pin/add", $"arg={root}&recursive=true&cid-base=base32&timeout={Seconds(patience)}", body: null, patience + _options.Patience, cancellationToken);
        var pinned = answer.TryGetProperty("Pins", out var pins) && pins.ValueKind == JsonValueKind.Array
            && pins.EnumerateArray().Any(pin => pin.ValueKind == JsonValueKind.String && Cid.TryParse(pin.GetString(), out var cid) && cid == root);
        if (!pinned)
        {
            throw _client.Garbage("pin/add", "another pin than was asked for");
        }
    }

    private async ValueTask<ReadOnlyMemory<byte>?> BlockAsync(Cid cid, string query, CancellationToken cancellationToken)
    {
        if (cid.IsIdentity)
        {
            return cid.DigestBytes;
        }

        if (!cid.IsSha256)
        {
            return null; // couldn't be checked
        }

        try
        {
            var block = await _client.BytesAsync("block/get", query, body: null, BlockStore.MaxBlockSize, _options.SwarmPatience + _options.Patience, cancellationToken);
            return cid.Matches(block) ? block : throw Corrupt(cid);
        }
        catch (KuboException e) when (IsNotHere(e))
        {
            return null;
        }
    }

    internal CorruptBlockException Corrupt(Cid cid) => new(
        cid, Api.ToString(), $"Block {cid} is corrupted: the IPFS node at {Api} gave other bytes than its name says. 'ipfs block rm --force {cid}' deletes it there; it can be fetched from other members again.");

    private Task<JsonElement> CallAsync(string command, string query, HttpContent? body, CancellationToken cancellationToken) =>
        _client.CallAsync(command, query, body, _options.Patience, cancellationToken);

    private async Task PutAsync(Cid cid, ReadOnlyMemory<byte> block, CancellationToken cancellationToken)
    {
        // "format" and "version" are what js-ipfs goes by, "cid-codec" what Kubo does, which takes the two together for raw blocks only.
        var codec = cid.IsRaw ? "cid-codec=raw&format=raw" : "cid-codec=dag-pb&version=1";
        using var form = KuboUpload.Of(block);
        var key = CidOf(await CallAsync("block/put", $"{codec}&mhtype=sha2-256&pin=false&cid-base=base32", form, cancellationToken), "block/put", "Key");
        var ours = cid.Version == 0 ? Cid.DagPbOf(cid.Digest) : cid;
        if (key != ours)
        {
            throw Misnamed("block/put", ours, key);
        }
    }

    private KuboException Misnamed(string command, Cid ours, Cid theirs) => new(
        $"The IPFS node at {Api} named the content {theirs} at '{command}', but its name is {ours}. The node is broken or no Kubo; nothing that it says can be relied on.", isTransient: false);

    private string Here(Cid cid) => $"arg={cid}&offline=true&cid-base=base32&timeout={Seconds(_options.LocalPatience)}";

    private Cid CidOf(JsonElement answer, string command, string name) =>
        Cid.TryParse(Text(answer, command, name), out var cid) ? cid : throw _client.Garbage(command, $"a \"{name}\" that is no CID");

    private string Text(JsonElement answer, string command, string name) =>
        answer.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()!
            : throw _client.Garbage(command, $"an object without \"{name}\"");

    private TimeSpan TimeFor(long bytes) => _options.Patience + TimeSpan.FromSeconds((double)bytes / _options.MinBytesPerSecond);

    internal static bool IsNotHere(KuboException e) => e.IsTransient && NotHere.Any(phrase => e.Message.Contains(phrase, StringComparison.OrdinalIgnoreCase));

    private sealed class Writer(KuboStore store) : IContentWriter
    {
        public async ValueTask PutAsync(Cid cid, ReadOnlyMemory<byte> block, CancellationToken cancellationToken = default)
        {
            if (cid.IsIdentity)
            {
                return;
            }

            if (!cid.IsSha256 || (!cid.IsRaw && !cid.IsDagPb) || block.Length > BlockStore.MaxBlockSize)
            {
                throw new ArgumentException($"Block {cid} of {block.Length} bytes can't be kept: expected a raw or dag-pb SHA-256 CID and at most {BlockStore.MaxBlockSize} bytes.", nameof(block));
            }

            await store.PutAsync(cid, block, cancellationToken);
        }

        public Task CommitAsync(CancellationToken cancellationToken = default) => Task.CompletedTask; // each answer says that it is kept

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
