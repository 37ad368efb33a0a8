using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text;

namespace FedChain.Protocol.Files;

/// <summary>
/// The header of a safetensors file (github.com/huggingface/safetensors, "Format"): 8 bytes little-endian N, then N bytes of JSON
/// <c>{"__metadata__":{…},"name":{"dtype":…,"shape":[…],"data_offsets":[begin,end]},…}</c>, then the tensors' bytes without a gap.
/// Reading is as strict as the format's own library, and in some points stricter (no unknown fields). Written headers are canonical: tensors
/// sorted by name (UTF-16 code units) and laid out in that order, metadata first and sorted, no white space but spaces up to a multiple of 8.
/// With one element type these are the bytes that the format's own library writes.
/// </summary>
public sealed class SafetensorsHeader
{
    /// <summary>The format's own limit of a header's JSON, in bytes.</summary>
    public const int MaxJsonSize = 100_000_000;

    internal const string MetadataKey = "__metadata__";

    private readonly FrozenDictionary<string, SafetensorsTensor> _byName;

    internal SafetensorsHeader(long dataOffset, ImmutableArray<SafetensorsTensor> tensors, ImmutableSortedDictionary<string, string> metadata)
    {
        DataOffset = dataOffset;
        Tensors = tensors;
        Metadata = metadata;
        DataLength = tensors.IsEmpty ? 0 : tensors[^1].Offset + tensors[^1].Length;
        _byName = tensors.ToFrozenDictionary(t => t.Name, StringComparer.Ordinal);
    }

    /// <summary>Where the tensors' bytes begin in the file: 8 + N.</summary>
    public long DataOffset { get; }

    /// <summary>The tensors' bytes altogether.</summary>
    public long DataLength { get; }

    /// <summary>The whole file's bytes.</summary>
    public long FileLength => DataOffset + DataLength;

    /// <summary>The tensors in the order of their bytes.</summary>
    public ImmutableArray<SafetensorsTensor> Tensors { get; }

    /// <summary>The free text entries, in the order of their keys' UTF-16 code units.</summary>
    public ImmutableSortedDictionary<string, string> Metadata { get; }

    /// <summary>The tensor of that name.</summary>
    /// <exception cref="InvalidDataException">The file has no such tensor.</exception>
    public SafetensorsTensor this[string name] => _byName.TryGetValue(name, out var tensor)
        ? tensor
        : throw new InvalidDataException($"The safetensors file has no tensor '{name}'; it has {Tensors.Length}, {Some(Tensors)}.");

    /// <summary>Finds a tensor by name; null where the file has none.</summary>
    public SafetensorsTensor? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Lays out a canonical file: tensors sorted by name without a gap, the header padded with spaces to a multiple of 8 bytes.</summary>
    /// <exception cref="ArgumentException">Two tensors of one name, a reserved name, a negative dimension, or more bytes than 63 bits count.</exception>
    public static SafetensorsHeader Create(
        IEnumerable<(string Name, TensorType Type, ImmutableArray<long> Shape)> tensors, IEnumerable<KeyValuePair<string, string>>? metadata = null)
    {
        var laidOut = ImmutableArray.CreateBuilder<SafetensorsTensor>();
        var end = 0L;
        foreach (var (name, type, shape) in tensors.OrderBy(t => t.Name, StringComparer.Ordinal))
        {
            if (name == MetadataKey || (laidOut.Count > 0 && laidOut[^1].Name == name))
            {
                throw new ArgumentException($"The tensor name '{name}' is reserved or given twice.", nameof(tensors));
            }

            var length = SafetensorsTensor.SizeOf(type, shape.AsSpan());
            if (length is null || length > long.MaxValue - MaxJsonSize - 8 - end)
            {
                throw new ArgumentException($"Tensor '{name}' has a negative dimension or is too large.", nameof(tensors));
            }

            laidOut.Add(new SafetensorsTensor(name, type, shape, end, length.Value));
            end += length.Value;
        }

        var sorted = (metadata ?? []).ToImmutableSortedDictionary(StringComparer.Ordinal);
        var all = laidOut.ToImmutable();
        return new SafetensorsHeader(8 + Json(all, sorted).Length, all, sorted);
    }

    /// <summary>Reads the header from the beginning of a file held in memory.</summary>
    /// <param name="start">The file's first bytes, at least the whole header (<see cref="JsonSize"/> tells how many that is).</param>
    /// <param name="fileLength">The whole file's length in bytes.</param>
    /// <exception cref="InvalidDataException">Not a well-formed safetensors file; the message says where.</exception>
    public static SafetensorsHeader Parse(ReadOnlySpan<byte> start, long fileLength)
    {
        var size = JsonSize(start, fileLength);
        return start.Length - 8 >= size
            ? SafetensorsHeaderReader.Read(start.Slice(8, size), fileLength)
            : throw new InvalidDataException($"The safetensors header takes {8L + size} bytes; only {start.Length} were given.");
    }

    /// <summary>Reads the header from a file held in memory as a whole.</summary>
    /// <exception cref="InvalidDataException">Not a well-formed safetensors file; the message says where.</exception>
    public static SafetensorsHeader Parse(ReadOnlySpan<byte> file) => Parse(file, file.Length);

