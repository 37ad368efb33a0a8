using System.Text.Json;
using FedChain.Learning.Tokenization;

namespace FedChain.Tests.Learning.Tokenization;

/// <summary>Ids from the original libraries.</summary>
[Trait("Category", "Vectors")]
public sealed class TokenizerVectorTests
{
    private static readonly string GoldenPath = Path.Combine(Shared.RepositoryRoot, "tests/Learning/Tokenization/sentencepiece-stories260k.json");

    public static TheoryData<string> ModelsWithGoldenText() => [.. Shared.Models.SelectMany(Directory.EnumerateDirectories)
        .Where(folder => File.Exists(Path.Combine(folder, "golden.json")) && File.Exists(Path.Combine(folder, SentencePieceTokenizer.FileName)))];

    /// <summary>Every folder there is; one that can't be read fails.</summary>
    public static TheoryData<string> Tokenizers() => [.. Shared.VectorFolders("tokenizers").SelectMany(Directory.EnumerateDirectories)
        .Where(f => Path.GetFileName(f) != "ids-only").Order(StringComparer.Ordinal)];

    public static TheoryData<string> IdsOnly() => [.. Shared.VectorFolders("tokenizers/ids-only").SelectMany(f => Directory.EnumerateFiles(f, "*.json")).Order(StringComparer.Ordinal)];

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(ModelsWithGoldenText))]
    public void Golden_ids_are_the_golden_text(string folder)
    {
        var tokenizer = SentencePieceTokenizer.LoadFrom(folder);
        using var golden = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "golden.json")));
        var ids = golden.RootElement.GetProperty("greedy_ids").EnumerateArray().Select(e => e.GetInt32()).ToArray();
        var text = golden.RootElement.GetProperty("text").GetString()!;

        Assert.Equal(text, string.Concat(ids.Select(id => tokenizer.Pieces[id].Text)).Replace('▁', ' ')); // the file writes byte pieces by name
        Assert.Equal(text.Replace("<0x0A>", "\n", StringComparison.Ordinal), tokenizer.Decode(ids, atStart: false));
        Assert.Equal(ids, tokenizer.Encode(tokenizer.Decode(ids)));
        Assert.Equal(golden.RootElement.GetProperty("prompt_ids")[0].GetInt32(), tokenizer.BosId);
    }

    [Fact]
    public void Ids_and_texts_are_those_of_the_original_library()
    {
        var path = Shared.Models.Select(folder => Path.Combine(folder, "stories260k", SentencePieceTokenizer.FileName)).FirstOrDefault(File.Exists);
        Assert.SkipUnless(path is not null, "stories260k/tokenizer.model is not here (FEDCHAIN_MODELS)");
        var tokenizer = SentencePieceTokenizer.Load(path!);
        using var golden = JsonDocument.Parse(File.ReadAllText(GoldenPath));
        foreach (var entry in golden.RootElement.GetProperty("cases").EnumerateArray())
        {
            var text = entry.GetProperty("text").GetString()!;
            var expected = entry.GetProperty("ids").EnumerateArray().Select(e => e.GetInt32()).ToArray();
            Assert.True(expected.SequenceEqual(tokenizer.Encode(text)), $"ids of '{text}'");
            Assert.Equal(entry.GetProperty("decoded").GetString(), tokenizer.Decode(expected));
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Tokenizers))]
    public void Ids_and_texts_are_those_of_the_Rust_library(string folder)
    {
        var tokenizer = JsonTokenizer.Load(Path.Combine(folder, JsonTokenizer.FileName));
        using var golden = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "golden.json")));
        var cases = golden.RootElement.GetProperty("cases").EnumerateArray().ToList();
        Assert.NotEmpty(cases);
        Assert.All(cases, entry =>
        {
            var text = entry.GetProperty("text").GetString()!;
            var ids = Ids(entry.GetProperty("ids"));

            Assert.Equal(ids, tokenizer.Encode(text));
            Assert.Equal(entry.TryGetProperty("ids_with_special", out var special) ? Ids(special) : ids, tokenizer.EncodeWithTemplate(text));
            var decoded = entry.TryGetProperty("decoded", out var written) ? written.GetString() : text;
            Assert.Equal(decoded, tokenizer.DecodeWithSpecial(ids));
            Assert.Equal(entry.TryGetProperty("decoded_skip_special", out var skipped) ? skipped.GetString() : decoded, tokenizer.Decode(ids));
        });
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(IdsOnly))]
    public void Ids_that_others_published_are_ours_where_the_tokenizer_is_here(string file)
    {
        var tokenizer = TokenizerFor(Path.GetFileNameWithoutExtension(file));
        Assert.SkipUnless(tokenizer is not null, $"{Path.GetFileName(file)}: its tokenizer is not among the vectors");
        using var published = JsonDocument.Parse(File.ReadAllText(file));
        Assert.All(published.RootElement.GetProperty("cases").EnumerateArray().ToList(), entry => Assert.Equal(
            Ids(entry.TryGetProperty("ids", out var ids) ? ids : entry.GetProperty("input_ids")), tokenizer.Encode(entry.GetProperty("text").GetString()!)));
    }

    /// <summary>The tokenizer in a folder of that name, whatever stands before it and between its parts: gpt-2 for openai-community__gpt2 and llama.cpp-gpt-2.</summary>
    private static JsonTokenizer? TokenizerFor(string name)
    {
        static string Letters(string text) => string.Concat(text.Where(char.IsLetterOrDigit)).ToUpperInvariant();
        var folder = Shared.VectorFolders("tokenizers").SelectMany(Directory.EnumerateDirectories)
            .FirstOrDefault(f => File.Exists(Path.Combine(f, JsonTokenizer.FileName)) && Letters(name).EndsWith(Letters(Path.GetFileName(f)), StringComparison.Ordinal));
        return folder is null ? null : JsonTokenizer.Load(Path.Combine(folder, JsonTokenizer.FileName));
    }

    private static int[] Ids(JsonElement array) => [.. array.EnumerateArray().Select(e => e.GetInt32())];
}
