using FedChain.Protocol;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Numerics;

namespace FedChain.Aggregator;

/// <summary>
/// Decides whether an update may enter an aggregate. Every rule is about bytes that everybody entitled can read, so that all honest members come to
/// the same verdict; nothing is judged by its effect on quality, and nothing is repaired.
/// </summary>
public static class UpdateValidator
{
    private const int Piece = 1 << 14;

    /// <summary>Checks what the manifest alone shows: null, or why the update is invalid whatever it holds.</summary>
    /// <param name="manifest">The manifest whose digest the member submitted.</param>
    /// <param name="member">Who submitted it, as the chain has it.</param>
    /// <param name="terms">What the round asks for.</param>
    public static UpdateVerdict.Refused? CheckManifest(UpdateManifest manifest, MemberId member, RoundTerms terms) =>
        CheckBinding("manifest", manifest.Chain, manifest.Rounds, manifest.Round, manifest.Member, manifest.Policy, manifest.Base, member, terms);

    /// <summary>Checks an opened update.</summary>
    /// <param name="plaintext">What was inside the payload; an accepted update goes on reading from it.</param>
    /// <param name="manifest">The manifest whose digest the member submitted.</param>
    /// <param name="member">Who submitted it, as the chain has it.</param>
    /// <param name="terms">What the round asks for.</param>
    /// <param name="cancellationToken">Looked at between pieces.</param>
    public static UpdateVerdict Validate(
        UpdatePlaintext plaintext, UpdateManifest manifest, MemberId member, RoundTerms terms, CancellationToken cancellationToken = default)
    {
        if (CheckManifest(manifest, member, terms) is { } wrongManifest)
        {
            return wrongManifest;
        }

        var digest = plaintext.Digest(cancellationToken);
        if (digest != manifest.Plaintext)
        {
            return Refuse(UpdateRefusal.WrongPlaintext, $"The manifest names {manifest.Plaintext}; the opened file's SHA-256 is {digest}.");
        }

        UpdateHeader header;
        try
        {
            header = plaintext.ReadHeader();
        }
        catch (InvalidDataException e)
        {
            return Refuse(UpdateRefusal.Malformed, e.Message);
        }

        if (CheckHeader(header, member, terms) is { } wrongHeader)
        {
            return wrongHeader;
        }

        var differences = new DifferenceReader(plaintext, header, terms.Base.Layout, terms.Factors);
        return CheckValues(differences, terms, cancellationToken)
            ?? (UpdateVerdict)new UpdateVerdict.Accepted(new ValidUpdate(header, differences, terms, terms.Policy.WeightOf(header.Metadata)));
    }

    private static UpdateVerdict.Refused? CheckHeader(UpdateHeader header, MemberId member, RoundTerms terms)
    {
        var said = header.Metadata;
        if (CheckBinding("file", said.Chain, said.Rounds, said.Round, said.Member, said.Policy, said.Base, member, terms) is { } unbound)
        {
            return unbound;
        }

        if (header.Encoding != terms.Policy.Encoding)
        {
            return Refuse(UpdateRefusal.WrongEncoding, $"The policy asks for {terms.Policy.Encoding.Text()}; the update is written as {header.Encoding.Text()}.");
        }

        if (!header.Fits(terms.Base.Layout, terms.Factors))
        {
            var expected = terms.Base.Layout.Of(terms.Factors);
            return Refuse(
                UpdateRefusal.WrongLayout,
                $"The round trains {terms.Factors}: {expected.Length} tensors from '{expected[0].Name}' [{expected[0].Rows}, {expected[0].Columns}], {terms.Base.Layout.CountOf(terms.Factors)} values; "
                + $"the update has {header.Tensors.Length}{(header.Tensors.IsEmpty ? "" : $", from '{header.Tensors[0].Name}' {header.Tensors[0].ShapeText}")}, {header.Count} values"
                + $"{(header.Encoding == UpdateEncoding.Int32 ? "" : $" and {header.Shifts.Length} shifts")}.");
        }

        if (said.Samples > terms.Policy.Work.MaxSamples)
        {
            return Refuse(UpdateRefusal.TooManySamples, $"The policy allows {terms.Policy.Work.MaxSamples} samples; the update claims {said.Samples}.");
        }

        var weight = terms.Policy.WeightOf(said);
        return weight > terms.Policy.WeightCap
            ? Refuse(UpdateRefusal.WeightOverCap, $"The policy caps the weight at {terms.Policy.WeightCap}; the update claims {weight}.")
            : null;
    }

    private static UpdateVerdict.Refused? CheckBinding(
        string what, ulong chain, Address rounds, RoundId round, MemberId named, Hash256 policy, Hash256 @base, MemberId member, RoundTerms terms)
    {
        if (chain != terms.Chain || rounds != terms.Rounds)
        {
            return Refuse(UpdateRefusal.WrongChain, $"Expected chain {terms.Chain} and Rounds {terms.Rounds}; the {what} names {chain} and {rounds}.");
        }

        if (round != terms.Round)
        {
            return Refuse(UpdateRefusal.WrongRound, $"Expected round {terms.Round}; the {what} names {round}.");
        }

        if (named != member)
        {
            return Refuse(UpdateRefusal.WrongMember, $"Member {member} submitted it; the {what} names {named}.");
        }

        if (policy != terms.PolicyHash)
        {
            return Refuse(UpdateRefusal.WrongPolicy, $"Policy {terms.PolicyHash} is in force; the {what} names {policy}.");
        }

        return @base != terms.BaseDigest
            ? Refuse(UpdateRefusal.WrongBase, $"The round's base is {terms.BaseDigest}; the {what} names {@base}.")
            : null;
    }

    private static UpdateVerdict.Refused? CheckValues(DifferenceReader reader, RoundTerms terms, CancellationToken cancellationToken)
    {
        var scratch = new int[Piece];
        var offset = 0;
        foreach (var tensor in terms.Base.Layout.Of(terms.Factors))
        {
            var values = terms.Base[tensor];
            for (var at = 0; at < values.Length; at += Piece)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var part = values.Slice(at, Math.Min(Piece, values.Length - at));
                var differences = reader.Read(offset, scratch.AsSpan(0, part.Length));
                offset += part.Length;
                if (FixedPoint.FirstBeyond(differences, FixedPoint.MaxDifference) is >= 0 and var far)
                {
                    return Refuse(
                        UpdateRefusal.DifferenceOutOfRange,
                        $"Difference {at + far} of '{tensor.Name}' is {differences[far]}; expected at most ±{FixedPoint.MaxDifference}.");
                }

                if (Ranges.FirstSumBeyond(part, differences) is >= 0 and var outside)
                {
                    return Refuse(
                        UpdateRefusal.ResultOutOfRange,
                        $"Value {at + outside} of '{tensor.Name}' would go from {part[outside]} by {differences[outside]} beyond ±{FixedPoint.MaxValue}.");
                }
            }
        }

        return null;
    }

    private static UpdateVerdict.Refused Refuse(UpdateRefusal reason, string detail) => new(reason, detail);
}
