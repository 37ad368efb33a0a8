using FedChain.Learning.Tokenization.Json;

namespace FedChain.Tests.Learning.Tokenization;

public sealed class CanonicalFormTests
{
    /// <summary>Examples of UAX #15: order of marks, singletons, exclusions, blocked marks, Hangul, characters beyond U+FFFF.</summary>
    [Theory]
    [InlineData("e\u0301", "é", "e\u0301")]
    [InlineData("\u212b", "Å", "A\u030a")]
    [InlineData("\u1e0a\u0323", "\u1e0c\u0307", "D\u0323\u0307")]
    [InlineData("q\u0307\u0323", "q\u0323\u0307", "q\u0323\u0307")]
    [InlineData("a\u0315\u0300\u05ae\u0300b", "\u00e0\u05ae\u0300\u0315b", "a\u05ae\u0300\u0300\u0315b")]
    [InlineData("\u0958", "\u0915\u093c", "\u0915\u093c")]
    [InlineData("\u1100\u1161\u11a8", "각", "\u1100\u1161\u11a8")]
    [InlineData("가\u11a8", "각", "\u1100\u1161\u11a8")]
    [InlineData("\u0344", "\u0308\u0301", "\u0308\u0301")]
    [InlineData("\U0001d15e", "\U0001d157\U0001d165", "\U0001d157\U0001d165")]
    [InlineData("\U00011099\U000110ba", "\U0001109a", "\U00011099\U000110ba")]
    [InlineData("plain ½ Æ ﬁ", "plain ½ Æ ﬁ", "plain ½ Æ ﬁ")]
    public void Both_forms_are_those_of_the_standard(string text, string composed, string decomposed)
    {
        Assert.Equal(composed, CanonicalForm.Compose(text));
        Assert.Equal(decomposed, CanonicalForm.Decompose(text));
        Assert.Equal(composed, CanonicalForm.Compose(decomposed));
        Assert.Equal(composed, CanonicalForm.Compose(composed));
    }
}
