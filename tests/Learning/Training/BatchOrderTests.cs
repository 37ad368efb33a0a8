using CsCheck;
using FedChain.Learning.Examples;
using FedChain.Learning.Training;

namespace FedChain.Tests.Learning.Training;

public sealed class BatchOrderTests
{
    private static readonly Gen<(int[] Lengths, int BatchSize, ulong Seed)> Cases = Gen.Select(Gen.Int[1, 50].Array[1, 200], Gen.Int[1, 9], Gen.ULong);

    [Fact]
    public void Every_pass_holds_every_example_once() => Cases.Sample(c =>
    {
        var batches = BatchOrder.Shuffled(Examples(c.Lengths), c.BatchSize, c.Seed).GetEnumerator();
        for (var pass = 0; pass < 3; pass++)
        {
            var seen = new List<int>();
            while (seen.Count < c.Lengths.Length && batches.MoveNext())
            {
                Assert.InRange(batches.Current.Length, 1, c.BatchSize);
                seen.AddRange(batches.Current);
            }

            Assert.Equal(Enumerable.Range(0, c.Lengths.Length), seen.Order());
        }
    });

    [Fact]
    public void The_order_depends_on_the_seed_alone()
    {
        var examples = Examples([.. Enumerable.Range(1, 100)]);
        int[] Order(ulong seed) => [.. BatchOrder.Shuffled(examples, 4, seed).Take(50).SelectMany(b => b)];

        Assert.Equal(Order(1), Order(1));
        Assert.NotEqual(Order(1), Order(2));
        Assert.NotEqual(Order(1)[..100], Order(1)[100..]);
    }

    [Fact]
    public void A_batch_holds_sequences_of_about_one_length()
    {
        var lengths = Enumerable.Range(0, 640).Select(i => 1 + (i * 37 % 256)).ToArray();
        var padded = BatchOrder.Shuffled(Examples(lengths), 8, 5).Take(80).Sum(b => b.Length * b.Max(i => lengths[i]));

        Assert.True(padded < 1.15 * lengths.Sum(), $"{padded} places for {lengths.Sum()} tokens");
    }

    [Fact]
    public void Random_numbers_are_those_of_SplitMix64()
    {
        // The first outputs for seed 1234567, as published with the reference implementation in C (prng.di.unimi.it, Rosetta Code).
        var random = new SeededRandom(1234567);

        Assert.Equal([6457827717110365317UL, 3203168211198807973UL, 9817491932198370423UL], Enumerable.Range(0, 3).Select(_ => random.NextUInt64()));
    }

    [Fact]
    public void Bounded_numbers_are_uniform()
    {
        var random = new SeededRandom(9);
        var counts = new int[7];
        for (var i = 0; i < 70_000; i++)
        {
            counts[random.Next(7)]++;
        }

        Assert.All(counts, c => Assert.InRange(c, 9_600, 10_400));
    }

    private static List<TokenizedExample> Examples(int[] lengths) => [.. lengths.Select(length => new TokenizedExample(new int[length], 0, 0))];
}
