using FedChain.Protocol.Envelope;

namespace FedChain.Protocol.Tests.Envelope;

public sealed class AgePassphraseTests : IDisposable
{
    private const int Cheap = 10;

    private readonly AgePassphrase _passphrase = new("correct horse, Bäckerstraße 🐎");

    public void Dispose() => _passphrase.Dispose();

    [Fact]
    public async Task What_is_sealed_with_a_passphrase_opens_with_it_and_with_no_other()
    {
        var plaintext = Enumerable.Range(0, 100_000).Select(i => (byte)i).ToArray();
        var file = Seal(plaintext, Cheap);
        Assert.StartsWith("age-encryption.org/v1\n-> scrypt ", System.Text.Encoding.Latin1.GetString(file), StringComparison.Ordinal);
        Assert.Equal(plaintext, Open(file, _passphrase));
        await using var reader = await AgeReader.OpenAsync(new MemoryStream(file), _passphrase, cancellationToken: TestContext.Current.CancellationToken);
        using var opened = new MemoryStream();
        await reader.CopyToAsync(opened, TestContext.Current.CancellationToken);
        Assert.Equal(plaintext, opened.ToArray());

        using var other = new AgePassphrase("correct horse, Bäckerstraße");
        Assert.Equal(AgeFailure.NoMatchingIdentity, Assert.Throws<AgeException>(() => Open(file, other)).Failure);
    }

    [Fact]
    public void A_changed_header_is_refused()
    {
        var text = System.Text.Encoding.Latin1.GetString(Seal([1, 2, 3], Cheap));
        var more = text.Replace(" 10\n", " 11\n", StringComparison.Ordinal);
        Assert.NotEqual(text, more);
        Assert.Equal(AgeFailure.NoMatchingIdentity, Refusal(more).Failure);
        var mac = text.IndexOf("\n--- ", StringComparison.Ordinal) + 5;
        Assert.Equal(AgeFailure.HeaderMacMismatch, Refusal(text[..mac] + (text[mac] == 'A' ? 'B' : 'A') + text[(mac + 1)..]).Failure);
    }

    [Theory]
    [InlineData("21")]
    [InlineData("22")]
    [InlineData("99")]
    [InlineData("340282366920938463463374607431768211456")]
    public void A_file_that_asks_for_too_much_work_is_refused_before_any_is_done(string workFactor)
    {
        using var file = new MemoryStream([.. AgeHeader.Encode([new AgeStanza("scrypt", [CanonicalBase64.Encode(new byte[16]), workFactor], new byte[32])], new byte[16]), .. new byte[64]]);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var refusal = Assert.Throws<AgeException>(() => AgeReader.Open(file, _passphrase));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        Assert.Equal(AgeFailure.TooMuchWork, refusal.Failure);
        Assert.Contains(workFactor, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(AgePassphrase.MaxWorkFactor + 1)]
    public void A_work_factor_that_nobody_would_open_is_not_written(int workFactor) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new AgeWriter(Stream.Null, _passphrase, workFactor));

    [Fact]
    public void A_passphrase_is_text_and_gone_after_disposal()
    {
        Assert.Throws<ArgumentException>(() => new AgePassphrase(""));
        Assert.ThrowsAny<ArgumentException>(() => new AgePassphrase("\ud83d"));
        var file = Seal([], Cheap);
        _passphrase.Dispose();
        Assert.Throws<ObjectDisposedException>(() => Open(file, _passphrase));
    }

    private AgeException Refusal(string file) => Assert.Throws<AgeException>(() => Open(System.Text.Encoding.Latin1.GetBytes(file), _passphrase));

    private byte[] Seal(byte[] plaintext, int workFactor)
    {
        using var file = new MemoryStream();
        using var writer = new AgeWriter(file, _passphrase, workFactor, leaveOpen: true);
        writer.Write(plaintext);
        writer.Complete();
        return file.ToArray();
    }

    private static byte[] Open(byte[] file, AgePassphrase passphrase)
    {
        using var reader = AgeReader.Open(new MemoryStream(file), passphrase);
        using var plaintext = new MemoryStream();
        reader.CopyTo(plaintext);
        return plaintext.ToArray();
    }
}
