using CsCheck;
using FedChain.Protocol.Envelope;

namespace FedChain.Protocol.Tests.Envelope;

public sealed class AgeRoundTripTests : IDisposable
{
    private const int Chunk = AgeFormat.ChunkSize;

    private static readonly Gen<int> Sizes = Gen.OneOf(
        Gen.Int[0, 300], Gen.Int[Chunk - 20, Chunk + 20], Gen.Int[(2 * Chunk) - 20, (2 * Chunk) + 20], Gen.Int[0, 4 * Chunk]);

    private readonly AgeIdentity _identity = AgeIdentity.Generate();

    public void Dispose() => _identity.Dispose();

    [Fact]
    public void Any_size_and_any_pieces_of_writing_and_reading_round_trip() =>
        Gen.Select(Sizes, Gen.Int[1, 3 * Chunk].Array[1, 5], Gen.Int[1, 3 * Chunk].Array[1, 5], Gen.Int[1, 3 * Chunk]).Sample((size, writes, reads, sourcePiece) =>
        {
            var plaintext = Bytes(size);
            using var file = new MemoryStream();
            using (var writer = new AgeWriter(file, [_identity.Recipient], leaveOpen: true))
            {
                for (int at = 0, i = 0; at < size; i++)
                {
                    var taken = Math.Min(writes[i % writes.Length], size - at);
                    writer.Write(plaintext, at, taken);
                    at += taken;
                }

                writer.Complete();
            }

            Assert.Equal(AgeFormat.SealedSize(size, [_identity.Recipient]), file.Length);
            using var reader = AgeReader.Open(new Dripping(file.ToArray(), sourcePiece), [_identity]);
            using var opened = new MemoryStream();
            var buffer = new byte[3 * Chunk];
            for (int i = 0, read; (read = reader.Read(buffer, 0, reads[i % reads.Length])) > 0; i++)
            {
                opened.Write(buffer, 0, read);
            }

            Assert.True(plaintext.AsSpan().SequenceEqual(opened.ToArray()));
        }, iter: 200);

    [Fact]
    public Task Writing_and_reading_asynchronously_round_trips() =>
        Gen.Select(Sizes, Gen.Int[1, 3 * Chunk], Gen.Int[1, 3 * Chunk]).SampleAsync(async (size, piece, sourcePiece) =>
        {
            var plaintext = Bytes(size);
            using var file = new MemoryStream();
            await using (var writer = new AgeWriter(file, [_identity.Recipient], leaveOpen: true))
            {
                for (var at = 0; at < size; at += piece)
                {
                    await writer.WriteAsync(plaintext.AsMemory(at, Math.Min(piece, size - at)));
                }

                await writer.CompleteAsync();
            }

            await using var reader = await AgeReader.OpenAsync(new Dripping(file.ToArray(), sourcePiece), [_identity]);
            using var opened = new MemoryStream();
            await reader.CopyToAsync(opened, piece);
            Assert.True(plaintext.AsSpan().SequenceEqual(opened.ToArray()));
        }, iter: 100);

    [Theory]
    [InlineData(AgeKeyKind.X25519)]
    [InlineData(AgeKeyKind.MlKem768X25519)]
    public void Each_of_many_recipients_opens_the_file_and_nobody_else(AgeKeyKind kind)
    {
        var identities = Enumerable.Range(0, 100).Select(_ => AgeIdentity.Generate(kind)).ToList();
        var recipients = identities.Select(i => i.Recipient).ToList();
        var plaintext = Bytes(1000);
        var file = Seal(plaintext, recipients);
        Assert.Equal(AgeFormat.SealedSize(plaintext.Length, recipients), file.Length);
        Assert.All(identities, identity => Assert.Equal(plaintext, Open(file, identity)));
        using var hybrid = AgeIdentity.Generate(AgeKeyKind.MlKem768X25519);
        Assert.Equal(AgeFailure.NoMatchingIdentity, Assert.Throws<AgeException>(() => Open(file, _identity, hybrid)).Failure);
        Assert.Equal(plaintext, Open(file, _identity, hybrid, identities[99]));
    }

