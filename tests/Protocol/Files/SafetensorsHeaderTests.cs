using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using CsCheck;
using FedChain.Protocol.Files;

namespace FedChain.Protocol.Tests.Files;

public sealed class SafetensorsHeaderTests
{
    private static readonly Gen<(string Name, TensorType Type, ImmutableArray<long> Shape)[]> Layouts =
        Gen.Select(Gen.String[Gen.Char.AlphaNumeric, 1, 6], Gen.Enum<TensorType>(), Gen.Long[0, 9].Array[0, 3], (n, t, s) => (n, t, s.ToImmutableArray()))
            .Array[0, 8].Select(all => all.DistinctBy(t => t.n).Select(t => (t.n, t.t, t.Item3)).ToArray());

    [Fact]
    public void A_canonical_header_reads_back_equal() =>
        Layouts.Sample(layout =>
        {
            var written = SafetensorsHeader.Create(layout, [new("format", "pt"), new("a\"\\\n", "é😀")]);
            var bytes = written.ToBytes();
            Assert.Equal(0, bytes.Length % 8);
            Assert.Equal(written.DataOffset, bytes.Length);

            var read = SafetensorsHeader.Parse(bytes, written.FileLength);
            Assert.Equal(written.Tensors.ToHashSet(), read.Tensors.ToHashSet());
            Assert.Equal(written.Metadata, read.Metadata);
            Assert.Equal(bytes, SafetensorsHeader.Read(new MemoryStream(bytes), written.FileLength).ToBytes());
        });

    [Fact]
    public void The_canonical_bytes_are_fixed()
    {
        var header = SafetensorsHeader.Create(
            [("b", TensorType.Float32, [2, 3]), ("a", TensorType.Float32, [1])], [new("format", "pt")]);
        const string Json = """{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[2,3],"data_offsets":[4,28]}}""";
        var bytes = header.ToBytes();
        Assert.Equal(Json.PadRight(144), Encoding.UTF8.GetString(bytes.AsSpan(8)));
        Assert.Equal(144, BinaryPrimitives.ReadInt64LittleEndian(bytes));
        Assert.Equal(28, header.DataLength);
        Assert.Equal(4, header["b"].Offset);
    }

    [Theory]
    [InlineData("""{}""", 0)]
    [InlineData("""{}   """, 0)]
    [InlineData("""{"x":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}""", 4)]
    [InlineData("""{"x":{"dtype":"U8","shape":[0,9],"data_offsets":[0,0]},"y":{"data_offsets":[0,2],"shape":[1,1],"dtype":"BF16"}}""", 2)]
    public void Well_formed_headers_are_read(string json, int data) => Assert.Equal(data, Parse(json, data).DataLength);

