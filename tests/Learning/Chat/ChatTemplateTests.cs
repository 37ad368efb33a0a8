using System.Text.Json;
using FedChain.Learning.Chat;
using Microsoft.Extensions.Time.Testing;

namespace FedChain.Tests.Learning.Chat;

public sealed class ChatTemplateTests : IDisposable
{
    private static readonly FakeTimeProvider Time = new(new DateTimeOffset(2027, 3, 5, 12, 0, 0, TimeSpan.Zero));

    private readonly string _folder = Directory.CreateTempSubdirectory("fedchain-chat-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Every_text_is_the_one_that_Jinja_makes_and_what_Jinja_refuses_is_refused()
    {
        using var vectors = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Shared.RepositoryRoot, "tests", "vectors", "chat.json")));
        var tokens = vectors.RootElement.GetProperty("tokens").EnumerateObject().ToDictionary(t => t.Name, t => (object)t.Value.GetString()!);
        var conversations = vectors.RootElement.GetProperty("conversations").EnumerateArray()
            .Select(c => c.EnumerateArray().Select(m => new ChatMessage(m.GetProperty("role").GetString()!, m.GetProperty("content").GetString()!)).ToList()).ToList();
        var (count, wrong) = (0, new List<string>());
        foreach (var test in vectors.RootElement.GetProperty("templates").EnumerateArray())
        {
            Write(new Dictionary<string, object>(tokens) { ["chat_template"] = test.GetProperty("template").GetString()! });
            foreach (var (conversation, texts) in conversations.Zip(test.GetProperty("texts").EnumerateArray()))
            {
                foreach (var (prompt, text) in new[] { true, false }.Zip(texts.EnumerateArray()))
                {
                    var (expected, actual) = (text.GetString(), Rendered(conversation, prompt));
                    count++;
                    if (expected is null ? !actual.StartsWith("refused", StringComparison.Ordinal) : actual != expected)
                    {
                        wrong.Add($"{test.GetProperty("name")}: {test.GetProperty("template")}\n expected {JsonSerializer.Serialize(expected)}\n actual   {JsonSerializer.Serialize(actual)}");
                    }
                }
            }
        }

        Assert.True(count > 100);
        Assert.True(wrong.Count == 0, $"{wrong.Count} of {count}:\n{string.Join('\n', wrong)}");
    }

    [Theory]
    [InlineData("{% macro x() %}{% endmacro %}", "the statement 'macro' isn't supported")]
    [InlineData("{% include 'x' %}", "the statement 'include' isn't supported")]
    [InlineData("\n{{ messages | nothing }}", "The filter 'nothing' isn't supported")]
    [InlineData("{{ messages is nothing }}", "The test 'nothing' isn't supported")]
    [InlineData("{{ 'a'.zfill(3) }}", "'zfill' is no function that is supported")]
    [InlineData("{{ messages | tojson }}", "The filter 'tojson' isn't supported")]
    [InlineData("{{ messages }}", "a list can't be printed")]
    [InlineData("{{ messages[0].content + 1 }}", "'+' doesn't work with a string and a number")]
    [InlineData("a\n{% if %}", "line 2: expected a value, found '%}'")]
    [InlineData("{{ strftime_now('%Z') }}", "The time format '%Z' isn't supported")]
    [InlineData("{% for a in range(2000) %}{% for b in range(2000) %}x{% endfor %}{% endfor %}", "More than 1000000 steps")]
    [InlineData("{{ ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1)))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))) }}", "nested more than 64 deep")]
    public void What_is_not_computed_is_refused_by_name_with_advice(string template, string expected)
    {
        var message = Refused(template);
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.Contains("tokenizer_config.json can't be computed", message, StringComparison.Ordinal);
        Assert.Contains("fedchain generate", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_conversation_that_the_template_refuses_is_refused_in_its_words() =>
        Assert.Equal("The model's chat template refuses the conversation: no system message", Refused("{{ raise_exception('no system message') }}"));

    [Fact]
    public void What_is_beside_the_way_that_is_taken_does_no_harm() =>
        Assert.Equal("ok", Loaded("{% if tools %}{{ tools | tojson }}{% else %}ok{% endif %}").Render([new("user", "x")], addGenerationPrompt: true, Time));

    [Fact]
    public void It_is_found_where_Hugging_Face_keeps_it()
    {
        Assert.Contains("has no chat template", Assert.Throws<InvalidDataException>(() => ChatTemplate.Load(_folder)).Message, StringComparison.Ordinal);
        Write(new { bos_token = "<s>" });
        Assert.Contains("Use 'fedchain generate'", Assert.Throws<InvalidDataException>(() => ChatTemplate.Load(_folder)).Message, StringComparison.Ordinal);
        Write(new { chat_template = new[] { new { name = "tool_use", template = "x" } } });
        Assert.Contains("for tool_use, and none named default", Assert.Throws<InvalidDataException>(() => ChatTemplate.Load(_folder)).Message, StringComparison.Ordinal);
        Write(new { bos_token = new { content = "<b>" }, chat_template = new[] { new { name = "rag", template = "y" }, new { name = "default", template = "{{ bos_token }}x" } } });
        Assert.Equal("<b>x", Text());
        File.WriteAllText(Path.Combine(_folder, "chat_template.jinja"), "{{ bos_token }}of its own\n");
        Assert.Equal("<b>of its own", Text());
        File.WriteAllText(Path.Combine(_folder, "tokenizer_config.json"), "{\"chat_template\": [{}]}");
        File.Delete(Path.Combine(_folder, "chat_template.jinja"));
        Assert.Contains("is not a well-formed tokenizer_config.json", Assert.Throws<InvalidDataException>(() => ChatTemplate.Load(_folder)).Message, StringComparison.Ordinal);

        string Text() => ChatTemplate.Load(_folder).Render([new("user", "x")], addGenerationPrompt: true, Time);
    }

    private string Rendered(IEnumerable<ChatMessage> messages, bool prompt)
    {
        try
        {
            return ChatTemplate.Load(_folder).Render(messages, prompt, Time);
        }
        catch (InvalidDataException e)
        {
            return $"refused: {e.Message}";
        }
    }

    private string Refused(string template) =>
        Assert.Throws<InvalidDataException>(() => Loaded(template).Render([new("user", "x")], addGenerationPrompt: true, Time)).Message;

    private ChatTemplate Loaded(string template)
    {
        Write(new { chat_template = template });
        return ChatTemplate.Load(_folder);
    }

    private void Write(object config) => File.WriteAllText(Path.Combine(_folder, "tokenizer_config.json"), JsonSerializer.Serialize(config));
}
