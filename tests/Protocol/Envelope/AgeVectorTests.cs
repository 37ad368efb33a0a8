using System.Security.Cryptography;
using FedChain.Protocol.Envelope;

namespace FedChain.Protocol.Tests.Envelope;

[Trait("Category", "Vectors")]
public sealed class AgeVectorTests
{
    public static TheoryData<string> Paths
    {
        get
        {
            var rows = new TheoryData<string>();
            if (AgePeers.WhyAbsent is { } reason)
            {
                rows.Add(new TheoryDataRow<string>("") { Label = "cctv-age", Skip = reason });
            }

            foreach (var path in AgeVectors.Paths)
            {
                rows.Add(new TheoryDataRow<string>(path) { Label = Path.GetFileName(path) });
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task A_vector_is_opened_or_refused_as_it_says(string path)
    {
        var vector = AgeVector.Read(path);
        var (identities, passphrases) = (vector.Identities.Select(i => AgeIdentity.Parse(i)).ToList(), vector.Passphrases.Select(p => new AgePassphrase(p)).ToList());
        if (identities.Count == 0 && passphrases.Count == 0)
        {
            identities = [AgeIdentity.Generate(), AgeIdentity.Generate(AgeKeyKind.MlKem768X25519)]; // fails before any is looked at
        }

        if (identities.Count > 0)
        {
            await ExpectAsync(vector, file => AgeReader.Open(file, identities), file => AgeReader.OpenAsync(file, identities));
        }

        foreach (var passphrase in passphrases)
        {
            await ExpectAsync(vector, file => AgeReader.Open(file, passphrase), file => AgeReader.OpenAsync(file, passphrase));
        }
    }

    [Fact]
    public void A_file_is_told_apart_by_what_opens_it()
    {
        var vectors = AgeVectors.Paths.Select(AgeVector.Read).Where(v => v.Expect == "success").ToList();
        Assert.SkipWhen(vectors.Count == 0, AgePeers.WhyAbsent ?? "no vector can be opened");
        using var identity = AgeIdentity.Generate();
        using var passphrase = new AgePassphrase("password");
        foreach (var vector in vectors)
        {
            using var file = vector.Open();
            var refusal = Assert.Throws<AgeException>(() => vector.Passphrases.Count > 0 ? AgeReader.Open(file, [identity]) : AgeReader.Open(file, passphrase));
            Assert.Equal(vector.Passphrases.Count > 0 ? AgeFailure.PassphraseSealed : AgeFailure.NoMatchingIdentity, refusal.Failure);
        }
    }

    [Fact]
    public void The_published_collection_is_there_whole()
    {
        Assert.SkipUnless(AgePeers.Vectors is not null, AgePeers.WhyAbsent ?? "");
        var vectors = Directory.EnumerateFiles(AgePeers.Vectors!).Select(AgeVector.Read).ToList();
        var counts = vectors.GroupBy(v => v.Kind).Select(g => (Kind: g.Key, Count: g.Count())).OrderBy(c => c.Kind).ToList();
        Assert.Equal(143, vectors.Count);
        Assert.Equal(
            [("armor", 33), ("empty", 1), ("header", 1), ("hmac", 8), ("hybrid", 18), ("scrypt", 25), ("stanza", 14), ("stream", 28), ("version", 1), ("x25519", 14)],
            counts);
    }

    private static async Task ExpectAsync(AgeVector vector, Func<Stream, AgeReader> open, Func<Stream, Task<AgeReader>> openAsync)
    {
        foreach (var useAsync in (bool[])[false, true])
        {
            var (failure, released) = await OpenAsync(vector, useAsync ? openAsync : file => Task.FromResult(open(file)), useAsync);
            Assert.Equal(vector.Expect, Outcome(failure));
            if (vector.PayloadSha256 is not null)
            {
                Assert.Equal(vector.PayloadSha256, Convert.ToHexStringLower(SHA256.HashData(released)));
            }
            else
            {
                Assert.Empty(released);
            }
        }
    }

    private static string Outcome(AgeFailure? failure) => failure switch
    {
        null => "success",
        AgeFailure.MalformedHeader or AgeFailure.UnsupportedVersion or AgeFailure.HeaderTooLarge or AgeFailure.TooMuchWork => "header failure",
        AgeFailure.NoMatchingIdentity => "no match",
        AgeFailure.HeaderMacMismatch => "HMAC failure",
        AgeFailure.DamagedPayload or AgeFailure.TruncatedPayload => "payload failure",
        AgeFailure.MalformedArmor => "armor failure",
        _ => failure.Value.ToString(),
    };

    private static async Task<(AgeFailure? Failure, byte[] Released)> OpenAsync(AgeVector vector, Func<Stream, Task<AgeReader>> open, bool useAsync)
    {
        using var released = new MemoryStream();
        try
        {
            await using var file = vector.Open();
            await using var reader = await open(file);
            if (useAsync)
            {
                await reader.CopyToAsync(released, TestContext.Current.CancellationToken);
            }
            else
            {
                var small = new byte[1000];
                for (int read; (read = reader.Read(small)) > 0;)
                {
                    released.Write(small, 0, read);
                }
            }

            return (null, released.ToArray());
        }
        catch (AgeException e)
        {
            return (e.Failure, released.ToArray());
        }
    }
}
