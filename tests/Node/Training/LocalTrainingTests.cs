using FedChain.Learning.Training;
using FedChain.Node.Peer;
using FedChain.Node.Training;
using FedChain.Protocol.Files;

namespace FedChain.Node.Tests.Training;

public sealed class LocalTrainingTests
{
    private static readonly RoundsProgress Once = new(Finalised: 0, Rounds: 1);

    [Fact]
    public void Every_setting_reaches_the_engine()
    {
        var options = new LocalTraining
        {
            Steps = 9,
            BatchSize = 3,
            AccumulationSteps = 4,
            LearningRate = 5e-4,
            WarmUpSteps = 6,
            Dropout = 0.05,
            MaxGradientNorm = 0.5,
            GradientCheckpointing = true,
        }.For(Factors.B, seed: 7, round: 2, Once);

        Assert.Equal(
            new TrainingOptions
            {
                Steps = 9,
                StepsInAll = 9,
                BatchSize = 3,
                AccumulationSteps = 4,
                LearningRate = 5e-4,
                WarmUpSteps = 6,
                Dropout = 0.05,
                MaxGradientNorm = 0.5,
                GradientCheckpointing = true,
                Factors = Factors.B,
                Seed = options.Seed,
            },
            options);
        Assert.NotEqual(options.Seed, new LocalTraining().For(Factors.B, seed: 7, round: 3, Once).Seed);
    }

    [Fact]
    public void The_policy_bounds_the_steps_and_with_them_the_warm_up()
    {
        var options = new LocalTraining { Steps = 30, WarmUpSteps = 20, MaxGradientNorm = 0 }.For(Factors.Both, seed: 1, round: 1, Once, mostSteps: 8);

        Assert.Equal((8, 8, null), (options.Steps, options.WarmUpSteps, options.MaxGradientNorm));
        TrainingOptions.Validate(options);
    }

    [Fact]
    public void Rounds_go_along_one_curve_and_then_stay_at_its_end()
    {
        var training = new LocalTraining { Steps = 10 };
        double[] rates = [.. Enumerable.Range(0, 5).SelectMany(finalised => Rates(training, new(finalised, 3)))];

        Assert.Equal(Rates(training with { Steps = 30 }, Once), rates[..30]);
        Assert.Equal(rates[20..30], rates[30..40]); // a vote renewed the policy
        Assert.Equal(rates[20..30], rates[40..]);
        Assert.NotEqual(rates[..10], Rates(training, Once));
        Assert.NotEmpty(Rates(training, new(int.MaxValue, int.MaxValue)));

        // Two fifths of the steps are the institution's own, after the three rounds.
        var personal = training with { PersonalShare = 0.4 };
        double[] shared = [.. Enumerable.Range(0, 3).SelectMany(finalised => Rates(personal, new(finalised, 3)))];
        var own = (personal with { Steps = 20 }).ForPersonal(seed: 1);
        TrainingOptions.Validate(own);
        Assert.Equal(Rates(training with { Steps = 50 }, Once), [.. shared, .. Enumerable.Range(1, own.Steps).Select(own.LearningRateAt)]);
        var alone = training.ForPersonal(seed: 1);
        Assert.Equal(Rates(training, Once), Enumerable.Range(1, alone.Steps).Select(alone.LearningRateAt));

        static IEnumerable<double> Rates(LocalTraining training, RoundsProgress progress)
        {
            var options = training.For(Factors.Both, seed: 1, round: 9, progress);
            TrainingOptions.Validate(options);
            return Enumerable.Range(1, options.Steps).Select(options.LearningRateAt);
        }
    }

    [Fact]
    public void A_value_out_of_range_is_named_with_its_range()
    {
        new LocalTraining().Check();
        LocalTraining.ForCheckpoints.Check();
        Refused(new() { Steps = 0 }, "steps must be at least 1; found 0.");
        Refused(new() { BatchSize = -1 }, "batchSize must be at least 1; found -1.");
        Refused(new() { AccumulationSteps = 0 }, "accumulationSteps must be at least 1; found 0.");
        Refused(new() { PersonalShare = 1 }, "personalShare must be from 0 to below 1; found 1.");
        Refused(new() { CheckpointSteps = 0 }, "checkpointSteps must be at least 1; found 0.");
        Refused(new() { LearningRate = 0 }, "learningRate must be positive; found 0.");
        Refused(new() { LearningRate = double.NaN }, "learningRate must be positive; found NaN.");
        Refused(new() { Steps = 5, WarmUpSteps = 6 }, "warmUpSteps must be from 0 to the steps, 5; found 6.");
        Refused(new() { Dropout = 1 }, "dropout must be from 0 to below 1; found 1.");
        Refused(new() { MaxGradientNorm = -0.5 }, "maxGradientNorm must be positive, or 0 for no bound; found -0.5.");
        Refused(new() { MaxValidationRecords = 0 }, "maxValidationRecords must be at least 1; found 0.");

        static void Refused(LocalTraining training, string message) => Assert.Equal(message, Assert.Throws<UserErrorException>(training.Check).Message);
    }
}
