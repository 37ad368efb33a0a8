using System.Text.Json;
using FedChain.Node.Homes;

namespace FedChain.Node.Study;

/// <summary>Results of runs in a folder, one file each, so that a study which was broken off goes on where it was.</summary>
internal sealed class RunStore(string folder)
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals };

    private string Folder => Path.Combine(folder, "runs");

    /// <exception cref="InvalidDataException">The file isn't a result.</exception>
    public RunResult? Find(StudyRun run, string fingerprint)
    {
        var path = PathOf(run, fingerprint);
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize<RunResult>(File.ReadAllBytes(path), Json) ?? throw new JsonException("The file says null.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path} is not a run's result: {e.Message} Delete it, and the run is done again.", e);
        }
    }

    public void Add(StudyRun run, RunResult result)
    {
        Directory.CreateDirectory(Folder);
        AtomicFile.Write(PathOf(run, result.Fingerprint), JsonSerializer.SerializeToUtf8Bytes(result, Json));
    }

    /// <summary>A method's name as a part of a file's: a variant's has colons.</summary>
    public static string FileName(string method) => string.Concat(method.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' ? c : '_'));

    private string PathOf(StudyRun run, string fingerprint) => Path.Combine(Folder, $"{FileName(run.Method.Name)}-{run.Seed}-{fingerprint}.json");
}
