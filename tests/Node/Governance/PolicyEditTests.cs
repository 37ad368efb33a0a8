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
