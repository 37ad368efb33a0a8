using System.Text.RegularExpressions;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Rounds;

namespace FedChain.Network.Tests.Differential;

/// <summary>
/// Names for the hashes of a sequence, so that people can read and write it: "policy 3" (in the order of their setting; 1 and 2 are the two contracts'
/// first), "candidate 3/0" (of round 3, turn 0) and "application 5" are what the chain made of them, "commitment 2/1" opens with "secret 2/1" of member 2,
/// "0" is zero; any other name stands for its own Keccak-256.
/// </summary>
internal sealed partial class Names
{
    private readonly Dictionary<string, Hash256> _hashes = [];
    private readonly Dictionary<Hash256, string> _names = [];
    private readonly Dictionary<string, Ballot> _ballots = []; // by signature
    private int _policies;

    public Names()
    {
        Name("0", Hash256.Zero);
        Hash("genesis");
        Hash("genesis of the successor");
    }

    /// <summary>The same names, but for what the chain made: for other calls of the same words.</summary>
    public Names Labels()
    {
        var copy = new Names();
        foreach (var (name, hash) in _hashes.Where(n => !MadeByTheChain().IsMatch(n.Key)))
        {
            copy.Name(name, hash);
        }

        foreach (var (signature, ballot) in _ballots)
        {
            copy._ballots[signature] = ballot;
        }

        return copy;
    }

    public string Of(Hash256 hash) => _names.GetValueOrDefault(hash, hash.ToString());

    /// <summary>Of a signed attestation.</summary>
    public string Of(byte[] signature) => _ballots.TryGetValue(Hex.Encode(signature), out var ballot) ? ballot.ToString(this) : Hex.Encode(signature);

    /// <exception cref="FormatException">The name of something that the chain has yet to make.</exception>
    public Hash256 Hash(string name)
    {
        if (_hashes.TryGetValue(name, out var known) || Hash256.TryParse(name, out known))
        {
            return known;
        }

        if (MadeByTheChain().IsMatch(name))
        {
            throw new FormatException($"There is no '{name}' yet.");
        }

        var commitment = CommitmentName().Match(name);
        return Name(name, commitment.Success
            ? Preimages.Commitment(
                Scene.ChainId,
                commitment.Groups["successor"].Success ? Scene.Successor : Scene.Rounds,
                new MemberId(uint.Parse(commitment.Groups["id"].Value)),
                Hash($"secret {commitment.Groups["secret"].Value}"))
            : Keccak256.Hash(name));
    }

    /// <summary>The secret that opens a commitment; null if nobody knows it.</summary>
    public Hash256? SecretOf(Hash256 commitment) =>
        CommitmentName().Match(Of(commitment)) is { Success: true } match ? Hash($"secret {match.Groups["secret"].Value}") : null;

    public byte[] Signature(Ballot ballot)
    {
        var signature = ballot.Sign();
        _ballots[Hex.Encode(signature)] = ballot;
        return signature;
    }

    /// <summary>Names what a transaction made.</summary>
    public void Learn(IContractEvent made)
    {
        switch (made)
        {
            case PolicySet e when !_names.ContainsKey(e.Policy):
                Name($"policy {++_policies}", e.Policy);
                break;
            case CandidatePublished e:
                Name($"candidate {e.Round}/{e.Turn}", e.Candidate);
                break;
            case Applied e:
                Name($"application {e.Id}", e.Application);
                Name($"hash of {e.Profile}", Keccak256.Hash(e.Profile));
                break;
            case ProfileUpdated e:
                Name($"hash of {e.Profile}", e.ProfileHash);
                break;
            default:
                break;
        }
    }

    /// <summary>The text with names in place of hashes and addresses, and @8 for eight seconds after the deployment.</summary>
    public string Explain(string text) => Time().Replace(
        LongHex().Replace(text, match => match.Length == 2 + (2 * Address.Size)
            ? Scene.NameOf(Address.Parse(match.Value))
            : Hash256.TryParse(match.Value, out var hash) ? Of(hash) : match.Value),
        match => ulong.Parse(match.Value) is var time && time >= Scene.Start ? $"@{time - Scene.Start}" : match.Value);

    private Hash256 Name(string name, Hash256 hash)
    {
        _hashes[name] = hash;
        _names.TryAdd(hash, name);
        return hash;
    }

    [GeneratedRegex("^(?:policy|candidate|application) [0-9/]+$", RegexOptions.None, 1000)]
    private static partial Regex MadeByTheChain();

    [GeneratedRegex("^commitment (?<secret>(?<id>[0-9]+)/[0-9]+)(?<successor> in successor)?$", RegexOptions.None, 1000)]
    private static partial Regex CommitmentName();

    [GeneratedRegex(@"\b[0-9]{10,12}\b", RegexOptions.None, 1000)]
    private static partial Regex Time();

    [GeneratedRegex("0x[0-9a-f]{40,}", RegexOptions.None, 1000)]
    private static partial Regex LongHex();
}
