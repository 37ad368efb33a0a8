using System.Text;
using CsCheck;
using FedChain.Protocol.Envelope;

namespace FedChain.Protocol.Tests.Envelope;

public sealed class AgeArmorTests
{
    [Fact]
    public void Any_bytes_in_any_pieces_round_trip() =>
        Gen.Select(Gen.Byte.Array[0, 60_000], Gen.Int[1, 20_000], Gen.Int[1, 20_000]).Sample((bytes, writes, reads) =>
        {
            using var text = new MemoryStream();
            using var writer = new AgeArmorWriter(text, leaveOpen: true);
            for (var at = 0; at < bytes.Length; at += writes)
            {
                writer.Write(bytes.AsSpan(at, Math.Min(writes, bytes.Length - at)));
            }

            writer.Complete();
            Assert.All(Encoding.ASCII.GetString(text.ToArray()).Split('\n'), line => Assert.InRange(line.Length, 0, 64));

            text.Position = 0;
            using var reader = new AgeArmorReader(text);
            using var decoded = new MemoryStream();
            reader.CopyTo(decoded, reads);
            Assert.True(bytes.AsSpan().SequenceEqual(decoded.ToArray()));
        }, iter: 200);

    [Fact]
    public async Task It_round_trips_asynchronously()
    {
        var bytes = Enumerable.Range(0, 50_000).Select(i => (byte)i).ToArray();
        using var text = new MemoryStream();
        await using var writer = new AgeArmorWriter(text, leaveOpen: true);
        await writer.WriteAsync(bytes, TestContext.Current.CancellationToken);
        await writer.CompleteAsync(TestContext.Current.CancellationToken);
        text.Position = 0;
        await using var reader = new AgeArmorReader(text);
        using var decoded = new MemoryStream();
        await reader.CopyToAsync(decoded, TestContext.Current.CancellationToken);
        Assert.Equal(bytes, decoded.ToArray());
    }

    [Theory]
    [InlineData("")]
    [InlineData("-----BEGIN AGE ENCRYPTED FILE-----")]
    [InlineData("-----BEGIN AGE ENCRYPTED FILE-----\nAAAA\n")]
    [InlineData("-----BEGIN AGE ENCRYPTED FILE-----\nAAAA\nAAAA\n-----END AGE ENCRYPTED FILE-----\n")]
    [InlineData("-----BEGIN AGE ENCRYPTED FILE-----\nAA=A\n-----END AGE ENCRYPTED FILE-----\n")]
    [InlineData("-----BEGIN AGE ENCRYPTED FILE-----\nAAA=\nAAA=\n-----END AGE ENCRYPTED FILE-----\n")]
    [InlineData("-----BEGIN AGE ENCRYPTED FILE-----\nA===\n-----END AGE ENCRYPTED FILE-----\n")]
    [InlineData("-----BEGIN AGE ENCRYPTED FILE-----\n====\n-----END AGE ENCRYPTED FILE-----\n")]
    [InlineData("-----BEGIN AGE ENCRYPTED FILE-----\nAAB=\n-----END AGE ENCRYPTED FILE-----\n")]
    [InlineData("-----BEGIN AGE ENCRYPTED FILE-----\nAAAA\n-----END AGE ENCRYPTED FILE-----\nx")]
    [InlineData("-----BEGIN AGE ENCRYPTED FILE-----\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n-----END AGE ENCRYPTED FILE-----\n")]
    public void Anything_but_strict_armor_is_refused(string text)
    {
        using var reader = new AgeArmorReader(new MemoryStream(Encoding.ASCII.GetBytes(text)));
        Assert.Equal(AgeFailure.MalformedArmor, Assert.Throws<AgeException>(() => reader.CopyTo(Stream.Null)).Failure);
    }

    [Fact]
    public void White_space_around_it_is_bounded()
    {
        string Block(int before, int after) =>
            new string('\n', before) + "-----BEGIN AGE ENCRYPTED FILE-----\nAAAA\n-----END AGE ENCRYPTED FILE-----\n" + new string(' ', after);
        void Read(string text) => new AgeArmorReader(new MemoryStream(Encoding.ASCII.GetBytes(text))).CopyTo(Stream.Null);
        Read(Block(1024, 1024));
        Assert.Throws<AgeException>(() => Read(Block(1025, 0)));
        Assert.Throws<AgeException>(() => Read(Block(0, 1025)));
    }
}
