using FedChain.Learning.Training;
using FedChain.Protocol.Files;

namespace FedChain.Tests.Learning.Training;

/// <summary>Accumulation, checkpointing, dropout, the proximal term, and going on where a training stopped.</summary>
public sealed class LongTrainingTests : IDisposable
{
    private static readonly TrainingOptions Options = new() { Steps = 10, BatchSize = 4, LearningRate = 1e-2, WarmUpSteps = 2, Seed = 3 };

    private readonly string _file = Path.GetTempFileName();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void Accumulated_batches_are_one_large_batch()
    {
        // As many examples as a step takes: whatever the order, each step sees them all.
        var examples = TinyModel.Examples(12);
        var whole = Train(Options with { BatchSize = 12, WeightDecay = 0 }, examples);
        var parts = Train(Options with { BatchSize = 4, AccumulationSteps = 3, WeightDecay = 0 }, examples);

        Near(whole, parts, 2e-4f);
    }

    [Theory]
    [InlineData(Factors.Both, 0)]
    [InlineData(Factors.B, 0.3)]
    public void Checkpointing_changes_the_memory_and_not_the_result(Factors factors, double dropout)
    {
        var options = Options with { Factors = factors, Dropout = dropout };

        Near(Train(options), Train(options with { GradientCheckpointing = true }), 2e-4f);
    }

    [Fact]
    public void Dropout_is_drawn_from_the_seed_and_off_outside_of_training()
    {
        var dropped = Train(Options with { Dropout = 0.5 });

        Assert.Equal(dropped, Train(Options with { Dropout = 0.5 }));
        Assert.NotEqual(dropped, Train(Options));

        using var model = TinyModel.WithAdapter();
        model.TrainAdapter(TinyModel.Examples(), Options with { Dropout = 0.5 }, cancellationToken: Cancellation);
        Assert.Equal(
            model.Evaluate(TinyModel.Examples(), cancellationToken: Cancellation), model.Evaluate(TinyModel.Examples(), cancellationToken: Cancellation));
    }

    [Fact]
    public void Dropout_leaves_out_its_share_and_keeps_the_mean()
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var dropout = new FedChain.Learning.Lora.LoraDropout(0.25, 7);
        dropout.Begin(3);
        var values = Golden.Values(dropout.Apply(TorchSharp.torch.ones(400, 100), "q_proj"));

