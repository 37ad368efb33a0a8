using System.Runtime.InteropServices;
using FedChain.Learning.Lora;
using FedChain.Learning.Models;
using FedChain.Protocol.Files;
using TorchSharp;
using static TorchSharp.torch;

namespace FedChain.Tests.Learning.Models;

/// <summary>Weights held in bfloat16 and int8 against the float32 they come from.</summary>
public sealed class WeightTypeTests : IDisposable
{
    private static readonly DecoderConfig Config = TinyModel.Config with { HiddenSize = 64, IntermediateSize = 96, HeadSize = 16, QueryKeyValueBias = true, OutputBias = true, TiedEmbeddings = false };

    private readonly string _folder = Directory.CreateTempSubdirectory("fedchain-model-").FullName;
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose()
    {
        _scope.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(TensorType.Float32)]
    [InlineData(TensorType.BFloat16)]
    public void Bfloat16_weights_are_the_stored_ones_rounded_to_nearest(TensorType stored)
    {
        using var saved = Saved(stored);
        using var loaded = ModelFolder.Load(_folder, CPU, WeightType.BFloat16);

        foreach (var (name, weight) in saved.Parameters)
        {
            Assert.Equal(ScalarType.BFloat16, loaded.Parameters[name].dtype);
            Assert.Equal(Golden.Values(weight.to(bfloat16)), Golden.Values(loaded.Parameters[name]));
        }
    }

    [Fact]
    public void Int8_weights_are_off_by_half_a_step_at_most_and_take_a_byte()
    {
        using var saved = Saved(TensorType.Float32);
        using var loaded = ModelFolder.Load(_folder, CPU, WeightType.Int8);

        Assert.Equal(2 * 7, loaded.Quantized.Count);
        Assert.Equal(saved.Parameters.Keys.Order(), loaded.Parameters.Keys.Concat(loaded.Quantized.Keys).Order());
        foreach (var (name, weight) in loaded.Quantized)
        {
            Assert.Equal(ScalarType.Int8, weight.Values.dtype);
            var steps = saved.Parameters[name].div(weight.Scales.unsqueeze(1));
            Assert.InRange(steps.sub(weight.Values.to(float32)).abs().max().item<float>(), 0, 0.5001f);
            Assert.Equal(127, weight.Values.to(int32).abs().max().item<int>());
        }
    }

    [Theory]
    [InlineData(WeightType.BFloat16, 0.02)]
    [InlineData(WeightType.Int8, 0.04)]
    public void Fewer_bits_give_about_the_same_logits_and_adapter_gradients(WeightType type, double tolerance)
    {
        using var reference = Saved(TensorType.Float32);
        using var coarse = ModelFolder.Load(_folder, CPU, type);
        var (expected, expectedGradients) = Pass(reference);

        var (actual, gradients) = Pass(coarse);

        Near(expected, actual, tolerance);
        Assert.All(gradients, g => Assert.Equal(ScalarType.Float32, g.dtype)); // the factors are float32 whatever the base
        Near(cat([.. expectedGradients.Select(g => g.reshape(-1))]), cat([.. gradients.Select(g => g.reshape(-1))]), 4 * tolerance); // backwards, rounding adds up twice
    }

    [Fact]
    public void The_gradient_through_int8_is_that_of_the_dequantised_matrix()
    {
        var (values, scales) = (randint(-127, 128, [6, 5]).to(int8), rand(6));
        var (x, other) = (randn(3, 5).requires_grad_(), randn(3, 5));
        other.copy_(x.detach());
        other.requires_grad_();
        var weights = randn(3, 6);

        var quantised = autograd.grad([new QuantizedWeight(values, scales).Apply(x).mul(weights).sum()], [x])[0];
        var plain = autograd.grad([nn.functional.linear(other, values.to(float32).mul(scales.unsqueeze(1))).mul(weights).sum()], [other])[0];

        Golden.Near(Golden.Values(plain), quantised, 1e-3, "gradient");
    }

