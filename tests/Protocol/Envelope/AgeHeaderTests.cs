using System.Text;
using FedChain.Protocol.Envelope;

namespace FedChain.Protocol.Tests.Envelope;

public sealed class AgeHeaderTests : IDisposable
{
    private readonly AgeIdentity _identity = AgeIdentity.Generate();

    public void Dispose() => _identity.Dispose();

    [Fact]
    public void A_header_longer_than_the_bound_is_refused_without_reading_on()
    {
        using var endless = new Endless("age-encryption.org/v1\n-> grease\n", "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB\n");
        Assert.Equal(AgeFailure.HeaderTooLarge, Assert.Throws<AgeException>(() => AgeReader.Open(endless, [_identity])).Failure);
        Assert.InRange(endless.Given, 0, AgeFormat.MaxHeaderBytes + 100);
    }

    [Fact]
    public void A_line_that_never_ends_is_refused_without_reading_on()
    {
        using var endless = new Endless("age-encryption.org/v1\n-> grease ", "x");
        Assert.Equal(AgeFailure.HeaderTooLarge, Assert.Throws<AgeException>(() => AgeReader.Open(endless, [_identity])).Failure);
        Assert.InRange(endless.Given, 0, AgeFormat.MaxHeaderBytes + 100);
    }

    [Fact]
    public void More_stanzas_than_the_bound_are_refused()
    {
        using var endless = new Endless("age-encryption.org/v1\n", "-> x\n\n");
        Assert.Equal(AgeFailure.HeaderTooLarge, Assert.Throws<AgeException>(() => AgeReader.Open(endless, [_identity])).Failure);
        Assert.InRange(endless.Given, 0, 2 * AgeFormat.ChunkSize);
    }

    [Theory]
    [InlineData(AgeKeyKind.X25519)]
    [InlineData(AgeKeyKind.MlKem768X25519)]
    public void A_header_may_have_the_most_stanzas_of_the_larger_kind(AgeKeyKind kind)
    {
        using var identity = AgeIdentity.Generate(kind);
        List<AgeRecipient> recipients = [.. Enumerable.Repeat(identity.Recipient, AgeFormat.MaxStanzas)];
        Assert.InRange(AgeFormat.HeaderSize(recipients), 1, AgeFormat.MaxHeaderBytes);
        Assert.InRange(AgeFormat.HeaderSize([identity.Recipient, identity.Recipient]) - AgeFormat.HeaderSize([identity.Recipient]), 1, AgeFormat.MaxStanzaBytes);
    }

    [Theory]
    [InlineData(AgeKeyKind.X25519, 1000)]
    [InlineData(AgeKeyKind.MlKem768X25519, 700)]
    public void A_header_of_more_than_a_chunk_is_read(AgeKeyKind kind, int others)
    {
        using var mine = AgeIdentity.Generate(kind);
        var recipients = Enumerable.Repeat(AgeIdentity.Generate(kind).Recipient, others).Append(mine.Recipient).ToList();
        Assert.True(AgeFormat.HeaderSize(recipients) > AgeFormat.ChunkSize);
        using var file = new MemoryStream();
        using var writer = new AgeWriter(file, recipients, leaveOpen: true);
        writer.Write(new byte[200_000]);
        writer.Complete();
        Assert.Equal(AgeFormat.SealedSize(200_000, recipients), file.Length);
        file.Position = 0;
        using var reader = AgeReader.Open(file, [mine]);
        using var plaintext = new MemoryStream();
        reader.CopyTo(plaintext);
        Assert.Equal(new byte[200_000], plaintext.ToArray());
    }

    [Fact]
    public void Stanzas_round_trip_whatever_the_size_of_their_body()
    {
        for (var size = 0; size <= 200; size++)
        {
            var body = Enumerable.Range(0, size).Select(i => (byte)i).ToArray();
            var bytes = AgeHeader.Encode([new AgeStanza("type", ["a", "~!"], body), new AgeStanza("x", [], [])], new byte[16]);
            var header = AgeHeader.TryDecode([.. bytes, 1, 2, 3], out var read);
            Assert.Equal(bytes.Length, read);
            Assert.Equal(body, header!.Stanzas[0].Body);
            Assert.Equal(["a", "~!"], header.Stanzas[0].Arguments);
            Assert.Empty(header.Stanzas[1].Body);
            Assert.Null(AgeHeader.TryDecode(bytes.AsSpan(..^1), out _));
        }
    }

    [Theory]
    [InlineData("", AgeFailure.MalformedHeader)]
    [InlineData("age-encryption.org/v1", AgeFailure.MalformedHeader)]
    [InlineData("age-encryption.org/v2\n", AgeFailure.UnsupportedVersion)]
    [InlineData("-----BEGIN AGE ENCRYPTED FILE-----\n", AgeFailure.MalformedHeader)]
    [InlineData("age-encryption.org/v1\n--- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n0123456789abcdef", AgeFailure.MalformedHeader)]
    public void A_start_that_is_no_age_file_is_refused(string start, AgeFailure failure) =>
        Assert.Equal(failure, Assert.Throws<AgeException>(() => AgeReader.Open(new MemoryStream(Encoding.ASCII.GetBytes(start)), [_identity])).Failure);

    /// <summary>A start, then the same for ever.</summary>
    private sealed class Endless(string start, string rest) : MemoryStream
    {
        public long Given { get; private set; }

        public override int Read(Span<byte> buffer)
        {
            for (var i = 0; i < buffer.Length; i++, Given++)
            {
                buffer[i] = (byte)(Given < start.Length ? start[(int)Given] : rest[(int)((Given - start.Length) % rest.Length)]);
            }

            return buffer.Length;
        }
    }
}
