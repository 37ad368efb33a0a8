using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using FedChain.Protocol.Content;
using FedChain.Protocol.Envelope;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Signing;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Numerics;
using FedChain.Protocol.Rounds;
using FedChain.Tests;
using HeldUpdates = FedChain.Protocol.Ethereum.Signing.Holdings;
using Holdings = FedChain.Protocol.Manifests.Holdings;

namespace FedChain.Protocol.Tests;

/// <summary>
/// The worked example of docs/protocol.md, computed: whoever writes a second implementation can hold theirs to it, and a change of the protocol
/// that the document doesn't follow fails here.
/// </summary>
public class ProtocolDocumentTests
{
    private const ulong Chain = 31337;
    private static readonly RoundId Round = new(1);
    private static readonly Address Deployer = Address.Parse("0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266");
    private static readonly Address Membership = ContractAddress.Create(Deployer, 0);
    private static readonly Address Rounds = ContractAddress.Create(Deployer, 2);
    private static readonly AdapterConfig Config = new(rank: 2, alpha: 4, ["v_proj", "q_proj"]);
    private static readonly AdapterLayout Layout = AdapterLayout.Create(
        Config, [("model.layers.0.self_attn.q_proj", 6, 4), ("model.layers.0.self_attn.v_proj", 6, 4)]);

    private static readonly Policy Voted = new() { BaseModel = Sha256("base model"), Adapter = Config, Seed = Sha256("seed") };
    private static readonly Adapter First = Adapter.First(Layout, Voted.Seed, Config.FractionBits);
    private static readonly Hash256 Genesis = AdapterFile.Digest(First);

    private static readonly Hash256 PolicyHash = Keccak256.OfWords(
        Keccak256.Hash(Voted.ToBytes()), 1800UL, 300UL, 300UL, 0UL, 2UL, 4UL, 20UL, Genesis);

    private static readonly SigningDomain Domain = new(Chain, Rounds);

    public static TheoryData<string, string> Examples => [.. Compute().Select(e => new TheoryDataRow<string, string>(e.Name, e.Value))];

    [Theory]
    [MemberData(nameof(Examples))]
    public void The_document_shows_what_the_code_computes(string name, string value)
    {
        var document = File.ReadAllText(Path.Combine(Shared.RepositoryRoot, "docs", "protocol.md"));
        Assert.True(document.Contains(value, StringComparison.Ordinal), $"docs/protocol.md should show, as {name}: {value}");
    }

    private static IEnumerable<(string Name, string Value)> Compute()
    {
        yield return ("Membership", Membership.ToString());
        yield return ("Rounds", Rounds.ToString());
        yield return ("profile", Text(new Profile(
            "St. Anna", [Age(1).ToString()], ["https://fedchain.st-anna.example"], Voted.BaseModel, Config.Digest).ToBytes()));
        yield return ("adapter configuration", Text(CanonicalJson.Serialize(Config.ToJson())));
        yield return ("its digest", Config.Digest.ToString());
        yield return ("model id of member 1", ModelId.Of(Chain, Membership, new MemberId(1), Voted.BaseModel, Config.Digest).ToString());
        yield return ("policy", Voted.ToString());
        yield return ("policy hash", PolicyHash.ToString());
        yield return ("first values of A0", string.Join(", ", First[Layout.Of(Factors.A)[0]][..5].ToArray()));
        yield return ("genesis", Genesis.ToString());
        yield return ("header of the adapter file", AdapterHeader());

        var updates = new[] { 1u, 2u, 3u }.Select(id => Update(new MemberId(id))).ToArray();
        yield return ("header of member 1's update", updates[0].Header);
        yield return ("plaintext of member 1's update", updates[0].Manifest.Plaintext.ToString());
        yield return ("update manifest of member 1", Text(updates[0].Manifest.ToBytes()));

        var (set, beacon) = (Hash256.Zero, Hash256.Zero);
        foreach (var (manifest, i) in updates.Select((u, i) => (u.Manifest, i)))
        {
            var (id, digest) = (manifest.Member, Sha256(manifest.ToBytes()));
            var secret = Secret(id);
            (set, beacon) = (Preimages.NextSet(set, id, digest), Preimages.NextBeacon(beacon, Round, id, secret));
            yield return ($"address of member {id}", Operator(id).Address.ToString());
            yield return ($"secret of member {id}", secret.ToString());
            yield return ($"commitment of member {id}", Preimages.Commitment(Chain, Rounds, id, secret).ToString());
            yield return ($"manifest digest of member {id}", digest.ToString());
            yield return ($"manifest CID of member {id}", Cid.RawOf(digest).ToString());
            yield return ($"set after submission {i}", set.ToString());
            yield return ($"beacon after submission {i}", beacon.ToString());
        }

        var turns = TurnOrder.Of(beacon, Round, 3, 4);
        yield return ("turns", $"indices {string.Join(", ", turns)}");

        var aggregator = new MemberId((uint)turns[0] + 1);
        SubmissionBitmap[] held = [SubmissionBitmap.All(3), SubmissionBitmap.Of(3, [0, 1]), SubmissionBitmap.All(3)];
        SignedHolding[] holdings = [.. held.Select((h, i) => Sign(new MemberId((uint)i + 1), set, h))];
        yield return ("domain separator", Domain.Separator.ToString());
        yield return ("digest of member 2's holdings", Domain.Digest(new HeldUpdates(Round, set, held[1].Bytes.ToArray())).ToString());
        yield return ("holdings of member 2", Text(new Holdings(Round, set, holdings[1]).ToBytes()));

        var aggregate = Sha256("the new adapter's file");
        var global = new GlobalManifest(
            Chain, Rounds, Round, 0, aggregator, PolicyHash, Genesis, set, Inclusion.Of(3, Quorum.Of(3), held),
            new HoldingsSource.Inline([.. holdings]), aggregate, Cid.RawOf(Sha256("its age file")), 1234, State: null).ToBytes();
        var candidate = Preimages.Candidate(Round, 0, set, Sha256(global), aggregate);
        yield return ("global manifest", Text(global));
        yield return ("candidate", candidate.ToString());
        yield return ("digest of a valid attestation", Domain.Digest(new Attestation(Round, 0, candidate, true)).ToString());
        yield return ("CID of the empty file", FileCid(0));
        yield return ("CID of 262,144 zero bytes", FileCid(262_144));
        yield return ("CID of 262,145 zero bytes", FileCid(262_145));
        yield return ("CID of 46,000,000 zero bytes", FileCid(46_000_000));
        yield return ("limit of a manifest", Count(Manifest.MaxSize));
        yield return ("limit of a holdings message", Count(Holdings.MaxSize));
        yield return ("limit of a file of holdings", $"at most 2^{BitOperations.Log2(GlobalManifest.MaxHoldingsSize)} bytes");
        yield return ("limits of an age header", $"headers of at most {AgeFormat.MaxHeaderBytes >> 20} MiB and {Count(AgeFormat.MaxStanzas)} stanzas");
        yield return ("limit of a reader's stanzas", $"{Count(RecipientSelection.MaxPerProfile * AgeFormat.MaxStanzaBytes)} (seats +");
        yield return ("sizes of stanzas", $"{Count(X25519Stanza.Size)} bytes, or {Count(HybridStanza.Size)} for the hybrid kind");
    }

