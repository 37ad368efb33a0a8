using System.Diagnostics;
using System.Globalization;

namespace FedChain.Network;

/// <summary>The places before and after each effect of a peer where a test can kill it. Named by what has just been done, or is about to be.</summary>
public enum CrashPoint
{
    /// <summary>A file's bytes are on the disk under another name; nothing is known of it.</summary>
    FileWritten,

    /// <summary>The file has its name; that may not have reached the disk.</summary>
    FileNamed,

    /// <summary>Likewise a file that is sealed.</summary>
    SealedFileWritten,

    HomeSwept,

    LogIndexing,
    LogIndexed,

    /// <summary>The transaction is signed and not written down; so of each kind in <see cref="Crash.TransactionKinds"/>.</summary>
    TransactionSigned,
    TransactionNoted,
    TransactionSent,
    TransactionSeen,

    BlocksWritten,
    BlocksFlushed,
    BlocksNamed,
    ContentAdded,
    ContentPinned,

    GenesisMade,
    TrainingBegun,
    TrainingDone,
    LossNoted,
    PlaintextWritten,
    ResidualWritten,
    UpdateSealed,
    UpdateWritten,

    UpdateExposing,
    UpdateStored,
    UpdateManifestStored,
    UpdateKept,
    UpdateExposed,

    ForeignUpdateOpened,
    ForeignUpdateKept,
    ForeignUpdateHeld,

    HoldingsSigned,
    HoldingsWritten,
    HoldingsFetched,
    HoldingsKept,

    AggregateMade,
    AggregateWritten,
    AggregateStored,
    VelocityWritten,
    VelocityStored,
    GlobalManifestStored,
    Published,

    CandidateChecking,
    CandidateRecomputed,
    CandidateKept,
    VerdictWritten,

    AdapterFetched,
    AdapterKept,
    VelocityFetched,
    VelocityKept,

    Collecting,
    BlockDeleted,
    UpdateFileDeleted,
    Collected,
}

/// <summary>
/// Kills this process at a <see cref="CrashPoint"/>, as SIGKILL does: nothing is finished, flushed or told. The variable <see cref="Variable"/> says where,
/// as <c>NAME</c>, <c>NAME/KIND</c> for transactions, or <c>NAME=N</c> for the N-th time that it is passed; several are separated by commas. It is for
/// tests; without it a point costs the look at one field.
/// </summary>
public static class Crash
{
    public const string Variable = "FEDCHAIN_CRASH_AT";

    /// <summary>What the last line on standard error begins with; the point's name follows.</summary>
    public const string LastWords = "Crash point ";

    private static readonly Lock Gate = new();

    /// <summary>The kinds of transactions whose points are told apart.</summary>
    public static IReadOnlyList<string> TransactionKinds { get; } = ["open", "submit", "publish", "attest"];

    /// <summary>Every point's name.</summary>
    public static IReadOnlyList<string> Points { get; } =
    [
        .. Enum.GetValues<CrashPoint>().SelectMany(p => IsOfTransactions(p) ? TransactionKinds.Select(kind => $"{p}/{kind}") : [p.ToString()]),
    ];

    // After what it is held against: initialisers run in this order.
    private static readonly Dictionary<string, int>? Armed = Parse(Environment.GetEnvironmentVariable(Variable));

    /// <param name="kind">Of a transaction; null where <paramref name="point"/> is none of these.</param>
    public static void At(CrashPoint point, string? kind = null)
    {
        if (Armed is not null)
        {
            Pass(kind is null ? point.ToString() : $"{point}/{kind}");
        }
    }

    private static bool IsOfTransactions(CrashPoint point) =>
        point is CrashPoint.TransactionSigned or CrashPoint.TransactionNoted or CrashPoint.TransactionSent or CrashPoint.TransactionSeen;

    private static void Pass(string name)
    {
        lock (Gate)
        {
            if (!Armed!.TryGetValue(name, out var times))
            {
                return;
            }

            if (times > 1)
            {
                Armed[name] = times - 1;
                return;
            }

            Console.Error.WriteLine(LastWords + name);
            Process.GetCurrentProcess().Kill();
            using var never = new ManualResetEvent(initialState: false);
            never.WaitOne(); // the signal is on its way
        }
    }

    /// <exception cref="FormatException">A name that no point has, or no number.</exception>
    private static Dictionary<string, int>? Parse(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        var armed = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var entry in text.Split(',', StringSplitOptions.TrimEntries))
        {
            var (name, times) = entry.Split('=') switch
            {
                [var alone] => (alone, 1),
                [var before, var after] when int.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n > 0 => (before, n),
                _ => throw new FormatException($"{Variable} takes NAME or NAME=N, N from 1 on; got '{entry}'."),
            };
            armed[Points.Contains(name) ? name : throw new FormatException($"{Variable} names '{name}', which is no crash point. They are: {string.Join(", ", Points)}.")] = times;
        }

        return armed;
    }
}
