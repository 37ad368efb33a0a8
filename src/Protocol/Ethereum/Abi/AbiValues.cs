using System.Collections;
using System.Numerics;

namespace FedChain.Protocol.Ethereum.Abi;

/// <summary>
/// Decoded values in order: BigInteger, bool, Address, byte[] (bytesN and bytes), string, or AbiValues (arrays and tuples).
/// The typed accessors throw <see cref="FormatException"/> where the value is of another type or too large: what a contract returns is input too.
/// </summary>
public sealed class AbiValues(IReadOnlyList<object> values) : IReadOnlyList<object>
{
    public int Count => values.Count;

    public object this[int index] => index >= 0 && index < values.Count
        ? values[index]
        : throw new FormatException($"Expected an ABI value at position {index}, got {values.Count} values.");

    public BigInteger Integer(int index) => Get<BigInteger>(index);

    public ulong UInt64(int index) => Integer(index) is var value && value.Sign >= 0 && value <= ulong.MaxValue
        ? (ulong)value
        : throw new FormatException($"ABI value {index} is {value}: expected an unsigned integer of 64 bits.");

    public uint UInt32(int index) => Integer(index) is var value && value.Sign >= 0 && value <= uint.MaxValue
        ? (uint)value
        : throw new FormatException($"ABI value {index} is {value}: expected an unsigned integer of 32 bits.");

    public byte UInt8(int index) => UInt32(index) is var value && value <= byte.MaxValue
        ? (byte)value
        : throw new FormatException($"ABI value {index} is {value}: expected an unsigned integer of 8 bits.");

    public bool Bool(int index) => Get<bool>(index);

    public Address Address(int index) => Get<Address>(index);

    public byte[] Bytes(int index) => Get<byte[]>(index);

    public Hash256 Hash(int index) => Bytes(index) is { Length: Hash256.Size } bytes
        ? new Hash256(bytes)
        : throw new FormatException($"ABI value {index} is no bytes32.");

    public string Text(int index) => Get<string>(index);

    /// <summary>An array or a tuple.</summary>
    public AbiValues List(int index) => Get<AbiValues>(index);

    /// <summary>A Solidity enum: one of the values that <typeparamref name="T"/> defines.</summary>
    public T Enum<T>(int index)
        where T : struct, Enum
    {
        var value = (T)System.Enum.ToObject(typeof(T), UInt8(index));
        return System.Enum.IsDefined(value) ? value : throw new FormatException($"ABI value {index} is {value}: no {typeof(T).Name}.");
    }

    public MemberId Member(int index) => new(UInt32(index));

    public RoundId Round(int index) => new(UInt64(index));

    public IEnumerator<object> GetEnumerator() => values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>For people: as Solidity would write the values.</summary>
    public override string ToString() => string.Join(", ", values.Select(Show));

    private static string Show(object value) => value switch
    {
        byte[] bytes => Hex.Encode(bytes),
        string text => $"\"{text}\"",
        bool flag => flag ? "true" : "false",
        AbiValues inner => $"[{inner}]",
        _ => value.ToString()!,
    };

    private T Get<T>(int index) => this[index] is T value
        ? value
        : throw new FormatException($"ABI value {index} is a {this[index].GetType().Name}, not a {typeof(T).Name}.");
}
