using FedChain.Learning.Training;
using FedChain.Protocol.Files;

namespace FedChain.Tests.Learning.Training;

/// <summary>A federation's round is a part of a longer training: along one learning rate's curve and, if wanted, with one optimiser.</summary>
public sealed class PartsOfATrainingTests
{
    private static readonly TrainingOptions Whole = new() { Steps = 12, BatchSize = 40, LearningRate = 1e-2, WarmUpSteps = 5, Seed = 3 };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Parts_go_along_the_learning_rate_of_the_whole()
    {
        var parts = Enumerable.Range(0, 3).SelectMany(part =>
        {
            var options = Whole with { Steps = 4, StepsBefore = 4 * part, StepsInAll = 12 };
            return Enumerable.Range(1, 4).Select(options.LearningRateAt);
        });

        Assert.Equal(Enumerable.Range(1, 12).Select(Whole.LearningRateAt), parts);
    }

    [Fact]
    public void With_the_optimisers_memory_two_parts_come_to_where_one_training_does_and_without_it_they_do_not()
    {
        var whole = Train(12);
        var memory = new OptimiserMemory();

        Assert.InRange(Distance(whole, Train(5, 7, memory)), 0, 1e-5); // every batch is all examples, in another order
        Assert.Equal(12, memory.Steps);
        Assert.InRange(Distance(whole, Train(5, 7, memory: null)), 1e-3, 1);
    }

    [Fact]
    public void A_memory_of_other_weights_is_refused()
    {
        using var model = TinyModel.WithAdapter();
        var memory = new OptimiserMemory();
        model.TrainAdapter(TinyModel.Examples(), Whole with { Factors = Factors.B }, resumption: null, memory, cancellationToken: Cancellation);
        var refused = Assert.Throws<ArgumentException>(() => model.TrainAdapter(TinyModel.Examples(), Whole, resumption: null, memory, cancellationToken: Cancellation));
        Assert.Contains("memory is of", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_memory_goes_through_a_file_and_is_of_its_own_weights_only()
    {
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.safetensors");
        try
        {
            var memory = new OptimiserMemory();
            using var model = TinyModel.WithAdapter();
            model.TrainAdapter(TinyModel.Examples(), Whole with { Steps = 5 }, resumption: null, memory, cancellationToken: Cancellation);
            using (var file = File.Create(path))
            {
                memory.Write(file, "these");
            }

            Assert.Null(OptimiserMemory.Read(path, "others"));
            var read = OptimiserMemory.Read(path, "these")!;
            Assert.Equal(5, read.Steps);
            var expected = After(memory);
            Assert.Equal(expected, After(read));
            Assert.NotEqual(expected, After(new OptimiserMemory()));

            File.WriteAllBytes(path, File.ReadAllBytes(path)[..^1]);
            Assert.Throws<InvalidDataException>(() => OptimiserMemory.Read(path, "these"));
        }
        finally
        {
            File.Delete(path);
        }

        float[] After(OptimiserMemory memory)
        {
            using var model = TinyModel.WithAdapter();
            model.TrainAdapter(TinyModel.Examples(), Whole with { Steps = 1, StepsBefore = 5, StepsInAll = 12 }, resumption: null, memory, cancellationToken: Cancellation);
            return model.AdapterValues();
        }
    }

    [Fact]
    public void A_part_lies_within_the_whole()
    {
        using var model = TinyModel.WithAdapter();
        var refused = Assert.Throws<ArgumentException>(() => model.TrainAdapter(TinyModel.Examples(), Whole with { StepsBefore = 4, StepsInAll = 15 }, cancellationToken: Cancellation));
        Assert.Contains("StepsInAll must be at least the steps before and these; it is 15", refused.Message, StringComparison.Ordinal);
    }

    private static float[] Train(int steps)
    {
        using var model = TinyModel.WithAdapter();
        model.TrainAdapter(TinyModel.Examples(), Whole with { Steps = steps }, cancellationToken: Cancellation);
        return model.AdapterValues();
    }

    private static float[] Train(int first, int then, OptimiserMemory? memory)
    {
        using var model = TinyModel.WithAdapter();
        model.TrainAdapter(TinyModel.Examples(), Whole with { Steps = first, StepsInAll = first + then }, resumption: null, memory, cancellationToken: Cancellation);
        model.TrainAdapter(TinyModel.Examples(), Whole with { Steps = then, StepsBefore = first, StepsInAll = first + then }, resumption: null, memory, cancellationToken: Cancellation);
        return model.AdapterValues();
    }

    private static float Distance(float[] a, float[] b) => a.Zip(b).Max(pair => Math.Abs(pair.First - pair.Second));
}
