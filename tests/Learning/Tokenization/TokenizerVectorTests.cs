using System.Text.Json;
using FedChain.Learning.Tokenization;

namespace FedChain.Tests.Learning.Tokenization;

/// <summary>Ids from the original libraries. The cases with a tokenizer.json, or with ids but no tokenizer at all, are reported as skipped by name.</summary>
[Trait("Category", "Vectors")]
public sealed class TokenizerVectorTests
{
    private static readonly string GoldenPath = Path.Combine(Shared.RepositoryRoot, "tests/Learning/Tokenization/sentencepiece-stories260k.json");

    public static TheoryData<string> ModelsWithGoldenText() => [.. Shared.Models.SelectMany(Directory.EnumerateDirectories)
        .Where(folder => File.Exists(Path.Combine(folder, "golden.json")) && File.Exists(Path.Combine(folder, SentencePieceTokenizer.FileName)))];

    public static TheoryData<string> TokenizerCases() => [.. Shared.VectorFolders("tokenizers")
        .SelectMany(folder => Directory.EnumerateDirectories(folder).Where(f => File.Exists(Path.Combine(f, "golden.json")))
            .Concat(Directory.Exists(Path.Combine(folder, "ids-only")) ? Directory.EnumerateFiles(Path.Combine(folder, "ids-only"), "*.json") : []))
        .Order(StringComparer.Ordinal)];

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
    [MemberData(nameof(TokenizerCases))]
    public void Other_kinds_of_tokenizers_are_not_supported_yet(string path)
    {
        if (Directory.Exists(path))
        {
            Assert.True(File.Exists(Path.Combine(path, "tokenizer.json")), $"{path}: expected a tokenizer.json beside golden.json");
            Assert.Throws<InvalidDataException>(() => SentencePieceTokenizer.LoadFrom(path));
            Assert.Skip($"{Path.GetFileName(path)}: tokenizer.json");
        }

        Assert.Skip($"{Path.GetFileName(path)}: ids without a tokenizer");
    }
}
