using System.Collections.Immutable;
using System.Text.Json;
using FedChain.Protocol.Files;
using static TorchSharp.torch;

namespace FedChain.Learning.Models;

/// <summary>
/// The weights in a model's folder: <c>model.safetensors</c>, or shards listed by <c>model.safetensors.index.json</c>.
/// </summary>
internal static class WeightFiles
{
    public const string SingleFile = "model.safetensors";
    public const string IndexFile = "model.safetensors.index.json";

    private const int PieceElements = 1 << 20;

    /// <summary>
    /// The files of a folder, with headers that fit each other, the files' lengths and the parameters expected. Nothing else is read or allocated.
    /// </summary>
    /// <param name="directory">The model's folder.</param>
    /// <param name="expected">Names and tensors of the shapes expected; their values aren't looked at.</param>
    /// <param name="ignored">Names that may be in the files and aren't needed.</param>
    /// <exception cref="InvalidDataException">A file is missing or malformed, a tensor missing, unexpected, or of another shape or type; the message names it.</exception>
    public static List<(string File, SafetensorsHeader Header)> Open(string directory, IReadOnlyDictionary<string, Tensor> expected, Func<string, bool> ignored)
    {
        var files = Files(directory).ConvertAll(file => (File: file, Header: ReadHeader(file)));
        Check(directory, files, expected, ignored);
        return files;
    }

    /// <summary>Fills the parameters from files that <see cref="Open"/> checked.</summary>
    /// <exception cref="InvalidDataException">A weight is NaN or infinite; the message names the tensor.</exception>
    public static void Load(
        List<(string File, SafetensorsHeader Header)> files, IReadOnlyDictionary<string, Tensor> parameters, IReadOnlyDictionary<string, QuantizedWeight> quantized)
    {
        foreach (var (file, header) in files)
        {
            using var reader = new WeightReader(file, header);
            foreach (var entry in header.Tensors)
            {
                if (parameters.TryGetValue(entry.Name, out var parameter))
                {
                    reader.Fill(entry, parameter);
                }
                else if (quantized.TryGetValue(entry.Name, out var weight))
                {
                    reader.Fill(entry, weight);
                }
            }
        }
    }

    /// <summary>Writes tensors as one canonical safetensors file, in float32 or bfloat16 (rounded to nearest, ties to even).</summary>
    public static void Write(string file, IReadOnlyDictionary<string, Tensor> tensors, TensorType type)
    {
        var header = SafetensorsHeader.Create(tensors.Select(t => (t.Key, type, ImmutableArray.Create(t.Value.shape))), [new("format", "pt")]);
        var temporary = $"{file}.{Guid.NewGuid():N}";
        using (var stream = File.Create(temporary))
        {
            stream.Write(header.ToBytes());
            foreach (var entry in header.Tensors)
            {
                Write(stream, tensors[entry.Name], type);
            }
        }

        File.Move(temporary, file, overwrite: true);
    }

    /// <summary>Writes one tensor's values as F32, F16 or BF16, rounded to nearest, ties to even.</summary>
    public static void Write(Stream stream, Tensor tensor, TensorType type)
    {
        using var scope = NewDisposeScope();
        var stored = tensor.detach().to(type switch { TensorType.BFloat16 => bfloat16, TensorType.Float16 => float16, _ => float32 }).cpu().contiguous().reshape(-1);
        for (long at = 0; at < stored.NumberOfElements; at += PieceElements)
        {
            stream.Write(stored.narrow(0, at, Math.Min(PieceElements, stored.NumberOfElements - at)).bytes);
        }
    }

    private static List<string> Files(string directory)
    {
        var single = Path.Combine(directory, SingleFile);
        var index = Path.Combine(directory, IndexFile);
        return File.Exists(single) ? [single]
            : File.Exists(index) ? [.. Shards(index).Select(name => Path.Combine(directory, name)).Select(shard => File.Exists(shard) ? shard
                : throw new InvalidDataException($"The shard {shard} is missing; {IndexFile} names it. Get it from where the model came from."))]
            : throw new InvalidDataException($"The model folder {directory} has neither {SingleFile} nor {IndexFile}. Weights in other formats (such as .bin) must be converted to safetensors first.");
    }

    private static SortedSet<string> Shards(string index)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(index), new JsonDocumentOptions { MaxDepth = 16 });
            if (!document.RootElement.TryGetProperty("weight_map", out var map))
            {
                throw new InvalidDataException($"{index} has no weight_map.");
            }

            var names = new SortedSet<string>(map.EnumerateObject().Select(p => p.Value.GetString() ?? ""), StringComparer.Ordinal);
            return names.Count > 0 && names.All(n => n.Length > 0 && n == Path.GetFileName(n) && n is not ("." or ".."))
                ? names
                : throw new InvalidDataException($"The weight_map of {index} must name files in the same folder.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"{index} is not a well-formed index: {e.Message}", e);
        }
    }

    private static void Check(
        string directory, List<(string File, SafetensorsHeader Header)> files, IReadOnlyDictionary<string, Tensor> parameters, Func<string, bool> ignored)
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (file, entry) in files.SelectMany(f => f.Header.Tensors.Select(t => (f.File, Tensor: t))))
        {
            if (!found.TryAdd(entry.Name, file))
            {
                throw new InvalidDataException($"Tensor '{entry.Name}' is in {found[entry.Name]} and again in {file}.");
            }

            if (parameters.TryGetValue(entry.Name, out var parameter))
            {
                RequireFloats(entry);
                if (!entry.Shape.AsSpan().SequenceEqual(parameter.shape))
                {
                    throw new InvalidDataException($"{file}: tensor '{entry.Name}' has shape {entry.ShapeText}; {DecoderConfig.FileName} makes it [{string.Join(", ", parameter.shape)}].");
                }
            }
        }

        Refuse("lacks", [.. parameters.Keys.Where(name => !found.ContainsKey(name))], "the configuration asks for");
        Refuse("has", [.. found.Keys.Where(name => !parameters.ContainsKey(name) && !ignored(name)).Order(StringComparer.Ordinal)], "the configuration doesn't know");

        void Refuse(string verb, List<string> names, string reason)
        {
            if (names.Count > 0)
            {
                throw new InvalidDataException($"{directory} {verb} {names.Count} tensor(s) that {reason}: {string.Join(", ", names.Take(5))}{(names.Count > 5 ? ", …" : "")}.");
            }
        }
    }

    /// <summary>A file's header, checked against the file's length.</summary>
    /// <exception cref="InvalidDataException">The file is missing or malformed; the message names it.</exception>
    public static SafetensorsHeader ReadHeader(string file)
    {
        try
        {
            using var stream = OpenFile(file);
            return SafetensorsHeader.Read(stream, stream.Length);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{file}: {e.Message}", e);
        }
    }

    private static FileStream OpenFile(string file) => File.Exists(file)
        ? File.OpenRead(file)
        : throw new InvalidDataException($"The file {file} is missing.");

    /// <exception cref="InvalidDataException">The tensor isn't floating-point.</exception>
    public static void RequireFloats(SafetensorsTensor entry)
    {
        if (entry.Type is not (TensorType.Float32 or TensorType.Float16 or TensorType.BFloat16))
        {
            throw new InvalidDataException($"Tensor '{entry.Name}' is stored as {entry.Type.Code()}; supported: F32, F16, BF16.");
        }
    }
}
