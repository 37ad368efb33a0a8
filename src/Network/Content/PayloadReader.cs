using System.Globalization;
using FedChain.Protocol;

namespace FedChain.Network.Content;

/// <summary>For whom a payload is sealed: a member, named by its id, or an auditor, named by its address; as in <c>payload/{digest}?to=…</c>.</summary>
public abstract record PayloadReader
{
    private PayloadReader()
    {
    }

    /// <summary>A member, by its seat's id.</summary>
    public sealed record Member(MemberId Id) : PayloadReader
    {
        public override string ToString() => Id.ToString();
    }

    /// <summary>An auditor, by the address that was granted access.</summary>
    public sealed record Auditor(Address Address) : PayloadReader
    {
        public override string ToString() => Address.ToString();
    }

    /// <summary>Reads what <see cref="object.ToString"/> writes: a decimal number, or 0x and 40 hex digits.</summary>
    public static bool TryParse(string? text, out PayloadReader reader)
    {
        if (uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
        {
            reader = new Member(new MemberId(id));
            return true;
        }

        var isAddress = Address.TryParse(text, out var address);
        reader = new Auditor(address);
        return isAddress;
    }
}
