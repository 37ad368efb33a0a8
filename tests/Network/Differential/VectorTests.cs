namespace FedChain.Network.Tests.Differential;

/// <summary>The sequences of tests/vectors/sequences: written down and looked through by people. Mirror and contracts must both do what is written.</summary>
public sealed class VectorTests
{
    public static TheoryData<string> Names => [.. Vector.All];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Names))]
    public void Mirror_does_what_is_written(string name)
    {
        var vector = Vector.Read(name);
        var mirror = new Mirror(vector.Founding);
        foreach (var step in vector.Steps)
        {
            Check(step, mirror.Execute(Operation.FromJson(step.Call, mirror.Names)), mirror.Names);
        }
    }

    [Theory]
    [InlineData("anvil")]
    [InlineData("hardhat")]
    public async Task Contracts_do_what_is_written(string kind)
    {
        await using var node = await TestNode.StartAsync(kind, Cancellation);
        foreach (var name in Vector.All)
        {
            try
            {
                await RunAsync(node, Vector.Read(name));
            }
            catch (DisagreementException e)
            {
                Assert.Fail($"{name}: {e.Message}");
            }
        }
    }

    /// <summary>The mirror knows the names, and is compared with once more.</summary>
    private static async Task RunAsync(TestNode node, Vector vector)
    {
        var mirror = new Mirror(vector.Founding);
        await node.BeginAsync(vector.Founding, Cancellation);
        var sequence = new Sequence(node, vector.Founding, mirror);
        foreach (var step in vector.Steps)
        {
            Check(step, await sequence.StepAsync(Operation.FromJson(step.Call, mirror.Names), Cancellation), mirror.Names);
        }

        await sequence.FinishAsync(Cancellation);
    }

    private static void Check(VectorStep step, Outcome outcome, Names names)
    {
        var said = outcome.Lines.Select(names.Explain).ToList();
        Assert.True(step.Then.SequenceEqual(said), $"Of {step.Call}\nbecomes\n  {string.Join("\n  ", said)}");
    }
}
