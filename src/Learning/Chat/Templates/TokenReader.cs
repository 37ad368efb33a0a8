namespace FedChain.Learning.Chat.Templates;

/// <summary>Tokens one after another, for the parsers.</summary>
internal sealed class TokenReader(List<Token> tokens)
{
    private int _at;

    public bool AtEnd => _at >= tokens.Count;

    public Token Current => _at < tokens.Count ? tokens[_at] : new Token(TokenKind.End, "the template's end", tokens.Count == 0 ? 1 : tokens[^1].Line);

    public Token Following => _at + 1 < tokens.Count ? tokens[_at + 1] : new Token(TokenKind.End, "", Current.Line);

    public Token Take()
    {
        var token = Current;
        _at++;
        return token;
    }

    /// <summary>Takes the current token if it is this one.</summary>
    public bool TryTake(TokenKind kind, string value)
    {
        if (!Current.Is(kind, value))
        {
            return false;
        }

        _at++;
        return true;
    }

    public void Need(TokenKind kind, string value)
    {
        if (!TryTake(kind, value))
        {
            throw Unexpected($"'{value}'");
        }
    }

    public string NeedName() => Current.Kind == TokenKind.Name ? Take().Value : throw Unexpected("a name");

    public TemplateException Unexpected(string expected) => new($"line {Current.Line}: expected {expected}, found '{Current.Value}'");
}
