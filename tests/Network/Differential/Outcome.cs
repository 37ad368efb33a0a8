using System.Collections.Immutable;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Abi;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Network.Tests.Differential;

/// <summary>An event and the contract that emits it.</summary>
internal sealed record Emission(Address Emitter, IContractEvent Event)
{
    public override string ToString() => Emitter == Scene.Successor ? $"{Event} by the successor" : $"{Event}";
}

/// <summary>What becomes of a call: a refusal with its values, or what it returns and emits. ERC-721's own events, which the fold leaves out, are not here.</summary>
internal sealed record Outcome
{
    /// <summary>Null if the call is accepted.</summary>
    public ContractRefusal? Refusal { get; private init; }

    /// <summary>What comes back, as Solidity would write it.</summary>
    public string Returned { get; private init; } = "";

    public ImmutableArray<Emission> Events { get; private init; } = [];

    public static Outcome Refused(ContractRefusal refusal) => new() { Refusal = refusal };

    public static Outcome Refused(AbiError error, params IReadOnlyList<object> values) => Refused(ContractRefusal.Decode(error.Encode(values)));

    public static Outcome Accepted(AbiValues returned, params IEnumerable<Emission> events) => new() { Returned = returned.ToString(), Events = [.. events] };

    public bool Equals(Outcome? other) => other is not null && Refusal?.ToString() == other.Refusal?.ToString() && Returned == other.Returned && Events.SequenceEqual(other.Events);

    public override int GetHashCode() => HashCode.Combine(Refusal?.Name, Returned, Events.Length);

    /// <summary>A line each for the refusal, or for what is returned and for each event.</summary>
    public IReadOnlyList<string> Lines => Refusal is not null
        ? [$"refused: {Refusal}"]
        : [.. Returned.Length == 0 ? [] : new[] { $"returned: {Returned}" }, .. Events.Select(e => e.ToString())];

    public override string ToString() => Lines.Count == 0 ? "accepted, no event" : string.Join("\n  ", Lines);
}
