using System.Globalization;

namespace FedChain.Protocol;

/// <summary>A seat: the token id of Membership. The first is 1; 0 names nobody.</summary>
public readonly record struct MemberId(uint Value) : IComparable<MemberId>
{
    public int CompareTo(MemberId other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A round's number. The first is 1; 0 means that none has been opened.</summary>
public readonly record struct RoundId(ulong Value) : IComparable<RoundId>
{
    public int CompareTo(RoundId other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}
