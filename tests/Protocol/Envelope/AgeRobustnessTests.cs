using CsCheck;
using FedChain.Protocol.Envelope;

namespace FedChain.Protocol.Tests.Envelope;

/// <summary>What foreign bytes can do to the reader: be refused by its one exception, at bounded cost.</summary>
public sealed class AgeRobustnessTests : IDisposable
{
    private static readonly byte[] Plaintext = new byte[200];

    private readonly AgeIdentity _identity = AgeIdentity.Generate();
    private readonly AgeIdentity _hybrid = AgeIdentity.Generate(AgeKeyKind.MlKem768X25519);

    public void Dispose()
    {
        _identity.Dispose();
        _hybrid.Dispose();
    }

    [Theory]
    [InlineData(AgeKeyKind.X25519)]
    [InlineData(AgeKeyKind.MlKem768X25519)]
    public void Whatever_is_cut_out_of_a_file_or_put_into_it_only_the_one_exception_comes(AgeKeyKind kind)
    {
        foreach (var armored in (bool[])[false, true])
        {
            using var whole = new MemoryStream();
            Seal(whole, Plaintext, armored, kind == AgeKeyKind.X25519 ? _identity : _hybrid);
            var file = whole.ToArray();
            var piece = Gen.OneOf(Gen.Byte.Array[0, 40], Gen.OneOf("\n", " ", "->", "-> ", "---", "--- ", "=", "\r\n", "A").Select(System.Text.Encoding.ASCII.GetBytes));
            Gen.Select(Gen.Int[0, file.Length], Gen.Int[0, 40], piece).Sample((at, cut, put) =>
            {
                byte[] changed = [.. file[..at], .. put, .. file[Math.Min(file.Length, at + cut)..]];
                if (!changed.AsSpan().SequenceEqual(file))
                {
                    Read(changed, armored, mayOpen: armored); // armor has more than one text: white space around it, CRLF
                }
            }, iter: 3000);
        }
    }

    [Fact]
    public void Random_bytes_are_refused() => Gen.Byte.Array[0, 2000].Sample(bytes =>
    {
        Read(bytes, armored: false, mayOpen: false);
        Read([.. AgeHeader.VersionLine, .. bytes], armored: false, mayOpen: false);
        Read(bytes, armored: true, mayOpen: false);
        Read([.. AgeArmorReader.Begin, (byte)'\n', .. bytes], armored: true, mayOpen: false);
    });

    [Fact]
    public void Memory_does_not_grow_with_the_file()
    {
        var recipients = Enumerable.Range(0, 4).Select(_ => AgeIdentity.Generate().Recipient).Append(_identity.Recipient).ToList();
        var block = new byte[1 << 20];
        (long Sealing, long Opening) Allocated(int blocks)
        {
            using var file = new MemoryStream(capacity: (blocks + 1) << 20);
            var start = GC.GetAllocatedBytesForCurrentThread();
            using var writer = new AgeWriter(file, recipients, leaveOpen: true);
            for (var i = 0; i < blocks; i++)
            {
                writer.Write(block);
            }

            writer.Complete();
            var sealing = GC.GetAllocatedBytesForCurrentThread() - start;
            file.Position = 0;
            start = GC.GetAllocatedBytesForCurrentThread();
            using var reader = AgeReader.Open(file, [_identity]);
            while (reader.Read(block) > 0)
            {
            }

            return (sealing, GC.GetAllocatedBytesForCurrentThread() - start);
        }

        Allocated(1);
        var (one, many) = (Allocated(1), Allocated(64));
        Assert.InRange(many.Sealing - one.Sealing, -100_000, 100_000);
        Assert.InRange(many.Opening - one.Opening, -100_000, 100_000);
    }

    private static void Seal(Stream destination, byte[] plaintext, bool armored, AgeIdentity identity)
    {
        using var armor = new AgeArmorWriter(destination, leaveOpen: true);
        using var writer = new AgeWriter(armored ? armor : destination, [identity.Recipient], leaveOpen: true);
        writer.Write(plaintext);
        writer.Complete();
        if (armored)
        {
            armor.Complete();
        }
    }

    private void Read(byte[] file, bool armored, bool mayOpen)
    {
        Stream source = new MemoryStream(file);
        try
        {
            using var reader = AgeReader.Open(armored ? new AgeArmorReader(source) : source, [_identity, _hybrid]);
            using var plaintext = new MemoryStream();
            reader.CopyTo(plaintext);
            Assert.True(mayOpen, "a changed file was opened");
            Assert.Equal(Plaintext, plaintext.ToArray());
        }
        catch (AgeException)
        {
            // The one exception that may come.
        }
    }
}
