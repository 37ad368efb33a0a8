using FedChain.Learning;
using FedChain.Learning.Models;
using FedChain.Learning.Training;
using TorchSharp;

namespace FedChain.Tests.Learning.Training;

/// <summary>The count of live tensors is the process's, so nothing else may run beside.</summary>
[CollectionDefinition(nameof(TensorCountTests), DisableParallelization = true)]
[Collection(nameof(TensorCountTests))]
public sealed class TensorCountTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Steps_leave_no_tensor_behind()
    {
        using var model = TinyModel.WithAdapter();
        var counts = new List<long>();

        model.TrainAdapter(TinyModel.Examples(), new() { Steps = 30 }, new Immediate(_ => counts.Add(torch.Tensor.TotalCount)), Cancellation);
        var afterwards = torch.Tensor.TotalCount;
        model.TrainAdapter(TinyModel.Examples(), new() { Steps = 30 }, cancellationToken: Cancellation);
        model.Evaluate(TinyModel.Examples(), cancellationToken: Cancellation);
        _ = model.Generate([1, 5], new() { MaxTokens = 10 }, Cancellation).Count();
        using (var conversation = model.Converse())
        {
            _ = conversation.Continue([1, 5], new() { MaxTokens = 3 }, Cancellation).Count();
            _ = conversation.Continue([1, 5, 6, 7], new() { MaxTokens = 20 }, Cancellation).Take(2).Count();
        }

        Assert.Equal(counts[5], counts[^1]);
        Assert.Equal(afterwards, torch.Tensor.TotalCount);
    }

    [Theory]
    [InlineData(WeightType.Float32)]
    [InlineData(WeightType.BFloat16)]
    [InlineData(WeightType.Int8)]
    public void Two_hundred_steps_with_everything_on_leave_no_tensor_behind(WeightType weights)
    {
        var folder = Directory.CreateTempSubdirectory("fedchain-model-").FullName;
        try
        {
            using (var saved = TinyModel.Create())
            {
                saved.Save(folder);
            }

            using var model = CausalLanguageModel.Load(folder, ComputeDevice.Cpu, weights);
            model.AttachAdapter(TinyModel.Adapter, TinyModel.Seed);
            var counts = new List<long>();
            var options = new TrainingOptions { Steps = 200, BatchSize = 2, AccumulationSteps = 2, GradientCheckpointing = true, Dropout = 0.1, Proximal = 0.1 };

            model.TrainAdapter(TinyModel.Examples(), options, new Immediate(_ => counts.Add(torch.Tensor.TotalCount)), Cancellation);

            Assert.Equal(200, counts.Count);
            Assert.Equal(counts[5], counts[^1]);
            Assert.Equal(counts[5], counts.Max());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void A_model_that_is_gone_leaves_no_tensor_behind()
    {
        var before = torch.Tensor.TotalCount;
        using (var model = TinyModel.WithAdapter())
        {
            model.TrainAdapter(TinyModel.Examples(), new() { Steps = 3 }, cancellationToken: Cancellation);
            model.DetachAdapter();
            model.TrainAllWeights(TinyModel.Examples(), new() { Steps = 3 }, cancellationToken: Cancellation);
        }

        Assert.Equal(before, torch.Tensor.TotalCount);
    }
}
