using System.Text.Json;
using FedChain.Node.Homes;

namespace FedChain.Node.Peer;

/// <summary>
/// That the operator has paused this home's peer: the file <c>paused</c>, which holds since when and why. What a paused peer still does: docs/decisions/0023.
/// </summary>
/// <param name="Since">When it was paused.</param>
/// <param name="Reason">In the operator's words; null if none were given.</param>
public sealed record Pause(DateTimeOffset Since, string? Reason)
{
    public const string FileName = "paused";

    /// <summary>Null if the peer isn't paused. A file that can't be read pauses all the same: somebody put it there.</summary>
    public static Pause? Read(HomeFolder home)
    {
        var path = PathIn(home);
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize<Pause>(File.ReadAllBytes(path), JsonSerializerOptions.Web) ?? Unreadable(path) : null;
        }
        catch (FileNotFoundException)
        {
            return null; // taken away meanwhile
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            return Unreadable(path);
        }
    }

    public void Write(HomeFolder home) => AtomicFile.Write(PathIn(home), JsonSerializer.SerializeToUtf8Bytes(this, JsonSerializerOptions.Web));

    /// <returns>Whether it was paused.</returns>
    public static bool Remove(HomeFolder home)
    {
        var path = PathIn(home);
        var wasPaused = File.Exists(path);
        File.Delete(path);
        return wasPaused;
    }

    private static string PathIn(HomeFolder home) => Path.Combine(home.Path, FileName);

    private static Pause Unreadable(string path) => new(new DateTimeOffset(File.GetLastWriteTimeUtc(path)), $"{path} can't be read; 'fedchain node resume' removes it");
}
