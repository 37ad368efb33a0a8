using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using FedChain.Learning.Models;
using FedChain.Protocol.Files;

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

    internal double FirstLoss { get; init; }

    internal long Tokens { get; init; }

    internal long ResponseTokens { get; init; }

    /// <summary>Named vectors: the parameters now, a step ago and at the beginning, and the optimiser's two.</summary>
    internal IReadOnlyDictionary<string, float[]> Vectors { get; init; } = new Dictionary<string, float[]>();

    /// <summary>Writes it as one safetensors file, which replaces another of that name only when it is complete.</summary>
    public void Save(string path)
    {
        var header = SafetensorsHeader.Create(
            Vectors.Select(v => (v.Key, TensorType.Float32, ImmutableArray.Create((long)v.Value.Length))),
            new Dictionary<string, string>
            {
                ["format"] = What,
                ["step"] = Step.ToString(CultureInfo.InvariantCulture),
                ["run"] = Run,
                ["firstLoss"] = FirstLoss.ToString("R", CultureInfo.InvariantCulture),
                ["tokens"] = Tokens.ToString(CultureInfo.InvariantCulture),
                ["responseTokens"] = ResponseTokens.ToString(CultureInfo.InvariantCulture),
            });
        var temporary = $"{path}.{Guid.NewGuid():N}";
        using (var stream = File.Create(temporary))
        {
            stream.Write(header.ToBytes());
            foreach (var entry in header.Tensors)
            {
                stream.Write(MemoryMarshal.AsBytes(Vectors[entry.Name].AsSpan()));
            }
        }

        File.Move(temporary, path, overwrite: true);
    }

    /// <exception cref="InvalidDataException">The file is missing, malformed, or no checkpoint of a training.</exception>
    public static TrainingCheckpoint Load(string path)
    {
        var header = WeightFiles.ReadHeader(path);
        try
        {
            if (header.Metadata["format"] != What || header.Tensors.Any(t => t.Type != TensorType.Float32 || t.Count > AdapterLayout.MaxElements))
            {
                throw new FormatException();
            }

            using var reader = new WeightReader(path, header);
            var vectors = header.Tensors.ToDictionary(t => t.Name, t =>
            {
                var values = new float[t.Count];
                reader.Read(t, values);
                return values;
            });
            return new()
            {
                Step = int.Parse(header.Metadata["step"], NumberStyles.None, CultureInfo.InvariantCulture),
                Run = header.Metadata["run"],
                FirstLoss = double.Parse(header.Metadata["firstLoss"], CultureInfo.InvariantCulture),
                Tokens = long.Parse(header.Metadata["tokens"], NumberStyles.None, CultureInfo.InvariantCulture),
                ResponseTokens = long.Parse(header.Metadata["responseTokens"], NumberStyles.None, CultureInfo.InvariantCulture),
                Vectors = vectors,
            };
        }
        catch (Exception e) when (e is KeyNotFoundException or FormatException or OverflowException)
        {
            throw new InvalidDataException($"{path} is no checkpoint of a training. Start the training anew, or name the file that it saved.", e);
        }
    }
}

/// <summary>How a training can be interrupted and gone on with.</summary>
/// <param name="From">Where to go on; null for the beginning.</param>
/// <param name="Every">After so many steps, and where it is cancelled between steps, <paramref name="Save"/> is called; at least 1.</param>
/// <param name="Save">Takes the checkpoint, for instance to a file.</param>
public sealed record TrainingResumption(TrainingCheckpoint? From, int Every, Action<TrainingCheckpoint> Save);
