using System.Collections.Immutable;
using System.Runtime.InteropServices;
using FedChain.Learning.Models;
using FedChain.Protocol.Files;

namespace FedChain.Learning.Training;

/// <summary>Named float32 vectors and what belongs to them in one safetensors file: what a training leaves behind for a later one.</summary>
internal static class VectorFile
{
    public static void Write(Stream stream, IReadOnlyDictionary<string, float[]> vectors, IReadOnlyDictionary<string, string> metadata)
    {
        var header = SafetensorsHeader.Create(vectors.Select(v => (v.Key, TensorType.Float32, ImmutableArray.Create((long)v.Value.Length))), metadata);
        stream.Write(header.ToBytes());
        foreach (var entry in header.Tensors)
        {
            stream.Write(MemoryMarshal.AsBytes(vectors[entry.Name].AsSpan()));
        }
    }

    /// <exception cref="InvalidDataException">The file is missing or malformed.</exception>
    /// <exception cref="FormatException">Its <c>format</c> isn't the one expected, or it holds something other than vectors of float32.</exception>
    public static (IReadOnlyDictionary<string, float[]> Vectors, IReadOnlyDictionary<string, string> Metadata) Read(string path, string format)
    {
        var header = WeightFiles.ReadHeader(path);
        if (header.Metadata.GetValueOrDefault("format") != format || header.Tensors.Any(t => t.Type != TensorType.Float32 || t.Count > AdapterLayout.MaxElements))
        {
            throw new FormatException($"{path} is no {format}.");
        }

        using var reader = new WeightReader(path, header);
        return (header.Tensors.ToDictionary(t => t.Name, t =>
        {
            var values = new float[t.Count];
            reader.Read(t, values);
            return values;
        }), header.Metadata);
    }
}
