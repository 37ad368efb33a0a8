using System.Collections.Immutable;
using FedChain.Node.Cli;
using FedChain.Protocol.Identity;

namespace FedChain.Node.Identity;

/// <param name="Name">What was checked: signer, model or time.</param>
/// <param name="Detail">What was compared, with the values.</param>
public sealed record StatementFinding(string Name, bool Holds, string Detail);

/// <summary>Holds a signed statement against a seat's history: whose key signed it, whether the model was the seat's, and whether the times fit. Pure.</summary>
public sealed record StatementCheck(ImmutableArray<StatementFinding> Findings)
{
    /// <summary>Seconds by which the signer's clock and the chain's may differ.</summary>
    public const ulong Tolerance = 300;

    public bool Holds => Findings.All(f => f.Holds);

    /// <param name="signed">The statement.</param>
    /// <param name="history">Of the seat that it names.</param>
    /// <param name="now">The chain's time, Unix seconds.</param>
    public static StatementCheck Of(SignedStatement signed, MemberHistory history, ulong now)
    {
        var issued = signed.Statement.IssuedAt;
        return new StatementCheck([Signer(signed, history), Model(signed, history), new StatementFinding(
            "time", issued <= now + Tolerance, issued <= now + Tolerance
                ? $"issued at {At(issued)}, as the signer says"
                : $"says that it was issued at {At(issued)}, but the chain is at {At(now)}")]);
    }

    private static StatementFinding Signer(SignedStatement signed, MemberHistory history)
    {
        const string Name = "signer";
        var member = signed.Statement.Member;
        if (!signed.Signature.TryRecover(signed.Digest, out var signer))
        {
            return new StatementFinding(Name, Holds: false, "no key can have made this signature");
        }

        var tenures = history.Keys.Where(k => k.Address == signer).OrderBy(k => k.Tenure.Until is null ? 0 : 1).ThenBy(k => k.Key).ToList();
        if (tenures.Count == 0)
        {
            var known = string.Join(", ", history.Keys.Where(k => k.Tenure.Until is null).Select(k => $"{Word(k.Key)} {k.Address}"));
            return new StatementFinding(Name, Holds: false,
                $"signed by {signer}, which never spoke for member {member} ({(known.Length > 0 ? $"now: {known}" : "whose seat is gone")}); or the text, the model, the time or the federation was changed after signing");
        }

        if (tenures.Find(k => k.Tenure.Covers(signed.Statement.IssuedAt, Tolerance)) is not { } tenure)
        {
            return new StatementFinding(Name, Holds: false,
                $"signed by {signer}, but says that it was issued at {At(signed.Statement.IssuedAt)}, when that key did not speak for member {member}: {string.Join("; ", tenures.Select(k => Words(k)))}");
        }

        return new StatementFinding(Name, Holds: true, tenure.Tenure.Until is null
            ? $"{signer} {Words(tenure)}"
            : $"{signer} {Words(tenure)}; nothing on the chain says when it signed, so whoever still has that key could have dated this back");
    }

    private static StatementFinding Model(SignedStatement signed, MemberHistory history)
    {
        const string Name = "model";
        var (member, model) = (signed.Statement.Member, signed.Statement.Model);
        var named = history.Profiles.Select(p => (p.Tenure, ModelIdentity.Of(signed.Chain, signed.Membership, member, p.Profile)?.Id)).ToList();
        var tenures = named.Where(n => n.Id == model).Select(n => n.Tenure).ToList();
        if (tenures.Count == 0)
        {
            var now = named.Find(n => n.Tenure.Until is null).Id;
            return new StatementFinding(Name, Holds: false, $"{model} never was the model of member {member}{(now is null ? "" : $"; now it is {now}")}");
        }

        return tenures.FindLast(t => t.Covers(signed.Statement.IssuedAt, Tolerance)) is { } tenure
            ? new StatementFinding(Name, Holds: true, tenure.Until is { } until
                ? $"{model} was the model of member {member} from block {tenure.From.Number} until block {until.Number} ({At(until.Time)})"
                : $"{model} is the model of member {member} since block {tenure.From.Number}")
            : new StatementFinding(Name, Holds: false, $"{model} was the model of member {member}, but not at {At(signed.Statement.IssuedAt)}");
    }

    private static string Words(KeyTenure key) => key.Tenure.Until is { } until
        ? $"was the {Word(key.Key)} from block {key.Tenure.From.Number} until block {until.Number} ({At(until.Time)})"
        : $"is the {Word(key.Key)} since block {key.Tenure.From.Number} ({At(key.Tenure.From.Time)})";

    private static string Word(SeatKey key) => key == SeatKey.Operator ? "operator" : "holder";

    private static string At(ulong seconds) => StatusCommand.Time(seconds);
}
