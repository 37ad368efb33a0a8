using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using FedChain.Protocol.Numerics;

namespace FedChain.Protocol.Tests.Numerics;

public sealed class FirstFactorTests
{
    public static TheoryData<string> Cases => [.. JsonDocument
        .Parse(File.ReadAllBytes(Path.Combine(FedChain.Tests.Shared.RepositoryRoot, "tests/vectors/a0.json")))
        .RootElement.EnumerateArray().Select(c => c.GetRawText())];

    [Theory]
    [MemberData(nameof(Cases))]
    [Trait("Category", "Vectors")]
    public void Values_are_those_of_the_independent_generator(string json)
    {
        var c = JsonDocument.Parse(json).RootElement;
        var (fanIn, fractionBits) = (c.GetProperty("fanIn").GetInt64(), c.GetProperty("fractionBits").GetInt32());
        var values = new int[c.GetProperty("rank").GetInt32() * fanIn];
        FirstFactor.Fill(Hash256.Parse(c.GetProperty("seed").GetString()!), c.GetProperty("tensor").GetString()!, fanIn, fractionBits, values);

        Assert.Equal(c.GetProperty("bound").GetInt32(), FirstFactor.Bound(fanIn, fractionBits));
        Assert.Equal(c.GetProperty("first").EnumerateArray().Select(v => v.GetInt32()), values.Take(9));
        Assert.Equal(c.GetProperty("last").GetInt32(), values[^1]);
        Assert.Equal(c.GetProperty("sha256OfInt32LittleEndian").GetString(), new Hash256(SHA256.HashData(MemoryMarshal.AsBytes(values.AsSpan()))).ToString());
    }

    [Fact]
    public void The_range_is_used_evenly_up_to_its_bounds()
    {
        var values = new int[20_000];
        FirstFactor.Fill(Hash256.Zero, "t", 1 << 14, 8, values);
        var bound = FirstFactor.Bound(1 << 14, 8); // 2: five values
        Assert.Equal(2, bound);
        Assert.Equal([-2, -1, 0, 1, 2], values.Distinct().Order());
        Assert.All(values.CountBy(v => v), count => Assert.InRange(count.Value, 3_700, 4_300));
    }
}
