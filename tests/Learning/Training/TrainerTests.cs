using FedChain.Learning;
using FedChain.Learning.Examples;
using FedChain.Learning.Training;
using FedChain.Protocol.Files;

namespace FedChain.Tests.Learning.Training;

public sealed class TrainerTests
{
    private static readonly TrainingOptions Options = new() { Steps = 12, BatchSize = 4, LearningRate = 1e-2, WarmUpSteps = 2, Seed = 3 };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Training_lowers_the_loss()
    {
        using var model = TinyModel.WithAdapter();
        var before = model.Evaluate(TinyModel.Examples(), cancellationToken: Cancellation);

        var result = model.TrainAdapter(TinyModel.Examples(), Options with { Steps = 120 }, cancellationToken: Cancellation);

        var after = model.Evaluate(TinyModel.Examples(), cancellationToken: Cancellation);
        Assert.True(after.NatsPerToken < before.NatsPerToken - 0.2, $"{before.NatsPerToken} -> {after.NatsPerToken}");
        Assert.True(result.LastLoss < result.FirstLoss);
        Assert.Equal(120, result.Steps);
    }

    [Fact]
    public void All_weights_can_be_trained_and_learn_more()
    {
        using var model = TinyModel.Create();
        var before = model.Evaluate(TinyModel.Examples(), cancellationToken: Cancellation);

        model.TrainAllWeights(TinyModel.Examples(), Options with { Steps = 150, BatchSize = 8, WeightDecay = 0.1 }, cancellationToken: Cancellation);

        var after = model.Evaluate(TinyModel.Examples(), cancellationToken: Cancellation);
        Assert.InRange(before.NatsPerToken, 3.4, 3.6); // ln 32: nothing is known
        Assert.InRange(after.NatsPerToken, 0, 0.3); // the examples are all alike
    }

    [Fact]
    public void The_same_seed_on_one_thread_gives_the_same_bits_and_another_seed_others()
    {
        float[] Train(ulong seed)
        {
            using var model = TinyModel.WithAdapter();
            model.TrainAdapter(TinyModel.Examples(), Options with { Seed = seed }, cancellationToken: Cancellation);
            return model.AdapterValues();
        }

        Assert.Equal(1, Compute.Threads);
        var first = Train(3);
        Assert.Equal(first, Train(3));
        Assert.NotEqual(first, Train(4));
    }

    [Theory]
    [InlineData(Factors.A)]
    [InlineData(Factors.B)]
    [InlineData(Factors.Both)]
    public void Only_the_chosen_factors_change_and_the_base_never(Factors factors)
    {
        using var model = TinyModel.WithAdapter();
        model.TrainAdapter(TinyModel.Examples(), Options, cancellationToken: Cancellation); // away from B = 0, where A has no gradient
        var before = model.AdapterValues();
        model.AdapterEnabled = false;
        var baseLoss = model.Evaluate(TinyModel.Examples(), cancellationToken: Cancellation);
        model.AdapterEnabled = true;

        model.TrainAdapter(TinyModel.Examples(), Options with { Factors = factors }, cancellationToken: Cancellation);

        var after = model.AdapterValues();
        foreach (var tensor in model.AdapterLayout!.Tensors)
        {
            var range = new Range(tensor.Offset, tensor.Offset + tensor.Count);
            Assert.Equal(!factors.HasFlag(tensor.Factor), before[range].AsSpan().SequenceEqual(after[range]));
        }

        model.AdapterEnabled = false;
        Assert.Equal(baseLoss, model.Evaluate(TinyModel.Examples(), cancellationToken: Cancellation));
    }

    [Fact]
    public void Cancellation_ends_it_between_steps_and_keeps_what_was_done()
    {
        using var model = TinyModel.WithAdapter();
        using var cancelling = new CancellationTokenSource();
        var seen = new List<float[]>();

        Assert.Throws<OperationCanceledException>(() => model.TrainAdapter(TinyModel.Examples(), Options, new Immediate(p =>
        {
            seen.Add(model.AdapterValues());
            if (p.Step == 5)
            {
                cancelling.Cancel();
            }
        }), cancelling.Token));

        Assert.Equal(5, seen.Count);
        Assert.Equal(seen[^1], model.AdapterValues());
        model.TrainAdapter(TinyModel.Examples(), Options, cancellationToken: Cancellation); // and it can be trained on
    }

