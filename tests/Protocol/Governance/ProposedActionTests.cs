using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Governance;

namespace FedChain.Protocol.Tests.Governance;

public sealed class ProposedActionTests
{
    private static readonly FederationContracts Contracts = new(AddressOf(1), AddressOf(2), AddressOf(3));

    private static readonly PolicyParams Params = new(60, 30, 20, 0, 1, 4, 20);

    public static TheoryData<ProposedAction> Actions =>
    [
        new ProposedAction.Admit(new MemberId(5), HashOf(7)),
        new ProposedAction.Expel(new MemberId(uint.MaxValue)),
        new ProposedAction.Recover(new MemberId(2), AddressOf(9)),
        new ProposedAction.GrantAuditor(AddressOf(9), "age1…"),
        new ProposedAction.RevokeAuditor(AddressOf(9)),
        new ProposedAction.SetPolicy(HashOf(1), "{}", Params, HashOf(2)),
        new ProposedAction.SetPaused(true),
        new ProposedAction.SetPaused(false),
        new ProposedAction.SetRounds(AddressOf(8)),
        new ProposedAction.Set(GovernanceSetting.VotingDelay, 0),
        new ProposedAction.Set(GovernanceSetting.VotingPeriod, 5),
        new ProposedAction.Set(GovernanceSetting.ExecutionDelay, 14 * 24 * 3600),
    ];

    [Theory, MemberData(nameof(Actions))]
    public void What_is_encoded_is_understood_again_and_only_at_its_own_contract(ProposedAction action)
    {
        var call = action.ToCall(Contracts);
        Assert.Equal(action, ProposedAction.Decode(call, Contracts));
        Assert.IsType<ProposedAction.Unknown>(ProposedAction.Decode(call with { To = AddressOf(99) }, Contracts));
        foreach (var other in new[] { Contracts.Membership, Contracts.Governance, Contracts.Rounds }.Where(a => a != call.To))
        {
            Assert.IsType<ProposedAction.Unknown>(ProposedAction.Decode(call with { To = other }, Contracts));
        }
    }

    [Theory, MemberData(nameof(Actions))]
    public void A_call_with_bytes_missing_or_to_spare_is_unknown_and_kept_as_it_is(ProposedAction action)
    {
        var call = action.ToCall(Contracts);
        foreach (var data in new ReadOnlyMemory<byte>[] { call.Data[..^1], (byte[])[.. call.Data.Span, 0], call.Data[..4], call.Data[..3], default })
        {
            Assert.Equal(new ProposedAction.Unknown(call.To, data), ProposedAction.Decode(call with { Data = data }, Contracts));
        }
    }

    [Fact]
    public void A_number_too_large_to_be_an_id_is_no_expulsion()
    {
        var call = ContractCall.Of(Contracts.Membership, MembershipAbi.Expel, System.Numerics.BigInteger.Pow(2, 40));
        Assert.IsType<ProposedAction.Unknown>(ProposedAction.Decode(call, Contracts));
    }

    internal static Address AddressOf(byte last) => new([.. new byte[19], last]);

    internal static Hash256 HashOf(byte last) => new([.. new byte[31], last]);
}
