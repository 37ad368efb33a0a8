using FedChain.Learning;
using FedChain.Learning.Examples;
using FedChain.Learning.Models;
using FedChain.Protocol;
using FedChain.Protocol.Files;

namespace FedChain.Tests.Learning;

/// <summary>A model of a few thousand weights and examples that it can learn: a response that counts on from the prompt's last token.</summary>
internal static class TinyModel
{
    public static readonly DecoderConfig Config = new()
    {
        VocabSize = 32,
        HiddenSize = 16,
        IntermediateSize = 24,
        Layers = 2,
        Heads = 4,
        KeyValueHeads = 2,
        HeadSize = 4,
        ContextLength = 64,
        TiedEmbeddings = true,
        BeginToken = 1,
        EndTokens = [2],
    };

    public static readonly AdapterConfig Adapter = new(4, 8, ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]);

    public static readonly Hash256 Seed = Hash256.Parse("0x0102030405060708091011121314151617181920212223242526272829303132");

    public static CausalLanguageModel Create(ulong seed = 7) => CausalLanguageModel.Create(Config, seed, ComputeDevice.Cpu);

    public static CausalLanguageModel WithAdapter(ulong seed = 7)
    {
        var model = Create(seed);
        model.AttachAdapter(Adapter, Seed);
        return model;
    }

    public static List<TokenizedExample> Examples(int count = 40) => [.. Enumerable.Range(0, count).Select(i =>
    {
        var (start, prompt, response) = (3 + (i % 12), 2 + (i % 5), 3 + (i % 7));
        return new TokenizedExample([1, .. Enumerable.Range(start, prompt + response).Select(t => 3 + (t % 29))], 1 + prompt, response);
    })];
}
