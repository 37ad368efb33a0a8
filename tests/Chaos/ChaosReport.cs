using System.Globalization;
using System.Text;

namespace FedChain.Chaos;

/// <summary>What came of a run.</summary>
internal sealed record ChaosReport
{
    public required int Rounds { get; init; }

    public required int Finalised { get; init; }

    public required int Aborted { get; init; }

    public required int Kills { get; init; }

    public required int AggregatorKills { get; init; }

    /// <summary>Members that ended without being killed, as "member 3: what it said".</summary>
    public required IReadOnlyList<string> Ended { get; init; }

    /// <summary>
    /// Updates that were written and not submitted as they were, or not at all though there was time, checks of the history that didn't hold, members without the last
    /// adapter.
    /// </summary>
    public required IReadOnlyList<string> Lost { get; init; }

    /// <summary>What somebody sent twice.</summary>
    public required IReadOnlyList<string> Duplicates { get; init; }

    public required int ChecksHeld { get; init; }

    /// <summary>The most steps of training that a kill cost.</summary>
    public required int StepsLost { get; init; }

    /// <summary>The steps between two checkpoints: no kill may cost more.</summary>
    public required int CheckpointSteps { get; init; }

    /// <summary>Updates in the rounds, of as many as there could be.</summary>
    public required int Submissions { get; init; }

    public required int Possible { get; init; }

    public required TimeSpan Took { get; init; }

    public bool Holds => Finalised + Aborted == Rounds && Finalised > 0 && Ended.Count == 0 && Lost.Count == 0 && Duplicates.Count == 0 && StepsLost <= CheckpointSteps && ChecksHeld > 0;

    public override string ToString()
    {
        var text = new StringBuilder();
        Row("faults injected", $"{Kills} kills, {AggregatorKills} of them of the aggregator");
        Row("rounds", $"{Finalised} finalised, {Aborted} aborted, {Rounds - Finalised - Aborted} undecided");
        Row("updates submitted", $"{Submissions} of {Possible}");
        Row("most steps lost by a kill", $"{StepsLost} of at most {CheckpointSteps}");
        Row("ended by themselves", $"{Ended.Count}", Ended);
        Row("data lost", $"{Lost.Count}", Lost);
        Row("duplicates", $"{Duplicates.Count}", Duplicates);
        Row("checks of verify", $"{ChecksHeld} held");
        Row("took", $"{Took.TotalSeconds:F0} s");
        Row("all of it holds", $"{(Holds ? "yes" : "NO")}");
        return text.ToString().TrimEnd();

        void Row(string name, FormattableString value, IReadOnlyList<string>? details = null) => Line(name, value.ToString(CultureInfo.InvariantCulture), details);

        void Line(string name, string value, IReadOnlyList<string>? details)
        {
            text.Append(name.PadRight(28)).AppendLine(value);
            foreach (var detail in details ?? [])
            {
                text.Append("  ").AppendLine(detail);
            }
        }
    }
}
