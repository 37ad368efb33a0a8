using System.Numerics;
using System.Reflection;
using FedChain.Node.Chain;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Abi;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Node.Tests.Chain;

public sealed class RefusalTextTests
{
    public static TheoryData<string> Signatures => [.. ContractErrors.BySelector.Values.Select(e => e.Signature).Order(StringComparer.Ordinal)];

    [Theory, MemberData(nameof(Signatures))]
    public void Every_error_is_a_sentence_that_drops_none_of_its_values(string signature)
    {
        var error = ContractErrors.BySelector.Values.Single(e => e.Signature == signature);
        object[] values = [.. error.Inputs.Select((input, i) => ValueOf(input, i + 1))];
        var text = Say(error, values);
        Assert.EndsWith(".", text, StringComparison.Ordinal);
        for (var i = 0; i < values.Length; i++)
        {
            Assert.NotEqual(text, Say(error, [.. values[..i], ValueOf(error.Inputs[i], i + 2), .. values[(i + 1)..]]));
        }
    }

    [Fact]
    public void Every_error_that_FedChain_names_has_a_sentence_of_its_own()
    {
        var named = typeof(ContractErrors).GetProperties(BindingFlags.Public | BindingFlags.Static).Select(p => p.GetValue(null)).OfType<AbiError>().ToList();
        Assert.True(named.Count > 50);
        Assert.All(named, e => Assert.True(RefusalText.Knows(e), e.Signature));
    }

    [Fact]
    public void Times_states_and_phases_are_told_as_people_tell_them()
    {
        Assert.Equal("Round 7 is in Attestation; this needs Training or Aggregation.", Say(ContractErrors.UnexpectedPhase, (BigInteger)7, (BigInteger)3, (BigInteger)0b110));
        const ulong Evening = 1_800_057_599;
        Assert.Equal("Round 7 is in Attestation until 23:59:59Z; publish needs Aggregation.", SayOfPhase(new RefusedCall("publish", Evening - 300, Evening)));
        Assert.Equal("Round 7 is in Attestation until 2027-01-16 00:00:00Z; publish needs Aggregation.", SayOfPhase(new RefusedCall("publish", Evening, Evening + 1)));
        Assert.Equal("Round 7 is in Attestation; publish needs Aggregation.", SayOfPhase(new RefusedCall("publish", Evening, null)));
        Assert.Equal("The next round can't be opened before 2027-01-15 08:00:00Z.", Say(ContractErrors.TooEarlyToOpen, (BigInteger)1_800_000_000));
        var id = new BigInteger(0xabcdef12) << 224;
        Assert.Equal("Proposal 0xabcdef12 can be executed from 2027-01-15 08:00:00Z on.", Say(ContractErrors.TooEarlyToExecute, id, (BigInteger)1_800_000_000));
        Assert.Equal("Proposal 0xabcdef12 is active; this needs one that is succeeded or queued.", Say(ContractErrors.GovernorUnexpectedProposalState, id, (BigInteger)1, Hash(0b110000)));
        Assert.Contains("was made before and is defeated", Say(ContractErrors.GovernorUnexpectedProposalState, id, (BigInteger)3, default(Hash256)), StringComparison.Ordinal);
    }

    [Fact]
    public void What_no_contract_of_ours_says_is_told_too_and_cant_break_the_line()
    {
        Assert.Contains("no reason", RefusalText.Of(ContractRefusal.WithoutReason), StringComparison.Ordinal);
        Assert.Contains("0x12345678", RefusalText.Of(ContractRefusal.Decode([0x12, 0x34, 0x56, 0x78])), StringComparison.Ordinal);
        Assert.Equal(@"A contract says: 'a\u000a\u001b[2J'.", Say(AbiError.Text, "a\n\u001b[2J"));
        Assert.EndsWith("Z.", Say(ContractErrors.TooEarlyToOpen, (BigInteger)ulong.MaxValue), StringComparison.Ordinal);
    }

    private static string Say(AbiError error, params object[] values) => RefusalText.Of(ContractRefusal.Decode(error.Encode(values)));

    private static string SayOfPhase(RefusedCall call) =>
        RefusalText.Of(ContractRefusal.Decode(ContractErrors.UnexpectedPhase.Encode((BigInteger)7, (BigInteger)3, (BigInteger)0b100)) with { Call = call });

    private static object ValueOf(AbiParameter input, int number) => input.Type.Kind switch
    {
        AbiKind.Address => new Address([.. new byte[19], (byte)number]),
        AbiKind.String => $"text {number}",
        AbiKind.FixedBytes => Hash((byte)number),
        _ => input.Name == "proposalId" ? (BigInteger)number << 224 : (BigInteger)number,
    };

    private static Hash256 Hash(byte last) => new([.. new byte[31], last]);
}
