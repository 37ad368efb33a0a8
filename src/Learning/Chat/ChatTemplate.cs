using System.Text;
using System.Text.Json;
using FedChain.Learning.Chat.Templates;

namespace FedChain.Learning.Chat;

/// <summary>
/// How a checkpoint was taught to see a conversation: its own <c>chat_template</c>, computed as Hugging Face's apply_chat_template computes it. The shapes
/// (ChatML, Llama-2, Llama-3, Mistral, Zephyr, Phi-3) are few, but every checkpoint writes them down in its own words, so the words are followed rather than
/// guessed at; what they use beyond <see cref="TemplateParser"/> is refused by name.
/// </summary>
public sealed class ChatTemplate
{
    private const string ConfigFile = "tokenizer_config.json";
    private const string TemplateFile = "chat_template.jinja";
    private const string Advice = "Write the prompt out in the model's own form and use 'fedchain generate', or put a simpler chat_template of the same form into the folder.";

    private readonly string _file;
    private readonly Statement _template;
    private readonly IReadOnlyDictionary<string, string> _tokens;

    private ChatTemplate(string file, string source, IReadOnlyDictionary<string, string> tokens)
    {
        (_file, _tokens) = (file, tokens);
        try
        {
            _template = TemplateParser.Parse(source);
        }
        catch (TemplateException e)
        {
            throw Unsupported(e);
        }
    }

    /// <param name="folder">The checkpoint's.</param>
    /// <exception cref="InvalidDataException">There is none, or one that can't be computed; the message says why.</exception>
    public static ChatTemplate Load(string folder)
    {
        var (config, template) = (Path.Combine(folder, ConfigFile), Path.Combine(folder, TemplateFile));
        try
        {
            using var document = File.Exists(config) ? JsonDocument.Parse(File.ReadAllBytes(config), new JsonDocumentOptions { MaxDepth = 32 }) : null;
            var root = document?.RootElement ?? default;
            var source = File.Exists(template) ? File.ReadAllText(template) : root.ValueKind == JsonValueKind.Object ? Source(root, config) : null;
            return source is not null
                ? new ChatTemplate(File.Exists(template) ? template : config, source, SpecialTokens(root))
                : throw new InvalidDataException($"{folder} has no chat template (chat_template in {ConfigFile}, or {TemplateFile}): the model continues texts, but wasn't made for conversations. Use 'fedchain generate'.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new InvalidDataException($"{config} is not a well-formed {ConfigFile}: {e.Message}", e);
        }
    }

    /// <summary>The conversation as one text, special tokens by their names.</summary>
    /// <param name="messages">The conversation so far.</param>
    /// <param name="addGenerationPrompt">Whether the text goes on to where an answer begins.</param>
    /// <param name="time">Tells the date to templates that ask for it.</param>
    /// <exception cref="InvalidDataException">The template can't be computed, or refuses the conversation (such as a system message that the model doesn't know); the message says why.</exception>
    public string Render(IEnumerable<ChatMessage> messages, bool addGenerationPrompt, TimeProvider time)
    {
        var scope = new TemplateScope(null)
        {
            ["messages"] = new List<object?>(messages.Select(m => new OrderedDictionary<string, object?>(StringComparer.Ordinal) { ["role"] = m.Role, ["content"] = m.Content })),
            ["add_generation_prompt"] = addGenerationPrompt,
            ["tools"] = null,
            ["documents"] = null,
            ["range"] = (Function)TemplateValue.Range,
            ["namespace"] = (Function)(a => new TemplateSpace(new Dictionary<string, object?>(a.Named, StringComparer.Ordinal))),
            ["raise_exception"] = (Function)(a => throw new InvalidDataException($"The model's chat template refuses the conversation: {TemplateValue.Text(a.At(0, "message", ""))}")),
            ["strftime_now"] = (Function)(a => TemplateMethods.FormatTime(time.GetLocalNow(), TemplateValue.Text(a.At(0, "format")))),
        };
        foreach (var (name, token) in _tokens)
        {
            scope[name] = token;
        }

        try
        {
            var text = new StringBuilder();
            _template(scope, text);
            return text.ToString();
        }
        catch (TemplateException e)
        {
            throw Unsupported(e);
        }
    }

    /// <summary>The template itself, or of several named ones the default.</summary>
    private static string? Source(JsonElement root, string file)
    {
        if (!root.TryGetProperty("chat_template", out var given) || given.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (given.ValueKind == JsonValueKind.String)
        {
            return given.GetString();
        }

        var named = given.EnumerateArray().Select(t => (Name: t.GetProperty("name").GetString(), Template: t.GetProperty("template").GetString())).ToList();
        return named.Find(t => t.Name == "default").Template
            ?? throw new InvalidDataException($"{file} has chat templates for {string.Join(", ", named.Select(t => t.Name))}, and none named default. {Advice}");
    }

    /// <summary>bos_token, eos_token and the like: each a string, or an object with its content.</summary>
    private static Dictionary<string, string> SpecialTokens(JsonElement root)
    {
        var tokens = new Dictionary<string, string>(StringComparer.Ordinal);
        if (root.ValueKind != JsonValueKind.Object)
        {
            return tokens;
        }

        foreach (var property in root.EnumerateObject().Where(p => p.Name.EndsWith("_token", StringComparison.Ordinal)))
        {
            var value = property.Value.ValueKind == JsonValueKind.Object && property.Value.TryGetProperty("content", out var content) ? content : property.Value;
            if (value.ValueKind == JsonValueKind.String)
            {
                tokens[property.Name] = value.GetString()!;
            }
        }

        return tokens;
    }

    private InvalidDataException Unsupported(TemplateException e) => new($"The chat template in {_file} can't be computed: {e.Message}. {Advice}", e);
}
