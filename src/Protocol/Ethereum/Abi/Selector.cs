using System.Buffers.Binary;

namespace FedChain.Protocol.Ethereum.Abi;

/// <summary>The first four bytes of the Keccak-256 of a canonical signature: names a function or an error.</summary>
public readonly record struct Selector(uint Value)
{
    public const int Size = 4;

    public static Selector Of(string signature) => new(BinaryPrimitives.ReadUInt32BigEndian(Keccak256.Hash(signature).ToArray()));

    public static bool TryRead(ReadOnlySpan<byte> data, out Selector selector)
    {
        selector = data.Length < Size ? default : new(BinaryPrimitives.ReadUInt32BigEndian(data));
        return data.Length >= Size;
    }

    public byte[] ToArray()
    {
        var bytes = new byte[Size];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, Value);
        return bytes;
    }

    public override string ToString() => Hex.Encode(ToArray());

    internal ReadOnlySpan<byte> Strip(ReadOnlySpan<byte> data, string signature) => TryRead(data, out var found) && found == this
        ? data[Size..]
        : throw new FormatException($"ABI: expected {signature}, which begins with {this}; got {(data.Length < Size ? $"{data.Length} bytes" : found)}.");
}
