using System.Text.Json;
using FedChain.Learning.Generation;
using FedChain.Learning.Models;

namespace FedChain.Tests.Learning.Generation;

[Trait("Category", "Vectors")]
public sealed class GreedyVectorTests
{
    public static TheoryData<string> ModelFolders => [.. Shared.Models.SelectMany(Directory.EnumerateDirectories).Where(d => File.Exists(Path.Combine(d, "golden.json")))];

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Golden.Models), "greedy", MemberType = typeof(Golden))]
    public void Greedy_tokens_are_those_of_Hugging_Face(string folder)
    {
        using var decoder = Golden.Load(folder);
        var greedy = new Golden(folder).Json.GetProperty("greedy");

        Same(decoder, Integers(greedy.GetProperty("prompt")), Integers(greedy.GetProperty("new_tokens")));
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(ModelFolders))]
    public void A_released_model_tells_the_story_that_it_is_known_for(string folder)
    {
        using var decoder = Golden.Load(folder);
        var golden = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "golden.json"))).RootElement;

        Same(decoder, Integers(golden.GetProperty("prompt_ids")), Integers(golden.GetProperty("greedy_ids")));
    }

    private static void Same(Decoder decoder, int[] prompt, int[] expected)
    {
        // The goldens list an end token where one came; here it ends the text and isn't part of it.
        var end = Array.FindIndex(expected, token => decoder.Config.EndTokens.Contains(token));
        var options = new GenerationOptions { MaxTokens = expected.Length };

        using var generator = new Generator(decoder);
        Assert.Equal(end < 0 ? expected : expected[..end], generator.Continue(prompt, options, TestContext.Current.CancellationToken));
    }

    private static int[] Integers(JsonElement array) => [.. array.EnumerateArray().Select(v => v.GetInt32())];
}
