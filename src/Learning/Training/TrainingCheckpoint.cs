using System.Globalization;

namespace FedChain.Learning.Training;

/// <summary>A training between two steps: from here it goes on to the same bits, on the CPU with as many threads, as if it had never stopped.</summary>
public sealed record TrainingCheckpoint
{
    private const string What = "fedchain training checkpoint";

    internal TrainingCheckpoint()
    {
    }

    /// <summary>Steps done.</summary>
    public int Step { get; init; }

    /// <summary>The training's options and data, so that it isn't gone on with others.</summary>
    internal string Run { get; init; } = "";

    /// <summary>Updates that the optimiser remembers: more than the steps done where it went on from an earlier training.</summary>
    internal int OptimiserSteps { get; init; }

    internal double FirstLoss { get; init; }

    internal long Tokens { get; init; }

    internal long ResponseTokens { get; init; }

    /// <summary>Named vectors: the parameters now, a step ago and at the beginning, and the optimiser's two.</summary>
    internal IReadOnlyDictionary<string, float[]> Vectors { get; init; } = new Dictionary<string, float[]>();

    /// <summary>Writes it as one safetensors file.</summary>
    public void Write(Stream stream) => VectorFile.Write(stream, Vectors, new Dictionary<string, string>
    {
        ["format"] = What,
        ["step"] = Step.ToString(CultureInfo.InvariantCulture),
        ["optimiserSteps"] = OptimiserSteps.ToString(CultureInfo.InvariantCulture),
        ["run"] = Run,
        ["firstLoss"] = FirstLoss.ToString("R", CultureInfo.InvariantCulture),
        ["tokens"] = Tokens.ToString(CultureInfo.InvariantCulture),
        ["responseTokens"] = ResponseTokens.ToString(CultureInfo.InvariantCulture),
    });

    /// <exception cref="InvalidDataException">The file is missing, malformed, or no checkpoint of a training.</exception>
    public static TrainingCheckpoint Load(string path)
    {
        try
        {
            var (vectors, metadata) = VectorFile.Read(path, What);
            return new()
            {
                Step = Number("step"),
                OptimiserSteps = Number("optimiserSteps"),
                Run = metadata["run"],
                FirstLoss = double.Parse(metadata["firstLoss"], CultureInfo.InvariantCulture),
                Tokens = long.Parse(metadata["tokens"], NumberStyles.None, CultureInfo.InvariantCulture),
                ResponseTokens = long.Parse(metadata["responseTokens"], NumberStyles.None, CultureInfo.InvariantCulture),
                Vectors = vectors,
            };

            int Number(string name) => int.Parse(metadata[name], NumberStyles.None, CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is KeyNotFoundException or FormatException or OverflowException)
        {
            throw new InvalidDataException($"{path} is no checkpoint of a training. Start the training anew, or name the file that it saved.", e);
        }
    }
}

/// <summary>A checkpoint of a training with other options, examples or weights to train.</summary>
public sealed class CheckpointMismatchException()
    : ArgumentException("The checkpoint is of a training with other options, examples or weights to train. Give it what that one was given, or start anew.");

/// <summary>How a training can be interrupted and gone on with.</summary>
/// <param name="From">Where to go on; null for the beginning.</param>
/// <param name="Every">After so many steps, and where it is cancelled between steps, <paramref name="Save"/> is called; at least 1.</param>
/// <param name="Save">Takes the checkpoint, for instance to a file.</param>
public sealed record TrainingResumption(TrainingCheckpoint? From, int Every, Action<TrainingCheckpoint> Save);