    [Theory]
    [InlineData("", 0, "begins with '{'")]
    [InlineData("[]", 0, "begins with '{'")]
    [InlineData(" {}", 0, "begins with '{'")]
    [InlineData("{", 0, "not well-formed")]
    [InlineData("{}{}", 0, "not well-formed")]
    [InlineData("""{"a":1}""", 0, "tensor 'a' should be")]
    [InlineData("""{"a":{}}""", 0, "needs dtype")]
    [InlineData("""{"a":{"dtype":"F4","shape":[],"data_offsets":[0,4]}}""", 4, "'F4'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4],"extra":1}}""", 4, "unknown field 'extra'")]
    [InlineData("""{"a":{"dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4]}}""", 4, "second or unknown field 'dtype'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[],"data_offsets":[4,8]}}""", 8, "'a' twice")]
    [InlineData("""{"__metadata__":{"k":"1","k":"2"}}""", 0, "'k' twice")]
    [InlineData("""{"__metadata__":{"k":1}}""", 0, "metadata 'k'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[],"data_offsets":[0,8]}}""", 8, "takes 4 bytes; its offsets span 8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, "integers from 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}""", 4, "integers from 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4]}}""", 4, "integers from 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}}""", 4, "too many bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296,4294967296],"data_offsets":[0,0]}}""", 0, "too many bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[],"data_offsets":[4,0]}}""", 4, "before it begins")]
    [InlineData("""{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4,8]}}""", 4, "two data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[],"data_offsets":[4,8]}}""", 8, "expected 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[],"data_offsets":[4,8]}}""", 8, "expected 8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}""", 5, "describes 4 bytes of tensors; the file has 5")]
    [InlineData("""{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}""", 3, "the file has 3")]
    [InlineData("""{"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}}""", 4, "integers from 0")]
    [InlineData("""{"\ud800":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}""", 4, "not well-formed")]
    public void A_damaged_header_is_refused_by_name(string json, int data, string message) =>
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => Parse(json, data)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_header_that_claims_more_than_the_file_or_the_limit_is_refused_before_it_is_allocated()
    {
        var start = new byte[16];
        foreach (var size in new[] { 9UL, 1UL << 31, ulong.MaxValue })
        {
            BinaryPrimitives.WriteUInt64LittleEndian(start, size);
            Assert.Contains("claims", Assert.Throws<InvalidDataException>(() => SafetensorsHeader.Read(new MemoryStream(start), 16)).Message, StringComparison.Ordinal);
            Assert.Contains("claims", Assert.Throws<InvalidDataException>(() => SafetensorsHeader.Parse(start)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_truncated_file_is_refused_at_every_length()
    {
        var whole = SafetensorsHeader.Create([("a", TensorType.Int32, [1])]).ToBytes().Concat(new byte[4]).ToArray();
        for (var length = 0; length < whole.Length; length++)
        {
            var cut = whole[..length];
            Assert.Throws<InvalidDataException>(() => SafetensorsHeader.Parse(cut));
            Assert.Throws<InvalidDataException>(() => SafetensorsHeader.Read(new MemoryStream(cut), whole.Length - (length >= whole.Length - 4 ? 1 : 0)));
        }
    }

    [Fact]
    public void Any_flipped_byte_is_refused_as_data_and_never_as_anything_else()
    {
        var whole = SafetensorsHeader.Create([("a", TensorType.Int32, [1]), ("b", TensorType.Float32, [2, 2])], [new("k", "v")]).ToBytes().Concat(new byte[20]).ToArray();
        Gen.Select(Gen.Int[0, whole.Length - 21], Gen.Byte).Sample((at, value) =>
        {
            var changed = whole.ToArray();
            changed[at] = value;
            try
            {
                SafetensorsHeader.Parse(changed);
            }
            catch (InvalidDataException)
            {
            }
        });
    }

    [Fact]
    public void A_tensor_that_is_not_there_is_named() =>
        Assert.Contains("'lm_head'", Assert.Throws<InvalidDataException>(() => SafetensorsHeader.Create([("a", TensorType.Int8, [1])])["lm_head"]).Message, StringComparison.Ordinal);

    [Fact]
    [Trait("Category", "Vectors")]
    public void Files_that_Hugging_Face_wrote_are_read_and_their_adapters_are_canonical_already()
    {
        var files = FedChain.Tests.Shared.VectorFolders("llm").SelectMany(f => Directory.EnumerateFiles(f, "*.safetensors", SearchOption.AllDirectories)).ToList();
        Assert.SkipUnless(files.Count > 0, "No vectors here: set FEDCHAIN_VECTORS.");
        foreach (var file in files)
        {
            using var stream = File.OpenRead(file);
            var header = SafetensorsHeader.Read(stream, stream.Length);
            Assert.NotEmpty(header.Tensors);
            Assert.Equal(header.DataOffset, stream.Position);
            var again = SafetensorsHeader.Create(header.Tensors.Select(t => (t.Name, t.Type, t.Shape)), header.Metadata);
            Assert.Equal(header.Tensors.Select(t => t.Name).Order(StringComparer.Ordinal), again.Tensors.Select(t => t.Name));
            Assert.Equal(header.DataLength, again.DataLength);
            if (Path.GetFileName(file) == "adapter_model.safetensors")
            {
                var start = new byte[header.DataOffset];
                stream.Position = 0;
                stream.ReadExactly(start);
                Assert.Equal(start, again.ToBytes());
            }
        }
    }

    private static SafetensorsHeader Parse(string json, int data)
    {
        var text = Encoding.UTF8.GetBytes(json);
        var file = new byte[8 + text.Length + data];
        BinaryPrimitives.WriteInt64LittleEndian(file, text.Length);
        text.CopyTo(file, 8);
        return SafetensorsHeader.Parse(file);
    }
}
