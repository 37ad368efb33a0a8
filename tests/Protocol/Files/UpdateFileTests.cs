using System.Buffers.Binary;
using System.Security.Cryptography;
using CsCheck;
using FedChain.Protocol.Files;
using FedChain.Protocol.Numerics;

namespace FedChain.Protocol.Tests.Files;

public sealed class UpdateFileTests
{
    [Fact]
    public void An_update_is_the_same_after_a_trip_through_its_file() =>
        Gen.Select(Adapters.Layouts, Adapters.AnyFactors).SelectMany((layout, factors) =>
            Gen.Int[-FixedPoint.MaxDifference, FixedPoint.MaxDifference].Array[layout.CountOf(factors)].Select(d => (layout, factors, d))).Sample(
            (layout, factors, differences) =>
            {
                var stream = new MemoryStream();
                var digest = UpdateFile.Write(stream, Adapters.Metadata, EncodedDifferences.Exact(layout, factors, differences));
                Assert.Equal(new Hash256(SHA256.HashData(stream.ToArray())), digest);

                stream.Position = 0;
                var header = UpdateFile.ReadHeader(stream, stream.Length);
                Assert.Equal(Adapters.Metadata, header.Metadata);
                Assert.Equal(header.DataOffset, stream.Position);
                Assert.Equal(differences.Length, header.Count);
                Assert.True(header.Fits(layout, factors));
                Assert.All(new[] { Factors.A, Factors.B, Factors.Both }.Where(f => f != factors), other => Assert.False(header.Fits(layout, other)));
                var read = new byte[4 * differences.Length];
                stream.ReadExactly(read);
                Assert.Equal(differences, Enumerable.Range(0, differences.Length).Select(i => BinaryPrimitives.ReadInt32LittleEndian(read.AsSpan(4 * i))));
            },
            iter: 100);

    [Fact]
    public void An_encoded_update_is_a_vector_of_codes_and_a_shift_for_each_tensor() =>
        Gen.Select(Adapters.Layouts, Adapters.AnyFactors, Gen.Bool).SelectMany((layout, factors, isByte) =>
            Gen.Int[-FixedPoint.MaxValue, FixedPoint.MaxValue].Array[layout.CountOf(factors)].Select(d => (layout, factors, isByte, d))).Sample(
            (layout, factors, isByte, differences) =>
            {
                var encoding = isByte ? UpdateEncoding.Int8 : UpdateEncoding.Int16;
                var encoded = EncodedDifferences.Nearest(encoding, new Adapter(layout, 20, new int[layout.Count]), factors, differences);
                var stream = new MemoryStream();
                Assert.Equal(UpdateFile.Write(stream, Adapters.Metadata, encoded), new Hash256(SHA256.HashData(stream.ToArray())));
                Assert.InRange(stream.Length, 0, UpdateFile.MaxLength(encoding, layout, factors));

                stream.Position = 0;
                var header = UpdateFile.ReadHeader(stream, stream.Length);
                Assert.Equal(Adapters.Metadata, header.Metadata);
                Assert.Equal((encoding, (long)differences.Length), (header.Encoding, header.Count));
                Assert.Equal(encoded.Shifts, header.Shifts);
                Assert.True(header.Fits(layout, factors));
                var at = 0;
                foreach (var (tensor, shift) in layout.Of(factors).Zip(header.Shifts))
                {
                    for (var i = 0; i < tensor.Count; i++, at++)
                    {
                        int code = isByte ? (sbyte)stream.ReadByte() : (short)(stream.ReadByte() | (stream.ReadByte() << 8));
                        Assert.Equal(encoded.Values[at], code << shift);
                    }
                }

                Assert.Equal(stream.Length, stream.Position);
            },
            iter: 100);

    [Fact]
    public void A_byte_a_value_takes_a_quarter_of_the_file_that_four_take()
    {
        var config = new AdapterConfig(8, 16, ["q_proj", "k_proj", "v_proj", "o_proj"]);
        var layout = AdapterLayout.Create(config, Enumerable.Range(0, 3).SelectMany(l => config.Targets.Select(t => ($"model.layers.{l}.self_attn.{t}", 128, 128))));
        foreach (var factors in new[] { Factors.Both, Factors.B })
        {
            var start = new Adapter(layout, 20, new int[layout.Count]);
            var (four, one) = (Size(UpdateEncoding.Int32), Size(UpdateEncoding.Int8));
            Assert.InRange(one, layout.CountOf(factors), layout.CountOf(factors) + 1024);
            Assert.InRange(4 * one / (double)four, 0, factors == Factors.Both ? 1 : 1.01);

            long Size(UpdateEncoding encoding)
            {
                var stream = new MemoryStream();
                UpdateFile.Write(stream, Adapters.Metadata, EncodedDifferences.Nearest(encoding, start, factors, new int[layout.CountOf(factors)]));
                return stream.Length;
            }
        }
    }

