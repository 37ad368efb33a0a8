using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace FedChain.Protocol.Identity;

/// <summary>A member's decentralised identifier: <c>did:fedchain:&lt;chain id&gt;:&lt;Membership&gt;:&lt;member id&gt;</c>; numbers decimal, the address in lowercase.</summary>
public readonly record struct MemberDid(ulong Chain, Address Membership, MemberId Member)
{
    public const string Scheme = "did:fedchain:";

    public static bool TryParse([NotNullWhen(true)] string? text, out MemberDid did)
    {
        did = default;
        if (text?.StartsWith(Scheme, StringComparison.Ordinal) != true || text[Scheme.Length..].Split(':') is not [var chain, var membership, var member]
            || !ulong.TryParse(chain, NumberStyles.None, CultureInfo.InvariantCulture, out var chainId)
            || !Address.TryParse(membership, out var contract)
            || !uint.TryParse(member, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
        {
            return false;
        }

        did = new MemberDid(chainId, contract, new MemberId(id));
        return id > 0 && did.ToString() == text; // one member, one spelling
    }

    /// <exception cref="FormatException">Another method, or not in this form.</exception>
    public static MemberDid Parse(string text) => TryParse(text, out var did) ? did
        : throw new FormatException($"A member's DID has the form {Scheme}CHAIN:0xMEMBERSHIP:MEMBER, in lowercase and without leading zeros; got '{text}'.");

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Scheme}{Chain}:{Membership}:{Member}");
}
