// Cuts a template into text, {{ outputs }} and {% statements %}, and these into tokens. White space as Jinja 2 treats it with trim_blocks and
// lstrip_blocks on, as Hugging Face sets them: the newline after a statement or comment goes, and so do the blanks before one that begins its line; "-"
// at either end of a tag takes all white space on that side, "+" keeps it. One newline at the template's end goes too.
// Source: jinja.palletsprojects.com/templates/#whitespace-control; behaviour of Jinja2 3.1's lexer.
using System.Globalization;
using System.Text;

namespace FedChain.Learning.Chat.Templates;

internal enum TokenKind
{
    /// <summary>Text between tags, as it is.</summary>
    Text,

    /// <summary><c>{{</c> or <c>{%</c>.</summary>
    Begin,

    /// <summary><c>}}</c> or <c>%}</c>.</summary>
    End,
    Name,
    String,
    Integer,
    Float,
    Operator,
}

/// <param name="Kind">What it is.</param>
/// <param name="Value">The text, the name, the string's content, the digits or the sign.</param>
/// <param name="Line">Counted from 1.</param>
internal readonly record struct Token(TokenKind Kind, string Value, int Line)
{
    public bool Is(TokenKind kind, string value) => Kind == kind && Value == value;
}

internal sealed class TemplateLexer
{
    private static readonly string[] Operators = ["==", "!=", "<=", ">=", "//", "**", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")", "[", "]", "{", "}", ".", ":", "|", ","];

    private readonly string _source;
    private readonly List<Token> _tokens = [];
    private int _at;

    private TemplateLexer(string source)
    {
        _source = source.ReplaceLineEndings("\n");
        _source = _source.EndsWith('\n') ? _source[..^1] : _source;
    }

    private int Line => 1 + _source.AsSpan(0, Math.Min(_at, _source.Length)).Count('\n');

    /// <exception cref="TemplateException">A tag or string isn't closed, or holds a character that nothing begins with.</exception>
    public static List<Token> Cut(string source)
    {
        var lexer = new TemplateLexer(source);
        lexer.Run();
        return lexer._tokens;
    }

    private void Run()
    {
        var lineStarts = true;
        while (_at < _source.Length)
        {
            var open = NextTag();
            var text = _source[_at..open];
            var line = Line;
            _at = open;
            var isTag = open < _source.Length;
            var sign = isTag && open + 2 < _source.Length ? _source[open + 2] : ' ';
            if (isTag && sign == '-')
            {
                text = PythonText.StripEnd(text);
            }
            else if (isTag && sign != '+' && _source[open + 1] != '{' && text.LastIndexOf('\n') is var newline && (newline >= 0 || lineStarts) && text.AsSpan(newline + 1).Trim().IsEmpty)
            {
                text = text[..(newline + 1)];
            }

            if (text.Length > 0)
            {
                _tokens.Add(new Token(TokenKind.Text, text, line));
            }

            if (!isTag)
            {
                return;
            }

            var kind = _source[open + 1];
            _at += sign is '-' or '+' ? 3 : 2;
            if (kind == '#')
            {
                Comment();
            }
            else
            {
                Tag(kind == '{' ? "{{" : "{%", kind == '{' ? "}}" : "%}");
            }

            lineStarts = _source[_at - 1] == '\n';
        }
    }

    private int NextTag()
    {
        for (var i = _at; ; i++)
        {
            i = _source.IndexOf('{', i);
            if (i < 0 || i + 1 >= _source.Length)
            {
                return _source.Length;
            }

            if (_source[i + 1] is '{' or '%' or '#')
            {
                return i;
            }
        }
    }

    private void Comment()
    {
        var end = _source.IndexOf("#}", _at, StringComparison.Ordinal);
        if (end < 0)
        {
            throw new TemplateException($"line {Line}: a comment isn't closed");
        }

        _at = end + 2;
        After(_source[end - 1], trims: true);
    }

