using System.Collections.Immutable;
using System.Globalization;
using FedChain.Protocol.Numerics;

namespace FedChain.Protocol.Files;

/// <summary>Losses on the member's own validation data, per token.</summary>
/// <param name="Untouched">Of the base model without an adapter (<c>base0</c>).</param>
/// <param name="Base">With the round's base adapter.</param>
/// <param name="Result">With the adapter that local training came to.</param>
public sealed record UpdateLosses(Micronats Untouched, Micronats Base, Micronats Result);

/// <summary>What an update says about itself, inside the encrypted file: it belongs to this chain, round, policy and base, and to nothing else.</summary>
/// <param name="Chain">The chain's id, below 2^53.</param>
/// <param name="Rounds">The address of the Rounds contract.</param>
/// <param name="Round">The round that it was trained for.</param>
/// <param name="Member">Who trained it.</param>
/// <param name="Policy">Hash of the policy in force.</param>
/// <param name="Base">SHA-256 of the base adapter's file.</param>
/// <param name="Salt">32 random bytes: without them, the digest of a deterministic training would tell whether a guess at the data is right.</param>
/// <param name="Samples">Training examples behind it, at least 1, below 2^53.</param>
/// <param name="Losses">On the member's own validation data.</param>
public sealed record UpdateMetadata(
    ulong Chain, Address Rounds, RoundId Round, MemberId Member, Hash256 Policy, Hash256 Base, Hash256 Salt, long Samples, UpdateLosses Losses)
{
    internal ImmutableSortedDictionary<string, string> ToEntries() => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["base"] = Base.ToString(),
        ["chain"] = Chain.ToString(CultureInfo.InvariantCulture),
        ["loss.base"] = Losses.Base.ToString(),
        ["loss.base0"] = Losses.Untouched.ToString(),
        ["loss.result"] = Losses.Result.ToString(),
        ["member"] = Member.ToString(),
        ["policy"] = Policy.ToString(),
        ["round"] = Round.ToString(),
        ["rounds"] = Rounds.ToString(),
        ["salt"] = Salt.ToString(),
        ["samples"] = Samples.ToString(CultureInfo.InvariantCulture),
        ["v"] = "1",
    }.ToImmutableSortedDictionary(StringComparer.Ordinal);

    /// <exception cref="InvalidDataException">An entry is missing, unknown or not written canonically; the message says which.</exception>
    internal static UpdateMetadata Parse(ImmutableSortedDictionary<string, string> entries)
    {
        var known = 0;
        if (Entry("v") != "1")
        {
            throw new InvalidDataException($"The update has version '{entries["v"]}'; this program reads version 1.");
        }

        var metadata = new UpdateMetadata(
            (ulong)Integer("chain", 1, CanonicalJson.MaxInteger),
            Parsed("rounds", Address.TryParse, default(Address)),
            new RoundId((ulong)Integer("round", 1, CanonicalJson.MaxInteger)),
            new MemberId((uint)Integer("member", 1, uint.MaxValue)),
            Parsed("policy", Hash256.TryParse, default(Hash256)),
            Parsed("base", Hash256.TryParse, default(Hash256)),
            Parsed("salt", Hash256.TryParse, default(Hash256)),
            Integer("samples", 1, CanonicalJson.MaxInteger),
            new UpdateLosses(Loss("loss.base0"), Loss("loss.base"), Loss("loss.result")));
        return known == entries.Count
            ? metadata
            : throw new InvalidDataException(
                $"The update has an unknown metadata entry '{entries.Keys.First(key => !metadata.ToEntries().ContainsKey(key))}'.");

        string Entry(string key)
        {
            known++;
            return entries.GetValueOrDefault(key) ?? throw new InvalidDataException($"The update lacks the metadata entry '{key}'.");
        }

        long Integer(string key, long min, long max) =>
            long.TryParse(Entry(key), NumberStyles.None, CultureInfo.InvariantCulture, out var n)
            && n >= min && n <= max && n.ToString(CultureInfo.InvariantCulture) == entries[key]
                ? n
                : throw new InvalidDataException($"The update's '{key}' should be a decimal integer from {min} to {max}; got '{entries[key]}'.");

        Micronats Loss(string key) => new(Integer(key, 0, Micronats.MaxValue));

        T Parsed<T>(string key, TryParse<T> parse, T nothing)
        {
            var value = nothing;
            return parse(Entry(key), out value) && value!.ToString() == entries[key]
                ? value
                : throw new InvalidDataException($"The update's '{key}' should be 0x and lowercase hex digits; got '{entries[key]}'.");
        }
    }

    private delegate bool TryParse<T>(string? text, out T value);
}
