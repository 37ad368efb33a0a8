using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using FedChain.Network.Content;
using FedChain.Node.Homes;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Envelope;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Ethereum.Keys;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Tests.Peer;

public sealed class SealingTests : IDisposable
{
    private static readonly AgeIdentity X25519 = AgeIdentity.Generate();
    private static readonly AgeIdentity Hybrid = AgeIdentity.Generate(AgeKeyKind.MlKem768X25519);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("fedchain-sealing-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(0)]
    [InlineData(65_536)]
    [InlineData(1_000_003)]
    public void The_bound_of_a_sealed_file_holds_for_the_largest_lists_of_the_larger_kind(long plaintext)
    {
        string Key() => AgeIdentity.Generate(AgeKeyKind.MlKem768X25519).Recipient.ToString();
        var round = Round(
            [.. Enumerable.Range(0, 3).Select(_ => Profile([.. Enumerable.Range(0, RecipientSelection.MaxPerProfile).Select(_ => Key())]))],
            auditors: [Key(), Key()]);
        var selection = Sealing.RecipientsOf(round, postQuantum: true);
        Assert.Equal(14, selection.Recipients.Count);
        Assert.InRange(AgeFormat.SealedSize(plaintext, selection.Recipients), 1, ContentExchange.SealedBound(plaintext, round));
    }

    [Fact]
    public void Auditors_have_a_say_as_members_have()
    {
        var both = Profile([Hybrid.Recipient.ToString(), X25519.Recipient.ToString()]);
        Assert.Equal([Hybrid.Recipient], Sealing.RecipientsOf(Round([both, both], []), postQuantum: false).Recipients);
        var selection = Sealing.RecipientsOf(Round([both], [AgeIdentity.Generate().Recipient.ToString()]), postQuantum: false);
        Assert.Equal((AgeKeyKind.X25519, 2), (selection.Kind, selection.Recipients.Count));
        Assert.Equal([1], Sealing.RecipientsOf(Round([both], [X25519.Recipient.ToString()]), postQuantum: true).Unreachable);
    }

    [Theory]
    [InlineData(true, false, AgeKeyKind.MlKem768X25519)]
    [InlineData(true, true, AgeKeyKind.MlKem768X25519)]
    [InlineData(false, false, AgeKeyKind.X25519)]
    [InlineData(false, true, null)]
    public async Task A_payload_is_sealed_to_one_member_with_the_best_it_has_and_never_with_less_than_the_policy_requires(
        bool memberHasHybrid, bool postQuantum, AgeKeyKind? expected)
    {
        var content = Content(memberHasHybrid, PolicyJson(postQuantum), out var digest);
        using var file = new MemoryStream();
        Assert.Equal(expected is not null, await content.WritePayloadAsync(digest, new PayloadReader.Member(new MemberId(1)), file, TestContext.Current.CancellationToken));
        if (expected is null)
        {
            Assert.Equal(0, file.Length);
            return;
        }

        file.Position = 0;
        using var reader = AgeReader.Open(file, [expected == AgeKeyKind.X25519 ? X25519 : Hybrid]);
        using var plaintext = new MemoryStream();
        reader.CopyTo(plaintext);
        Assert.Equal("an adapter"u8, plaintext.ToArray());
    }

    [Fact]
    public async Task Under_a_policy_that_cannot_be_read_nothing_is_sealed_with_less_than_it_may_require() =>
        Assert.False(await Content(memberHasHybrid: false, "{}", out var digest).WritePayloadAsync(digest, new PayloadReader.Member(new MemberId(1)), Stream.Null, TestContext.Current.CancellationToken));

    private MemberContent Content(bool memberHasHybrid, string policy, out Hash256 digest)
    {
        var home = HomeFolder.Create(
            Path.Combine(_folder.FullName, "home"), new HomeSettings { Name = "a", Listen = "127.0.0.1:1", Endpoint = "http://127.0.0.1:1" }, "secret", KeystoreOptions.Light);
        digest = new Hash256(SHA256.HashData("an adapter"u8));
        File.WriteAllText(home.AdapterFile(digest), "an adapter");
        string[] age = [X25519.Recipient.ToString(), .. memberHasHybrid ? (string[])[Hybrid.Recipient.ToString()] : []];
        var keys = new PeerKeys([PrivateKey.Create()], [X25519]);
        return new MemberContent(home, new PeerIdentity(1, default, default, new MemberId(2), keys))
        {
            Federation = FederationState.Empty with
            {
                Seats = Seats(2),
                Profiles = ImmutableDictionary<MemberId, string>.Empty.Add(new MemberId(1), Profile(age)),
                LatestPolicy = new PolicySet(default, default, new PolicyParams(1, 1, 1, 0, 1, 1, 1), default, policy),
            },
        };
    }

    private static string PolicyJson(bool postQuantum) => Encoding.UTF8.GetString(
        new Policy { BaseModel = default, Adapter = new AdapterConfig(rank: 2, alpha: 4, ["q_proj"]), Seed = default, PostQuantum = postQuantum }.ToBytes());

    private static string Profile(IReadOnlyList<string> age) => Encoding.UTF8.GetString(new Profile("a", age, [], default, default).ToBytes());

    private static ImmutableSortedDictionary<MemberId, Seat> Seats(int count) => Enumerable.Range(1, count)
        .Select(i => new Seat(new MemberId((uint)i), default, default, new RoundId(1), null)).ToImmutableSortedDictionary(s => s.Id, s => s);

    private static RoundState Round(IReadOnlyList<string> profiles, IReadOnlyList<string> auditors) => new()
    {
        Id = new RoundId(1),
        Contract = Address.Zero,
        Policy = default,
        Base = default,
        FinalisedBefore = 0,
        Seats = Seats(profiles.Count),
        Profiles = profiles.Select((profile, i) => KeyValuePair.Create(new MemberId((uint)i + 1), profile)).ToImmutableDictionary(),
        Auditors = auditors.Select((recipient, i) => KeyValuePair.Create(Address.Parse($"0x{i + 1:x40}"), recipient)).ToImmutableSortedDictionary(),
        Eligible = profiles.Count,
        Minimum = 1,
        OpenedAt = 0,
        ClosesAt = 1,
        PublishWindow = 1,
        AttestWindow = 1,
        MaxTurns = 1,
        Submissions = [],
    };
}