    private static (string Header, UpdateManifest Manifest) Update(MemberId id)
    {
        var metadata = new UpdateMetadata(
            Chain, Rounds, Round, id, PolicyHash, Genesis, Sha256($"salt {id}"), Samples: 240,
            new UpdateLosses(new Micronats(2_412_345), new Micronats(2_412_345), new Micronats(1_987_654)));
        using var file = new MemoryStream();
        var differences = Enumerable.Range(0, Layout.Count).Select(i => ((i % 2 == 0 ? 1 : -1) * (int)id.Value) + i).ToArray();
        var plaintext = UpdateFile.Write(file, metadata, EncodedDifferences.Exact(Layout, Factors.Both, differences));
        var header = SafetensorsHeader.Parse(file.ToArray());
        var payload = Cid.RawOf(Sha256($"the age file of member {id}"));
        return (Json(header), new UpdateManifest(Chain, Rounds, Round, id, PolicyHash, Genesis, payload, 1234, plaintext));
    }

    private static string AdapterHeader()
    {
        using var file = new MemoryStream();
        AdapterFile.Write(file, First);
        return Json(SafetensorsHeader.Parse(file.ToArray()));
    }

    private static SignedHolding Sign(MemberId id, Hash256 set, SubmissionBitmap held) =>
        new(id, held, Operator(id).Sign(Domain.Digest(new HeldUpdates(Round, set, held.Bytes.ToArray()))));

    private static Hash256 Secret(MemberId id) => Preimages.Secret(Operator(id), Chain, Rounds, id, index: 0);

    private static PrivateKey Operator(MemberId id) => new(Enumerable.Repeat((byte)id.Value, PrivateKey.Size).ToArray());

    private static AgeRecipient Age(byte fill) => AgeIdentity.FromSecret(Enumerable.Repeat(fill, 32).ToArray()).Recipient;

    private static string FileCid(int size)
    {
        using var content = new MemoryStream(new byte[size]);
        return UnixFsImporter.ImportAsync(content, UnixFsLayout.Default, sink: null).GetAwaiter().GetResult().Cid.ToString();
    }

    private static string Count(int bytes) => bytes.ToString("N0", CultureInfo.InvariantCulture);

    private static string Json(SafetensorsHeader header) => Text(header.ToBytes().AsSpan(8)).TrimEnd();

    private static string Text(ReadOnlySpan<byte> utf8) => Encoding.UTF8.GetString(utf8);

    private static Hash256 Sha256(string text) => Sha256(Encoding.UTF8.GetBytes(text));

    private static Hash256 Sha256(ReadOnlySpan<byte> bytes) => new(SHA256.HashData(bytes));
}
