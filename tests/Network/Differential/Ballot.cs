using System.Numerics;
using System.Text.RegularExpressions;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Signing;

namespace FedChain.Network.Tests.Differential;

/// <summary>What is wrong with a signature, apart from what it is about.</summary>
internal enum Defect
{
    None,

    /// <summary>The same signature with n - s: a second one for the same message, which is not to count (EIP-2).</summary>
    UpperHalf,

    /// <summary>v is 0 or 1.</summary>
    SmallV,

    /// <summary>64 bytes: v is missing.</summary>
    Short,

    /// <summary>v is the other one: it recovers to nobody.</summary>
    OtherV,
}

/// <summary>An attestation that somebody signed: for whatever round, turn, candidate, contract and chain.</summary>
internal sealed partial record Ballot(string By, RoundId Round, uint Turn, Hash256 Candidate, bool Valid)
{
    private static readonly BigInteger Order = BigInteger.Parse("115792089237316195423570985008687907852837564279074904382605163141518161494337");

    public string Contract { get; init; } = "rounds";

    public ulong Chain { get; init; } = Scene.ChainId;

    public Defect Defect { get; init; }

    /// <summary>Reads what <see cref="ToString(Names)"/> writes.</summary>
    /// <exception cref="FormatException">Another text.</exception>
    public static Ballot Parse(string text, Names names)
    {
        var match = Form().Match(text);
        return !match.Success
            ? throw new FormatException($"Expected a ballot like 'operator 2 signs 1/0 candidate 1/0 valid', found '{text}'.")
            : new Ballot(
                match.Groups["by"].Value,
                new RoundId(ulong.Parse(match.Groups["round"].Value)),
                uint.Parse(match.Groups["turn"].Value),
                names.Hash(match.Groups["candidate"].Value),
                match.Groups["vote"].Value == "valid")
            {
                Contract = match.Groups["contract"] is { Success: true } contract ? contract.Value : "rounds",
                Chain = match.Groups["chain"] is { Success: true } chain ? ulong.Parse(chain.Value) : Scene.ChainId,
                Defect = match.Groups["defect"] is { Success: true } defect ? Enum.Parse<Defect>(defect.Value) : Defect.None,
            };
    }

    /// <summary>E.g. "operator 2 signs 1/0 candidate 1/0 valid", and then what is unusual: " for membership", " on chain 1", " with SmallV".</summary>
    public string ToString(Names names) =>
        $"{By} signs {Round}/{Turn} {names.Of(Candidate)} {(Valid ? "valid" : "invalid")}"
        + (Contract == "rounds" ? "" : $" for {Contract}")
        + (Chain == Scene.ChainId ? "" : $" on chain {Chain}")
        + (Defect == Defect.None ? "" : $" with {Defect}");

    /// <summary>r | s | v, but for the defect.</summary>
    public byte[] Sign()
    {
        var digest = new SigningDomain(Chain, Scene.Account(Contract)).Digest(new Attestation(Round, Turn, Candidate, Valid));
        var bytes = Scene.KeyOf(By).Sign(digest).ToArray();
        var v = bytes[64];
        switch (Defect)
        {
            case Defect.UpperHalf:
                var s = Order - new BigInteger(bytes.AsSpan(32, 32), isUnsigned: true, isBigEndian: true);
                s.ToByteArray(isUnsigned: true, isBigEndian: true).CopyTo(bytes, 32); // above n/2, so all 32 bytes
                bytes[64] = (byte)(55 - v);
                return bytes;
            case Defect.SmallV:
                bytes[64] = (byte)(v - 27);
                return bytes;
            case Defect.Short:
                return bytes[..64];
            case Defect.OtherV:
                bytes[64] = (byte)(55 - v);
                return bytes;
            default:
                return bytes;
        }
    }

    [GeneratedRegex("^(?<by>.+) signs (?<round>[0-9]+)/(?<turn>[0-9]+) (?<candidate>.+) (?<vote>valid|invalid)(?: for (?<contract>[a-z]+))?(?: on chain (?<chain>[0-9]+))?(?: with (?<defect>[A-Za-z]+))?$", RegexOptions.None, 1000)]
    private static partial Regex Form();
}
