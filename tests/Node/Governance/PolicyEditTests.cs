using System.Text;
using FedChain.Node.Governance;
using FedChain.Node.Models;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;

namespace FedChain.Node.Tests.Governance;

public sealed class PolicyEditTests
{
    private static readonly PolicyParams Params = new(60, 30, 20, 0, 1, 4, 20);

    private static readonly Hash256 Genesis = new([.. new byte[31], 9]);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_not_named_stays_and_no_model_is_needed_for_it()
    {
        var present = Set(await OwnPolicyAsync());
        var edit = new PolicyEdit { Publishing = 99, MaxTurns = 2, PostQuantum = true, MaxSteps = 7 };
        var action = await edit.ApplyAsync(present, Unneeded, Cancellation);
        Assert.Equal((present.Policy, Params with { Publishing = 99, MaxTurns = 2 }, Genesis), (action.Expected, action.Params, action.Genesis));
        var (before, after) = (Read(present.Json), Read(action.Json));
        Assert.Equal(before with { PostQuantum = true, Work = before.Work with { MaxSteps = 7 } }, after);
    }

    [Fact]
    public async Task A_file_in_any_form_of_JSON_replaces_the_policy_and_the_other_options_change_it()
    {
        var policy = await OwnPolicyAsync() with { WeightCap = 5 };
        var file = policy.ToString().Replace(",", " ,\n  ", StringComparison.Ordinal);
        var action = await new PolicyEdit { Json = file, Schedule = "B, A" }.ApplyAsync(Set(await OwnPolicyAsync()), Unneeded, Cancellation);
        Assert.Equal(policy with { Schedule = Policy.Alternating }, Read(action.Json));
        var refused = await Assert.ThrowsAsync<UserErrorException>(() => new PolicyEdit { Json = "{}" }.ApplyAsync(Set(policy), Unneeded, Cancellation));
        Assert.Contains("--json-file holds no policy", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mean,weights=uniform", """{"name":"mean","weights":"uniform"}""")]
    [InlineData("fair-mean, by=gain, power=2, weights=uniform", """{"by":"gain","name":"fair-mean","power":2,"weights":"uniform"}""")]
    [InlineData("clipped-mean,norm=median", """{"name":"clipped-mean","norm":"median"}""")]
    [InlineData("clipped-mean,norm=524288", """{"name":"clipped-mean","norm":524288}""")]
    [InlineData("median", """{"name":"median"}""")]
    [InlineData("trimmed-mean,trim=1", """{"name":"trimmed-mean","trim":1}""")]
    [InlineData("multi-krum,faulty=1,selected=3", """{"faulty":1,"name":"multi-krum","selected":3}""")]
    [InlineData("bucketed-median,size=2", """{"name":"bucketed-median","size":2}""")]
    [InlineData("""{ "of": {"name": "median"}, "beta": 500, "name": "momentum" }""", """{"beta":500,"name":"momentum","of":{"name":"median"}}""")]
    public async Task A_rule_is_named_with_its_fields_or_given_as_JSON(string text, string json) =>
        Assert.Contains($"\"rule\":{json}", new PolicyEdit { Rule = text }.Changed(await OwnPolicyAsync()).ToString(), StringComparison.Ordinal);

    [Theory]
    [InlineData("krum", "--rule takes a rule's name and its fields")]
    [InlineData("trimmed-mean", "lacks the field 'trim'")]
    [InlineData("trimmed-mean,trim", "'trim' is no field=value")]
    [InlineData("trimmed-mean,trim=1,trim=2", "It names 'trim' twice")]
    [InlineData("trimmed-mean,trim=-1", "should be an integer from 1 to 32767; got \"-1\"")]
    [InlineData("{", "--rule takes")]
    [InlineData("mean,weights=samples", "Add --weight-cap NUMBER")]
    public async Task A_rule_that_is_none_is_refused_with_what_is_wrong(string text, string message)
    {
        var policy = await OwnPolicyAsync();
        Assert.Contains(message, Assert.Throws<UserErrorException>(() => new PolicyEdit { Rule = text }.Changed(policy)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Momentum_stays_with_another_rule_until_it_is_set_to_0()
    {
        var policy = new PolicyEdit { Momentum = 300, Encoding = "int8", WeightCap = 7 }.Changed(await OwnPolicyAsync());
        Assert.Equal(new AggregationRule.Momentum(300, new AggregationRule.Mean(Weighting.Uniform)), policy.Rule);
        Assert.Equal((UpdateEncoding.Int8, 7), (policy.Encoding, policy.WeightCap));
        policy = new PolicyEdit { Rule = "median" }.Changed(policy);
        Assert.Equal(new AggregationRule.Momentum(300, new AggregationRule.Median()), policy.Rule);
        Assert.Equal(new AggregationRule.Median(), new PolicyEdit { Momentum = 0 }.Changed(policy).Rule);
        Assert.Throws<UserErrorException>(() => new PolicyEdit { Momentum = 991 }.Changed(policy));
        Assert.Throws<UserErrorException>(() => new PolicyEdit { Encoding = "int4" }.Changed(policy));
    }

    [Fact]
    public void A_rule_that_the_members_are_too_few_for_is_noted()
    {
        Assert.Null(PolicyEdit.Shortage(new AggregationRule.MultiKrum(1, 1), 5));
        Assert.Contains("needs 5 included updates, and there are 4 members", PolicyEdit.Shortage(new AggregationRule.MultiKrum(1, 1), 4), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_adapter_or_seed_brings_a_genesis_made_from_the_policys_own_model()
    {
        var policy = await OwnPolicyAsync();
        var first = FoundingPolicy.GenesisOf(Own(), policy.Adapter, policy.Seed);
        var wider = policy with { Adapter = new AdapterConfig(4, 4, ["q_proj"]) };
        var action = await new PolicyEdit { Json = wider.ToString() }.ApplyAsync(Set(policy), Own, Cancellation);
        Assert.Equal(FoundingPolicy.GenesisOf(Own(), wider.Adapter, wider.Seed), action.Genesis);

        // another alpha alone leaves the first adapter's file as it is: without another seed the base would not restart
        var louder = policy with { Adapter = new AdapterConfig(2, 8, ["q_proj"]) };
        var present = Set(policy) with { Genesis = first };
        var refused = await Assert.ThrowsAsync<UserErrorException>(() => new PolicyEdit { Json = louder.ToString() }.ApplyAsync(present, Own, Cancellation));
        Assert.Contains("--new-seed", refused.Message, StringComparison.Ordinal);
        Assert.NotEqual(first, (await new PolicyEdit { Json = louder.ToString(), NewSeed = true }.ApplyAsync(present, Own, Cancellation)).Genesis);

        var foreign = policy with { BaseModel = Genesis };
        refused = await Assert.ThrowsAsync<UserErrorException>(() => new PolicyEdit { Json = foreign.ToString() }.ApplyAsync(present, Own, Cancellation));
        Assert.Contains(Genesis.ToString(), refused.Message, StringComparison.Ordinal);
        Assert.Contains(policy.BaseModel.ToString(), refused.Message, StringComparison.Ordinal);
    }

    private static BaseModel Own() => BaseModel.Open(BaseModel.Own);

    private static BaseModel Unneeded() => throw new InvalidOperationException("no model is needed");

    private static async Task<Policy> OwnPolicyAsync() =>
        new() { BaseModel = await Own().DigestAsync(Cancellation), Adapter = new AdapterConfig(2, 4, ["q_proj"]), Seed = default };

    private static PolicySet Set(Policy policy) => new(new Hash256([.. new byte[31], 1]), default, Params, Genesis, policy.ToString());

    private static Policy Read(string json) => Policy.Parse(Encoding.UTF8.GetBytes(json));
}
