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
        var done = new List<(Operation, Outcome)>();
        foreach (var step in vector.Steps)
        {
            var operation = Operation.FromJson(step.Call, mirror.Names);
            done.Add((operation, mirror.Execute(operation)));
        }

        var written = vector.Steps.SelectMany(s => s.Then);
        var said = done.SelectMany(d => d.Item2.Lines).Select(mirror.Names.Explain);
        Assert.True(written.SequenceEqual(said), $"The mirror says of {name}:\n{Vector.ToJson(vector.Description, vector.Founding, done, mirror.Names)}");
    }

    [Theory]
    [InlineData("anvil")]
    [InlineData("hardhat")]
    public async Task Contracts_do_what_is_written(string kind)
    {
        await using var node = await TestNode.StartAsync(kind, Cancellation);
        foreach (var name in Vector.All)
        {
            var vector = Vector.Read(name);
            var mirror = new Mirror(vector.Founding); // compared with as well, and knows the names
            await node.BeginAsync(vector.Founding, Cancellation);
            var sequence = new Sequence(node, vector.Founding, mirror);
            foreach (var step in vector.Steps)
            {
                var outcome = await sequence.StepAsync(Operation.FromJson(step.Call, mirror.Names), Cancellation);
                Assert.Equal(step.Then, outcome.Lines.Select(mirror.Names.Explain));
            }

            await sequence.FinishAsync(Cancellation);
        }
    }
}
