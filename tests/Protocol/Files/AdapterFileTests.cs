using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using CsCheck;
using FedChain.Protocol.Files;
using FedChain.Protocol.Numerics;

namespace FedChain.Protocol.Tests.Files;

public sealed class AdapterFileTests
{
    private static readonly Gen<Adapter> AnyAdapter =
        Gen.Select(Adapters.Layouts, Gen.Int[FixedPoint.MinFractionBits, FixedPoint.MaxFractionBits]).SelectMany((layout, f) => Adapters.Of(layout, f));

    [Fact]
    public void An_adapter_is_the_same_after_a_trip_through_its_file() =>
        AnyAdapter.Sample(
            adapter =>
            {
                var bytes = Adapters.Bytes(adapter);
                var read = AdapterFile.Read(new MemoryStream(bytes), bytes.Length, adapter.FractionBits, adapter.Layout, out var digest);
                Assert.True(adapter.Values.SequenceEqual(read.Values));
                Assert.Equal(adapter.Layout, read.Layout);
                Assert.Equal(new Hash256(SHA256.HashData(bytes)), digest);
                Assert.Equal(digest, AdapterFile.Digest(adapter));
                Assert.Equal(bytes.Length, AdapterFile.LengthOf(adapter.Layout));
                Assert.Equal(bytes, Adapters.Bytes(read));
            },
            iter: 100);

    /// <summary>A reader written from the format's description alone, on another JSON parser, sees the same names, shapes and bits.</summary>
    [Fact]
    public void The_file_opens_as_safetensors_and_its_values_are_bit_equal() =>
        AnyAdapter.Sample(
            adapter =>
            {
                var bytes = Adapters.Bytes(adapter);
                var headerSize = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
                using var header = JsonDocument.Parse(bytes.AsMemory(8, headerSize));
                Assert.Equal("pt", header.RootElement.GetProperty("__metadata__").GetProperty("format").GetString());
                foreach (var tensor in adapter.Layout.Tensors)
                {
                    var entry = header.RootElement.GetProperty(tensor.Name);
                    Assert.Equal("F32", entry.GetProperty("dtype").GetString());
                    Assert.Equal([tensor.Rows, tensor.Columns], entry.GetProperty("shape").EnumerateArray().Select(d => d.GetInt32()));
                    var at = 8 + headerSize + entry.GetProperty("data_offsets")[0].GetInt32();
                    for (var i = 0; i < tensor.Count; i++)
                    {
                        var exact = adapter[tensor][i] / Math.Pow(2, adapter.FractionBits);
                        Assert.Equal(BitConverter.SingleToInt32Bits((float)exact), BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at + (4 * i))));
                        Assert.Equal(exact, (float)exact);
                    }
                }
            },
            iter: 50);

    [Fact]
    public void Each_kind_of_damage_is_refused_by_name()
    {
        var file = Adapters.Bytes(Adapters.Of(Adapters.Small, 20).Single());
        Refused("not canonical from byte", Adapters.WithHeader(file, h => h.TrimEnd(' ') + new string(' ', 16)));
        Refused("not canonical from byte 9", Adapters.WithHeader(file, h => "{ " + h[1..]));
        Refused("not canonical from byte", Adapters.WithHeader(file, h => h.Replace("q_proj", "\\u0071_proj", StringComparison.Ordinal)));
        Refused("begins at", Adapters.WithHeader(file, h => h.Replace("[0,24]", "[24,48]", StringComparison.Ordinal)));
        Refused("metadata should be format: pt", Adapters.WithHeader(file, h => h.Replace("\"pt\"", "\"np\"", StringComparison.Ordinal)));
        Refused("should be F32; it is I32", Adapters.WithHeader(file, h => h.Replace("F32", "I32", StringComparison.Ordinal)));
        Refused("another layout", Adapters.Bytes(Adapter.First(AdapterLayout.Create(new AdapterConfig(1, 1, ["q"]), [("l.q", 3, 3)]), Hash256.Zero, 20)));
        Refused("the file has", [.. file, 0]);
        Refused("the file has", file[..^1]);
        Refused("ends within its tensors", file[..^1], file.Length);
        foreach (var (bad, shown) in new[] { (float.NaN, "NaN"), (-0f, "-0"), (8f, "8"), (1e-7f, "1E-07") })
        {
            var damaged = file.ToArray();
            BinaryPrimitives.WriteSingleLittleEndian(damaged.AsSpan(file.Length - 4), bad);
            Refused($"Value 3 of 'base_model.model.model.layers.0.self_attn.v_proj.lora_B.weight' is {shown}", damaged);
        }

        static void Refused(string message, byte[] bytes, int? length = null) =>
            Assert.Contains(message, Assert.Throws<InvalidDataException>(() =>
                AdapterFile.Read(new MemoryStream(bytes), length ?? bytes.Length, 20, Adapters.Small, out _)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_changed_byte_is_refused_or_gives_another_digest()
    {
        var adapter = Adapters.Of(Adapters.Small, 20).Single();
        var file = Adapters.Bytes(adapter);
        var original = AdapterFile.Digest(adapter);
        Gen.Select(Gen.Int[0, file.Length - 1], Gen.Byte).Where(t => file[t.Item1] != t.Item2).Sample((at, value) =>
        {
            var changed = file.ToArray();
            changed[at] = value;
            try
            {
                var read = AdapterFile.Read(new MemoryStream(changed), changed.Length, 20, null, out var digest);
                Assert.NotEqual(original, digest);
                Assert.Equal(digest, AdapterFile.Digest(read));
            }
            catch (InvalidDataException)
            {
            }
        });
    }

    [Fact]
    [Trait("Category", "Vectors")]
    public void An_adapter_that_PEFT_wrote_is_canonical_but_off_the_grid()
    {
        var files = FedChain.Tests.Shared.VectorFolders("llm/lora").SelectMany(f => Directory.EnumerateFiles(f, "adapter_model.safetensors", SearchOption.AllDirectories)).ToList();
        Assert.SkipUnless(files.Count > 0, "No vectors here: set FEDCHAIN_VECTORS.");
        Assert.All(files, file =>
        {
            using var stream = File.OpenRead(file);
            Assert.Contains("expected a multiple of 2^-20", Assert.Throws<InvalidDataException>(() => AdapterFile.Read(stream, stream.Length, 20, null, out _)).Message, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void The_first_adapter_has_the_generators_A_and_a_zero_B()
    {
        var first = Adapter.First(Adapters.Small, Hash256.Zero, 20);
        foreach (var tensor in Adapters.Small.Tensors)
        {
            var expected = new int[tensor.Count];
            if (tensor.Factor == Factors.A)
            {
                FirstFactor.Fill(Hash256.Zero, tensor.Name, tensor.Columns, 20, expected);
            }

            Assert.Equal(expected, first[tensor].ToArray());
        }
    }

    [Fact]
    public void Values_out_of_range_are_misuse() =>
        Assert.Throws<ArgumentException>(() => new Adapter(Adapters.Small, 20, [.. new int[23], FixedPoint.MaxValue + 1]));
}
