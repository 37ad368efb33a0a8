using FedChain.Learning.Training;
using FedChain.Node.Homes;
using FedChain.Node.Peer;
using FedChain.Protocol.Files;

namespace FedChain.Node.Training;

/// <summary>
/// What training leaves in the home: while it goes on, a checkpoint from which it goes on after a kill to the same bits; after it, what its optimiser
/// remembers for the member's next round of the same factors. Files that can't be read count as absent: they cost steps, and never the round.
/// </summary>
internal sealed class TrainingFiles(TrainingTask task, AdapterConfig config)
{
    private const string Checkpoints = "training-";

    private readonly string _checkpoint = Path.Combine(task.Folder, $"{Checkpoints}{AdapterFile.Digest(task.Start)}.safetensors");
    private readonly string _memory = NameOf(task.Factors);
    private readonly string _of = WeightsOf(config, task.Factors);

    /// <summary>What the optimiser remembers of the latest round of a home in which both factors of such an adapter were trained; null if there is none.</summary>
    public static OptimiserMemory? LatestMemory(HomeFolder home, AdapterConfig config) => First(
        Directory.EnumerateFiles(home.RoundsPath, NameOf(Factors.Both), SearchOption.AllDirectories).OrderByDescending(File.GetLastWriteTimeUtc), WeightsOf(config, Factors.Both));

    /// <summary>This task's checkpoint, if there is one.</summary>
    public TrainingCheckpoint? Checkpoint() => ReadOrNull(_checkpoint, TrainingCheckpoint.Load);

    public void Save(TrainingCheckpoint checkpoint) => AtomicFile.Write(_checkpoint, checkpoint.Write, secret: true);

    /// <summary>What the optimiser remembers of the latest earlier round; nothing in the first.</summary>
    public OptimiserMemory Memory() => First(Earlier().Take(1), _of) ?? new OptimiserMemory();

    /// <summary>Notes what the optimiser remembers now. Of earlier rounds only the latest stays, from which this one would be trained again if the chain were reorganised.</summary>
    public void Keep(OptimiserMemory memory)
    {
        AtomicFile.Write(Path.Combine(task.Folder, _memory), file => memory.Write(file, _of), secret: true);
        foreach (var old in Earlier().Skip(1).Concat(Directory.EnumerateFiles(task.Folder, $"{Checkpoints}*")).ToList())
        {
            File.Delete(old);
        }
    }

    private static string NameOf(Factors factors) => $"optimiser-{factors}.safetensors";

    private static string WeightsOf(AdapterConfig config, Factors factors) => $"{config.Digest} {factors}";

    private static OptimiserMemory? First(IEnumerable<string> files, string of) =>
        files.Select(file => ReadOrNull(file, path => OptimiserMemory.Read(path, of))).FirstOrDefault(memory => memory is not null);

    private IEnumerable<string> Earlier() => task.Earlier.Select(folder => Path.Combine(folder, _memory)).Where(File.Exists);

    private static T? ReadOrNull<T>(string path, Func<string, T?> read)
        where T : class
    {
        try
        {
            return File.Exists(path) ? read(path) : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }
}