        Assert.InRange(values.Count(v => v == 0) / 40_000.0, 0.24, 0.26);
        Assert.All(values, v => Assert.True(v is 0 || Math.Abs(v - (4 / 3f)) < 1e-6));
        Assert.Equal(values, Golden.Values(dropout.Apply(TorchSharp.torch.ones(400, 100), "q_proj")));
        Assert.NotEqual(values, Golden.Values(dropout.Apply(TorchSharp.torch.ones(400, 100), "v_proj")));
        dropout.Begin(4);
        Assert.NotEqual(values, Golden.Values(dropout.Apply(TorchSharp.torch.ones(400, 100), "q_proj")));
    }

    [Fact]
    public void The_proximal_term_holds_the_adapter_near_its_beginning()
    {
        float[] start;
        using (var model = TinyModel.WithAdapter())
        {
            start = model.AdapterValues();
        }

        double Distance(double strength) => Train(Options with { Steps = 60, Proximal = strength, MaxGradientNorm = null, WeightDecay = 0 }).Zip(start, (a, b) => Math.Pow(a - b, 2)).Sum();

        var (free, held, tight) = (Distance(0), Distance(0.3), Distance(30));
        Assert.True(tight < held / 2 && held < free / 2, $"{free} {held} {tight}");
    }

    [Theory]
    [InlineData(0, 0, false)]
    [InlineData(0.2, 0.1, false)]
    [InlineData(0, 0, true)]
    public void A_training_goes_on_to_the_same_bits_as_if_it_had_not_stopped(double dropout, double proximal, bool remembers)
    {
        var options = Options with { Dropout = dropout, Proximal = proximal, AccumulationSteps = 2 };
        using var unbroken = TinyModel.WithAdapter();
        var expected = unbroken.TrainAdapter(TinyModel.Examples(), options, resumption: null, Memory(), cancellationToken: Cancellation);
        var through = unbroken.AdapterValues();

        using (var model = TinyModel.WithAdapter())
        {
            using var stop = new CancellationTokenSource();
            Assert.Throws<OperationCanceledException>(() => model.TrainAdapter(
                TinyModel.Examples(), options, new TrainingResumption(null, 100, Save), Memory(), new Immediate(p => Stop(p, stop)), stop.Token));
        }

        using var other = TinyModel.WithAdapter(); // its adapter is at the beginning; the checkpoint brings the rest
        var from = TrainingCheckpoint.Load(_file);
        Assert.Equal(4, from.Step);
        var result = other.TrainAdapter(TinyModel.Examples(), options, new TrainingResumption(from, 100, _ => { }), Memory(), cancellationToken: Cancellation);

        Assert.Equal(through, other.AdapterValues());
        Assert.Equal(expected with { Elapsed = default }, result with { Elapsed = default });

        void Save(TrainingCheckpoint checkpoint)
        {
            using var file = File.Create(_file);
            checkpoint.Write(file);
        }

        OptimiserMemory? Memory()
        {
            if (!remembers)
            {
                return null;
            }

            using var earlier = TinyModel.WithAdapter();
            var memory = new OptimiserMemory();
            earlier.TrainAdapter(TinyModel.Examples(), options with { Steps = 3, Seed = 9 }, resumption: null, memory, cancellationToken: Cancellation);
            return memory;
        }

        static void Stop(TrainingProgress progress, CancellationTokenSource stop)
        {
            if (progress.Step == 4)
            {
                stop.Cancel();
            }
        }
    }

    [Fact]
    public void Checkpoints_come_as_often_as_asked_and_only_for_their_own_training()
    {
        using var model = TinyModel.WithAdapter();
        var saved = new List<TrainingCheckpoint>();
        model.TrainAdapter(TinyModel.Examples(), Options, new TrainingResumption(null, 3, saved.Add), cancellationToken: Cancellation);

        Assert.Equal([3, 6, 9], saved.Select(c => c.Step));
        foreach (var options in new[] { Options with { Seed = 4 }, Options with { LearningRate = 2e-2 }, Options with { Factors = Factors.A } })
        {
            Assert.Contains("other options", Assert.Throws<CheckpointMismatchException>(() => model.TrainAdapter(TinyModel.Examples(), options, new TrainingResumption(saved[0], 3, _ => { }), cancellationToken: Cancellation)).Message, StringComparison.Ordinal);
        }

        Assert.Throws<CheckpointMismatchException>(() => model.TrainAdapter(TinyModel.Examples(39), Options, new TrainingResumption(saved[0], 3, _ => { }), cancellationToken: Cancellation));
    }

    [Fact]
    public void Another_file_is_no_checkpoint()
    {
        Assert.Throws<InvalidDataException>(() => TrainingCheckpoint.Load(_file));
        Assert.Throws<InvalidDataException>(() => TrainingCheckpoint.Load($"{_file}.absent"));
        File.WriteAllBytes(_file, SafetensorsHeader.Create([("x", TensorType.Float32, [0])]).ToBytes());
        Assert.Contains("is no checkpoint", Assert.Throws<InvalidDataException>(() => TrainingCheckpoint.Load(_file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_for_adapters_is_refused_for_all_weights()
    {
        using var model = TinyModel.Create();

        Assert.Throws<ArgumentException>(() => model.TrainAllWeights(TinyModel.Examples(), Options with { Dropout = 0.1 }, cancellationToken: Cancellation));
        Assert.Throws<ArgumentException>(() => model.TrainAllWeights(TinyModel.Examples(), Options with { GradientCheckpointing = true }, cancellationToken: Cancellation));
        Assert.Throws<ArgumentException>(() => model.TrainAllWeights(TinyModel.Examples(), Options with { AccumulationSteps = 0 }, cancellationToken: Cancellation));
        Assert.Throws<ArgumentException>(() => model.TrainAllWeights(TinyModel.Examples(), Options with { Proximal = -1 }, cancellationToken: Cancellation));
    }

    [Fact]
    public void The_time_left_shrinks_to_nothing()
    {
        using var model = TinyModel.WithAdapter();
        var seen = new List<TimeSpan>();
        model.TrainAdapter(TinyModel.Examples(), Options, new Immediate(p => seen.Add(p.Remaining)), Cancellation);

        Assert.Equal(TimeSpan.Zero, seen[^1]);
        Assert.All(seen[..^1], t => Assert.True(t > TimeSpan.Zero));
    }

    private static float[] Train(TrainingOptions options, IReadOnlyList<FedChain.Learning.Examples.TokenizedExample>? examples = null) => Train(options, out _, examples);

    private static float[] Train(TrainingOptions options, out TrainingResult result, IReadOnlyList<FedChain.Learning.Examples.TokenizedExample>? examples = null)
    {
        using var model = TinyModel.WithAdapter();
        result = model.TrainAdapter(examples ?? TinyModel.Examples(), options, cancellationToken: Cancellation);
        return model.AdapterValues();
    }

    private static void Near(float[] expected, float[] actual, float tolerance) =>
        Assert.True(expected.Zip(actual, (e, a) => Math.Abs(e - a)).Max() <= tolerance, $"off by {expected.Zip(actual, (e, a) => Math.Abs(e - a)).Max()}");
}
