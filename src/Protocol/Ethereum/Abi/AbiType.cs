namespace FedChain.Protocol.Ethereum.Abi;

public enum AbiKind
{
    UInt,
    Int,
    Bool,
    Address,
    FixedBytes,
    Bytes,
    String,
    FixedArray,
    Array,
    Tuple,
}

/// <summary>A type of the contract ABI. Every type takes at least one word, so that no length in foreign bytes can stand for unlimited values.</summary>
public sealed class AbiType
{
    /// <summary>The static part of a type may take this many bytes: far more than any contract's, and little enough to allocate.</summary>
    private const int MaxHeadBytes = 1 << 24;

    private readonly string _name;

    private AbiType(AbiKind kind, string name, int size = 0, AbiType? element = null, IReadOnlyList<AbiParameter>? components = null)
    {
        (Kind, _name, Size, Element, Components) = (kind, name, size, element, components ?? []);
        IsDynamic = kind is AbiKind.Bytes or AbiKind.String or AbiKind.Array
            || (kind == AbiKind.FixedArray && element!.IsDynamic)
            || Components.Any(c => c.Type.IsDynamic);
        var inner = kind switch
        {
            AbiKind.FixedArray => (long)size * element!.HeadBytes,
            AbiKind.Tuple => Components.Sum(c => (long)c.Type.HeadBytes),
            _ => Word.Size,
        };
        if (inner > MaxHeadBytes)
        {
            throw new FormatException($"ABI type {name} takes more than {MaxHeadBytes} bytes.");
        }

        HeadBytes = IsDynamic ? Word.Size : (int)inner;
    }

    public AbiKind Kind { get; }

    /// <summary>Bits of an integer, bytes of a bytesN, elements of a fixed array; else 0.</summary>
    public int Size { get; }

    /// <summary>Of arrays.</summary>
    public AbiType? Element { get; }

    /// <summary>Of tuples, in order.</summary>
    public IReadOnlyList<AbiParameter> Components { get; }

    /// <summary>Whether it is encoded in the tail, with an offset in the head.</summary>
    public bool IsDynamic { get; }

    /// <summary>What it takes in the head: the whole value if static, the offset's word if dynamic.</summary>
    public int HeadBytes { get; }

    internal static AbiType Bool { get; } = new(AbiKind.Bool, "bool");

    internal static AbiType Address { get; } = new(AbiKind.Address, "address");

    internal static AbiType Bytes { get; } = new(AbiKind.Bytes, "bytes");

    internal static AbiType String { get; } = new(AbiKind.String, "string");

    /// <summary>Reads a type as Solidity writes it, e.g. <c>uint256</c>, <c>(address who, bytes32)[2][]</c>; <c>uint</c> and <c>int</c> mean 256 bits.</summary>
    /// <exception cref="FormatException">Not such a type.</exception>
    public static AbiType Parse(string text) => AbiParser.ParseType(text);

    internal static AbiType Integer(bool signed, int bits) => bits is >= 8 and <= 256 && bits % 8 == 0
        ? new(signed ? AbiKind.Int : AbiKind.UInt, $"{(signed ? "int" : "uint")}{bits}", bits)
        : throw new FormatException($"An ABI integer has 8, 16, … or 256 bits; got {bits}.");

    internal static AbiType FixedBytes(int size) => size is >= 1 and <= 32
        ? new(AbiKind.FixedBytes, $"bytes{size}", size)
        : throw new FormatException($"An ABI bytesN has 1 to 32 bytes; got {size}.");

    internal static AbiType FixedArray(AbiType element, int length) => length > 0
        ? new(AbiKind.FixedArray, $"{element}[{length}]", length, element)
        : throw new FormatException("A fixed array has at least one element.");

    internal static AbiType Array(AbiType element) => new(AbiKind.Array, $"{element}[]", element: element);

    internal static AbiType Tuple(IReadOnlyList<AbiParameter> components) => components.Count > 0
        ? new(AbiKind.Tuple, $"({string.Join(',', components.Select(c => c.Type))})", components: components)
        : throw new FormatException("A tuple has at least one component.");

    /// <summary>The canonical name, as selectors hash it.</summary>
    public override string ToString() => _name;
}

/// <summary>An argument, a result or a component of a tuple.</summary>
/// <param name="Name">May be empty.</param>
/// <param name="Type">Its type.</param>
/// <param name="IsIndexed">Of an event's argument: it is in a topic.</param>
public sealed record AbiParameter(string Name, AbiType Type, bool IsIndexed = false);
