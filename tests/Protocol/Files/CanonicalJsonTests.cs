using System.Text;
using CsCheck;
using FedChain.Protocol.Files;

namespace FedChain.Protocol.Tests.Files;

public sealed class CanonicalJsonTests
{
    private const int Limit = 1 << 16;

    private static readonly Gen<string> Strings = Gen.OneOf(
        Gen.String[Gen.Char[' ', '~'], 0, 6],
        Gen.String[Gen.Char['\0', '\u001f'], 0, 3],
        Gen.Const("é"), Gen.Const("\u2028"), Gen.Const("😀"), Gen.Const("\u007f"), Gen.Const("\ufb33"));

    private static readonly Gen<JsonValue> Values = Gen.Recursive<JsonValue>((depth, self) =>
    {
        var leaves = Gen.OneOf(
            Strings.Select(s => (JsonValue)s),
            Gen.Long[-CanonicalJson.MaxInteger, CanonicalJson.MaxInteger].Select(n => (JsonValue)n),
            Gen.Bool.Select(b => (JsonValue)b),
            Gen.Const<JsonValue>(new JsonValue.Null()));
        return depth >= 3 ? leaves : Gen.OneOf(
            leaves,
            self.Array[0, 4].Select(items => JsonValue.Of(items.AsEnumerable())),
            Gen.Select(Strings, self).Array[0, 4].Select(fields => JsonValue.Of(fields.DistinctBy(f => f.Item1).ToArray().AsSpan())));
    });

    [Fact]
    public void What_is_written_reads_back_and_is_written_the_same() =>
        Values.Sample(value =>
        {
            var bytes = CanonicalJson.Serialize(value);
            Assert.Equal(bytes, CanonicalJson.Serialize(CanonicalJson.Parse(bytes, Limit)));
        });

    [Fact]
    public void Any_other_way_to_write_a_value_comes_to_the_same_canonical_bytes() =>
        Assert.Equal(
            """{"":null,"1":{"F":5,"f":-7},"<script>":"</script>","a":["/","\u001f\b\f\n\r\t\"\\","€$"],"ö":true}""",
            Encoding.UTF8.GetString(CanonicalJson.Serialize(CanonicalJson.ParseAnyForm(
                """
                { "\u00f6": true, "a": [ "\/", "\u001F\u0008\f\n\r\t\u0022\\", "\u20ac$" ], "\u003cscript>": "</script>",
                  "1": { "f": -7, "F": 5 }, "": null }
                """u8, Limit))));

    /// <summary>The example of RFC 8785, section 3.2.3: by code units, a surrogate pair sorts before U+FB33.</summary>
    [Fact]
    public void Keys_are_sorted_by_their_UTF16_code_units()
    {
        var value = JsonValue.Of(("\u20ac", 1), ("\r", 2), ("\ufb33", 3), ("1", 4), ("\ud83d\ude00", 5), ("\u0080", 6), ("\u00f6", 7));
        Assert.Equal("{\"\\r\":2,\"1\":4,\"\u0080\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\ufb33\":3}", Encoding.UTF8.GetString(CanonicalJson.Serialize(value)));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("nul")]
    [InlineData("{}x")]
    [InlineData("[1,]")]
    [InlineData("{'a':1}")]
    [InlineData("/**/1")]
    [InlineData("\"\\ud800\"")]
    [InlineData("\"\n\"")]
    [InlineData("1.0")]
    [InlineData("1e3")]
    [InlineData("9007199254740992")]
    [InlineData("-9007199254740992")]
    [InlineData("99999999999999999999")]
    [InlineData("""{"a":1,"a":1}""")]
    [InlineData("""{"a":1,"\u0061":1}""")]
    [InlineData("[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]")]
    public void What_is_no_JSON_of_the_subset_is_refused(string text) =>
        Assert.Throws<InvalidDataException>(() => CanonicalJson.ParseAnyForm(Encoding.UTF8.GetBytes(text), Limit));

    [Theory]
    [InlineData(" 1", "expected '1', got ' 1'")]
    [InlineData("1 ", "expected the end, got ' '")]
    [InlineData("-0", "at byte 0")]
    [InlineData("{\"b\":1,\"a\":1}", "at byte 2")]
    [InlineData("\"\\/\"", "at byte 1")]
    [InlineData("\"\\u0041\"", "at byte 1")]
    [InlineData("\"\\u001F\"", "at byte 6")]
    public void Another_form_of_a_value_is_refused_where_it_departs(string text, string message)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        CanonicalJson.ParseAnyForm(bytes, Limit);
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => CanonicalJson.Parse(bytes, Limit)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_no_UTF8_or_too_many_are_refused()
    {
        Assert.Throws<InvalidDataException>(() => CanonicalJson.Parse([(byte)'"', 0xc3, (byte)'"'], Limit));
        Assert.Throws<InvalidDataException>(() => CanonicalJson.Parse("[]"u8, 1));
    }

    [Fact]
    public void Values_that_JSON_readers_would_bend_are_not_written()
    {
        Assert.Throws<ArgumentException>(() => CanonicalJson.Serialize(CanonicalJson.MaxInteger + 1));
        Assert.Throws<ArgumentException>(() => CanonicalJson.Serialize("\ud800"));
        Assert.Throws<ArgumentException>(() => CanonicalJson.Serialize(Enumerable.Range(0, 17).Aggregate((JsonValue)1L, (inner, _) => JsonValue.Of([inner]))));
    }
}
