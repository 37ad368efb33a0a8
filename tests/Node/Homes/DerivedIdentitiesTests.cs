using FedChain.Node.Homes;
using FedChain.Protocol.Envelope;
using FedChain.Protocol.Ethereum;

namespace FedChain.Node.Tests.Homes;

public sealed class DerivedIdentitiesTests
{
    // HKDF-SHA256 of 32 bytes 0x01 without salt under the two labels, computed with Python's hmac and hashlib.
    private const string HybridSeed = "eb03f12ba8dc8c36383357d8149ec54adbb0d1e0a67e7ff905845f11a43b1909";
    private const string X25519Secret = "ad933a6b9141a34fffacb77f476251669d9d463abe98ec80facf0cd3dc1120c6";

    [Fact]
    public void A_key_gives_the_hybrid_identity_then_the_X25519_one()
    {
        using var key = Key(1);
        using var hybrid = AgeIdentity.FromHybridSeed(Convert.FromHexString(HybridSeed));
        using var x25519 = AgeIdentity.FromSecret(Convert.FromHexString(X25519Secret));
        Assert.Equal([hybrid.ExportSecretKey(), x25519.ExportSecretKey()], HomeFolder.DeriveAge(key).Select(i => i.ExportSecretKey()));
    }

    [Fact]
    public void The_profile_has_the_present_keys_recipients_and_former_ones_still_open()
    {
        using var present = Key(1);
        using var former = Key(2);
        using var keys = new PeerKeys([], [.. HomeFolder.DeriveAge(present), .. HomeFolder.DeriveAge(former)]);
        Assert.Equal(HomeFolder.DeriveAge(present).Select(i => i.Recipient), keys.Recipients);
        Assert.Equal(4, keys.Age.Count);
    }

    private static PrivateKey Key(byte fill) => new([.. Enumerable.Repeat(fill, 32)]);
}
