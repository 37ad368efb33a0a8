using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using FedChain.Node.Homes;

namespace FedChain.Node.Study;

/// <summary>Everything that a study found, in figures.</summary>
public sealed record StudyReport
{
    public int V { get; init; } = 1;

    public required string Model { get; init; }

    public required string ModelDigest { get; init; }

    public required string DataDigest { get; init; }

    public required StudyBudget Budget { get; init; }

    /// <summary>Rank, alpha and targets of the adapter.</summary>
    public required string Adapter { get; init; }

    public required IReadOnlyList<InstitutionSummary> Institutions { get; init; }

    /// <summary>How many seeds were asked for; a method's own number is less where some failed.</summary>
    public required int Seeds { get; init; }

    public required IReadOnlyList<MethodSummary> Methods { get; init; }

    /// <summary>Methods that gave figures with no seed.</summary>
    public IReadOnlyList<MethodWithoutResult> NoResults { get; init; } = [];

    /// <summary>Runs that failed or lost contributions; those of the tuning are not among them.</summary>
    public IReadOnlyList<RunTrouble> Troubles { get; init; } = [];

    /// <summary>Every method's mean gain on the own test less that of <see cref="Reference"/>.</summary>
    public required IReadOnlyDictionary<string, Comparison> Comparisons { get; init; }

    /// <summary>What methods are compared with; null if none has figures.</summary>
    public required string? Reference { get; init; }

    /// <summary>Validation losses over the rounds.</summary>
    public required IReadOnlyList<LossCurve> Curves { get; init; }

    /// <summary>What each tried learning rate gave on validation records.</summary>
    public required IReadOnlyList<TuningResult> Tuning { get; init; }

    /// <summary>Gains on institutions that took no part in the training, beside those that did.</summary>
    public IReadOnlyList<UnseenResult> Unseen { get; init; } = [];

    /// <summary>Gains of the honest members with dishonest ones among them.</summary>
    public IReadOnlyList<AttackResult> Attacks { get; init; } = [];

    private static JsonSerializerOptions Json { get; } = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>Writes study.json, gains.csv, study.md and the plots.</summary>
    public void Write(string folder)
    {
        Directory.CreateDirectory(folder);
        AtomicFile.Write(Path.Combine(folder, "study.json"), JsonSerializer.SerializeToUtf8Bytes(this, Json));
        AtomicFile.Write(Path.Combine(folder, "gains.csv"), Encoding.UTF8.GetBytes(Csv()));
        AtomicFile.Write(Path.Combine(folder, "study.md"), Encoding.UTF8.GetBytes(StudyTables.Markdown(this)));
        StudyPlots.Write(this, folder);
    }

    /// <summary>A line for every model and test: method, model, institution, gain. Fields are quoted as RFC 4180 has it.</summary>
    internal string Csv()
    {
        var text = new StringBuilder("method,model,test,gain_bits_per_byte\n");
        foreach (var method in Methods)
        {
            foreach (var (model, row) in method.Matrix)
            {
                foreach (var (test, gain) in row)
                {
                    text.Append(CultureInfo.InvariantCulture, $"{Field(method.Name)},{Field(model)},{Field(test)},{gain:F4}\n");
                }
            }
        }

        return text.ToString();

        static string Field(string text) => text.AsSpan().IndexOfAny("\",\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"")}\"";
    }
}

/// <param name="Base">Bits per byte of the untouched model on its test.</param>
public sealed record InstitutionSummary(string Name, int TrainRecords, int ValidationRecords, int TestRecords, double Base);

/// <param name="Reason">Of the first seed.</param>
public sealed record MethodWithoutResult(string Method, string Reason);

/// <param name="Validation">Mean bits per byte on the participants' own validation records; NaN where training failed.</param>
/// <param name="Chosen">Whether the method goes on with it.</param>
public sealed record TuningResult(string Method, double LearningRate, double Validation, bool Chosen);

/// <param name="Institution">Who took no part.</param>
/// <param name="Gain">Of the model that the others made, on its test; NaN if they made none.</param>
/// <param name="SeenGain">Of the model that all made together; NaN if they made none.</param>
public sealed record UnseenResult(string Method, string Institution, double Gain, double SeenGain);

/// <param name="Attack">Who did what.</param>
/// <param name="Gain">Mean over the honest members; NaN if there is no figure.</param>
/// <param name="CleanGain">The same members' without an attack; NaN if there is no figure.</param>
/// <param name="Failure">Why the attack's run gave no figure, if it gave none.</param>
public sealed record AttackResult(string Method, string Attack, double Gain, double CleanGain, string? Failure);

/// <param name="Points">One for each round.</param>
public sealed record LossCurve(string Method, IReadOnlyList<LossPoint> Points);

/// <param name="Steps">Local steps that each institution has done.</param>
/// <param name="Mean">Bits per byte on the own validation records, mean over institutions and seeds.</param>
/// <param name="Deviation">Standard deviation, over institutions, of the change since the first round.</param>
public sealed record LossPoint(double Steps, double Mean, double Deviation);
