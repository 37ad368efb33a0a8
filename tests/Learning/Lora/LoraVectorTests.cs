using System.Text.Json;
using FedChain.Learning.Lora;
using FedChain.Learning.Models;
using FedChain.Learning.Training;
using FedChain.Protocol.Files;
using TorchSharp;
using static TorchSharp.torch;

namespace FedChain.Tests.Learning.Lora;

/// <summary>Held to PEFT's and torch's own numbers (vectors/llm/README.md) with the tolerances it suggests.</summary>
[Trait("Category", "Vectors")]
public sealed class LoraVectorTests : IDisposable
{
    private const double Tolerance = 1e-4;

    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Golden.Adapters), "logits", MemberType = typeof(Golden))]
    public void Logits_with_the_adapter_without_it_and_merged_are_those_of_Peft(string folder)
    {
        using var decoder = Load(folder, out var adapter, out var golden);
        using var _ = no_grad();

        golden.NearOnTokens("logits", Logits(decoder, golden), Tolerance, "batch0.");
        using (adapter.Merge())
        {
            golden.NearOnTokens("logits", Logits(decoder, golden), Tolerance, "batch0.");
        }

        golden.NearOnTokens("logits", Logits(decoder, golden), Tolerance, "batch0.");
        adapter.Enabled = false;
        golden.NearOnTokens("logits_adapter_disabled", Logits(decoder, golden), Tolerance, "batch0.");
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Golden.Adapters), "merged", MemberType = typeof(Golden))]
    public void Merged_weights_are_those_of_Peft(string folder)
    {
        using var decoder = Load(folder, out var adapter, out var golden);
        using var _ = no_grad();
        using var merged = adapter.Merge();
        foreach (var entry in golden.Header.Tensors.Where(t => t.Name.StartsWith("merged.", StringComparison.Ordinal)))
        {
            var linear = decoder.Linears.Single(l => $"merged.{l.Name}.weight" == entry.Name);
            Golden.Near(golden.Floats(entry.Name), linear.FormWeight(), 1e-6, entry.Name);
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Golden.Adapters), "grad", MemberType = typeof(Golden))]
    public void Loss_and_gradients_are_those_of_Peft(string folder)
    {
        using var decoder = Load(folder, out var adapter, out var golden);
        using var batch = golden.Batch("batch0.");
        var factors = adapter.Layout.Tensors.Select(t => adapter[t.Name].requires_grad_()).ToList();

        var loss = decoder.Loss(batch).div(batch.TargetCount);
        Assert.Equal(golden.Json.GetProperty("loss_batch0").GetDouble(), loss.item<float>(), 1e-5);
        loss.backward();

        var norms = golden.Json.GetProperty("grad_norms").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetDouble());
        Assert.Equal(norms.Keys.Order(StringComparer.Ordinal), adapter.Layout.Tensors.Select(t => t.Name));
        foreach (var (tensor, factor) in adapter.Layout.Tensors.Zip(factors))
        {
            Assert.Equal(norms[tensor.Name], factor.grad!.norm().item<float>(), Math.Max(1e-6, norms[tensor.Name] * 1e-4));
            Golden.Near(golden.Floats($"grad.{tensor.Name}"), factor.grad!, 5e-5, tensor.Name);
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Golden.Adapters), "after_step1", MemberType = typeof(Golden))]
    public void Steps_of_AdamW_are_those_of_torch(string folder)
    {
        using var decoder = Load(folder, out var adapter, out var golden);
        var factors = adapter.Of(Factors.Both);
        using var optimiser = new AdamW(factors, new TrainingOptions { Steps = 3, WeightDecay = 0.01, Beta1 = 0.9, Beta2 = 0.999, Epsilon = 1e-8 });
        var before = golden.Json.GetProperty("losses_before_each_step").EnumerateArray().Select(v => v.GetDouble()).ToList();
        for (var step = 1; step <= before.Count; step++)
        {
            using var batch = golden.Batch($"batch{step - 1}.");
            foreach (var factor in factors)
            {
                factor.requires_grad_();
            }

            var loss = decoder.Loss(batch).div(batch.TargetCount);
            Assert.Equal(before[step - 1], loss.item<float>(), 1e-5);
            optimiser.Step(AdamW.Flatten(autograd.grad([loss], [.. factors])), 1e-3);

            foreach (var tensor in adapter.Layout.Tensors.Where(t => golden.Header.Find($"after_step{step}.{t.Name}") is not null))
            {
                Golden.Near(golden.Floats($"after_step{step}.{tensor.Name}"), adapter[tensor.Name], 1e-5, $"step {step}, {tensor.Name}");
            }
        }

        using var _ = no_grad();
        golden.NearOnTokens("logits_after_step3", Logits(decoder, golden), 10 * Tolerance, "batch0.");
    }

    private static Tensor Logits(Decoder decoder, Golden golden) => decoder.Logits(decoder.Forward(golden.Tokens("batch0.input_ids")));

    private static Decoder Load(string folder, out LoraAdapter adapter, out Golden golden)
    {
        var configuration = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, PeftFolder.ConfigFile))).RootElement;
        var decoder = Golden.Load(Path.GetFullPath(configuration.GetProperty("base_model_name_or_path").GetString()!, folder));
        var peft = PeftFolder.Read(folder);
        golden = new Golden(folder);
        adapter = new LoraAdapter(decoder, peft.Config);
        Assert.Equal(peft.Layout, adapter.Layout);
        adapter.Import(peft.Values);
        return decoder;
    }
}
