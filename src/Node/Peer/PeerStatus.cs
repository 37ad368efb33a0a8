using System.Text.Json;
using System.Text.Json.Serialization;

namespace FedChain.Node.Peer;

/// <summary>How a peer fares. <see cref="Slow"/> goes on and may come too late; <see cref="Stalled"/> doesn't go on.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PeerCondition>))]
public enum PeerCondition
{
    Ok,

    /// <summary>By its operator; see <see cref="Pause"/>.</summary>
    Paused,

    /// <summary>The training makes progress, but at its pace ends after the submissions are closed.</summary>
    Slow,

    /// <summary>The chain can't be read.</summary>
    Offline,

    /// <summary>Nothing has gone on for longer than anything takes.</summary>
    Stalled,
}

/// <summary>What a peer is doing and whether it gets on; served as JSON.</summary>
/// <param name="Condition">In one word.</param>
/// <param name="Why">In a sentence; empty where all is well.</param>
/// <param name="Member">The seat.</param>
/// <param name="Round">The current round; 0 before the first.</param>
/// <param name="Phase">Its phase, as in "Training"; empty before the first round.</param>
/// <param name="PhaseSecondsLeft">To the end of the phase by time; null where it has none.</param>
/// <param name="Block">The latest block seen.</param>
/// <param name="ChainSecondsAgo">Since the chain was last read.</param>
/// <param name="Doing">Actions under way.</param>
/// <param name="Training">The training under way, or null.</param>
/// <param name="Trouble">What failed last and was not repeated with success since the start of the round; null if nothing.</param>
public sealed record PeerStatus(
    PeerCondition Condition, string Why, uint Member, ulong Round, string Phase, double? PhaseSecondsLeft, ulong Block, double ChainSecondsAgo,
    IReadOnlyList<string> Doing, TrainingPace? Training, string? Trouble)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Whether restarting the peer, or mending its surroundings, is called for.</summary>
    [JsonIgnore]
    public bool IsHealthy => Condition is not (PeerCondition.Offline or PeerCondition.Stalled);

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Json);
}

/// <param name="Step">Steps done.</param>
/// <param name="Steps">Of so many.</param>
/// <param name="SecondsPerStep">On average; null before the second.</param>
/// <param name="ProgressSecondsAgo">Since the last step, or since the training began.</param>
/// <param name="SecondsLeft">To its end, at this pace; null before the second step.</param>
public sealed record TrainingPace(int Step, int Steps, double? SecondsPerStep, double ProgressSecondsAgo, double? SecondsLeft);
