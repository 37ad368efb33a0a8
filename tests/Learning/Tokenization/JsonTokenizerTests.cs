using System.Text.Json.Nodes;
using FedChain.Learning.Tokenization;

namespace FedChain.Tests.Learning.Tokenization;

/// <summary>Small tokenizers, a part at a time. The whole is held to the original library's ids in <see cref="TokenizerVectorTests"/>.</summary>
public sealed class JsonTokenizerTests : IDisposable
{
    private const string ByteLevel = "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":true}";

    /// <summary>Letters, some merges of them, and the byte alphabet's space and line feed.</summary>
    private const string Plain = """
        {"added_tokens":[{"id":20,"content":"<e>","special":true}],"normalizer":null,"pre_tokenizer":BYTE_LEVEL,"post_processor":null,"decoder":BYTE_LEVEL,
         "model":{"type":"BPE","vocab":{"a":0,"b":1,"c":2,"ab":3,"abc":4,"bc":5,"Ġ":6,"Ċ":7,"Ġa":8,"<0x61>":9,"<unk>":10,"▁":11,"▁a":12},
                  "merges":["b c","a b","ab c","Ġ a",["▁","a"]]}}
        """;

    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void Merges_are_taken_by_rank_and_not_from_the_left() =>
        Assert.Equal([0, 5, 6, 3, 8, 7], Load().Encode("abc ab a\n")); // "ab c" never comes: b c is merged first

    [Fact]
    public void With_ignore_merges_a_word_of_the_vocabulary_is_one_token() =>
        Assert.Equal([4, 8, 5], Load(t => t["model"]!["ignore_merges"] = true).Encode("abc abc"));

    [Fact]
    public void A_template_is_put_around_a_text_and_its_first_token_begins_sequences()
    {
        var tokenizer = Load(t => t["post_processor"] = JsonNode.Parse("""
            {"type":"Sequence","processors":[{"type":"ByteLevel"},{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<e>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],
             "pair":[],"special_tokens":{"<e>":{"id":"<e>","ids":[20],"tokens":["<e>"]}}}]}
            """));

        Assert.Equal([20, 0], tokenizer.EncodeWithTemplate("a"));
        Assert.Equal([0], tokenizer.Encode("a"));
        Assert.Equal((20, 7), (tokenizer.BosId, tokenizer.NewlineId));
        Assert.Null(Load().BosId);
    }

    [Theory]
    [InlineData("a<e>b", false, false, false, "0 20 1")]
    [InlineData("a <e> b", false, false, false, "0 6 20 6 1")]
    [InlineData("a <e> b", true, false, false, "0 20 6 1")]
    [InlineData("a <e> b", false, true, false, "0 6 20 1")]
    [InlineData("a<e> <e>", false, false, true, "0 6 20")] // the first touches a word
    [InlineData("\u200d<e>\u24b6<e>\U0001F130<e>b \u00b7<e>", false, false, true, "1 6 20")] // joiners and circled letters are of words, a middle dot is not
    public void Added_tokens_are_found_as_they_ask_for(string text, bool left, bool right, bool word, string ids)
    {
        var tokenizer = Load(t =>
        {
            var token = t["added_tokens"]![0]!;
            (token["lstrip"], token["rstrip"], token["single_word"]) = (left, right, word);
        });

        Assert.Equal(ids, string.Join(' ', tokenizer.Encode(text)));
        Assert.DoesNotContain("<e>", tokenizer.Decode(tokenizer.Encode(text)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_token_that_is_sought_in_normalised_text_decodes_to_what_is_sought()
    {
        var tokenizer = Load(t =>
        {
            t["normalizer"] = JsonNode.Parse("{\"type\":\"Replace\",\"pattern\":{\"String\":\"x\"},\"content\":\"a\"}");
            t["added_tokens"]!.AsArray().Add(JsonNode.Parse("{\"id\":21,\"content\":\"<x>\",\"special\":false,\"normalized\":true}"));
        });

        Assert.Equal([21, 21, 0], tokenizer.Encode("<x><a>x"));
        Assert.Equal("<a>", tokenizer.Decode([21]));
    }

    [Fact]
    public void The_longest_added_token_wins()
    {
        var tokenizer = Load(t => t["added_tokens"]!.AsArray().Add(JsonNode.Parse("{\"id\":21,\"content\":\"<e><e>\",\"special\":false,\"normalized\":false}")));

        Assert.Equal([21, 20], tokenizer.Encode("<e><e><e>"));
        Assert.Equal("<e><e>", tokenizer.Decode([21, 20])); // 21 isn't special
        Assert.Equal("<e><e><e>", tokenizer.DecodeWithSpecial([21, 20]));
        Assert.Equal(22, tokenizer.VocabularySize);
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.Decode([22]));
    }

    [Theory]
    [InlineData("Isolated", "ac|b|c|b|b|a")]
    [InlineData("Removed", "ac|c|a")]
    [InlineData("MergedWithPrevious", "acb|cb|b|a")]
    [InlineData("MergedWithNext", "ac|bc|b|ba")]
    [InlineData("Contiguous", "ac|b|c|bb|a")]
    public void A_split_behaves_as_it_says(string behaviour, string words)
    {
        // Every word becomes one token: none has a merge, and the vocabulary has them whole.
        var tokenizer = Load(t =>
        {
            t["pre_tokenizer"] = JsonNode.Parse($"{{\"type\":\"Split\",\"pattern\":{{\"String\":\"b\"}},\"behavior\":\"{behaviour}\",\"invert\":false}}");
            t["model"]!["ignore_merges"] = true;
            t["model"]!["merges"] = new JsonArray();
            foreach (var (word, i) in new[] { "ac", "acb", "cb", "bb", "ba", "bc" }.Select((w, i) => (w, i)))
            {
                t["model"]!["vocab"]![word] = 30 + i;
            }

            t["model"]!["vocab"]!.AsObject().Remove("bc");
            t["model"]!["vocab"]!["bc"] = 5;
        });

        Assert.Equal(words, string.Join('|', tokenizer.Encode("acbcbba").Select(id => tokenizer.DecodeWithSpecial([id]))));
    }

    [Fact]
    public void A_vocabulary_of_visible_spaces_and_bytes_is_written_and_read_back()
    {
        var tokenizer = Load(t =>
        {
            t["normalizer"] = JsonNode.Parse("{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Prepend\",\"prepend\":\"▁\"},{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"▁\"}]}");
            t["pre_tokenizer"] = null;
            t["decoder"] = JsonNode.Parse("""
                {"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]}
                """);
            t["model"]!["byte_fallback"] = true;
            t["model"]!["fuse_unk"] = true;
            t["model"]!["unk_token"] = "<unk>";
            t["model"]!["vocab"]!.AsObject().Remove("b");
            t["model"]!["merges"] = JsonNode.Parse("[[\"▁\",\"a\"]]");
            t["model"]!["vocab"]!["<0x62>"] = 13;
        });

        var ids = tokenizer.Encode("ab axy");

        Assert.Equal([12, 13, 12, 10], ids);
        Assert.Equal("ab a<unk>", tokenizer.Decode(ids));
        Assert.Equal(" a", tokenizer.Decode([12], atStart: false));
    }

    [Fact]
    public void Characters_beyond_the_first_plane_are_one_character_to_the_expression_and_half_ones_become_the_replacement()
    {
        var bytes = Load(t =>
        {
            t["pre_tokenizer"] = JsonNode.Parse("{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":\"\\\\p{L}\"},\"behavior\":\"Isolated\",\"invert\":false},{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}]}");
            t["model"]!["ignore_merges"] = true;
            t["model"]!["vocab"]!["ðĿĵ\u0132"] = 40; // U+1D4D0, a mathematical A: a letter
            t["model"]!["vocab"]!["ðŁĺĢðŁĺĢ"] = 41; // two U+1F600: no letters, so they stay together
            t["model"]!["vocab"]!["ï¿½"] = 42;
        });

        Assert.Equal([40, 40, 41, 0], bytes.Encode("\U0001D4D0\U0001D4D0\U0001F600\U0001F600a"));
        Assert.Equal([42, 0], bytes.Encode("\ud83da"));
    }

    [Theory]
    [InlineData("[\u0800-\u4e00]", "41 3")]
    [InlineData("[\\u0800-\\u4e00]", "41 3")]
    [InlineData("[^\\x00-\\xff]", "40 40 3")] // also what lies beyond U+FFFF
    public void A_character_beyond_the_first_plane_is_in_no_range_that_ends_below(string expression, string ids)
    {
        var tokenizer = Load(t =>
        {
            t["pre_tokenizer"] = JsonNode.Parse($"{{\"type\":\"Sequence\",\"pretokenizers\":[{{\"type\":\"Split\",\"pattern\":{{\"Regex\":\"{expression.Replace("\\", "\\\\", StringComparison.Ordinal)}\"}},\"behavior\":\"Isolated\",\"invert\":false}},{{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}}]}}");
            t["model"]!["ignore_merges"] = true;
            t["model"]!["vocab"]!["ðŁĺĢ"] = 40; // U+1F600, a symbol
            t["model"]!["vocab"]!["ðŁĺĢðŁĺĢ"] = 41;
        });

        Assert.Equal(ids, string.Join(' ', tokenizer.Encode("\U0001F600\U0001F600\u4e00ab").Where(id => id is 3 or 40 or 41)));
    }

    [Theory]
    [InlineData("model.type", "\"WordPiece\"", "model's type = \"WordPiece\"")]
    [InlineData("model.dropout", "0.1", "model's dropout = 0.1")]
    [InlineData("model.end_of_word_suffix", "\"@\"", "end_of_word_suffix = \"@\"")]
    [InlineData("model.something", "3", "model's something = 3")]
    [InlineData("model.merges", "[\"a z\"]", "lacks 'z'")]
    [InlineData("model.merges", "[\"a b c\"]", "is not a pair")]
    [InlineData("model.vocab", "{\"a\":0,\"b\":0}", "twice")]
    [InlineData("normalizer", "{\"type\":\"NFKC\"}", "normalizer's type = \"NFKC\"")]
    [InlineData("normalizer", "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"x\"},\"content\":\"y\"}", "normalizer's pattern")]
    [InlineData("pre_tokenizer", "{\"type\":\"BertPreTokenizer\"}", "pre_tokenizer's type = \"BertPreTokenizer\"")]
    [InlineData("pre_tokenizer", "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"^a\"},\"behavior\":\"Isolated\"}", "uses '^'")]
    [InlineData("pre_tokenizer", "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"[a&&b]\"},\"behavior\":\"Isolated\"}", "uses '&&'")]
    [InlineData("pre_tokenizer", "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"[a\U0001F600]\"},\"behavior\":\"Isolated\"}", "uses '\U0001F600'")]
    [InlineData("pre_tokenizer", "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"\\\\w\"},\"behavior\":\"Isolated\"}", "uses '\\w'")]
    [InlineData("pre_tokenizer", "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"\\\\p{Han}\"},\"behavior\":\"Isolated\"}", "\\p{Han}' of the pre_tokenizer is not supported")]
    [InlineData("pre_tokenizer", "{\"type\":\"Split\",\"pattern\":{\"String\":\"a\"},\"behavior\":\"Scattered\"}", "behavior = \"Scattered\"")]
    [InlineData("post_processor", "{\"type\":\"BertProcessing\"}", "post_processor's type = \"BertProcessing\"")]
    [InlineData("decoder", "{\"type\":\"WordPiece\"}", "decoder's type = \"WordPiece\"")]
    [InlineData("decoder", "null", "has no decoder")]
    [InlineData("future_part", "{\"x\":1}", "tokenizer's future_part")]
    public void What_cannot_be_reproduced_is_refused_by_name(string part, string value, string message)
    {
        var refused = Assert.Throws<InvalidDataException>(() => Load(t =>
        {
            var path = part.Split('.');
            (path.Length == 2 ? t[path[0]]! : t)[path[^1]] = JsonNode.Parse(value);
        }));

        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
        Assert.StartsWith(_file, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"model\":{\"vocab\":3,\"merges\":[]}}")]
    public void A_malformed_file_is_refused(string text)
    {
        File.WriteAllText(_file, text);
        Assert.Throws<InvalidDataException>(() => JsonTokenizer.Load(_file));
    }

    private JsonTokenizer Load(Action<JsonObject>? change = null)
    {
        var json = JsonNode.Parse(Plain.Replace("BYTE_LEVEL", ByteLevel, StringComparison.Ordinal))!.AsObject();
        change?.Invoke(json);
        File.WriteAllText(_file, json.ToJsonString());
        return JsonTokenizer.Load(_file);
    }
}
