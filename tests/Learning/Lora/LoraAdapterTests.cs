using System.Security.Cryptography;
using FedChain.Learning.Lora;
using FedChain.Protocol;
using FedChain.Protocol.Files;
using FedChain.Protocol.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace FedChain.Tests.Learning.Lora;

public sealed class LoraAdapterTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Theory]
    [InlineData(24, 40)] // W + sBA is formed
    [InlineData(700, 600)] // the factors are applied one after the other
    public void Merged_formed_and_factored_give_the_same(int inputs, int outputs)
    {
        var (w, a, b) = (randn(outputs, inputs).div_(Math.Sqrt(inputs)), randn(3, inputs).div_(Math.Sqrt(inputs)), randn(outputs, 3));
        using var linear = new LoraLinear("x.q_proj", w, null);
        var before = Golden.Values(w);
        linear.Attach(a.clone().DetachFromDisposeScope(), b.clone().DetachFromDisposeScope(), 2);
        var x = randn(5, inputs);
        using var _ = no_grad();

        var expected = x.to(float64).matmul((w.to(float64) + (2 * b.to(float64).matmul(a.to(float64)))).t());
        Golden.Near(Golden.Values(expected), linear.Forward(x), 1e-4, "apart");
        linear.Merge();
        Golden.Near(Golden.Values(expected), linear.Forward(x), 1e-4, "merged");
        linear.Unmerge();
        Golden.Near(Golden.Values(expected), linear.Forward(x), 1e-4, "apart again");
        linear.Enabled = false;
        Golden.Near(Golden.Values(nn.functional.linear(x, w)), linear.Forward(x), 0, "disabled");
        Assert.Equal(before, Golden.Values(w));
    }

    [Fact]
    public void What_averaged_factors_leave_out_can_be_put_into_the_weight_and_taken_back_to_the_bit()
    {
        var (w, x) = (randn(40, 24).div_(5), randn(5, 24));
        using var linear = new LoraLinear("x.q_proj", w, null);
        var before = Golden.Values(w);
        Tensor[] a = [randn(3, 24), randn(3, 24)], b = [randn(40, 3), randn(40, 3)];
        using var _ = no_grad();
        var expected = nn.functional.linear(x, w + (b[0].matmul(a[0]) + b[1].matmul(a[1]))); // scale 2, each counts a half
        foreach (var (ofA, ofB) in a.Zip(b))
        {
            linear.Attach(ofA.clone().DetachFromDisposeScope(), ofB.clone().DetachFromDisposeScope(), 2);
            linear.Absorb(0.5);
        }

        linear.Attach(((a[0] + a[1]) / 2).DetachFromDisposeScope(), ((b[0] + b[1]) / 2).DetachFromDisposeScope(), 2);
        linear.Absorb(-1);
        Golden.Near(Golden.Values(expected), linear.Forward(x), 1e-4, "the mean of the products");

        linear.Restore();
        Assert.Equal(before, Golden.Values(w));
        linear.Enabled = false;
        Golden.Near(Golden.Values(nn.functional.linear(x, w)), linear.Forward(x), 0, "restored");
    }

    [Fact]
    public void Factored_and_formed_have_the_same_gradients()
    {
        const int Inputs = 600, Outputs = 700;
        var (w, a, b, x) = (randn(Outputs, Inputs).div_(25), randn(3, Inputs).div_(25), randn(Outputs, 3), randn(5, Inputs));
        using var linear = new LoraLinear("x.q_proj", w, null);
        linear.Attach(a.clone().DetachFromDisposeScope().requires_grad_(), b.clone().DetachFromDisposeScope().requires_grad_(), 2);
        Assert.False(linear.FormsWeight);

        var factored = autograd.grad([linear.Forward(x).square().mean()], [linear.A!, linear.B!]);
        var formed = autograd.grad([nn.functional.linear(x, linear.FormWeight()).square().mean()], [linear.A!, linear.B!]);

        Golden.Near(Golden.Values(formed[0]), factored[0], 1e-4, "A");
        Golden.Near(Golden.Values(formed[1]), factored[1], 1e-4, "B");
    }

    [Fact]
    public void The_first_adapter_leaves_the_model_as_it_is()
    {
        using var plain = TinyModel.Create();
        using var adapted = TinyModel.WithAdapter();

        Assert.Equal(plain.Evaluate(TinyModel.Examples(), cancellationToken: Token), adapted.Evaluate(TinyModel.Examples(), cancellationToken: Token));
    }

    [Fact]
    public void Fixed_point_values_come_back_as_they_went_in()
    {
        using var model = TinyModel.WithAdapter();
        var layout = model.LayoutFor(TinyModel.Adapter);
        var values = Enumerable.Range(0, layout.Count).Select(i => (i * 7919 % 200_001) - 100_000).ToArray();
        var adapter = new Adapter(layout, TinyModel.Adapter.FractionBits, [.. values]);

        model.ImportAdapter(adapter);

        Assert.Equal(values, model.ExportAdapter().Values.ToArray());
        Assert.Equal(layout.Tensors.SelectMany(adapter.ToFloats), model.AdapterValues());
    }

    [Fact]
    public void Names_and_shapes_are_those_of_Peft()
    {
        using var model = TinyModel.WithAdapter();
        var layout = model.AdapterLayout!;

        Assert.Equal(2 * 7 * 2, layout.Tensors.Length);
        var down = layout.Tensors.Single(t => t.Name == "base_model.model.model.layers.1.mlp.down_proj.lora_B.weight");
        Assert.Equal((16, 4), (down.Rows, down.Columns));
        var key = layout.Tensors.Single(t => t.Name == "base_model.model.model.layers.0.self_attn.k_proj.lora_A.weight");
        Assert.Equal((4, 16), (key.Rows, key.Columns));
    }

    [Fact]
    public void An_adapter_that_does_not_fit_is_refused()
    {
        using var model = TinyModel.WithAdapter();
        var other = new AdapterConfig(2, 4, ["q_proj"]);

        Assert.Throws<ArgumentException>(() => model.ImportAdapter(Adapter.First(model.LayoutFor(other), TinyModel.Seed, other.FractionBits)));
        Assert.Throws<ArgumentException>(() => model.AttachAdapter(new AdapterConfig(2, 4, ["c_attn"]), TinyModel.Seed));
        model.DetachAdapter();
        Assert.Throws<InvalidOperationException>(model.AdapterValues);
    }

    [Theory]
    [InlineData("use_dora", "true")]
    [InlineData("bias", "\"all\"")]
    [InlineData("rank_pattern", "{\"q_proj\":8}")]
    [InlineData("modules_to_save", "[\"lm_head\"]")]
    [InlineData("peft_type", "\"IA3\"")]
    [InlineData("r", "\"four\"")]
    [InlineData("target_modules", "\"all-linear\"")]
    public void A_Peft_folder_of_another_kind_is_refused_by_name(string name, string value)
    {
        var folder = Directory.CreateTempSubdirectory("fedchain-peft-").FullName;
        try
        {
            using var model = TinyModel.WithAdapter();
            Write(model.ExportAdapter(), folder);
            var config = Path.Combine(folder, PeftFolder.ConfigFile);
            var json = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(config))!.AsObject();
            json[name] = System.Text.Json.Nodes.JsonNode.Parse(value);
            File.WriteAllText(config, json.ToJsonString());

            var refused = Assert.Throws<InvalidDataException>(() => PeftFolder.Read(folder));
            Assert.Contains(PeftFolder.ConfigFile, refused.Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void What_the_federation_writes_reads_as_a_Peft_folder()
    {
        var folder = Directory.CreateTempSubdirectory("fedchain-peft-").FullName;
        try
        {
            using var model = TinyModel.WithAdapter();
            model.TrainAdapter(TinyModel.Examples(), new() { Steps = 3 }, cancellationToken: Token);
            var exported = model.ExportAdapter();
            model.ImportAdapter(exported);
            Write(exported, folder);
            Assert.Equal(AdapterFile.Digest(exported), new Hash256(SHA256.HashData(File.ReadAllBytes(Path.Combine(folder, PeftFolder.WeightsFile)))));

            using var other = TinyModel.Create();
            other.AttachAdapter(PeftFolder.Read(folder));

            Assert.Equal(model.AdapterValues(), other.AdapterValues());
            Assert.Equal(model.Evaluate(TinyModel.Examples(), cancellationToken: Token), other.Evaluate(TinyModel.Examples(), cancellationToken: Token));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>As a global adapter leaves the federation.</summary>
    private static void Write(Adapter adapter, string folder)
    {
        var values = new float[adapter.Layout.Count];
        FixedPoint.Dequantize(adapter.Values, adapter.FractionBits, values);
        new PeftFolder(TinyModel.Adapter, adapter.Layout, values).Write(folder, "base");
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;
}
