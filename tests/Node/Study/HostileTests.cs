using FedChain.Learning.Data;
using FedChain.Learning.Examples;
using FedChain.Node.Study;
using FedChain.Protocol.Files;
using FedChain.Protocol.Numerics;

namespace FedChain.Node.Tests.Study;

public sealed class HostileTests
{
    private static readonly AdapterLayout Layout = AdapterLayout.Create(new AdapterConfig(1, 1, ["q_proj"]), [("q_proj", 2, 3)]);
    private static readonly Adapter Start = Of(10, 20, 30, 40, 50);

    [Theory]
    [InlineData(AttackKind.SignFlip, new[] { 10, 20, 29, 38, 53 })]
    [InlineData(AttackKind.Scale, new[] { 10, 20, 130, 240, -250 })]
    [InlineData(AttackKind.Copy, new[] { 10, 20, 35, 35, 35 })]
    [InlineData(AttackKind.LabelFlip, new[] { 10, 20, 31, 42, 47 })] // it lies in the data
    public void An_update_becomes_what_the_attack_says(AttackKind kind, int[] expected)
    {
        var sent = Act(kind);
        Assert.Equal([10, 20, 35, 35, 35], sent[0].Adapter.Values.ToArray()); // the honest one's is as it was
        Assert.Equal(expected, sent[1].Adapter.Values.ToArray());
    }

    [Fact]
    public void Noise_is_ten_times_as_large_as_what_was_learnt_and_leaves_a_frozen_factor()
    {
        var layout = AdapterLayout.Create(new AdapterConfig(8, 16, ["q_proj"]), [("q_proj", 500, 500)]);
        var start = new Adapter(layout, 20, new int[layout.Count]);
        var values = new int[layout.Count];
        foreach (var tensor in layout.Of(Factors.B))
        {
            values.AsSpan(tensor.Offset, tensor.Count).Fill(100);
        }

        var sent = Hostile.Act(AttackKind.Noise, [Update("liar", new Adapter(layout, 20, values))], new HashSet<string>(), start, 1, 0)[0].Adapter;
        Assert.All(layout.Of(Factors.A), t => Assert.Equal(-1, sent[t].IndexOfAnyExcept(0)));
        var noise = layout.Of(Factors.B).SelectMany(t => sent[t].ToArray()).ToList();
        var expected = 10 * 100 / Math.Sqrt(2); // the root mean square is over both factors, of which one is 0
        Assert.InRange(Math.Sqrt(noise.Average(v => (double)v * v)), 0.9 * expected, 1.1 * expected);
    }

    [Fact]
    public void What_is_sent_stays_within_the_format()
    {
        var far = Of(10, 20, FixedPoint.MaxValue, -FixedPoint.MaxValue, 0);
        var sent = Hostile.Act(AttackKind.Scale, [Update("liar", far)], new HashSet<string>(), Start, 1, 0)[0].Adapter;
        Assert.Equal([10, 20, FixedPoint.MaxValue, -FixedPoint.MaxValue, -4950], sent.Values.ToArray());
    }

    [Fact]
    public void Flipped_records_have_each_prompt_with_an_answer_of_another()
    {
        IReadOnlyList<TokenizedExample> examples = [new([1, 2, 10, 11], 2, 5), new([3, 20], 1, 7), new([4, 5, 6, 30], 3, 9)];
        var flipped = Hostile.Flipped(examples);
        Assert.Equal([1, 2, 30], flipped[0].Tokens);
        Assert.Equal([3, 10, 11], flipped[1].Tokens);
        Assert.Equal([4, 5, 6, 20], flipped[2].Tokens);
        Assert.Equal([2, 1, 3], flipped.Select(f => f.PromptLength));
        Assert.Equal([9, 5, 7], flipped.Select(f => f.ResponseBytes));
    }

    [Fact]
    public void The_same_institutions_are_dishonest_in_every_run_and_more_of_them_include_the_fewer()
    {
        var institutions = Enumerable.Range(0, 8).Select(i => new PreparedData($"hospital-{i}", [], [], [], 0)).ToList();
        var two = Hostile.Chosen(institutions, 2);
        Assert.Equal(2, two.Count);
        Assert.Subset(two.ToHashSet(), Hostile.Chosen(institutions.AsEnumerable().Reverse().ToList(), 1).ToHashSet());
    }

    [Fact]
    public void Who_finds_no_honest_update_to_copy_sends_its_own()
    {
        var own = Update("liar", Of(10, 20, 31, 42, 47));
        Assert.Equal([own], Hostile.Act(AttackKind.Copy, [own], new HashSet<string> { "honest" }, Start, 1, 0));
    }

    private static List<LocalUpdate> Act(AttackKind kind) =>
        Hostile.Act(kind, [Update("honest", Of(10, 20, 35, 35, 35)), Update("liar", Of(10, 20, 31, 42, 47))], new HashSet<string> { "honest" }, Start, 1, 0);

    private static LocalUpdate Update(string name, Adapter adapter) => new(name, adapter, 1, new Micronats(2), new Micronats(1));

    /// <summary>A (1 x 2), then B (3 x 1).</summary>
    private static Adapter Of(params int[] values) => new(Layout, 20, values);
}