    /// <summary>Reads the header from a stream and leaves the stream at the first tensor's first byte.</summary>
    /// <param name="stream">The file, at its beginning.</param>
    /// <param name="fileLength">The whole file's length in bytes.</param>
    /// <param name="maxJsonSize">The most bytes to allocate for the header's JSON.</param>
    /// <exception cref="InvalidDataException">Not a well-formed safetensors file, or it ends early; the message says where.</exception>
    public static SafetensorsHeader Read(Stream stream, long fileLength, int maxJsonSize = MaxJsonSize) =>
        SafetensorsHeaderReader.Read(ReadJson(stream, fileLength, maxJsonSize), fileLength);

    /// <summary>Reads a header that must be canonical, byte for byte, and leaves the stream at the first tensor's first byte.</summary>
    /// <exception cref="InvalidDataException">Not a well-formed safetensors file, or its header is written in another form; the message says where.</exception>
    public static SafetensorsHeader ReadCanonical(Stream stream, long fileLength, int maxJsonSize = MaxJsonSize)
    {
        var json = ReadJson(stream, fileLength, maxJsonSize);
        var header = SafetensorsHeaderReader.Read(json, fileLength);
        var canonical = Create(header.Tensors.Select(t => (t.Name, t.Type, t.Shape)), header.Metadata).ToBytes().AsSpan(8);
        var same = json.AsSpan().CommonPrefixLength(canonical);
        return same == json.Length && same == canonical.Length
            ? header
            : throw new InvalidDataException(
                $"The safetensors header is not canonical from byte {8 + same} on: expected metadata, then tensors sorted by name and laid out in that order, "
                + "each with dtype, shape and data_offsets, no white space but spaces at the end up to a multiple of 8 bytes.");
    }

    /// <summary>The size of the header's JSON as the first 8 bytes tell it, checked against the file's length and a limit before anybody allocates it.</summary>
    /// <exception cref="InvalidDataException">Fewer than 8 bytes, a size beyond the file's end or beyond the limit.</exception>
    public static int JsonSize(ReadOnlySpan<byte> start, long fileLength, int maxJsonSize = MaxJsonSize)
    {
        if (start.Length < 8 || fileLength < 8)
        {
            throw new InvalidDataException($"A safetensors file begins with 8 bytes, the header's size; got {Math.Min(start.Length, fileLength)}.");
        }

        var size = BinaryPrimitives.ReadUInt64LittleEndian(start);
        if (size > (ulong)maxJsonSize)
        {
            throw new InvalidDataException($"The safetensors header claims {size} bytes; at most {maxJsonSize} are accepted.");
        }

        return (long)size <= fileLength - 8
            ? (int)size
            : throw new InvalidDataException($"The safetensors header claims {size} bytes, but the file has only {fileLength - 8} after its first 8.");
    }

    /// <summary>The header as bytes, with the leading size, in canonical form. Equal to the bytes read only if those were canonical.</summary>
    public byte[] ToBytes()
    {
        var json = Json(Tensors, Metadata);
        var bytes = new byte[8 + json.Length];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, json.Length);
        json.CopyTo(bytes, 8);
        return bytes;
    }

    private static byte[] ReadJson(Stream stream, long fileLength, int maxJsonSize)
    {
        Span<byte> prefix = stackalloc byte[8];
        if (stream.ReadAtLeast(prefix, 8, throwOnEndOfStream: false) < 8)
        {
            throw new InvalidDataException("A safetensors file begins with 8 bytes, the header's size; this one ends before.");
        }

        var json = new byte[JsonSize(prefix, fileLength, maxJsonSize)];
        return stream.ReadAtLeast(json, json.Length, throwOnEndOfStream: false) == json.Length
            ? json
            : throw new InvalidDataException($"The safetensors file ends within its header of {json.Length} bytes.");
    }

    private static byte[] Json(ImmutableArray<SafetensorsTensor> tensors, ImmutableSortedDictionary<string, string> metadata)
    {
        var text = new StringBuilder("{");
        if (metadata.Count > 0)
        {
            AppendName(text, MetadataKey);
            text.Append('{');
            foreach (var (key, value) in metadata)
            {
                AppendName(text, key);
                CanonicalJson.AppendString(text, value);
                text.Append(',');
            }

            text.Length--;
            text.Append("},");
        }

        foreach (var tensor in tensors)
        {
            AppendName(text, tensor.Name);
            text.Append("{\"dtype\":\"").Append(tensor.Type.Code()).Append("\",\"shape\":[").AppendJoin(',', tensor.Shape)
                .Append("],\"data_offsets\":[").Append(tensor.Offset).Append(',').Append(tensor.Offset + tensor.Length).Append("]},");
        }

        if (text[^1] == ',')
        {
            text.Length--;
        }

        text.Append('}');
        var bytes = Encoding.UTF8.GetByteCount(text.ToString());
        text.Append(' ', (8 - (bytes % 8)) % 8);
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static void AppendName(StringBuilder text, string name)
    {
        CanonicalJson.AppendString(text, name);
        text.Append(':');
    }

    private static string Some(ImmutableArray<SafetensorsTensor> tensors) =>
        tensors.Length switch
        {
            0 => "none",
            <= 3 => string.Join(", ", tensors.Select(t => $"'{t.Name}'")),
            _ => $"'{tensors[0].Name}' … '{tensors[^1].Name}'",
        };
}
