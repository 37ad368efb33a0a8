using System.Globalization;
using System.Text;

namespace FedChain.Protocol.Ethereum.Signing;

/// <summary>EIP-191 version 0x45 (personal_sign): keccak256("\x19Ethereum Signed Message:\n" | decimal length | message).</summary>
public static class PersonalMessage
{
    public static Hash256 Digest(ReadOnlySpan<byte> message)
    {
        var prefix = "\x19" + "Ethereum Signed Message:\n" + message.Length.ToString(CultureInfo.InvariantCulture);
        return Keccak256.Hash([.. Encoding.ASCII.GetBytes(prefix), .. message]);
    }
}