    [Fact]
    public void Any_flipped_bit_is_refused()
    {
        var whole = Seal(Bytes(100), [_identity.Recipient]);
        for (var bit = 0; bit < 8 * whole.Length; bit++)
        {
            var file = whole.ToArray();
            file[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<AgeException>(() => Open(file, _identity));
        }
    }

    [Fact]
    public void Any_flipped_bit_of_a_hybrid_file_is_refused()
    {
        using var hybrid = AgeIdentity.Generate(AgeKeyKind.MlKem768X25519);
        var whole = Seal(Bytes(100), [hybrid.Recipient]);
        Gen.Int[0, (8 * whole.Length) - 1].Sample(bit =>
        {
            var file = whole.ToArray();
            file[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<AgeException>(() => Open(file, hybrid));
        }, iter: 3000);
    }

    [Fact]
    public void Any_flipped_bit_in_any_chunk_is_refused_and_only_what_came_before_it_is_given_out()
    {
        var plaintext = Bytes((3 * Chunk) + 5);
        var whole = Seal(plaintext, [_identity.Recipient]);
        var payload = whole.Length - plaintext.Length - (4 * 16);
        Gen.Int[0, (8 * (whole.Length - payload)) - 1].Sample(bit =>
        {
            var file = whole.ToArray();
            file[payload + (bit / 8)] ^= (byte)(1 << (bit % 8));
            var (failure, released) = OpenUntilFailure(file);
            Assert.Equal(AgeFailure.DamagedPayload, failure);
            Assert.True(plaintext.AsSpan(0, bit / 8 / (Chunk + 16) * Chunk).SequenceEqual(released));
        }, iter: 200);
    }

    [Fact]
    public void Any_truncation_is_refused()
    {
        var small = Seal(Bytes(100), [_identity.Recipient]);
        for (var length = 0; length < small.Length; length++)
        {
            Assert.Throws<AgeException>(() => Open(small[..length], _identity));
        }

        var plaintext = Bytes(3 * Chunk);
        var large = Seal(plaintext, [_identity.Recipient]);
        Gen.Int[small.Length, large.Length - 1].Sample(length =>
        {
            var (failure, released) = OpenUntilFailure(large[..length]);
            Assert.NotNull(failure);
            Assert.True(plaintext.AsSpan(0, released.Length).SequenceEqual(released));
        }, iter: 200);
    }

    [Fact]
    public void A_file_cut_between_chunks_is_called_truncated()
    {
        var file = Seal(Bytes(3 * Chunk), [_identity.Recipient]);
        Assert.Equal(AgeFailure.TruncatedPayload, OpenUntilFailure(file[..^(Chunk + 16)]).Failure);
    }

    [Fact]
    public void A_file_that_was_never_completed_is_refused()
    {
        using var file = new MemoryStream();
        using (var writer = new AgeWriter(file, [_identity.Recipient], leaveOpen: true))
        {
            writer.Write(Bytes((2 * Chunk) + 1));
        }

        Assert.Equal(AgeFailure.TruncatedPayload, OpenUntilFailure(file.ToArray()).Failure);
    }

    [Fact]
    public void Chunks_that_changed_places_are_refused()
    {
        var file = Seal(Bytes(4 * Chunk), [_identity.Recipient]);
        var start = file.Length - (4 * (Chunk + 16));
        var first = file.AsSpan(start, Chunk + 16).ToArray();
        file.AsSpan(start + Chunk + 16, Chunk + 16).CopyTo(file.AsSpan(start));
        first.CopyTo(file.AsSpan(start + Chunk + 16));
        Assert.Equal(AgeFailure.DamagedPayload, Assert.Throws<AgeException>(() => Open(file, _identity)).Failure);
    }

    [Fact]
    public void A_failure_stays_the_readers_answer()
    {
        var file = Seal(Bytes(10), [_identity.Recipient]);
        file[^1] ^= 1;
        using var reader = AgeReader.Open(new MemoryStream(file), [_identity]);
        var buffer = new byte[100];
        Assert.Throws<AgeException>(() => reader.Read(buffer));
        Assert.Throws<AgeException>(() => reader.Read(buffer));
    }

    [Fact]
    public void After_a_failure_of_the_source_or_the_destination_there_is_no_going_on()
    {
        var file = Seal(Bytes(3 * Chunk), [_identity.Recipient]);
        using var reader = AgeReader.Open(new Failing(file, after: Chunk + 100), [_identity]);
        var buffer = new byte[Chunk];
        Assert.Equal(Chunk, reader.Read(buffer));
        Assert.Throws<IOException>(() => reader.Read(buffer));
        Assert.Throws<InvalidOperationException>(() => reader.Read(buffer));

        using var writer = new AgeWriter(new Failing(new byte[10 * Chunk], after: 2 * Chunk), [_identity.Recipient]);
        Assert.Throws<IOException>(() => writer.Write(Bytes(4 * Chunk)));
        Assert.Throws<InvalidOperationException>(writer.Complete);
    }

    [Fact]
    public void Nothing_can_be_written_after_completion()
    {
        using var writer = new AgeWriter(Stream.Null, [_identity.Recipient]);
        writer.Complete();
        Assert.False(writer.CanWrite);
        Assert.Throws<InvalidOperationException>(() => writer.Write(Bytes(1)));
        Assert.Throws<InvalidOperationException>(writer.Complete);
    }

    [Fact]
    public void An_age_file_needs_a_recipient_and_a_bounded_number_of_them()
    {
        Assert.Throws<ArgumentException>(() => new AgeWriter(Stream.Null, []));
        Assert.Throws<ArgumentException>(() => new AgeWriter(Stream.Null, Enumerable.Repeat(_identity.Recipient, AgeFormat.MaxStanzas + 1).ToList()));
    }

    [Fact]
    public void Kinds_of_recipients_are_not_mixed()
    {
        using var hybrid = AgeIdentity.Generate(AgeKeyKind.MlKem768X25519);
        Assert.Contains("one kind", Assert.Throws<ArgumentException>(() => new AgeWriter(Stream.Null, [hybrid.Recipient, _identity.Recipient])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Opening_needs_an_identity() =>
        Assert.Throws<ArgumentException>(() => AgeReader.Open(new MemoryStream(Seal(Bytes(1), [_identity.Recipient])), []));

    [Theory]
    [InlineData(AgeKeyKind.X25519)]
    [InlineData(AgeKeyKind.MlKem768X25519)]
    public void With_the_same_randomness_the_same_file_comes_out(AgeKeyKind kind)
    {
        using var identity = AgeIdentity.Generate(kind);
        byte[] Once()
        {
            byte next = 0;
            using var file = new MemoryStream();
            using var writer = new AgeWriter(file, [identity.Recipient], leaveOpen: true, random: span => span.Fill(++next));
            writer.Write(Bytes(50));
            writer.Complete();
            return file.ToArray();
        }

        Assert.Equal(Once(), Once());
        Assert.NotEqual(Once(), Seal(Bytes(50), [identity.Recipient]));
    }

    private static byte[] Bytes(int size)
    {
        var bytes = new byte[size];
        new Random(size).NextBytes(bytes);
        return bytes;
    }

    private static byte[] Seal(byte[] plaintext, IReadOnlyCollection<AgeRecipient> recipients)
    {
        using var file = new MemoryStream();
        using var writer = new AgeWriter(file, recipients, leaveOpen: true);
        writer.Write(plaintext);
        writer.Complete();
        return file.ToArray();
    }

    private static byte[] Open(byte[] file, params AgeIdentity[] identities)
    {
        using var reader = AgeReader.Open(new MemoryStream(file), identities);
        using var plaintext = new MemoryStream();
        reader.CopyTo(plaintext);
        return plaintext.ToArray();
    }

    private (AgeFailure? Failure, byte[] Released) OpenUntilFailure(byte[] file)
    {
        using var released = new MemoryStream();
        try
        {
            using var reader = AgeReader.Open(new MemoryStream(file), [_identity]);
            reader.CopyTo(released);
            return (null, released.ToArray());
        }
        catch (AgeException e)
        {
            return (e.Failure, released.ToArray());
        }
    }

    /// <summary>A stream that breaks once more than so many bytes have gone through it.</summary>
    private sealed class Failing(byte[] bytes, int after) : MemoryStream(bytes)
    {
        public override int Read(Span<byte> buffer) => Position > after ? throw new IOException("broken") : base.Read(buffer);

        public override void Write(byte[] buffer, int offset, int count)
        {
            base.Write(buffer, offset, count);
            if (Position > after)
            {
                throw new IOException("broken");
            }
        }
    }

    /// <summary>A source that gives fewer bytes than asked for, as the network does.</summary>
    private sealed class Dripping(byte[] bytes, int piece) : MemoryStream(bytes)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(piece, buffer.Length)]);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(piece, buffer.Length)], cancellationToken);
    }
}
