using System.Numerics;
using FedChain.Node.Audit;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Node.Tests.Audit;

/// <summary>
/// A history made by hand, one event a block: three founders, an applicant who is voted in with two votes against one, and an auditor who is granted.
/// Tests change one thing in it.
/// </summary>
internal sealed class GovernanceLog
{
    public const ulong Chain = 31337, Delay = 10, Period = 100, Wait = 50, Grace = 14 * 24 * 3600;

    private const ulong Start = 1_000_000;

    private readonly List<Entry> _entries = [];

    public GovernanceLog()
    {
        Add("founded", 0, "m", Membership, new FederationFounded(Governance, Rounds, Start + (7 * 24 * 3600), [Holder(1), Holder(2), Holder(3)]));
        Add("delay", 1, "g", Governance, new VotingDelaySet(0, Delay));
        Add("period", 1, "g", Governance, new VotingPeriodSet(0, Period));
        Add("wait", 1, "g", Governance, new ExecutionDelaySet(0, Wait));
        Add("policy", 2, "r", Rounds, Policy(previous: default, "{}"));
        for (uint id = 1; id <= 3; id++)
        {
            Add($"seat {id}", 2 + id, $"seat {id}", Membership, new SeatActivated(new MemberId(id), Holder(id), Operator(id), new RoundId(1), Keccak256.Hash(Profile(id))));
            Add($"profile {id}", 2 + id, $"seat {id}", Membership, new ProfileUpdated(new MemberId(id), Keccak256.Hash(Profile(id)), Profile(id)));
        }

        Add("applied", 50, "apply", Membership, Application(4));
        Admission = Propose("admit", at: 100, by: 1, ContractCall.Of(Membership, MembershipAbi.Admit, new MemberId(4), Application(4).Application));
        Pass("admit", Admission, at: 100, new SeatActivated(new MemberId(4), Holder(4), Operator(4), new RoundId(1), Keccak256.Hash(Profile(4))), Membership);
        Grant = Propose("grant", at: 400, by: 2, ContractCall.Of(Membership, MembershipAbi.GrantAuditor, Auditor, "age1auditor"));
        Pass("grant", Grant, at: 400, new AuditorGranted(Auditor, "age1auditor"), Membership);
    }

    public static Address Membership => Account(0xa1);

    public static Address Governance => Account(0xa2);

    public static Address Rounds => Account(0xa3);

    public static Address Auditor => Account(0xb1);

    public ProposalId Admission { get; }

    public ProposalId Grant { get; }

    public static Address Holder(uint id) => Account((byte)id);

    public static Address Operator(uint id) => Account((byte)(0x20 + id));

    public static Address Account(byte tag) => new([.. Enumerable.Repeat(tag, Address.Size)]);

    public static string Profile(uint id) => $"profile {id}";

    public static Applied Application(uint id)
    {
        var commitment = Keccak256.Hash($"commitment {id}");
        var hash = Keccak256.OfWords(Chain, Membership, new MemberId(id), Holder(id), Operator(id), Keccak256.Hash(Profile(id)), commitment);
        return new Applied(new MemberId(id), Holder(id), Operator(id), commitment, hash, Profile(id));
    }

    public static PolicySet Policy(Hash256 previous, string json)
    {
        var p = new PolicyParams(1800, 300, 300, 0, 1, 4, 10);
        var genesis = Keccak256.Hash("genesis");
        var hash = Keccak256.OfWords(Keccak256.Hash(json), (ulong)p.Training, (ulong)p.Publishing, (ulong)p.Attesting, (ulong)p.Interval, (ulong)p.Minimum, (ulong)p.MaxTurns, (ulong)p.Rounds, genesis);
        return new PolicySet(hash, previous, p, genesis, json);
    }

    public void Add(string name, ulong at, string transaction, Address emitter, IContractEvent contractEvent) =>
        _entries.Add(new Entry(name, Start + at, Keccak256.Hash(transaction), emitter, contractEvent));

