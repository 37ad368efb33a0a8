using FedChain.Learning;
using FedChain.Learning.Data.Generated;
using FedChain.Node.Homes;
using FedChain.Node.Models;
using FedChain.Node.Peer;
using FedChain.Node.Training;
using FedChain.Protocol;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;

namespace FedChain.Node.Tests.Training;

/// <summary>What training leaves in the home: checkpoints within a round, and the optimiser's memory from round to round. With the real engine and model.</summary>
public sealed class TorchTrainerTests : IDisposable
{
    private static readonly Hash256 Seed = new(new byte[Hash256.Size]);
    private static readonly AdapterConfig Config = new(2, 4, ["q_proj", "v_proj"]);
    private readonly string _folder = Directory.CreateTempSubdirectory("fedchain-trainer").FullName;
    private readonly List<string> _told = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_training_that_was_killed_goes_on_from_its_checkpoint_to_the_same_bits()
    {
        using var trainer = await LoadAsync();
        var expected = await trainer.TrainAsync(Round(trainer, 1, "whole"), new Steps(), Cancellation);

        var task = Round(trainer, 1, "killed");
        await Assert.ThrowsAsync<KilledException>(() => trainer.TrainAsync(task, new Steps(killedAt: 8), Cancellation));
        var steps = new Steps();
        var result = await trainer.TrainAsync(task, steps, Cancellation);

        Assert.Equal(7, steps.First); // checkpoints lie after steps 3 and 6
        Assert.Equal(expected.Adapter.Values.ToArray(), result.Adapter.Values.ToArray());
        Assert.Equal(expected with { Adapter = result.Adapter }, result);

        // The update isn't written yet: killed again, it costs the last step alone. The next round removes the checkpoint.
        var again = new Steps();
        Assert.Equal(result.Adapter.Values.ToArray(), (await trainer.TrainAsync(task, again, Cancellation)).Adapter.Values.ToArray());
        Assert.Equal(10, again.First);
        await trainer.TrainAsync(Round(trainer, 2, "next") with { Earlier = [task.Folder] }, new Steps(), Cancellation);
        Assert.Equal(["optimiser-Both.safetensors"], Directory.GetFiles(task.Folder).Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_checkpoint_of_another_start_or_that_cannot_be_read_is_none()
    {
        using var trainer = await LoadAsync();
        var expected = await trainer.TrainAsync(Round(trainer, 1, "whole"), new Steps(), Cancellation);
        var other = Round(trainer, 1, "other");
        await Assert.ThrowsAsync<KilledException>(() => trainer.TrainAsync(other, new Steps(killedAt: 8), Cancellation));

        // The chain was reorganised: the same round starts from another adapter.
        var steps = new Steps();
        await trainer.TrainAsync(other with { Start = expected.Adapter }, steps, Cancellation);
        Assert.Equal(1, steps.First);

        var damaged = Round(trainer, 1, "damaged");
        await Assert.ThrowsAsync<KilledException>(() => trainer.TrainAsync(damaged, new Steps(killedAt: 8), Cancellation));
        foreach (var file in Directory.GetFiles(damaged.Folder))
        {
            await File.WriteAllBytesAsync(file, (await File.ReadAllBytesAsync(file, Cancellation))[..^9], Cancellation);
        }

        Assert.Empty(_told);
        Assert.Equal(expected.Adapter.Values.ToArray(), (await trainer.TrainAsync(damaged, new Steps(), Cancellation)).Adapter.Values.ToArray());
        Assert.Contains("is damaged", Assert.Single(_told), StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(damaged.Folder, "training-*.damaged"));
    }

    [Fact]
    public async Task A_training_goes_on_where_no_checkpoint_can_be_written_and_tells_so_once()
    {
        using var trainer = await LoadAsync();
        var expected = await trainer.TrainAsync(Round(trainer, 1, "whole"), new Steps(), Cancellation);
        var task = Round(trainer, 1, "in the way");
        Directory.CreateDirectory(Path.Combine(task.Folder, $"training-{AdapterFile.Digest(task.Start)}.safetensors"));
        Assert.Equal(expected.Adapter.Values.ToArray(), (await trainer.TrainAsync(task, new Steps(), Cancellation)).Adapter.Values.ToArray());
        Assert.Contains("A checkpoint of the training can't be written", Assert.Single(_told), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_asks_for_as_much_room_as_it_takes(bool own)
    {
        using var trainer = await LoadAsync(own);
        var task = Round(trainer, 1, "1");
        var most = 0L;
        await trainer.TrainAsync(task, new Steps(each: () => most = Math.Max(most, Size())), Cancellation);
        Assert.InRange(Math.Max(most, Size()), 1, trainer.WorkingBytes);
        Assert.InRange(2 * most, trainer.WorkingBytes / 2, long.MaxValue); // while a checkpoint is written the one before is still there

        long Size() => new DirectoryInfo(task.Folder).EnumerateFiles().Sum(f => f.Length);
    }

    [Fact]
    public async Task The_optimiser_remembers_the_latest_earlier_round_of_the_same_factors()
    {
        using var trainer = await LoadAsync();
        var first = Round(trainer, 1, "1");
        var start = (await trainer.TrainAsync(first, new Steps(), Cancellation)).Adapter;
        var second = Round(trainer, 2, "2") with { Start = start, Earlier = [first.Folder] };
        var remembered = await ValuesAsync(second);
        Assert.NotEqual(remembered, await ValuesAsync(second with { Earlier = [], Folder = Folder("forgotten") }));
        Assert.Equal(remembered, await ValuesAsync(second)); // trained once more, as after a reorganisation

        // One factor's memory is none of both, nor does it displace it.
        var third = Round(trainer, 3, "3") with { Start = start, Factors = Factors.B, Earlier = [second.Folder, first.Folder] };
        Assert.Equal(await ValuesAsync(third), await ValuesAsync(third with { Earlier = [], Folder = Folder("alone") }));

        // Only the two rounds before may be asked for once more.
        var fourth = Round(trainer, 4, "4") with { Start = start, Earlier = [third.Folder, second.Folder, first.Folder] };
        await ValuesAsync(fourth);
        await ValuesAsync(Round(trainer, 5, "5") with { Start = start, Earlier = [fourth.Folder, .. fourth.Earlier] });
        Assert.Empty(Directory.GetFiles(first.Folder));
        Assert.NotEmpty(Directory.GetFiles(second.Folder));

        async Task<int[]> ValuesAsync(TrainingTask task) => (await trainer.TrainAsync(task, new Steps(), Cancellation)).Adapter.Values.ToArray();
    }

    [Fact]
    public async Task An_own_adapter_is_trained_beside_the_shared_one_and_stays_in_the_home()
    {
        using var trainer = await LoadAsync(own: true);
        var first = Round(trainer, 1, "1");
        var result = await trainer.TrainAsync(first, new Steps(), Cancellation);
        using (var alone = await LoadAsync())
        {
            var shared = await alone.TrainAsync(Round(alone, 1, "alone"), new Steps(), Cancellation);
            Assert.Equal(shared.Adapter.Layout, result.Adapter.Layout); // what is sent is like any other update
            Assert.Equal((shared.BaseModelLoss, shared.StartLoss), (result.BaseModelLoss, result.StartLoss));
            Assert.Null(shared.OwnLoss);
        }

        Assert.True(result.OwnLoss!.Value.CompareTo(result.ResultLoss) < 0, $"{result.OwnLoss} with the own adapter, {result.ResultLoss} without");

        // The next round goes on with it, and a kill doesn't lose it.
        var second = Round(trainer, 2, "2") with { Start = result.Adapter, Earlier = [first.Folder] };
        var expected = await trainer.TrainAsync(second, new Steps(), Cancellation);
        Assert.True(expected.OwnLoss!.Value.CompareTo(result.OwnLoss.Value) < 0);
        var killed = second with { Folder = Folder("killed") };
        await Assert.ThrowsAsync<KilledException>(() => trainer.TrainAsync(killed, new Steps(killedAt: 8), Cancellation));
        var again = await trainer.TrainAsync(killed, new Steps(), Cancellation);
        Assert.Equal(expected with { Adapter = again.Adapter }, again);
        Assert.Equal(expected.Adapter.Values.ToArray(), again.Adapter.Values.ToArray());
        var own = Assert.Single(Directory.GetFiles(killed.Folder, "own-*"));
        foreach (var memory in Directory.GetFiles(first.Folder, "optimiser-*"))
        {
            File.Delete(memory);
        }

        Assert.NotEqual( // the own adapter is all that the first round left
            (await trainer.TrainAsync(second with { Folder = Folder("with it") }, new Steps(), Cancellation)).OwnLoss,
            (await trainer.TrainAsync(second with { Folder = Folder("without"), Earlier = [] }, new Steps(), Cancellation)).OwnLoss);
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(second.Folder, Path.GetFileName(own)), Cancellation), await File.ReadAllBytesAsync(own, Cancellation));
    }

    [Fact]
    public async Task What_is_kept_belongs_to_its_base_model_and_a_damaged_file_gives_way_to_the_round_before()
    {
        using var trainer = await LoadAsync(own: true);
        var digest = await BaseModel.Open(BaseModel.Own).DigestAsync(Cancellation);
        var pair = AdapterPair.ConfigOf(Config);
        var first = Round(trainer, 1, "1");
        await trainer.TrainAsync(first, new Steps(), Cancellation);
        var second = Round(trainer, 2, "2") with { Earlier = [first.Folder] };
        await trainer.TrainAsync(second, new Steps(), Cancellation);
        var third = Round(trainer, 3, "3") with { Earlier = [second.Folder, first.Folder] };

        Assert.True(new TrainingFiles(third, pair, digest).Memory().Steps > 0);
        Assert.Equal(0, new TrainingFiles(third, pair, Seed).Memory().Steps); // another base model of the same shape
        Assert.Null(new TrainingFiles(third, pair, Seed).Own());
        Assert.Null(new TrainingFiles(third, new AdapterConfig(pair.Rank, pair.Alpha, ["q_proj"]), digest).Own()); // a policy of another shape
        Assert.Empty(_told);

        var own = new TrainingFiles(third, pair, digest).Own()!;
        var damaged = Assert.Single(Directory.GetFiles(second.Folder, "own-*"));
        await File.WriteAllBytesAsync(damaged, (await File.ReadAllBytesAsync(damaged, Cancellation))[..^9], Cancellation);
        var before = new TrainingFiles(third, pair, digest).Own()!;
        Assert.Equal(new TrainingFiles(second, pair, digest).Own()!.Values.ToArray(), before.Values.ToArray());
        Assert.NotEqual(own.Values.ToArray(), before.Values.ToArray());
        Assert.Contains($"{damaged} is damaged", Assert.Single(_told), StringComparison.Ordinal);
        Assert.True(File.Exists(damaged + AtomicFile.Damaged));
    }

    private async Task<TorchTrainer> LoadAsync(bool own = false)
    {
        var data = Folder("data");
        var records = Directory.GetFiles(data) is [var there, ..] ? there : SpecialtyCorpora.WriteTo(data, seed: 1, institutions: 1)[0];
        var model = BaseModel.Open(BaseModel.Own);
        var policy = new Policy { BaseModel = await model.DigestAsync(Cancellation), Adapter = Config, Seed = Seed };
        return await TorchTrainer.LoadAsync(
            model, records, policy, new LocalTraining { Steps = 10, BatchSize = 4, CheckpointSteps = 3, OwnAdapter = own }, seed: 5,
            new ModelPlacement(ComputeDevice.Cpu, Weights: null, Threads: 1), Cancellation);
    }

    private TrainingTask Round(TorchTrainer trainer, ulong round, string folder) =>
        new(new RoundId(round), new RoundsProgress((int)round - 1, 4), Adapter.First(trainer.Layout, Seed, fractionBits: 20), Factors.Both, Folder(folder), [], _told.Add);

    private string Folder(string name) => Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;

    private sealed class KilledException : Exception;

    /// <summary>Notes where a training begins, and ends it as a kill would: between a step and its checkpoint.</summary>
    private sealed class Steps(int? killedAt = null, Action? each = null) : IProgress<TrainingStep>
    {
        public int First { get; private set; }

        public void Report(TrainingStep value)
        {
            First = First == 0 ? value.Step : First;
            each?.Invoke();
            if (value.Step == killedAt)
            {
                throw new KilledException();
            }
        }
    }
}
