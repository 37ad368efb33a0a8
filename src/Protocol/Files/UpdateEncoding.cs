namespace FedChain.Protocol.Files;

/// <summary>
/// How an update's differences are written. Whatever it is, they are exact integers: with fewer than 32 bits d = code * 2^shift, one shift for each tensor,
/// and what that leaves out the member adds to its next update (<see cref="ErrorFeedback"/>).
/// </summary>
public enum UpdateEncoding
{
    /// <summary>Four bytes a value, the difference itself.</summary>
    Int32,

    /// <summary>Two bytes a value.</summary>
    Int16,

    /// <summary>One byte a value.</summary>
    Int8,
}

/// <summary>Sizes, bounds and names of <see cref="UpdateEncoding"/>.</summary>
public static class UpdateEncodings
{
    /// <summary>Bytes per value.</summary>
    public static int Size(this UpdateEncoding encoding) => encoding.Type().Size();

    /// <summary>The largest magnitude of a code that is written; the least that its type holds can be read, too.</summary>
    public static int MaxCode(this UpdateEncoding encoding) => encoding switch
    {
        UpdateEncoding.Int32 => int.MaxValue,
        UpdateEncoding.Int16 => short.MaxValue,
        _ => sbyte.MaxValue,
    };

    /// <summary>The largest shift, enough for the largest difference: (2^24 - 2) / 2^17 would round to 128.</summary>
    public static int MaxShift(this UpdateEncoding encoding) => encoding switch
    {
        UpdateEncoding.Int32 => 0,
        UpdateEncoding.Int16 => 10,
        _ => 18,
    };

    /// <summary>As policies write it, such as <c>int8</c>.</summary>
    public static string Text(this UpdateEncoding encoding) => encoding switch
    {
        UpdateEncoding.Int32 => "int32",
        UpdateEncoding.Int16 => "int16",
        _ => "int8",
    };

    /// <summary>Reads what policies write.</summary>
    public static bool TryParse(string text, out UpdateEncoding encoding)
    {
        foreach (var known in Enum.GetValues<UpdateEncoding>())
        {
            if (known.Text() == text)
            {
                encoding = known;
                return true;
            }
        }

        encoding = default;
        return false;
    }

    internal static TensorType Type(this UpdateEncoding encoding) => encoding switch
    {
        UpdateEncoding.Int32 => TensorType.Int32,
        UpdateEncoding.Int16 => TensorType.Int16,
        UpdateEncoding.Int8 => TensorType.Int8,
        _ => throw new ArgumentOutOfRangeException(nameof(encoding), encoding, "Not an encoding."),
    };
}