    /// <summary>Adds an event right after another, in its transaction.</summary>
    public void AddAfter(string name, IContractEvent contractEvent, Address emitter) =>
        _entries.Insert(IndexOf(name) + 1, _entries[IndexOf(name)] with { Name = "added", Event = contractEvent, Emitter = emitter });

    public void Change<T>(string name, Func<T, T> change)
        where T : IContractEvent => _entries[IndexOf(name)] = _entries[IndexOf(name)] with { Event = change((T)_entries[IndexOf(name)].Event) };

    public void Repeat(string name) => _entries.Insert(IndexOf(name), _entries[IndexOf(name)]);

    public void Remove(string name) => _entries.RemoveAt(IndexOf(name));

    public void RemoveFrom(string name) => _entries.RemoveRange(IndexOf(name), _entries.Count - IndexOf(name));

    public void InTransaction(string name, string transaction) => _entries[IndexOf(name)] = _entries[IndexOf(name)] with { Transaction = Keccak256.Hash(transaction) };

    /// <summary>Moves an event, and with it all later ones, so that it happens at this time after its proposal.</summary>
    public void Postpone(string name, ulong at)
    {
        var index = IndexOf(name);
        var shift = Start + at - _entries[index].Time;
        for (var i = index; i < _entries.Count; i++)
        {
            _entries[i] = _entries[i] with { Time = _entries[i].Time + shift };
        }
    }

    /// <summary>Gives an event another time without moving any other.</summary>
    public void At(string name, ulong at) => _entries[IndexOf(name)] = _entries[IndexOf(name)] with { Time = Start + at };

    public IReadOnlyList<AuditCheck> Audit()
    {
        var findings = new Findings();
        new ChainAudit(Chain, block => _entries[(int)block].Time, findings).Replay(
            _entries.Select((e, i) => new ChainEvent(e.Event, e.Emitter, (ulong)i, Keccak256.Hash($"block {i}"), e.Transaction, (uint)i)));
        return [.. findings.Checks()];
    }

    /// <summary>Adds a proposal, its votes and its execution; with what it did, if anything shows.</summary>
    public void Order(string name, ulong at, uint by, ContractCall call, IContractEvent? act = null) => Pass(name, Propose(name, at, by, call), at, act, call.To);

    private ProposalId Propose(string name, ulong at, uint by, ContractCall call)
    {
        var proposal = new Proposal([call], $"{name}, please");
        Add($"{name}: proposed", at, $"{name}: propose", Governance, new ProposalCreated(
            proposal.Id, Holder(by), [call.To], [BigInteger.Zero], [call.Data], Start + at + Delay, Start + at + Delay + Period, proposal.Description));
        return proposal.Id;
    }

    private void Pass(string name, ProposalId id, ulong at, IContractEvent? act, Address emitter)
    {
        Add($"{name}: vote 1", at + 20, $"{name}: vote 1", Governance, new VoteCast(Holder(1), id, VoteKind.For, BigInteger.One, ""));
        Add($"{name}: vote 2", at + 30, $"{name}: vote 2", Governance, new VoteCast(Holder(2), id, VoteKind.For, BigInteger.One, ""));
        Add($"{name}: vote 3", at + 40, $"{name}: vote 3", Governance, new VoteCast(Holder(3), id, name == "admit" ? VoteKind.Against : VoteKind.For, BigInteger.One, ""));
        Add($"{name}: queued", at + 120, $"{name}: queue", Governance, new ProposalQueued(id, Start + at + 120 + Wait));
        if (act is not null)
        {
            Add($"{name}: act", at + 200, $"{name}: execute", emitter, act);
        }

        Add($"{name}: executed", at + 200, $"{name}: execute", Governance, new ProposalExecuted(id));
    }

    private int IndexOf(string name) => _entries.FindIndex(e => e.Name == name) is >= 0 and var index ? index : throw new ArgumentException($"There is no event '{name}'.", nameof(name));

    private sealed record Entry(string Name, ulong Time, Hash256 Transaction, Address Emitter, IContractEvent Event);
}
