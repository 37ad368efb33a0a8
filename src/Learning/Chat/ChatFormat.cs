using FedChain.Learning.Models;
using FedChain.Learning.Tokenization;

namespace FedChain.Learning.Chat;

/// <summary>A checkpoint's conversations as tokens: its <see cref="ChatTemplate"/>, and the tokenizer that knows the template's marks.</summary>
public sealed class ChatFormat
{
    private const string Probe = "An answer.";

    private readonly ChatTemplate _template;
    private readonly JsonTokenizer _tokenizer;
    private readonly TimeProvider _time;

    private ChatFormat(ChatTemplate template, JsonTokenizer tokenizer, TimeProvider time)
    {
        (_template, _tokenizer, _time) = (template, tokenizer, time);
        EndTokens = TurnEnd() is { } end ? [end] : [];
    }

    /// <summary>What ends an answer by the template, besides the model's own end tokens.</summary>
    public IReadOnlyCollection<int> EndTokens { get; }

    /// <param name="folder">The checkpoint's.</param>
    /// <param name="time">Tells the date to templates that ask for it.</param>
    /// <exception cref="InvalidDataException">The checkpoint has no chat template, or one that can't be computed, or not the tokenizer for it; the message says which.</exception>
    public static ChatFormat Load(string folder, TimeProvider time)
    {
        var template = ChatTemplate.Load(folder);
        var file = Path.Combine(folder, JsonTokenizer.FileName);
        return File.Exists(file)
            ? new ChatFormat(template, JsonTokenizer.Load(file, DecoderConfig.Read(folder).EndTokens is [var end, ..] ? end : null), time)
            : throw new InvalidDataException($"{folder} has no {JsonTokenizer.FileName}; only that says which of the chat template's marks are tokens. Get it from where the model came from.");
    }

    /// <summary>The conversation up to where the next answer begins.</summary>
    /// <exception cref="InvalidDataException">The template can't be computed, or refuses the conversation; the message says why.</exception>
    public int[] Encode(IEnumerable<ChatMessage> messages) => _tokenizer.Encode(_template.Render(messages, addGenerationPrompt: true, _time));

    /// <summary>The text of an answer's tokens.</summary>
    public string Decode(ReadOnlySpan<int> ids) => _tokenizer.Decode(ids);

    /// <summary>The first token of its own kind that the template puts behind an answer: a model goes on with it, and its config.json needn't name it.</summary>
    private int? TurnEnd()
    {
        var text = _template.Render([new("user", "A question?"), new("assistant", Probe)], addGenerationPrompt: false, _time);
        var at = text.LastIndexOf(Probe, StringComparison.Ordinal);
        return at < 0 ? null : _tokenizer.Encode(text[(at + Probe.Length)..]).Cast<int?>().FirstOrDefault(id => _tokenizer.IsAdded(id!.Value));
    }
}