    [Fact]
    public void A_loss_that_is_no_number_stops_it_at_the_last_good_step()
    {
        using var model = TinyModel.WithAdapter();
        var seen = new List<float[]> { model.AdapterValues() };

        var diverged = Assert.Throws<TrainingDivergedException>(() => model.TrainAdapter(
            TinyModel.Examples(), Options with { LearningRate = 1e30, WarmUpSteps = 0, WeightDecay = 0 }, new Immediate(_ => seen.Add(model.AdapterValues())), Cancellation));

        Assert.Contains("no longer a finite number", diverged.Message, StringComparison.Ordinal);
        Assert.Equal(seen[diverged.LastGoodStep], model.AdapterValues());
        Assert.True(double.IsFinite(model.Evaluate(TinyModel.Examples(), cancellationToken: Cancellation).NatsPerToken));
        Assert.Equal(model.AdapterValues().Length, model.ExportAdapter().Layout.Count);
        Assert.NotEmpty(model.Generate([1, 5], new() { MaxTokens = 3, StopAtEnd = false }, Cancellation));
        model.TrainAdapter(TinyModel.Examples(), Options, cancellationToken: Cancellation);
    }

    [Fact]
    public void The_last_update_is_judged_too()
    {
        using var model = TinyModel.WithAdapter();
        var before = model.AdapterValues();

        var diverged = Assert.Throws<TrainingDivergedException>(() => model.TrainAdapter(
            TinyModel.Examples(), Options with { Steps = 1, LearningRate = 1e30, WarmUpSteps = 0, WeightDecay = 0 }, cancellationToken: Cancellation));

        Assert.Equal((2, 0), (diverged.Step, diverged.LastGoodStep));
        Assert.Equal(before, model.AdapterValues());
    }

    [Fact]
    public void A_gradient_that_is_no_number_stops_it_too()
    {
        using var model = TinyModel.WithAdapter();
        float[] good = [];

        var diverged = Assert.Throws<TrainingDivergedException>(() => model.TrainAdapter(
            TinyModel.Examples(), Options with { Proximal = 3e38 }, new Immediate(_ => good = model.AdapterValues()), Cancellation));

        Assert.StartsWith("The gradient is no longer a finite number at step 2. The weights are those of step 1, the last good one.", diverged.Message, StringComparison.Ordinal);
        Assert.Equal(good, model.AdapterValues());
    }

    [Fact]
    public void Progress_tells_every_step()
    {
        using var model = TinyModel.WithAdapter();
        var seen = new List<TrainingProgress>();

        var result = model.TrainAdapter(TinyModel.Examples(), Options, new Immediate(seen.Add), Cancellation);

        Assert.Equal(Enumerable.Range(1, 12), seen.Select(p => p.Step));
        Assert.Equal((result.FirstLoss, result.LastLoss), (seen[0].Loss, seen[^1].Loss));
        Assert.All(seen, p => Assert.True(p.TokensPerSecond > 0 && p.Steps == 12));
        Assert.Equal(Options.LearningRate / 2, seen[0].LearningRate);
        Assert.Equal(Options.LearningRate, seen[2].LearningRate);
        Assert.Equal(Options.LearningRate * 0.1, seen[^1].LearningRate, 1e-12);
    }

    [Fact]
    public void A_constant_learning_rate_stays_after_the_warm_up()
    {
        var options = Options with { Schedule = LearningRateSchedule.Constant };

        Assert.Equal([0.005, 0.01, 0.01, 0.01], new[] { 1, 2, 3, 12 }.Select(options.LearningRateAt));
        Assert.Equal(0.01, (Options with { Steps = 1, WarmUpSteps = 0, FinalLearningRateShare = 1 }).LearningRateAt(1));
    }

    [Fact]
    public void Options_and_examples_out_of_range_are_refused_before_anything_happens()
    {
        using var model = TinyModel.WithAdapter();
        var examples = TinyModel.Examples();
        void Refused(string message, IReadOnlyList<TokenizedExample> given, TrainingOptions options) =>
            Assert.Contains(message, Assert.Throws<ArgumentException>(() => model.TrainAdapter(given, options)).Message, StringComparison.Ordinal);

        Refused("Steps must be at least 1; it is 0", examples, Options with { Steps = 0 });
        Refused("WarmUpSteps must be from 0 to all steps", examples, Options with { WarmUpSteps = 13 });
        Refused("LearningRate must be positive", examples, Options with { LearningRate = double.NaN });
        Refused("Factors must be A, B or both", examples, Options with { Factors = Factors.None });
        Refused("Example 0 has 65 tokens; the model's context is 64", [new(new int[65], 1, 0)], Options);
        Refused("Example 0 holds token 32", [new([1, 32], 1, 0)], Options);
        Refused("None of the 1 examples has a response", [new([1, 3, 4], 3, 0)], Options);
        Refused("None of the 0 examples", [], Options);
    }
}
