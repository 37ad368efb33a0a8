using FedChain.Learning.Native;
using FedChain.Node.Homes;
using FedChain.Node.Models;
using FedChain.Node.Training;
using FedChain.Protocol.Manifests;

namespace FedChain.Node.Doctor;

/// <summary>What training takes: room on the disk, the engine, the federation's base model, records.</summary>
internal static class MachineChecks
{
    private const int RoundsOfRoom = 10;

    /// <param name="policy">The federation's; null if it can't be read.</param>
    /// <param name="members">How many adapters a round has.</param>
    public static async Task RunAsync(HomeFolder home, Policy? policy, int members, Checkup checkup, CancellationToken cancellationToken)
    {
        await checkup.TryAsync("libtorch", $"Install the program again, or set {NativeTorch.FolderVariable} to a folder with libtorch 2.10.", () =>
        {
            NativeTorch.Load();
            checkup.Ok("libtorch", $"loaded from {NativeTorch.LibtorchFolder}");
            return Task.CompletedTask;
        });
        var model = await checkup.FindAsync("model", "Set \"model\" in home.json to the folder that the members agreed on.", () => ModelAsync(home, policy, checkup, cancellationToken));
        if (home.Settings.Data is not { } data)
        {
            checkup.Problem("data", "the home names no records to train on", "Set \"data\" in home.json to a *.jsonl or *.jsonl.gz file.");
        }
        else if (model is null)
        {
            checkup.Skip("data", "needs the model's tokenizer");
        }
        else
        {
            await checkup.TryAsync("data", "Mend the file, or set \"data\" in home.json to another.", () =>
            {
                var read = TorchTrainer.ReadData(model, data, home.Settings.Training);
                checkup.Ok("data", $"{data}: {read.Train.Count:N0} records to train on, {read.Val.Count:N0} to measure a round with, {read.Test.Count:N0} to test; {read.CutRecords:N0} of them cut to the model's context");
                return Task.CompletedTask;
            });
        }

        var adapter = model is null || policy is null ? null : await checkup.FindAsync("disk", "Check the model's files.", () => Task.FromResult(new Size(AdapterSize.Of(model, policy.Adapter))));
        await checkup.TryAsync("disk", "Make the home's folder writable, or free some room.", () => DiskAsync(home, adapter, members, checkup, cancellationToken));
    }

    private static async Task<BaseModel> ModelAsync(HomeFolder home, Policy? policy, Checkup checkup, CancellationToken cancellationToken)
    {
        var model = BaseModel.Open(home.Settings.Model ?? BaseModel.Own);
        var digest = await model.DigestAsync(cancellationToken);
        if (policy is null)
        {
            checkup.Skip("model", $"{model.Path} has the digest {digest}; the federation's policy is not known");
        }
        else if (digest != policy.BaseModel)
        {
            checkup.Problem("model", $"{model.Path} has the digest {digest}, but the federation's policy names {policy.BaseModel}", "Get the same files as the other members, and set \"model\" in home.json to their folder.");
        }
        else
        {
            checkup.Ok("model", $"{model.Path} is the policy's, {digest}");
        }

        return model;
    }

    private static async Task DiskAsync(HomeFolder home, Size? adapter, int members, Checkup checkup, CancellationToken cancellationToken)
    {
        var test = Path.Combine(home.Path, $"doctor.{Guid.NewGuid():N}.tmp");
        try
        {
            await using var file = new FileStream(test, FileMode.CreateNew);
            await file.WriteAsync(new byte[1], cancellationToken);
            file.Flush(flushToDisk: true);
        }
        finally
        {
            File.Delete(test);
        }

        var free = new DriveInfo(home.Path).AvailableFreeSpace;
        if (adapter is null)
        {
            checkup.Ok("disk", $"can be written; {Megabytes(free)} free (what a round needs is not known without the federation and its model)");
            return;
        }

        // Of each member the sealed file and what it opens to; of the new global adapter likewise; and the own update while it is made.
        var round = adapter.Bytes * ((2 * members) + 3);
        var text = $"{Megabytes(free)} free; a round of {members} members keeps up to {Megabytes(round)}";
        const string Advice = "Free some room, or move the home to a larger disk.";
        if (free < round)
        {
            checkup.Problem("disk", text, Advice);
        }
        else if (free / RoundsOfRoom < round)
        {
            checkup.Warn("disk", $"{text}: {free / round} rounds", Advice);
        }
        else
        {
            checkup.Ok("disk", $"can be written; {text}");
        }
    }

    private static string Megabytes(long bytes) => $"{bytes / 1e6:N1} MB";

    private sealed record Size(long Bytes);
}
