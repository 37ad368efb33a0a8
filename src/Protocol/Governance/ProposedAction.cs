using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Abi;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Protocol.Governance;

/// <summary>A setting of Governance itself, in seconds.</summary>
public enum GovernanceSetting
{
    /// <summary>Between proposing and voting.</summary>
    VotingDelay,

    /// <summary>For voting.</summary>
    VotingPeriod,

    /// <summary>Between queueing and executing.</summary>
    ExecutionDelay,
}

/// <summary>
/// One call of a proposal, understood: a function of the federation's contracts that only a vote can call. Whatever else a proposal calls is
/// <see cref="Unknown"/>. <see cref="ToCall"/> and <see cref="Decode"/> are each other's inverse.
/// </summary>
public abstract record ProposedAction
{
    private ProposedAction()
    {
    }

    /// <summary>Admits exactly the application with this hash.</summary>
    public sealed record Admit(MemberId Id, Hash256 Application) : ProposedAction;

    public sealed record Expel(MemberId Id) : ProposedAction;

    /// <summary>Gives a seat to another holder.</summary>
    public sealed record Recover(MemberId Id, Address NewHolder) : ProposedAction;

    /// <summary>Seals aggregates to an auditor's age recipient too.</summary>
    public sealed record GrantAuditor(Address Auditor, string Recipient) : ProposedAction;

    public sealed record RevokeAuditor(Address Auditor) : ProposedAction;

    /// <param name="Expected">The hash of the policy that this one replaces; the call fails if it is another by then.</param>
    public sealed record SetPolicy(Hash256 Expected, string Json, PolicyParams Params, Hash256 Genesis) : ProposedAction
    {
        /// <summary>The hash that the policy will have on the chain.</summary>
        public Hash256 Policy => PolicyHash(Json, Params, Genesis);
    }

    public sealed record SetPaused(bool Paused) : ProposedAction;

    /// <summary>Replaces the Rounds contract.</summary>
    public sealed record SetRounds(Address Successor) : ProposedAction;

    public sealed record Set(GovernanceSetting Setting, uint Seconds) : ProposedAction;

    /// <summary>A call that isn't one of the above: to another contract, of another function, or not encoded as the ABI has it.</summary>
    public sealed record Unknown(Address To, ReadOnlyMemory<byte> Data) : ProposedAction
    {
        public bool Equals(Unknown? other) => other is not null && To == other.To && Data.Span.SequenceEqual(other.Data.Span);

        public override int GetHashCode() => HashCode.Combine(To, Data.Length);
    }

    /// <summary>keccak256(abi.encode(keccak256(json), training, publishing, attesting, interval, minimum, maxTurns, rounds, genesis)).</summary>
    public static Hash256 PolicyHash(string json, PolicyParams p, Hash256 genesis) => Keccak256.OfWords(
        Keccak256.Hash(json), p.Training, p.Publishing, p.Attesting, p.Interval, p.Minimum, (uint)p.MaxTurns, p.Rounds, genesis);

    public ContractCall ToCall(FederationContracts contracts) => this switch
    {
        Admit(var id, var application) => ContractCall.Of(contracts.Membership, MembershipAbi.Admit, id, application),
        Expel(var id) => ContractCall.Of(contracts.Membership, MembershipAbi.Expel, id),
        Recover(var id, var holder) => ContractCall.Of(contracts.Membership, MembershipAbi.Recover, id, holder),
        GrantAuditor(var auditor, var recipient) => ContractCall.Of(contracts.Membership, MembershipAbi.GrantAuditor, auditor, recipient),
        RevokeAuditor(var auditor) => ContractCall.Of(contracts.Membership, MembershipAbi.RevokeAuditor, auditor),
        SetRounds(var successor) => ContractCall.Of(contracts.Membership, MembershipAbi.SetRounds, successor),
        SetPolicy(var expected, var json, var parameters, var genesis) =>
            ContractCall.Of(contracts.Rounds, RoundsAbi.SetPolicy, expected, json, RoundsAbi.WriteParams(parameters), genesis),
        SetPaused(var paused) => ContractCall.Of(contracts.Rounds, RoundsAbi.SetPaused, paused),
        Set(var setting, var seconds) => ContractCall.Of(contracts.Governance, FunctionOf(setting), seconds),
        Unknown(var to, var data) => new ContractCall(to, data, ""),
        _ => throw new InvalidOperationException("An action is one of the records above."),
    };

    public static ProposedAction Decode(ContractCall call, FederationContracts contracts)
    {
        var data = call.Data.Span;
        if (Selector.TryRead(data, out var selector))
        {
            try
            {
                // Reading it back drops nothing: bytes that say more than the arguments are no call of ours.
                if (Read(call.To, selector, data, contracts) is { } action && action.ToCall(contracts).Data.Span.SequenceEqual(data))
                {
                    return action;
                }
            }
            catch (FormatException)
            {
                // not what the function takes: shown as it is
            }
        }

        return new Unknown(call.To, call.Data);
    }

    private static ProposedAction? Read(Address to, Selector selector, ReadOnlySpan<byte> data, FederationContracts contracts)
    {
        if (to == contracts.Membership)
        {
            return Match(MembershipAbi.Admit, selector, data, out var v) ? new Admit(v.Member(0), v.Hash(1))
                : Match(MembershipAbi.Expel, selector, data, out v) ? new Expel(v.Member(0))
                : Match(MembershipAbi.Recover, selector, data, out v) ? new Recover(v.Member(0), v.Address(1))
                : Match(MembershipAbi.GrantAuditor, selector, data, out v) ? new GrantAuditor(v.Address(0), v.Text(1))
                : Match(MembershipAbi.RevokeAuditor, selector, data, out v) ? new RevokeAuditor(v.Address(0))
                : Match(MembershipAbi.SetRounds, selector, data, out v) ? new SetRounds(v.Address(0))
                : null;
        }

        if (to == contracts.Rounds)
        {
            return Match(RoundsAbi.SetPolicy, selector, data, out var v) ? new SetPolicy(v.Hash(0), v.Text(1), RoundsAbi.ReadParams(v.List(2)), v.Hash(3))
                : Match(RoundsAbi.SetPaused, selector, data, out v) ? new SetPaused(v.Bool(0))
                : null;
        }

        if (to == contracts.Governance)
        {
            foreach (var setting in Enum.GetValues<GovernanceSetting>())
            {
                if (Match(FunctionOf(setting), selector, data, out var v))
                {
                    return new Set(setting, v.UInt32(0));
                }
            }
        }

        return null;
    }

    private static bool Match(AbiFunction function, Selector selector, ReadOnlySpan<byte> data, out AbiValues values)
    {
        values = function.Selector == selector ? function.DecodeInput(data) : new AbiValues([]);
        return function.Selector == selector;
    }

    private static AbiFunction FunctionOf(GovernanceSetting setting) => setting switch
    {
        GovernanceSetting.VotingDelay => GovernanceAbi.SetVotingDelay,
        GovernanceSetting.VotingPeriod => GovernanceAbi.SetVotingPeriod,
        _ => GovernanceAbi.SetExecutionDelay,
    };
}
