using CsCheck;
using FedChain.Protocol.Files;
using FedChain.Protocol.Numerics;

namespace FedChain.Protocol.Tests.Files;

/// <summary>Small adapters of every shape, and an update's metadata.</summary>
internal static class Adapters
{
    public static readonly Gen<AdapterLayout> Layouts =
        Gen.Select(Gen.Int[1, 5], Gen.Select(Gen.Int[1, 40], Gen.Int[1, 40]).Array[1, 5]).Select((rank, sizes) => AdapterLayout.Create(
            new AdapterConfig(rank, 8, ["q_proj"]),
            sizes.Select((size, i) => ($"model.layers.{i}.self_attn.q_proj", size.Item1, size.Item2))));

    public static readonly Gen<Factors> AnyFactors = Gen.OneOf(Gen.Const(Factors.A), Gen.Const(Factors.B), Gen.Const(Factors.Both));

    public static readonly AdapterLayout Small = AdapterLayout.Create(
        new AdapterConfig(2, 4, ["q_proj", "v_proj"]),
        [("model.layers.0.self_attn.q_proj", 3, 4), ("model.layers.0.self_attn.v_proj", 3, 2), ("model.layers.0.mlp.up_proj", 9, 9)]);

    public static readonly UpdateMetadata Metadata = new(
        31337,
        Address.Parse("0x5fbdb2315678afecb367f032d93f642f64180aa3"),
        new RoundId(7),
        new MemberId(3),
        Hash256.Parse("0x" + new string('1', 64)),
        Hash256.Parse("0x" + new string('2', 64)),
        Hash256.Parse("0x" + new string('3', 64)),
        412,
        new UpdateLosses(new Micronats(3_100_000), new Micronats(2_900_000), new Micronats(2_800_001)));

    public static Gen<Adapter> Of(AdapterLayout layout, int fractionBits) =>
        Gen.OneOf(Gen.Int[-FixedPoint.MaxValue, FixedPoint.MaxValue], Gen.Int[-3, 3]).Array[layout.Count].Select(values => new Adapter(layout, fractionBits, values));

    public static byte[] Bytes(Adapter adapter)
    {
        var stream = new MemoryStream();
        AdapterFile.Write(stream, adapter);
        return stream.ToArray();
    }

    public static byte[] Bytes(UpdateMetadata metadata, AdapterLayout layout, Factors factors, int[] differences)
    {
        var stream = new MemoryStream();
        UpdateFile.Write(stream, metadata, EncodedDifferences.Exact(layout, factors, differences));
        return stream.ToArray();
    }

    /// <summary>The same file with another header; spaces fill up what is shorter.</summary>
    public static byte[] WithHeader(byte[] file, Func<string, string> change)
    {
        var size = BitConverter.ToInt32(file);
        var json = System.Text.Encoding.UTF8.GetBytes(change(System.Text.Encoding.UTF8.GetString(file, 8, size)));
        return [.. BitConverter.GetBytes((long)json.Length), .. json, .. file[(8 + size)..]];
    }
}
