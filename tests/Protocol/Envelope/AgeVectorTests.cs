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
            if (AgeVectors.WhyAbsent is { } reason)
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
        Assert.SkipWhen(vector.OutOfScope is not null, $"{vector.Name}: {vector.OutOfScope}");
        foreach (var useAsync in (bool[])[false, true])
        {
            var (failure, released) = await OpenAsync(vector, useAsync);
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

    [Fact]
    public void Passphrase_sealed_files_are_refused_and_named_as_such()
    {
        var vectors = AgeVectors.Paths.Select(AgeVector.Read).Where(v => v is { HasPassphrase: true }).ToList();
        Assert.SkipWhen(vectors.Count == 0, AgeVectors.WhyAbsent ?? "no vector is sealed with a passphrase");
        using var identity = AgeIdentity.Generate();
        foreach (var vector in vectors)
        {
            using var file = vector.Open();
            var refusal = Assert.Throws<AgeException>(() => AgeReader.Open(file, [identity]));
            if (vector.Expect == "success")
            {
                Assert.Equal(AgeFailure.PassphraseSealed, refusal.Failure);
            }
        }
    }

    [Fact]
    public void The_published_collection_is_there_whole()
    {
        Assert.SkipUnless(AgeVectors.Published is not null, AgeVectors.WhyAbsent ?? "");
        var vectors = Directory.EnumerateFiles(AgeVectors.Published!).Select(AgeVector.Read).ToList();
        var counts = vectors.GroupBy(v => v.Kind).Select(g => (Kind: g.Key, All: g.Count(), InScope: g.Count(v => v.OutOfScope is null))).OrderBy(c => c.Kind).ToList();
        foreach (var (kind, all, inScope) in counts)
        {
            TestContext.Current.TestOutputHelper?.WriteLine($"{kind}: {inScope} of {all} in scope");
        }

        TestContext.Current.TestOutputHelper?.WriteLine("out of scope: " + string.Join(", ", vectors.Where(v => v.OutOfScope is not null).Select(v => v.Name)));
        Assert.Equal(143, vectors.Count);
        Assert.Equal(
            [("armor", 33, 31), ("empty", 1, 1), ("header", 1, 1), ("hmac", 8, 8), ("hybrid", 18, 0), ("scrypt", 25, 0), ("stanza", 14, 14), ("stream", 28, 28), ("version", 1, 1), ("x25519", 14, 14)],
            counts);
    }

    private static string Outcome(AgeFailure? failure) => failure switch
    {
        null => "success",
        AgeFailure.MalformedHeader or AgeFailure.UnsupportedVersion or AgeFailure.HeaderTooLarge => "header failure",
        AgeFailure.NoMatchingIdentity => "no match",
        AgeFailure.HeaderMacMismatch => "HMAC failure",
        AgeFailure.DamagedPayload or AgeFailure.TruncatedPayload => "payload failure",
        AgeFailure.MalformedArmor => "armor failure",
        _ => failure.Value.ToString(),
    };

    private static async Task<(AgeFailure? Failure, byte[] Released)> OpenAsync(AgeVector vector, bool useAsync)
    {
        // Some vectors fail before any identity is looked at, and name none.
        var texts = vector.Identities.Count > 0 ? vector.Identities : [AgeIdentity.Generate().ExportSecretKey()];
        var identities = texts.Select(t => AgeIdentity.Parse(t)).ToList();
        using var released = new MemoryStream();
        try
        {
            await using var file = vector.Open();
            if (useAsync)
            {
                await using var reader = await AgeReader.OpenAsync(file, identities, cancellationToken: TestContext.Current.CancellationToken);
                await reader.CopyToAsync(released, TestContext.Current.CancellationToken);
            }
            else
            {
                using var reader = AgeReader.Open(file, identities);
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