    private void Tag(string begin, string end)
    {
        var line = Line;
        _tokens.Add(new Token(TokenKind.Begin, begin, line));
        var depth = 0;
        while (true)
        {
            while (_at < _source.Length && PythonText.IsSpace(_source[_at]))
            {
                _at++;
            }

            if (_at >= _source.Length)
            {
                throw new TemplateException($"line {line}: '{begin}' isn't closed");
            }

            var sign = _source[_at] is '-' or '+' ? 1 : 0;
            if (depth == 0 && string.CompareOrdinal(_source, _at + sign, end, 0, end.Length) == 0)
            {
                _tokens.Add(new Token(TokenKind.End, end, Line));
                var mark = _source[_at];
                _at += sign + end.Length;
                After(mark, trims: end == "%}");
                return;
            }

            var token = Next();
            depth += token.Kind == TokenKind.Operator ? token.Value switch { "(" or "[" or "{" => 1, ")" or "]" or "}" => -1, _ => 0 } : 0;
            _tokens.Add(token);
        }
    }

    /// <summary>What a tag's end takes of the text behind it.</summary>
    private void After(char sign, bool trims)
    {
        if (sign == '-')
        {
            while (_at < _source.Length && PythonText.IsSpace(_source[_at]))
            {
                _at++;
            }
        }
        else if (trims && sign != '+' && _at < _source.Length && _source[_at] == '\n')
        {
            _at++;
        }
    }

    private Token Next()
    {
        var (line, start) = (Line, _at);
        var first = _source[_at];
        if (char.IsLetter(first) || first == '_')
        {
            _at++;
            while (_at < _source.Length && (char.IsLetterOrDigit(_source[_at]) || _source[_at] == '_'))
            {
                _at++;
            }

            return new Token(TokenKind.Name, _source[start.._at], line);
        }

        if (char.IsAsciiDigit(first))
        {
            Digits();
            if (_at + 1 >= _source.Length || _source[_at] != '.' || !char.IsAsciiDigit(_source[_at + 1]))
            {
                return new Token(TokenKind.Integer, _source[start.._at], line);
            }

            _at++;
            Digits();
            return new Token(TokenKind.Float, _source[start.._at], line);
        }

        if (first is '\'' or '"')
        {
            return new Token(TokenKind.String, String(first), line);
        }

        var sign = Array.Find(Operators, o => string.CompareOrdinal(_source, _at, o, 0, o.Length) == 0)
            ?? throw new TemplateException($"line {line}: '{first}' has no meaning there");
        _at += sign.Length;
        return new Token(TokenKind.Operator, sign, line);
    }

    private void Digits()
    {
        while (_at < _source.Length && char.IsAsciiDigit(_source[_at]))
        {
            _at++;
        }
    }

    /// <summary>A string's content, with Python's escapes.</summary>
    private string String(char quote)
    {
        var (line, content) = (Line, new StringBuilder());
        for (_at++; _at < _source.Length && _source[_at] != quote; _at++)
        {
            if (_source[_at] != '\\' || _at + 1 >= _source.Length)
            {
                content.Append(_source[_at]);
                continue;
            }

            var escaped = _source[++_at];
            switch (escaped)
            {
                case '\n':
                    break;
                case '\\' or '\'' or '"':
                    content.Append(escaped);
                    break;
                case 'n' or 't' or 'r' or 'a' or 'b' or 'f' or 'v':
                    content.Append("\n\t\r\a\b\f\v"["ntrabfv".IndexOf(escaped, StringComparison.Ordinal)]);
                    break;
                case 'x' or 'u':
                    var digits = escaped == 'x' ? 2 : 4;
                    if (_at + digits >= _source.Length || !int.TryParse(_source.AsSpan(_at + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
                    {
                        throw new TemplateException($"line {line}: '\\{escaped}' needs {digits} hex digits");
                    }

                    content.Append((char)code);
                    _at += digits;
                    break;
                case >= '0' and <= '7' or 'N' or 'U':
                    throw new TemplateException($"line {line}: the escape '\\{escaped}' isn't supported");
                default:
                    content.Append('\\').Append(escaped);
                    break;
            }
        }

        if (_at >= _source.Length)
        {
            throw new TemplateException($"line {line}: a string isn't closed");
        }

        _at++;
        return content.ToString();
    }
}
