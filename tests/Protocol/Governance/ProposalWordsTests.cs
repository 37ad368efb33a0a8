using System.Text;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Files;
using FedChain.Protocol.Governance;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Protocol.Tests.Governance;

public sealed class ProposalWordsTests
{
    private static readonly FederationContracts Contracts = new(ProposedActionTests.AddressOf(1), ProposedActionTests.AddressOf(2), ProposedActionTests.AddressOf(3));

    private static readonly PolicyParams Params = new(60, 30, 20, 0, 1, 4, 20);

    private static readonly Policy Policy = new() { BaseModel = Hash(1), Adapter = new AdapterConfig(4, 8, ["q_proj"]), Seed = Hash(2) };

    private static readonly FederationState Federation = FederationState.Empty
        .Apply(new PolicySet(Hash(4), default, Params, Hash(3), Policy.ToString()))
        .Apply(new Applied(new MemberId(5), Address(50), Address(51), Hash(52), Hash(53), Encoding.UTF8.GetString(Profile("St. Anna").ToBytes())));

    [Fact]
    public void An_admission_names_the_applicant_as_the_application_does()
    {
        Assert.Equal(
            $"Admit application {Hash(53)} of 'St. Anna' (member id 5, holder {Address(50)}, operator {Address(51)})",
            Words(new ProposedAction.Admit(new MemberId(5), Hash(53))));
        Assert.EndsWith("(member id 5), which nobody has made", Words(new ProposedAction.Admit(new MemberId(5), Hash(54))), StringComparison.Ordinal);
        Assert.EndsWith("(member id 6), which nobody has made", Words(new ProposedAction.Admit(new MemberId(6), Hash(53))), StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_or_a_recipient_cant_say_more_than_it_is()
    {
        var liar = new Applied(new MemberId(6), Address(60), Address(61), Hash(62), Hash(63), Encoding.UTF8.GetString(Profile("A' (member id 5, \u202eB").ToBytes()));
        Assert.Contains(@"of 'A\' (member id 5, \u202eB' (member id 6, ", ProposalWords.Of([new ProposedAction.Admit(new MemberId(6), Hash(63))], Federation.Apply(liar)), StringComparison.Ordinal);
        var words = Words(new ProposedAction.GrantAuditor(Address(9), "age1x\n\nPause \u001b[2J'"));
        Assert.EndsWith(@"'age1x\u000a\u000aPause \u001b[2J\''", words, StringComparison.Ordinal);
    }

    [Fact]
    public void A_policy_is_told_by_what_it_changes()
    {
        var next = Policy with { Schedule = Policy.Alternating, Work = new LocalWork(10, 1 << 20) };
        var set = new ProposedAction.SetPolicy(Hash(4), next.ToString(), Params with { Training = 90 }, Hash(3));
        Assert.Equal(
            $"Set policy {set.Policy} in place of {Hash(4)}: training 60 -> 90, schedule [\"AB\"] -> [\"B\",\"A\"], work.maxSamples 1073741824 -> 1048576, work.maxSteps 10000 -> 10; for 20 more rounds",
            Words(set));
        Assert.EndsWith(": genesis " + Hash(3) + " -> " + Hash(9) + "; for 20 more rounds", Words(new ProposedAction.SetPolicy(Hash(4), Policy.ToString(), Params, Hash(9))), StringComparison.Ordinal);
        Assert.StartsWith("Renew policy 0x", Words(new ProposedAction.SetPolicy(Hash(4), Policy.ToString(), Params, Hash(3))), StringComparison.Ordinal);
        Assert.Contains("which was never set: training 60, ", Words(new ProposedAction.SetPolicy(Hash(5), Policy.ToString(), Params, Hash(3))), StringComparison.Ordinal);
        Assert.Contains("json (no canonical JSON, keccak256 0x", Words(new ProposedAction.SetPolicy(Hash(4), "{ }", Params, Hash(3))), StringComparison.Ordinal);
    }

    [Fact]
    public void A_json_field_named_like_a_parameter_does_not_hide_it()
    {
        var set = new ProposedAction.SetPolicy(Hash(4), """{"training":60}""", Params with { Training = 1 }, Hash(3));
        Assert.Contains("training 60 -> 1, ", Words(set), StringComparison.Ordinal);
        Assert.Contains(", training 60", Words(set), StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_call_is_told_by_its_bytes()
    {
        Assert.Equal($"Call {Address(9)} with 0x010203", Words(new ProposedAction.Unknown(Address(9), (byte[])[1, 2, 3])));
        var (one, other) = (new byte[40], new byte[40]);
        other[39] = 1;
        Assert.NotEqual(Words(new ProposedAction.Unknown(Address(9), one)), Words(new ProposedAction.Unknown(Address(9), other)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("because\nof this")]
    public void A_description_is_the_words_then_the_reason(string reason)
    {
        ProposedAction[] actions = [new ProposedAction.SetPaused(true), new ProposedAction.Expel(new MemberId(2))];
        var proposal = ProposalWords.Propose(actions, reason, Federation, Contracts);
        Assert.Equal("Pause the opening of rounds; Expel member 2", ProposalWords.Claim(proposal.Description));
        Assert.Equal(reason, ProposalWords.Reason(proposal.Description));
        Assert.Equal(actions, proposal.Calls.Select(c => ProposedAction.Decode(c, Contracts)));
    }

    private static string Words(ProposedAction action)
    {
        var words = ProposalWords.Of([action], Federation);
        Assert.DoesNotContain('\n', words);
        return words;
    }

    private static Profile Profile(string name) => new(name, ["age1x"], [], Hash(1), Hash(2));

    private static Address Address(byte last) => ProposedActionTests.AddressOf(last);

    private static Hash256 Hash(byte last) => ProposedActionTests.HashOf(last);
}
