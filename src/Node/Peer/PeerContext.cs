using System.Collections.Concurrent;
using FedChain.Aggregator;
using FedChain.Network.Content;
using FedChain.Node.Adapters;
using FedChain.Node.Chain;
using FedChain.Node.Homes;
using FedChain.Protocol;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Peer;

/// <summary>What the effects of a peer share: its home, keys and ways to the outside.</summary>
internal sealed class PeerContext
{
    private PeerIdentity _identity = null!;
    private RoundsWriter? _rounds;

    public required HomeFolder Home { get; init; }

    public required PeerIdentity Identity
    {
        get => _identity;
        init => _identity = value;
    }

    public required IContentStore Store { get; init; }

    public required ILocalTrainer Trainer { get; init; }

    public required LossLog Losses { get; init; }

    public required Func<PeerIdentity, RoundsWriter> WriterOf { private get; init; }

    /// <summary>Transactions to the Rounds contract that <see cref="Identity"/> names.</summary>
    public RoundsWriter Rounds => _rounds ??= WriterOf(Identity);

    public required ContentExchange Content { get; init; }

    public required Action<PeerEvent> Report { get; init; }

    public required TimeProvider Time { get; init; }

    public required Pulse Pulse { get; init; }

    public MemberId Me => Identity.Member;

    /// <summary>
    /// What training diverged from: the same round, base and policy would have the same records in the same order. Forgotten when the peer ends, since
    /// the next one may have been told other settings.
    /// </summary>
    public ConcurrentDictionary<(RoundId Round, Hash256 Base, Hash256 Policy), bool> Diverged { get; } = [];

    public RoundFolder FolderOf(RoundState round) => new(Home, Identity.ChainId, round, TellDamage);

    public LocalRound LocalOf(RoundState round)
    {
        var result = round.Winner?.Aggregate;
        var local = FolderOf(round).Snapshot(HasAdapter(round.Base), result is null || HasAdapter(result.Value), digest => File.Exists(Home.UpdateFile(digest)));
        return local with { Diverged = Diverged.ContainsKey((round.Id, round.Base, round.Policy)), IsMeasured = result is null || Losses.Losses.Of(result.Value) is not null };
    }

    /// <summary>The policy in force in a round, as voted.</summary>
    public static Policy PolicyOf(FederationState federation, RoundState round) =>
        Policy.Parse(System.Text.Encoding.UTF8.GetBytes(federation.Policies[round.Policy].Json));

    /// <summary>What every update of a round must agree with.</summary>
    public RoundTerms TermsOf(FederationState federation, RoundState round)
    {
        var policy = PolicyOf(federation, round);
        return new RoundTerms(
            Identity.ChainId, round.Contract, round.Id, round.Policy, policy, round.FinalisedBefore, round.Base, ReadAdapter(round.Base, policy), round.Beacon);
    }

    /// <summary>Goes on at a successor of Rounds. What is under way for the old one fails, since neither contract takes it any more.</summary>
    public void Follow(Address rounds)
    {
        var previous = Identity.Rounds;
        _identity = new PeerIdentity(Identity.ChainId, Identity.Membership, rounds, Identity.Member, Identity.Keys);
        _rounds = null;
        Tell(new PeerEvent.Succeeded(rounds.ToString(), previous.ToString()));
    }

    public void Tell(PeerEvent e)
    {
        e = e with { At = Time.GetUtcNow(), Member = Me.Value };
        Pulse.Take(e);
        Report(e);
    }

    public bool HasAdapter(Hash256 digest) => File.Exists(Home.AdapterFile(digest));

    public void TellDamage(string sentence) => Tell(new PeerEvent.Trouble("keeping what this home holds", sentence, Final: false));

    /// <summary>Reads a global adapter from the home and checks that it is what its name says.</summary>
    /// <exception cref="DamagedFileException">It isn't.</exception>
    public Adapter ReadAdapter(Hash256 digest, Policy policy) =>
        ReadNamed(Home.AdapterFile(digest), digest, file => (AdapterFile.Read(file, file.Length, policy.Adapter.FractionBits, Trainer.Layout, out var found), found));

    /// <summary>Reads a file that is named by its digest. A damaged one is put aside: it is asked for anew when the action is tried again.</summary>
    /// <exception cref="DamagedFileException">It holds something else.</exception>
    public static T ReadNamed<T>(string path, Hash256 digest, Func<FileStream, (T Value, Hash256 Digest)> read)
    {
        try
        {
            using var file = File.OpenRead(path);
            var (value, found) = read(file);
            return found == digest ? value : throw new InvalidDataException($"its digest is {found}");
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw new DamagedFileException(AtomicFile.PutAside(path, e.Message));
        }
    }

    public void WriteAdapter(Adapter adapter, Hash256 digest)
    {
        using var bytes = new MemoryStream();
        var written = AdapterFile.Write(bytes, adapter);
        if (written != digest)
        {
            throw new InvalidOperationException($"The adapter has the digest {written}, expected {digest}.");
        }

        AtomicFile.Write(Home.AdapterFile(digest), bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
    }
}
