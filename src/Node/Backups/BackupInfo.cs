using System.Text.Json;

namespace FedChain.Node.Backups;

/// <summary>What a backup says about itself, in its first entry.</summary>
/// <param name="V">The layout's version, 1.</param>
/// <param name="MadeAt">When it was begun.</param>
/// <param name="Name">The institution's.</param>
/// <param name="ChainId">The chain, if the home was in a federation.</param>
/// <param name="Federation">The federation's address, likewise.</param>
internal sealed record BackupInfo(int V, DateTimeOffset MadeAt, string Name, ulong? ChainId, string? Federation)
{
    public const string FileName = "backup.json";

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public byte[] ToBytes() => [.. JsonSerializer.SerializeToUtf8Bytes(this, Json), (byte)'\n'];

    /// <exception cref="InvalidDataException">Not of version 1.</exception>
    public static BackupInfo Parse(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return JsonSerializer.Deserialize<BackupInfo>(bytes, Json) is { V: 1 } info ? info
                : throw new InvalidDataException($"{FileName} is of another version than 1. A newer fedchain made this backup; restore it with that one.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{FileName} can't be read: {e.Message}", e);
        }
    }
}