    [Theory]
    [InlineData(WeightType.Float32, float.NaN)]
    [InlineData(WeightType.BFloat16, float.PositiveInfinity)]
    [InlineData(WeightType.Int8, float.NaN)]
    public void A_weight_that_is_no_number_is_refused_by_its_tensors_name(WeightType type, float bad)
    {
        using (var decoder = Saved(TensorType.Float32))
        {
            using var _ = no_grad();
            decoder.Parameters["model.layers.1.mlp.up_proj.weight"][3, 7].fill_(bad);
            ModelFolder.Save(decoder, _folder, TensorType.Float32);
        }

        var refused = Assert.Throws<InvalidDataException>(() => ModelFolder.Load(_folder, CPU, type));

        Assert.Contains("'model.layers.1.mlp.up_proj.weight' holds NaN or infinity", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Sizes_that_the_files_do_not_bear_out_are_refused_before_memory_is_asked_for()
    {
        using (Saved(TensorType.Float32))
        {
        }

        File.WriteAllBytes(Path.Combine(_folder, DecoderConfig.FileName), (Config with { VocabSize = 1 << 22, HiddenSize = 1 << 16 }).ToJson()); // 2 TB

        Assert.Contains("config.json makes it [", Assert.Throws<InvalidDataException>(() => ModelFolder.Load(_folder, CPU)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Formats_convert_as_torch_converts_them()
    {
        var values = randn(1003).mul(pow(10, randn(1003).mul(8)));
        var narrowed = new ushort[1003];
        FloatFormats.Narrow(Golden.Values(values), narrowed);
        Assert.Equal(MemoryMarshal.Cast<byte, ushort>(values.to(bfloat16).bytes).ToArray(), narrowed);

        var widened = new float[1003];
        FloatFormats.Widen(MemoryMarshal.AsBytes(narrowed.AsSpan()), TensorType.BFloat16, widened);
        Assert.Equal(Golden.Values(values.to(bfloat16)), widened);
        FloatFormats.Widen(values.clamp(-60000, 60000).to(float16).bytes, TensorType.Float16, widened);
        Assert.Equal(Golden.Values(values.clamp(-60000, 60000).to(float16)), widened);

        Assert.True(FloatFormats.AreFinite(widened));
        foreach (var at in new[] { 0, 500, 1002 })
        {
            var broken = widened.ToArray();
            broken[at] = at == 500 ? float.NegativeInfinity : float.NaN;
            Assert.False(FloatFormats.AreFinite(broken));
        }
    }

    private static (Tensor Logits, IList<Tensor> Gradients) Pass(Decoder decoder)
    {
        var adapter = new LoraAdapter(decoder, new AdapterConfig(4, 8, ["q_proj", "down_proj"]));
        adapter.Import([.. Enumerable.Range(0, adapter.Layout.Count).Select(i => 0.1f * MathF.Sin(i))]);
        var factors = adapter.Of(Factors.Both).Select(f => f.requires_grad_()).ToList();
        var logits = decoder.Logits(decoder.Forward(arange(2, 30, int64).unsqueeze(0))).to(float32);
        return (logits.detach(), autograd.grad([logits.logsumexp(-1).sum()], factors));
    }

    private static void Near(Tensor expected, Tensor actual, double relative)
    {
        var off = actual.sub(expected).norm().item<float>() / expected.norm().item<float>();
        Assert.True(off <= relative, $"off by {off:g3} of the norm; allowed {relative:g3}.");
        Assert.True(off > 0, "Fewer bits can't give the same numbers.");
    }

    private Decoder Saved(TensorType type)
    {
        var decoder = new Decoder(Config, CPU);
        using var _ = no_grad();
        manual_seed(9);
        foreach (var (name, parameter) in decoder.Parameters)
        {
            using var scope = NewDisposeScope();
            parameter.copy_(name.EndsWith("norm.weight", StringComparison.Ordinal) ? ones(parameter.shape) : randn(parameter.shape).mul(0.2));
        }

        ModelFolder.Save(decoder, _folder, type);
        return decoder;
    }
}
