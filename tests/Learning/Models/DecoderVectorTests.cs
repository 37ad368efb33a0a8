using FedChain.Learning.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace FedChain.Tests.Learning.Models;

/// <summary>Held to Hugging Face's own numbers (vectors/llm/README.md) with the tolerances it suggests.</summary>
[Trait("Category", "Vectors")]
public sealed class DecoderVectorTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    public static TheoryData<string> Folders =>
        [.. Shared.VectorFolders("llm").Concat(Shared.VectorFolders("llm/lora")).SelectMany(Directory.EnumerateDirectories).Where(d => Path.GetFileName(d) != "lora")];

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Folders))]
    public void Every_folder_is_a_case_that_the_other_tests_take_up(string folder)
    {
        var adapter = Path.GetFileName(Path.GetDirectoryName(folder)) == "lora";

        Assert.True(File.Exists(Path.Combine(folder, adapter ? "adapter_config.json" : "config.json")), $"{folder} holds neither a model nor an adapter.");
        Assert.NotEmpty(new Golden(folder).Floats("logits"));
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Golden.Models), "logits", MemberType = typeof(Golden))]
    public void Logits_are_those_of_Hugging_Face(string folder)
    {
        using var decoder = Golden.Load(folder);
        var golden = new Golden(folder);
        using var _ = no_grad();

        var withMask = decoder.Logits(decoder.Forward(golden.Tokens("input_ids"), golden.Tokens("attention_mask")));
        golden.NearOnTokens("logits", withMask, 1e-4);
        golden.NearOnTokens("logits", decoder.Logits(decoder.Forward(golden.Tokens("input_ids"))), 1e-4);
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Golden.Models), "hidden_states", MemberType = typeof(Golden))]
    public void Hidden_states_are_those_of_Hugging_Face(string folder)
    {
        using var decoder = Golden.Load(folder);
        var golden = new Golden(folder);
        using var _ = no_grad();
        var states = new List<Tensor>();

        decoder.Forward(golden.Tokens("input_ids"), golden.Tokens("attention_mask"), hiddenStates: states);

        Assert.Equal(golden.Header.Tensors.Count(t => t.Name.StartsWith("hidden_states.", StringComparison.Ordinal)), states.Count);
        for (var i = 0; i < states.Count; i++)
        {
            golden.NearOnTokens($"hidden_states.{i}", states[i], 1e-4);
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Golden.Models), "loss", MemberType = typeof(Golden))]
    public void The_loss_is_that_of_Hugging_Face(string folder)
    {
        using var decoder = Golden.Load(folder);
        var golden = new Golden(folder);
        using var batch = golden.Batch();
        using var _ = no_grad();

        var mean = decoder.Loss(batch).item<float>() / batch.TargetCount;

        Assert.Equal(golden.Json.GetProperty("loss").GetDouble(), mean, 1e-5);
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Golden.Models), "grad_norms", MemberType = typeof(Golden))]
    public void Gradients_are_those_of_Hugging_Face(string folder)
    {
        using var decoder = Golden.Load(folder);
        var golden = new Golden(folder);
        using var batch = golden.Batch();
        foreach (var parameter in decoder.Parameters.Values)
        {
            parameter.requires_grad_();
        }

        decoder.Loss(batch).div(batch.TargetCount).backward();

        var norms = golden.Json.GetProperty("grad_norms").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetDouble());
        Assert.Equal(norms.Keys.Order(), decoder.Parameters.Keys.Order());
        foreach (var (name, norm) in norms)
        {
            Assert.Equal(1, decoder.Parameters[name].grad!.norm().item<float>() / norm, 1e-4);
        }

        foreach (var entry in golden.Header.Tensors.Where(t => t.Name.StartsWith("grad.", StringComparison.Ordinal)))
        {
            Golden.Near(golden.Floats(entry.Name), decoder.Parameters[entry.Name["grad.".Length..]].grad!, 1e-4, entry.Name);
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Golden.Models), "long_input_ids", MemberType = typeof(Golden))]
    public void A_long_run_and_positions_far_on_are_those_of_Hugging_Face(string folder)
    {
        using var decoder = Golden.Load(folder);
        var golden = new Golden(folder);
        using var _ = no_grad();

        var everyEighth = decoder.Logits(decoder.Forward(golden.Tokens("long_input_ids")))[TensorIndex.Colon, TensorIndex.Slice(null, null, 8)];
        Golden.Near(golden.Floats("long_logits_every_8th"), everyEighth, 1e-4, "long run");

        var positions = golden.Tokens("offset_position_ids");
        var tokens = golden.Tokens("input_ids").narrow(0, 0, positions.shape[0]).narrow(1, 0, positions.shape[1]);
        var last = golden.Header["offset_logits_last4"].Shape[1];
        var offset = decoder.Logits(decoder.Forward(tokens, positions: positions)).narrow(1, positions.shape[1] - last, last);
        Golden.Near(golden.Floats("offset_logits_last4"), offset, 1e-4, "offset positions");
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Golden.Models), "long_input_ids", MemberType = typeof(Golden))]
    public void With_a_cache_the_logits_are_those_of_one_pass(string folder)
    {
        using var decoder = Golden.Load(folder);
        var tokens = new Golden(folder).Tokens("long_input_ids");
        using var cache = new KeyValueCache(decoder, 1, (int)tokens.shape[1]);
        using var _ = no_grad();
        var whole = decoder.Logits(decoder.Forward(tokens));

        // A prompt, one token, a piece of several behind a filled cache, and the rest one by one.
        var pieces = new[] { 40, 1, 30 }.Concat(Enumerable.Repeat(1, (int)tokens.shape[1] - 71));
        var at = 0;
        var parts = new List<Tensor>();
        foreach (var piece in pieces)
        {
            parts.Add(decoder.Logits(decoder.Forward(tokens.narrow(1, at, piece), cache: cache)));
            at += piece;
        }

        Golden.Near(Golden.Values(whole), cat([.. parts], 1), 1e-4, "with a cache");
    }
}
