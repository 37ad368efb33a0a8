using System.Globalization;
using FedChain.Learning.Training;
using FedChain.Node.Homes;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Files;

namespace FedChain.Node.Training;

/// <summary>
/// What training leaves in the home: while it goes on, a checkpoint from which it goes on after a kill to the same bits; after it, for the member's next
/// round, what its optimiser remembers of the same factors, and the institution's own adapter where it has one. Files that can't be read count as absent:
/// they cost steps, and never the round.
/// </summary>
/// <param name="task">The round's.</param>
/// <param name="config">Of what is trained: the shared adapter, or the pair of it and the own one.</param>
/// <param name="baseModel">The base model's digest.</param>
internal sealed class TrainingFiles(TrainingTask task, AdapterConfig config, Hash256 baseModel)
{
    private const string Checkpoints = "training-";

    private readonly string _own = OwnName(baseModel, task.Start.Layout.Rank);
    private readonly string _checkpoint = Path.Combine(task.Folder, $"{Checkpoints}{AdapterFile.Digest(task.Start)}.safetensors");
    private readonly string _memory = NameOf(task.Factors);
    private readonly string _of = WeightsOf(baseModel, config, task.Factors);

    /// <summary>What the optimiser remembers of the latest round of a home in which both factors of such an adapter were trained; null if there is none.</summary>
    public static OptimiserMemory? LatestMemory(HomeFolder home, Hash256 baseModel, AdapterConfig config) =>
        First(Latest(home, NameOf(Factors.Both)), WeightsOf(baseModel, config, Factors.Both));

    /// <summary>The own adapter that a home's peer trained last beside shared ones of such a layout; null if there is none.</summary>
    public static Adapter? LatestOwn(HomeFolder home, Hash256 baseModel, AdapterLayout layout, int fractionBits) =>
        Latest(home, OwnName(baseModel, layout.Rank)).Select(file => ReadOwn(file, layout, fractionBits)).FirstOrDefault(own => own is not null);

    /// <summary>This task's checkpoint, if there is one.</summary>
    public TrainingCheckpoint? Checkpoint() => ReadOrNull(_checkpoint, TrainingCheckpoint.Load);

    /// <summary>A checkpoint that can't be written costs steps after a kill; the training goes on without.</summary>
    public void Save(TrainingCheckpoint checkpoint)
    {
        try
        {
            AtomicFile.Write(_checkpoint, checkpoint.Write, secret: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // a disk that stays full or read-only is told when the update is written
        }
    }

    /// <summary>What the optimiser remembers of the latest earlier round; nothing in the first.</summary>
    public OptimiserMemory Memory() => First(Earlier(_memory), _of) ?? new OptimiserMemory();

    /// <summary>The own adapter as the latest earlier round left it; null in the first.</summary>
    public Adapter? Own() => Earlier(_own).Select(file => ReadOwn(file, task.Start.Layout, task.Start.FractionBits)).FirstOrDefault(own => own is not null);

    /// <summary>
    /// Notes what the optimiser remembers now, and the own adapter. Of earlier rounds the two latest stay, from which this one or the one before would be
    /// trained again if the chain were reorganised, and no checkpoint; this round's goes with the next, since the update isn't written yet.
    /// </summary>
    public void Keep(OptimiserMemory memory, Adapter? own)
    {
        if (own is not null)
        {
            AtomicFile.Write(Path.Combine(task.Folder, _own), file => AdapterFile.Write(file, own), secret: true);
        }

        AtomicFile.Write(Path.Combine(task.Folder, _memory), file => memory.Write(file, _of), secret: true);
        foreach (var old in Earlier(_memory).Skip(2).Concat(Earlier(_own).Skip(2)).Concat(task.Earlier.SelectMany(folder => Directory.EnumerateFiles(folder, $"{Checkpoints}*"))).ToList())
        {
            File.Delete(old);
        }
    }

    private static string NameOf(Factors factors) => $"optimiser-{factors}.safetensors";

    private static string WeightsOf(Hash256 baseModel, AdapterConfig config, Factors factors) => $"{baseModel} {config.Digest} {factors}";

    private static string OwnName(Hash256 baseModel, int rank) => string.Create(CultureInfo.InvariantCulture, $"own-{baseModel}-{rank}.safetensors");

    private static IEnumerable<string> Latest(HomeFolder home, string name) =>
        RoundFolder.TrainersOf(home).Select(folder => Path.Combine(folder, name)).Where(File.Exists);

    private static Adapter? ReadOwn(string path, AdapterLayout layout, int fractionBits) => ReadOrNull(path, file =>
    {
        using var stream = File.OpenRead(file);
        return AdapterFile.Read(stream, stream.Length, fractionBits, layout, out _);
    });

    private static OptimiserMemory? First(IEnumerable<string> files, string of) =>
        files.Select(file => ReadOrNull(file, path => OptimiserMemory.Read(path, of))).FirstOrDefault(memory => memory is not null);

    private IEnumerable<string> Earlier(string name) => task.Earlier.Select(folder => Path.Combine(folder, name)).Where(File.Exists);

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
