using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.Json;
using FedChain.Protocol.Files;
using TorchSharp;
using static TorchSharp.torch;

namespace FedChain.Learning.Models;

/// <summary>
/// The weights in a model's folder: <c>model.safetensors</c>, or shards listed by <c>model.safetensors.index.json</c>. Read into float32 tensors,
/// piece by piece, so that no more than one piece is in memory twice.
/// </summary>
internal static class WeightFiles
{
    public const string SingleFile = "model.safetensors";
    public const string IndexFile = "model.safetensors.index.json";

    private const int PieceElements = 1 << 20;

    /// <summary>Fills every one of <paramref name="parameters"/> from the folder.</summary>
    /// <param name="directory">The model's folder.</param>
    /// <param name="parameters">Names and float32 tensors of the shapes expected.</param>
    /// <param name="ignored">Names that may be in the files and aren't needed.</param>
    /// <exception cref="InvalidDataException">A file is missing or malformed, a tensor missing, unexpected, or of another shape or type; the message names it.</exception>
    public static void Load(string directory, IReadOnlyDictionary<string, Tensor> parameters, Func<string, bool> ignored)
    {
        var files = Files(directory).Select(file => (File: file, Header: ReadHeader(file))).ToList();
        Check(directory, files, parameters, ignored);
        foreach (var (file, header) in files)
        {
            using var stream = Open(file);
            foreach (var entry in header.Tensors.Where(t => parameters.ContainsKey(t.Name)))
            {
                stream.Position = header.DataOffset + entry.Offset;
                Fill(stream, entry, parameters[entry.Name]);
            }
        }
    }

    /// <summary>All tensors of one file, in float32, on the CPU.</summary>
    /// <exception cref="InvalidDataException">The file is missing, malformed, or holds something that isn't floating-point.</exception>
    public static Dictionary<string, Tensor> ReadFloats(string file)
    {
        var header = ReadHeader(file);
        using var stream = Open(file);
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var entry in header.Tensors)
        {
            ElementBytes(entry);
            var tensor = empty([.. entry.Shape], float32);
            stream.Position = header.DataOffset + entry.Offset;
            Fill(stream, entry, tensor);
            tensors.Add(entry.Name, tensor);
        }

        return tensors;
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
                using var scope = NewDisposeScope();
                var stored = tensors[entry.Name].detach().to(type == TensorType.BFloat16 ? bfloat16 : float32).cpu().contiguous().reshape(-1);
                for (long at = 0; at < entry.Count; at += PieceElements)
                {
                    stream.Write(stored.narrow(0, at, Math.Min(PieceElements, entry.Count - at)).bytes);
                }
            }
        }

        File.Move(temporary, file, overwrite: true);
    }

    private static List<string> Files(string directory)
    {
        var single = Path.Combine(directory, SingleFile);
        var index = Path.Combine(directory, IndexFile);
        return File.Exists(single) ? [single]
            : File.Exists(index) ? [.. Shards(index).Select(name => Path.Combine(directory, name))]
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
                ElementBytes(entry);
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

    private static SafetensorsHeader ReadHeader(string file)
    {
        try
        {
            using var stream = Open(file);
            return SafetensorsHeader.Read(stream, stream.Length);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{file}: {e.Message}", e);
        }
    }

    private static FileStream Open(string file) => File.Exists(file)
        ? File.OpenRead(file)
        : throw new InvalidDataException($"The file {file} is missing.");

    private static int ElementBytes(SafetensorsTensor entry) => entry.Type is TensorType.Float32 or TensorType.Float16 or TensorType.BFloat16
        ? entry.Type.Size()
        : throw new InvalidDataException($"Tensor '{entry.Name}' is stored as {entry.Type.Code()}; supported: F32, F16, BF16.");

    private static void Fill(Stream stream, SafetensorsTensor entry, Tensor target)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var onCpu = target.device_type == DeviceType.CPU && target.is_contiguous() ? target.detach() : empty(target.shape, float32);
        var flat = onCpu.reshape(-1);
        var buffer = new byte[Math.Min(PieceElements, entry.Count) * ElementBytes(entry)];
        for (long at = 0; at < entry.Count; at += PieceElements)
        {
            var count = (int)Math.Min(PieceElements, entry.Count - at);
            var stored = buffer.AsSpan(0, count * entry.Type.Size());
            stream.ReadExactly(stored);
            var values = MemoryMarshal.Cast<byte, float>(flat.narrow(0, at, count).bytes);
            switch (entry.Type)
            {
                case TensorType.Float32:
                    MemoryMarshal.Cast<byte, float>(stored).CopyTo(values);
                    break;
                case TensorType.BFloat16:
                    var upperHalves = MemoryMarshal.Cast<byte, ushort>(stored);
                    for (var i = 0; i < count; i++)
                    {
                        values[i] = BitConverter.UInt32BitsToSingle((uint)upperHalves[i] << 16);
                    }

                    break;
                default:
                    var halves = MemoryMarshal.Cast<byte, Half>(stored);
                    for (var i = 0; i < count; i++)
                    {
                        values[i] = (float)halves[i];
                    }

                    break;
            }
        }

        if (target.device_type != DeviceType.CPU)
        {
            target.copy_(onCpu);
        }
    }
}
