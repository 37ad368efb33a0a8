using FedChain.Learning.Training;
using FedChain.Node.Homes;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Files;

namespace FedChain.Node.Training;

/// <summary>
/// What training leaves in the home: while it goes on, a checkpoint from which it goes on after a kill to the same bits; after it, for the member's next
/// round, what its optimiser remembers of the same factors, and the institution's own adapter where it has one. Files that can't be read are told of, put
/// aside and count as absent: they cost steps, and never the round.
/// </summary>
/// <param name="task">The round's.</param>
/// <param name="config">Of what is trained: the shared adapter, or the pair of it and the own one.</param>
/// <param name="baseModel">The base model's digest.</param>
internal sealed class TrainingFiles(TrainingTask task, AdapterConfig config, Hash256 baseModel)
{
    private const string Checkpoints = "training-";

    private readonly string _own = OwnName(baseModel, config);
    private readonly string _checkpoint = Path.Combine(task.Folder, $"{Checkpoints}{AdapterFile.Digest(task.Start)}.safetensors");
    private readonly string _memory = NameOf(task.Factors);
    private readonly string _of = WeightsOf(baseModel, config, task.Factors);
    private bool _isUnwritable;

    /// <summary>
    /// Room for what lies in a round's folder at a time: a checkpoint of weights and two moments beside the one that it replaces, what the optimiser remembers,
    /// and the own adapter.
    /// </summary>
    public static long MostBytes(AdapterLayout trained) => (3 + 3 + 2 + 1) * AdapterFile.LengthOf(trained);

    /// <summary>What the optimiser remembers of the latest round of a home in which both factors of such an adapter were trained; null if there is none.</summary>
    /// <param name="damaged">Is told of a file that can't be read; it stays where it is, since a peer may be running.</param>
    public static OptimiserMemory? LatestMemory(HomeFolder home, Hash256 baseModel, AdapterConfig config, Action<string, InvalidDataException> damaged) =>
        First(Latest(home, NameOf(Factors.Both)), WeightsOf(baseModel, config, Factors.Both), damaged);

    /// <summary>The own adapter that a home's peer trained last beside shared ones of such a layout; null if there is none.</summary>
    /// <param name="pair">Of the shared one and the own one.</param>
    /// <param name="damaged">Is told of a file that can't be read; it stays where it is, since a peer may be running.</param>
    public static Adapter? LatestOwn(HomeFolder home, Hash256 baseModel, AdapterConfig pair, AdapterLayout layout, Action<string, InvalidDataException> damaged) =>
        Latest(home, OwnName(baseModel, pair)).Select(file => ReadOwn(file, layout, pair.FractionBits, damaged)).FirstOrDefault(own => own is not null);

    /// <summary>This task's checkpoint, if there is one.</summary>
    public TrainingCheckpoint? Checkpoint() => ReadOrNull(_checkpoint, TrainingCheckpoint.Load, PutAside);

    /// <summary>A checkpoint that can't be written costs steps after a kill; the training goes on without, and tells so once.</summary>
    public void Save(TrainingCheckpoint checkpoint)
    {
        try
        {
            AtomicFile.Write(_checkpoint, checkpoint.Write, secret: true);
            _isUnwritable = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!_isUnwritable)
            {
                task.Tell($"A checkpoint of the training can't be written, so that a stop now costs its steps: {DiskFault.Of(e) ?? e.Message}");
            }

            _isUnwritable = true;
        }
    }

    /// <summary>What the optimiser remembers of the latest earlier round; nothing in the first.</summary>
    public OptimiserMemory Memory() => First(Earlier(_memory), _of, PutAside) ?? new OptimiserMemory();

    /// <summary>The own adapter as the latest earlier round left it; null in the first.</summary>
    public Adapter? Own() => Earlier(_own).Select(file => ReadOwn(file, task.Start.Layout, task.Start.FractionBits, PutAside)).FirstOrDefault(own => own is not null);

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

    /// <summary>What a later policy asks for in another shape is no damaged file, but another one.</summary>
    private static string OwnName(Hash256 baseModel, AdapterConfig pair) => $"own-{baseModel}-{pair.Digest}.safetensors";

    private static IEnumerable<string> Latest(HomeFolder home, string name) =>
        RoundFolder.TrainersOf(home).Select(folder => Path.Combine(folder, name)).Where(File.Exists);

    private static Adapter? ReadOwn(string path, AdapterLayout layout, int fractionBits, Action<string, InvalidDataException> damaged) => ReadOrNull(
        path,
        file =>
        {
            using var stream = File.OpenRead(file);
            return AdapterFile.Read(stream, stream.Length, fractionBits, layout, out _);
        },
        damaged);

    private static OptimiserMemory? First(IEnumerable<string> files, string of, Action<string, InvalidDataException> damaged) =>
        files.Select(file => ReadOrNull(file, path => OptimiserMemory.Read(path, of), damaged)).FirstOrDefault(memory => memory is not null);

    private IEnumerable<string> Earlier(string name) => task.Earlier.Select(folder => Path.Combine(folder, name)).Where(File.Exists);

    private void PutAside(string path, InvalidDataException fault) => task.Tell(AtomicFile.PutAside(path, fault.Message));

    private static T? ReadOrNull<T>(string path, Func<string, T?> read, Action<string, InvalidDataException> damaged)
        where T : class
    {
        try
        {
            return File.Exists(path) ? read(path) : null;
        }
        catch (InvalidDataException e)
        {
            damaged(path, e);
            return null;
        }
    }
}
