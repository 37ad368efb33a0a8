using System.Text.Json;
using FedChain.Learning;
using FedChain.Learning.Chat;
using FedChain.Learning.Examples;

namespace FedChain.Tests.Learning;

/// <summary>
/// A chat model in a folder: bytes as tokens and four marks, ChatML, and a decoder that was trained to answer a few questions. Nothing of it is taken from
/// elsewhere.
/// </summary>
internal static class ChatFolder
{
    public const string Template = "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

    private const int End = 258;

    /// <summary>What the model learns to answer.</summary>
    public static readonly (string Question, string Answer)[] Learnt = [("bed?", "ward 3"), ("tea?", "at 4"), ("who?", "Dr Ué")];

    public static void Write(string folder, int steps, int context = 128)
    {
        using var model = CausalLanguageModel.Create(
            new() { VocabSize = 259, HiddenSize = 64, IntermediateSize = 96, Layers = 2, Heads = 4, KeyValueHeads = 2, HeadSize = 16, ContextLength = context, TiedEmbeddings = true, EndTokens = [256] }, 3, ComputeDevice.Cpu);
        model.Save(folder);
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), Tokenizer());
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), JsonSerializer.Serialize(new { eos_token = "<|endoftext|>", chat_template = Template }));
        if (steps > 0)
        {
            model.TrainAllWeights(Examples(folder), new() { Steps = steps, BatchSize = 6, LearningRate = 5e-3, WarmUpSteps = 5 });
            model.Save(folder);
        }
    }

    /// <summary>Every question alone, and after every other one with its answer.</summary>
    private static List<TokenizedExample> Examples(string folder)
    {
        var format = ChatFormat.Load(folder, TimeProvider.System);
        return [.. from second in Learnt from first in Learnt.Cast<(string Question, string Answer)?>().Append(null) select Example(first, second)];

        TokenizedExample Example((string Question, string Answer)? first, (string Question, string Answer) second)
        {
            var prompt = format.Encode([.. first is { } f ? [new("user", f.Question), new("assistant", f.Answer)] : Array.Empty<ChatMessage>(), new("user", second.Question)]);
            return new TokenizedExample([.. prompt, .. System.Text.Encoding.UTF8.GetBytes(second.Answer).Select(b => (int)b), End], prompt.Length, 0);
        }
    }

    /// <summary>Byte-level BPE without a merge: every byte is its own token, in GPT-2's alphabet of printable characters.</summary>
    private static string Tokenizer()
    {
        int[] printable = [.. Enumerable.Range('!', '~' - '!' + 1), .. Enumerable.Range(0xA1, 0xAC - 0xA1 + 1), .. Enumerable.Range(0xAE, 0xFF - 0xAE + 1)];
        var others = 0;
        var vocabulary = Enumerable.Range(0, 256).ToDictionary(b => $"{(char)(printable.Contains(b) ? b : 256 + others++)}", b => b);
        string[] marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];
        return JsonSerializer.Serialize(new
        {
            version = "1.0",
            added_tokens = marks.Select((mark, i) => new { id = 256 + i, content = mark, single_word = false, lstrip = false, rstrip = false, normalized = false, special = true }),
            pre_tokenizer = new { type = "ByteLevel", add_prefix_space = false, trim_offsets = true, use_regex = true },
            decoder = new { type = "ByteLevel", add_prefix_space = true, trim_offsets = true, use_regex = true },
            model = new { type = "BPE", vocab = vocabulary, merges = Array.Empty<string>() },
        });
    }
}
