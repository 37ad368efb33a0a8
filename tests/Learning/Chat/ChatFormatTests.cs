using System.Text.Json;
using FedChain.Learning.Chat;

namespace FedChain.Tests.Learning.Chat;

public sealed class ChatFormatTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fedchain-chat-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Marks_are_tokens_and_what_ends_a_turn_ends_an_answer()
    {
        ChatFolder.Write(_folder, steps: 0);
        var format = ChatFormat.Load(_folder, TimeProvider.System);

        Assert.Equal([257, .. "user\nab"u8.ToArray().Select(b => (int)b), 258, '\n', 257, .. "assistant\n"u8.ToArray().Select(b => (int)b)], format.Encode([new("user", "ab")]));
        Assert.Equal([258], format.EndTokens); // config.json names another
        Assert.Equal("ab", format.Decode([257, 'a', 'b', 258]));
    }

    [Theory]
    [InlineData("{% for m in messages %}[{{ m.content }}] {% endfor %}", new int[0])]
    [InlineData("{% for m in messages %}{{ m.content }} <|endoftext|> <|im_end|>{% endfor %}", new[] { 256 })]
    [InlineData("{% for m in messages if m.role == 'user' %}{{ m.content }}<|im_end|>{% endfor %}", new int[0])] // an answer is never shown
    public void The_end_of_a_turn_is_what_the_template_says(string template, int[] expected)
    {
        ChatFolder.Write(_folder, steps: 0);
        File.WriteAllText(Path.Combine(_folder, "tokenizer_config.json"), JsonSerializer.Serialize(new { chat_template = template }));

        Assert.Equal(expected, ChatFormat.Load(_folder, TimeProvider.System).EndTokens);
    }

    [Fact]
    public void Without_a_tokenizer_that_knows_the_marks_it_is_refused()
    {
        ChatFolder.Write(_folder, steps: 0);
        File.Move(Path.Combine(_folder, "tokenizer.json"), Path.Combine(_folder, "tokenizer.model"));

        Assert.Contains("has no tokenizer.json", Assert.Throws<InvalidDataException>(() => ChatFormat.Load(_folder, TimeProvider.System)).Message, StringComparison.Ordinal);
    }
}
