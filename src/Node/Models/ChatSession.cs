using FedChain.Learning;
using FedChain.Learning.Chat;
using FedChain.Learning.Generation;

namespace FedChain.Node.Models;

/// <summary>A conversation with a model: what was said, and the tokens that were computed for it.</summary>
internal sealed class ChatSession : IDisposable
{
    private readonly CausalLanguageModel _model;
    private readonly ChatFormat _format;
    private readonly GenerationOptions _options;
    private readonly IReadOnlyList<ChatMessage> _first;
    private readonly Conversation _conversation;
    private List<ChatMessage> _messages = [];

    /// <param name="first">What every conversation begins with: a system message, or nothing.</param>
    public ChatSession(CausalLanguageModel model, ChatFormat format, GenerationOptions options, IReadOnlyList<ChatMessage> first)
    {
        (_model, _format, _options, _first, _conversation) = (model, format, options with { EndTokens = format.EndTokens }, first, model.Converse());
        Begin();
    }

    /// <summary>Forgets what was said.</summary>
    public void Begin() => _messages = [.. _first];

    /// <summary>Answers, and remembers both. An answer that is stopped is remembered as far as it came.</summary>
    /// <exception cref="UserErrorException">The conversation has become too long; what was said last is forgotten.</exception>
    /// <exception cref="InvalidDataException">The model's chat template refuses the conversation.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public void Answer(string text, TextWriter output, CancellationToken cancellationToken)
    {
        List<ChatMessage> messages = [.. _messages, new("user", text)];
        var tokens = _format.Encode(messages);
        if (tokens.Length >= _model.Config.ContextLength)
        {
            throw new UserErrorException($"The conversation has {tokens.Length} tokens, and the model's context is {_model.Config.ContextLength}. Say it shorter, or begin anew with /new.");
        }

        var answer = new AnswerWriter(output, _format.Decode);
        try
        {
            foreach (var id in _conversation.Continue(tokens, _options with { Seed = _options.Seed + (ulong)messages.Count }, cancellationToken))
            {
                answer.Add(id);
            }
        }
        finally
        {
            _messages = [.. messages, new("assistant", answer.Text)];
        }
    }

    public void Dispose() => _conversation.Dispose();
}
