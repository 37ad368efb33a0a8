using System.Text;
using FedChain.Node.Identity;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Ethereum.Signing;
using FedChain.Protocol.Identity;
using FedChain.Protocol.Manifests;

namespace FedChain.Node.Tests.Identity;

/// <summary>A seat that is founded in block 10, gets another operator in block 20 and another model in block 30; block b is of second 1000 b.</summary>
public sealed class StatementCheckTests : IDisposable
{
    private const ulong Chain = 31337, Now = 50_000;

    private static readonly Address Membership = Address.Parse("0x5fbdb2315678afecb367f032d93f642f64180aa3");
    private static readonly MemberId Member = new(2);

    private readonly PrivateKey _holder = Key(1);
    private readonly PrivateKey _former = Key(2);
    private readonly PrivateKey _operator = Key(3);
    private readonly PrivateKey _stranger = Key(4);

    private MemberHistory History => MemberHistory.Of(Member, Events(), block => block * 1000)!;

    private Hash256 FirstModel => ModelOf("base 1");

    private Hash256 SecondModel => ModelOf("base 2");

    public void Dispose()
    {
        _holder.Dispose();
        _former.Dispose();
        _operator.Dispose();
        _stranger.Dispose();
    }

    [Fact]
    public void The_history_tells_who_spoke_for_the_seat_when()
    {
        var history = History;
        Assert.Equal((10UL, 30UL, true), (history.Created.Number, history.Updated.Number, history.IsHeld));
        Assert.Equal(
            [(_former.Address, 10UL, 20UL), (_holder.Address, 10, null), (_operator.Address, 20, (ulong?)null)], history.Keys.Select(k => (k.Address, k.Tenure.From.Number, k.Tenure.Until?.Number)));
        Assert.Equal([10UL, 30], history.Profiles.Select(p => p.Tenure.From.Number));
        Assert.Equal([10UL, 20, 30], MemberHistory.BlocksOf(Member, Events()));
        Assert.Null(MemberHistory.Of(new MemberId(9), Events(), _ => 0));
    }

    [Fact]
    public void A_seat_that_was_left_has_no_present_key()
    {
        var history = MemberHistory.Of(Member, [.. Events(), Event(40, new SeatVacated(Member, _holder.Address, Expelled: true))], block => block * 1000)!;
        Assert.False(history.IsHeld);
        Assert.All(history.Keys, k => Assert.NotNull(k.Tenure.Until));
        Assert.Equal(40UL, history.Updated.Number);
        Assert.True(StatementCheck.Of(Signed(_operator, SecondModel, 35_000), history, Now).Holds);
        Assert.False(StatementCheck.Of(Signed(_operator, SecondModel, 45_000), history, Now).Holds);
    }

    [Fact]
    public void The_operators_and_the_holders_word_hold_now()
    {
        var check = StatementCheck.Of(Signed(_operator, SecondModel, 40_000), History, Now);
        Assert.True(check.Holds, Text(check));
        Assert.Contains("is the operator since block 20", Text(check), StringComparison.Ordinal);
        Assert.Contains("is the model of member 2 since block 30", Text(check), StringComparison.Ordinal);
        Assert.Contains("is the holder since block 10", Text(StatementCheck.Of(Signed(_holder, SecondModel, 40_000), History, Now)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_former_operators_word_holds_for_its_time_and_says_so()
    {
        var check = StatementCheck.Of(Signed(_former, FirstModel, 15_000), History, Now);
        Assert.True(check.Holds, Text(check));
        Assert.Contains("was the operator from block 10 until block 20", Text(check), StringComparison.Ordinal);
        Assert.Contains("was the model of member 2 from block 10 until block 30", Text(check), StringComparison.Ordinal);
        Assert.Contains("dated this back", Text(check), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(20_000 + StatementCheck.Tolerance, true)]
    [InlineData(20_001 + StatementCheck.Tolerance, false)]
    [InlineData(10_000 - StatementCheck.Tolerance, true)]
    [InlineData(9_999 - StatementCheck.Tolerance, false)]
    public void A_former_operators_word_of_another_time_does_not(ulong issuedAt, bool holds) =>
        Assert.Equal(holds, StatementCheck.Of(Signed(_former, FirstModel, issuedAt), History, Now).Findings.Single(f => f.Name == "signer").Holds);

    [Fact]
    public void Strangers_other_models_changed_words_and_the_future_do_not_hold()
    {
        Failed("signer", "never spoke for member 2", Signed(_stranger, SecondModel, 40_000));
        Failed("model", "never was the model", Signed(_operator, Keccak256.Hash("other"), 40_000));
        Failed("model", "but not at", Signed(_operator, FirstModel, 40_000));
        Failed("time", "the chain is at", Signed(_operator, SecondModel, Now + StatementCheck.Tolerance + 1));
        var signed = Signed(_operator, SecondModel, 40_000);
        Failed("signer", "never spoke for member 2", signed with { Statement = signed.Statement with { Text = "other words" } });
        Failed("signer", "never spoke for member 2", signed with { Chain = 1 });
    }

    private void Failed(string name, string sentence, SignedStatement signed)
    {
        var check = StatementCheck.Of(signed, History, Now);
        Assert.False(check.Holds);
        var finding = check.Findings.Single(f => f.Name == name);
        Assert.False(finding.Holds, finding.Detail);
        Assert.Contains(sentence, finding.Detail, StringComparison.Ordinal);
    }

    private static string Text(StatementCheck check) => string.Join("\n", check.Findings.Select(f => $"{f.Name} {f.Holds} {f.Detail}"));

    private static SignedStatement Signed(PrivateKey key, Hash256 model, ulong issuedAt)
    {
        var statement = new Statement(Member, model, issuedAt, "words");
        return new SignedStatement(Chain, Membership, statement, key.Sign(statement.Digest(Chain, Membership)));
    }

    private static Hash256 ModelOf(string baseModel) => ModelId.Of(Chain, Membership, Member, Keccak256.Hash(baseModel), default);

    private IEnumerable<ChainEvent> Events() =>
    [
        Event(10, new SeatActivated(Member, _holder.Address, _former.Address, new RoundId(1), default)),
        Event(10, new ProfileUpdated(Member, default, Profile("base 1"))),
        Event(15, new ProfileUpdated(new MemberId(3), default, Profile("another member's"))),
        Event(20, new OperatorChanged(Member, _operator.Address, _former.Address)),
        Event(30, new ProfileUpdated(Member, default, Profile("base 2"))),
    ];

    private static string Profile(string baseModel) => Encoding.UTF8.GetString(new Profile("x", ["age1x"], [], Keccak256.Hash(baseModel), default).ToBytes());

    private static ChainEvent Event(ulong block, IContractEvent e) => new(e, Membership, block, Keccak256.Hash($"block {block}"), default, 0);

    private static PrivateKey Key(byte b) => new([.. Enumerable.Repeat(b, 32)]);
}
