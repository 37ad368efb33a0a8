namespace FedChain.Protocol;

/// <summary>A 20-byte account or contract address. Written as 0x and 40 lowercase hex digits. The default value is the zero address.</summary>
public readonly record struct Address : IComparable<Address>
{
    public const int Size = 20;

    private readonly Hash256 _word; // left-padded to 32 bytes, as the ABI has it

    /// <exception cref="ArgumentException"><paramref name="bytes"/> is not 20 bytes long.</exception>
    public Address(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size)
        {
            throw new ArgumentException($"An address is {Size} bytes; got {bytes.Length}.", nameof(bytes));
        }

        Span<byte> word = stackalloc byte[Hash256.Size];
        word.Clear();
        bytes.CopyTo(word[12..]);
        _word = new Hash256(word);
    }

    public static Address Zero => default;

    public bool IsZero => this == default;

    /// <summary>Reads 0x and 40 hex digits, either case; a checksum in the letters' case is not looked at.</summary>
    /// <exception cref="FormatException">The text is anything else.</exception>
    public static Address Parse(string text) => new(Hex.DecodeFixed(text, Size, "address"));

    public static bool TryParse(string? text, out Address address)
    {
        Span<byte> bytes = stackalloc byte[Size];
        var ok = Hex.TryDecodeFixed(text, bytes);
        address = ok ? new Address(bytes) : default;
        return ok;
    }

    public byte[] ToArray() => _word.ToArray()[12..];

    public int CompareTo(Address other) => _word.CompareTo(other._word);

    public override string ToString() => Hex.Encode(ToArray());
}
