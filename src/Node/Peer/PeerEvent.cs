using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace FedChain.Node.Peer;

/// <summary>What a peer reports as it goes: a line of text for people, a line of JSON (<c>--json</c>) for programs such as the demo.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "event")]
[JsonDerivedType(typeof(Ready), "ready")]
[JsonDerivedType(typeof(NodeInUse), "node-in-use")]
[JsonDerivedType(typeof(Monitored), "monitored")]
[JsonDerivedType(typeof(Reorganised), "reorganised")]
[JsonDerivedType(typeof(TrainingStarted), "training-started")]
[JsonDerivedType(typeof(Training), "training")]
[JsonDerivedType(typeof(Trained), "trained")]
[JsonDerivedType(typeof(Diverged), "diverged")]
[JsonDerivedType(typeof(Opened), "opened")]
[JsonDerivedType(typeof(Submitted), "submitted")]
[JsonDerivedType(typeof(UpdateHeld), "update-held")]
[JsonDerivedType(typeof(UpdateRefused), "update-refused")]
[JsonDerivedType(typeof(HoldingsSigned), "holdings-signed")]
[JsonDerivedType(typeof(Published), "published")]
[JsonDerivedType(typeof(Attested), "attested")]
[JsonDerivedType(typeof(RoundEnded), "round-ended")]
[JsonDerivedType(typeof(KeyRotated), "key-rotated")]
[JsonDerivedType(typeof(Succeeded), "succeeded")]
[JsonDerivedType(typeof(Recommitted), "recommitted")]
[JsonDerivedType(typeof(UpdateMissing), "update-missing")]
[JsonDerivedType(typeof(Restocked), "restocked")]
[JsonDerivedType(typeof(AdapterMeasured), "adapter-measured")]
[JsonDerivedType(typeof(AdapterObtained), "adapter-obtained")]
[JsonDerivedType(typeof(VelocityObtained), "velocity-obtained")]
[JsonDerivedType(typeof(Paused), "paused")]
[JsonDerivedType(typeof(Resumed), "resumed")]
[JsonDerivedType(typeof(Stopped), "stopped")]
[JsonDerivedType(typeof(Trouble), "trouble")]
public abstract record PeerEvent
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    private PeerEvent()
    {
    }

    public DateTimeOffset At { get; init; }

    public uint Member { get; init; }

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>Reads a line of JSON; null if it is none of ours.</summary>
    public static PeerEvent? FromJson(string line)
    {
        try
        {
            return line.StartsWith('{') ? JsonSerializer.Deserialize<PeerEvent>(line, Json) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public abstract override string ToString();

    public sealed record Ready(string Endpoint, ulong Round) : PeerEvent
    {
        public override string ToString() => Text($"ready; serves content on {Endpoint}; the chain is at round {Round}");
    }

    /// <summary>Where health and metrics are served.</summary>
    public sealed record Monitored(string Address) : PeerEvent
    {
        public override string ToString() => Text($"health and metrics: {Address}health, {Address}metrics");
    }

    /// <summary>Which of the chain's nodes is asked from now on.</summary>
    /// <param name="Before">Which one was; null at the start.</param>
    /// <param name="Reason">What was wrong with that; null if a preferred one works again.</param>
    public sealed record NodeInUse(string Node, string? Before, string? Reason) : PeerEvent
    {
        public override string ToString() => Text($"the chain's node is {Node}{(Before is null ? "" : Reason is null ? $" again, instead of {Before}" : $", instead of {Before}: {Reason}")}");
    }

    /// <summary>Blocks that were read left the chain, and what they said is forgotten.</summary>
    /// <param name="Block">The newest block that was read and is still on it.</param>
    public sealed record Reorganised(ulong Block) : PeerEvent
    {
        public override string ToString() => Text($"the chain was reorganised after block {Block}; goes on from there");
    }

    public sealed record Opened(ulong Round, string Transaction, ulong Gas) : PeerEvent
    {
        public override string ToString() => Text($"round {Round}: opened, {Gas:N0} gas");
    }

    /// <param name="StepsBefore">Steps that were done before the peer was stopped or killed.</param>
    public sealed record TrainingStarted(ulong Round, string Factor, int Records, int CutRecords, int StepsBefore, int Steps) : PeerEvent
    {
        public override string ToString() => StepsBefore == 0
            ? Text($"round {Round}: training {Steps} steps on {Records} records ({CutRecords} cut to the context), factor {Factor}")
            : Text($"round {Round}: goes on training after step {StepsBefore} of {Steps}, factor {Factor}");
    }

    public sealed record Training(ulong Round, int Step, int Steps, double Loss, double TokensPerSecond) : PeerEvent
    {
        public override string ToString() => Text($"round {Round}: step {Step}/{Steps}, loss {Loss:F3}, {TokensPerSecond:N0} tokens/s");
    }

    /// <param name="BaseModelLoss">Validation loss of the untouched base model, nats per token.</param>
    /// <param name="RoundBaseLoss">Of the adapter that the round started from.</param>
    /// <param name="ResultLoss">Of what training made of it.</param>
    /// <param name="OwnLoss">Of that with the institution's own adapter beside it; null where it has none.</param>
    public sealed record Trained(ulong Round, double BaseModelLoss, double RoundBaseLoss, double ResultLoss, double? OwnLoss, double Seconds) : PeerEvent
    {
        public override string ToString() => OwnLoss is null
            ? Text($"round {Round}: trained in {Seconds:F1} s; validation loss {BaseModelLoss:F3} (base model), {RoundBaseLoss:F3} (round's base) -> {ResultLoss:F3}")
            : Text($"round {Round}: trained in {Seconds:F1} s; validation loss {BaseModelLoss:F3} (base model), {RoundBaseLoss:F3} (round's base) -> {ResultLoss:F3}, {OwnLoss:F3} with the own adapter");
    }

    /// <summary>A loss or gradient was no number, so the member has nothing to submit in this round.</summary>
    /// <param name="Step">The step at which it was seen.</param>
    /// <param name="LastGoodStep">Updates up to which all was well.</param>
    public sealed record Diverged(ulong Round, int Step, int LastGoodStep, string Reason) : PeerEvent
    {
        public override string ToString() => Text($"round {Round}: nothing to submit, the training diverged. {Reason} The peer takes part in the next round; to train anew for this one, change the settings and start it again.");
    }

    public sealed record Submitted(ulong Round, string Manifest, string Payload, long Bytes, ulong Gas, string Transaction) : PeerEvent
    {
        public override string ToString() => Text($"round {Round}: submitted {Manifest}, payload {Bytes:N0} bytes, {Gas:N0} gas");
    }

    public sealed record UpdateHeld(ulong Round, uint Of, long Bytes, string From) : PeerEvent
    {
        public override string ToString() => Text($"round {Round}: holds the update of member {Of} ({Bytes:N0} bytes, {From})");
    }

    public sealed record UpdateRefused(ulong Round, uint Of, string Reason) : PeerEvent
    {
        public override string ToString() => Text($"round {Round}: refuses the update of member {Of}: {Reason}");
    }

    public sealed record HoldingsSigned(ulong Round, int Held, int Submissions) : PeerEvent
    {
        public override string ToString() => Text($"round {Round}: signed that it holds {Held} of {Submissions} updates");
    }

    public sealed record Published(ulong Round, int Turn, string Manifest, string Aggregate, int Included, ulong Gas, string Transaction) : PeerEvent
    {
        public override string ToString() => Text($"round {Round}: published the aggregate of {Included} updates in turn {Turn}: {Aggregate}, {Gas:N0} gas");
    }

    public sealed record Attested(ulong Round, int Turn, bool Valid, string Reason, ulong Gas, string Transaction) : PeerEvent
    {
        public override string ToString() => Text($"round {Round}: attested the candidate of turn {Turn} as {(Valid ? "valid" : "INVALID")} ({Reason}), {Gas:N0} gas");
    }

    public sealed record RoundEnded(ulong Round, bool Finalised, string Aggregate) : PeerEvent
    {
        public override string ToString() => Finalised ? Text($"round {Round}: finalised, adapter {Aggregate}") : Text($"round {Round}: aborted; the next one starts from the same base");
    }

    /// <summary>A rotation that the chain shows was finished at the start.</summary>
    /// <param name="Key">"operator" or "age".</param>
    /// <param name="Now">The new address or recipient.</param>
    public sealed record KeyRotated(string Key, string Now) : PeerEvent
    {
        public override string ToString() => Text($"the {Key} key is {Now} now; the old one is kept");
    }

    /// <summary>A vote replaced the Rounds contract, and the peer goes on with its successor.</summary>
    public sealed record Succeeded(string Rounds, string Previous) : PeerEvent
    {
        public override string ToString() => Text($"the federation's rounds go on at the contract {Rounds}, which takes the place of {Previous}");
    }

    /// <summary>None of the home's keys opened the seat's commitment, so another was made.</summary>
    public sealed record Recommitted(ulong FromRound, ulong Gas, string Transaction) : PeerEvent
    {
        public override string ToString() => Text($"none of this home's keys opens the seat's commitment; made another, which holds from round {FromRound} on, {Gas:N0} gas");
    }

    /// <summary>This seat submitted an update that this home doesn't hold: it was restored from a backup made before.</summary>
    public sealed record UpdateMissing(ulong Round, string Manifest) : PeerEvent
    {
        public override string ToString() => Text($"round {Round}: the update that this seat submitted as {Manifest} is not in this home; it isn't submitted again, and asked of the others, who hold it if it was served after the close");
    }

    /// <summary>What this member is to serve, and its store lacked, is there again.</summary>
    /// <param name="Which">Which files these are, or where they came from.</param>
    public sealed record Restocked(int Files, string Which) : PeerEvent
    {
        public override string ToString() => Text($"put {Files:N0} files that were missing into the store again: {Which}");
    }

    /// <summary>What a finalised round's global adapter is worth to this institution.</summary>
    /// <param name="Loss">On its own validation set, nats per token.</param>
    /// <param name="BestRound">The round whose adapter was best before; 0 for the base model, null if nothing was measured before.</param>
    /// <param name="BestLoss">The loss of that one.</param>
    public sealed record AdapterMeasured(ulong Round, double Loss, ulong? BestRound, double? BestLoss) : PeerEvent
    {
        [JsonIgnore]
        public bool IsWorse => Loss > BestLoss;

        /// <summary>The finding alone, and what can be done about it.</summary>
        [JsonIgnore]
        public string InWords
        {
            get
            {
                var digits = Math.Abs(Loss - BestLoss ?? 1) < 0.001 ? "F6" : "F3";
                var (loss, best) = (Loss.ToString(digits, CultureInfo.InvariantCulture), BestLoss?.ToString(digits, CultureInfo.InvariantCulture));
                var (other, name) = BestRound is > 0 ? ($"round {BestRound}'s", $"round:{BestRound}") : ("the base model alone", "none");
                return IsWorse
                    ? $"round {Round}'s adapter is worse on this institution's own validation set ({loss}) than {other} ({best}) nats per token; 'fedchain adapter keep {name}' keeps using that"
                    : $"round {Round}'s adapter has {loss} nats per token on this institution's own validation set{(best is null ? "" : $", the best so far; before, {other}: {best}")}";
            }
        }

        public override string ToString() => Text($"{InWords}");
    }

    /// <summary>The global adapter of <paramref name="Round"/>, which this home had not recomputed, was opened: sealed by its aggregator, or anew by another member.</summary>
    public sealed record AdapterObtained(ulong Round, string Adapter, string From) : PeerEvent
    {
        public override string ToString() => Text($"round {Round}: opened its adapter {Adapter}, {From}");
    }

    /// <summary>The velocity that server momentum carries on from <paramref name="Round"/>, which this home had not recomputed, was opened, likewise.</summary>
    public sealed record VelocityObtained(ulong Round, string Velocity, string From) : PeerEvent
    {
        public override string ToString() => Text($"round {Round}: opened its velocity {Velocity}, {From}");
    }

    /// <summary>The operator has paused the peer, or it was started so.</summary>
    public sealed record Paused(DateTimeOffset Since, string? Reason) : PeerEvent
    {
        public override string ToString() => Text($"paused{(Reason is null ? "" : $" ({Reason})")}: submits to no round until 'fedchain node resume', and sees through what it has submitted");
    }

    public sealed record Resumed : PeerEvent
    {
        public override string ToString() => Text($"resumed");
    }

    /// <summary>It was asked to end, and what was under way is given up or done; started again, it goes on from there.</summary>
    /// <param name="GivenUp">What was under way.</param>
    public sealed record Stopped(IReadOnlyList<string> GivenUp) : PeerEvent
    {
        public override string ToString() => Text($"stopped{(GivenUp.Count == 0 ? "" : $" while {string.Join(", ", GivenUp)}")}; started again, it goes on from there");
    }

    /// <summary>Something didn't work and will be tried again, unless <paramref name="Final"/>.</summary>
    public sealed record Trouble(string What, string Reason, bool Final) : PeerEvent
    {
        public override string ToString() => Text($"{(Final ? "failed" : "will retry")}: {What}: {Reason}");
    }

    private string Text(FormattableString text) =>
        $"{At.ToLocalTime():HH:mm:ss} member {Member}  {text.ToString(CultureInfo.InvariantCulture)}";
}