    [Theory]
    [InlineData("\"shifts\":\"0000\",", "", "lacks the metadata entry 'shifts'")]
    [InlineData("\"shifts\":\"0000\"", "\"shifts\":\"00j0\"", "'shifts' should be a digit from 0 to i for each tensor; got '00j0'")]
    [InlineData("\"shifts\":\"0000\"", "\"shifts\":\"00A0\"", "'shifts' should be a digit from 0 to i")]
    [InlineData("I8", "U8", "Tensor 'update' of the update is U8; this version reads I16 and I8")]
    [InlineData("[24]", "[4,6]", "should have one dimension; its shape is [4, 6]")]
    [InlineData("\"update\"", "\"updata\"", "not PEFT's name")]
    public void Each_kind_of_damage_to_an_encoded_update_is_refused_by_name(string from, string to, string message)
    {
        var stream = new MemoryStream();
        UpdateFile.Write(stream, Adapters.Metadata, EncodedDifferences.Nearest(UpdateEncoding.Int8, Adapter.First(Adapters.Small, Hash256.Zero, 20), Factors.Both, new int[24]));
        Refused(stream.ToArray(), from, to, message);
    }

    [Fact]
    public void The_difference_of_two_adapters_covers_the_factors_of_the_round_and_nothing_else()
    {
        var before = Adapter.First(Adapters.Small, Hash256.Zero, 20);
        var values = before.Values.ToArray();
        foreach (var tensor in Adapters.Small.Of(Factors.B))
        {
            for (var i = 0; i < tensor.Count; i++)
            {
                values[tensor.Offset + i] += i + 1;
            }
        }

        var after = new Adapter(Adapters.Small, 20, values);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4], after.DifferenceTo(before, Factors.B));
        Assert.Contains("frozen", Assert.Throws<ArgumentException>(() => after.DifferenceTo(before, Factors.A)).Message, StringComparison.Ordinal);
        Assert.Equal(24, after.DifferenceTo(before, Factors.Both).Length);
    }

    [Theory]
    [InlineData("\"samples\":\"412\"", "\"samples\":\"0\"", "'samples' should be a decimal integer from 1")]
    [InlineData("\"samples\":\"412\"", "\"samples\":\"0412\"", "'samples' should be a decimal integer")]
    [InlineData("\"samples\":\"412\"", "\"samples\":\" 412\"", "'samples' should be a decimal integer")]
    [InlineData("\"samples\":\"412\"", "\"samples\":\"9007199254740992\"", "'samples' should be a decimal integer")]
    [InlineData("\"loss.base\":\"2900000\"", "\"loss.base\":\"-1\"", "'loss.base' should be")]
    [InlineData("\"member\":\"3\"", "\"member\":\"4294967296\"", "'member' should be")]
    [InlineData("\"salt\":\"0x3", "\"salt\":\"3x3", "'salt' should be 0x and lowercase hex digits")]
    [InlineData("\"rounds\":\"0x5f", "\"rounds\":\"0x5F", "'rounds' should be 0x and lowercase hex digits")]
    [InlineData("\"v\":\"1\"", "\"v\":\"2\"", "version '2'")]
    [InlineData("\"v\":\"1\"", "\"v\":\"1\",\"w\":\"\"", "unknown metadata entry 'w'")]
    [InlineData("\"chain\":\"31337\",", "", "lacks the metadata entry 'chain'")]
    [InlineData("I32", "F32", "this version reads I32")]
    [InlineData(".weight", ".weighs", "not PEFT's name")]
    [InlineData(",\"v\":", ", \"v\":", "not canonical from byte")]
    public void Each_kind_of_damage_is_refused_by_name(string from, string to, string message)
    {
        Refused(Adapters.Bytes(Adapters.Metadata, Adapters.Small, Factors.Both, new int[Adapters.Small.Count]), from, to, message);
    }

    private static void Refused(byte[] file, string from, string to, string message)
    {
        var damaged = Adapters.WithHeader(file, header =>
        {
            Assert.Contains(from, header, StringComparison.Ordinal);
            var json = header.TrimEnd(' ').Replace(from, to, StringComparison.Ordinal);
            return json + new string(' ', (8 - (json.Length % 8)) % 8);
        });
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => UpdateFile.ReadHeader(new MemoryStream(damaged), damaged.Length)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_no_reader_would_accept_is_not_written()
    {
        var zeros = new int[Adapters.Small.Count];
        Assert.Throws<ArgumentException>(() => Adapters.Bytes(Adapters.Metadata, Adapters.Small, Factors.A, zeros));
        Assert.Throws<ArgumentException>(() => Adapters.Bytes(Adapters.Metadata with { Samples = 0 }, Adapters.Small, Factors.Both, zeros));
        Assert.Throws<ArgumentException>(() => Adapters.Bytes(Adapters.Metadata with { Chain = 1UL << 53 }, Adapters.Small, Factors.Both, zeros));
        zeros[5] = FixedPoint.MaxDifference + 1;
        Assert.Contains("Difference 5", Assert.Throws<ArgumentException>(() => Adapters.Bytes(Adapters.Metadata, Adapters.Small, Factors.Both, zeros)).Message, StringComparison.Ordinal);
    }
}
