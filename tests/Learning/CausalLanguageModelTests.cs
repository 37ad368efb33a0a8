using FedChain.Learning;
using FedChain.Protocol.Files;

namespace FedChain.Tests.Learning;

public sealed class CausalLanguageModelTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fedchain-model-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_new_model_depends_on_its_seed_alone()
    {
        using var one = TinyModel.Create(1);
        using var same = TinyModel.Create(1);
        using var other = TinyModel.Create(2);

        Assert.Equal(Loss(one), Loss(same));
        Assert.NotEqual(Loss(one), Loss(other));
        Assert.Equal((32 * 16) + 16 + (2 * ((2 * 16) + (2 * 16 * 16) + (2 * 8 * 16) + (3 * 16 * 24))), one.ParameterCount);
    }

    [Fact]
    public void A_trained_model_is_the_same_after_saving_and_loading()
    {
        using var model = TinyModel.Create();
        model.TrainAllWeights(TinyModel.Examples(), new() { Steps = 5 }, cancellationToken: Cancellation);
        model.Save(_folder);
        using var loaded = CausalLanguageModel.Load(_folder, ComputeDevice.Cpu);
        Assert.Equal(Loss(model), Loss(loaded));

        model.Save(_folder, TensorType.BFloat16);
        using var rounded = CausalLanguageModel.Load(_folder, ComputeDevice.Cpu);
        Assert.Equal(Loss(model), Loss(rounded), 1e-2);
        Assert.NotEqual(Loss(model), Loss(rounded));
        Assert.Equal(["config.json", "model.safetensors"], Directory.EnumerateFiles(_folder).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void What_cannot_be_meant_is_refused()
    {
        using var model = TinyModel.WithAdapter();

        Assert.Throws<ArgumentOutOfRangeException>(() => model.Save(_folder, TensorType.Int32));
        Assert.Throws<InvalidOperationException>(() => model.TrainAllWeights(TinyModel.Examples(), new() { Steps = 1 }, cancellationToken: Cancellation));
        model.AdapterEnabled = false;
        Assert.Throws<InvalidOperationException>(() => model.TrainAdapter(TinyModel.Examples(), new() { Steps = 1 }, cancellationToken: Cancellation));
        Assert.Throws<ArgumentOutOfRangeException>(() => Compute.Threads = 0);
        Assert.Contains("doesn't exist", Assert.Throws<InvalidDataException>(() => CausalLanguageModel.Load(Path.Combine(_folder, "none"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cuda_is_used_where_it_is_and_refused_with_advice_where_it_is_not()
    {
        if (TorchSharp.torch.cuda.is_available())
        {
            using var model = CausalLanguageModel.Create(TinyModel.Config, 7, ComputeDevice.Cuda);
            using var onCpu = TinyModel.Create();
            Assert.Equal(Loss(onCpu), Loss(model), 1e-4);
        }
        else
        {
            var refused = Assert.Throws<InvalidOperationException>(() => CausalLanguageModel.Create(TinyModel.Config, 7, ComputeDevice.Cuda));
            Assert.Contains("Choose the CPU, build with -p:Cuda=true, or set FEDCHAIN_LIBTORCH", refused.Message, StringComparison.Ordinal);
        }
    }

    private static double Loss(CausalLanguageModel model) => model.Evaluate(TinyModel.Examples(), cancellationToken: Cancellation).NatsPerToken;
}
