using System.Globalization;

namespace FedChain.Protocol.Ethereum.Abi;

/// <summary>
/// Reads types and signatures as Solidity writes them:
/// <c>[function|event|error] name(type [indexed] [name], …) [returns (type [name], …)]</c>; words such as memory and view are skipped.
/// </summary>
internal sealed class AbiParser
{
    private const int MaxDepth = 32;

    private static readonly string[] Locations = ["memory", "calldata", "storage", "payable"];

    private readonly string _text;
    private int _position;

    private AbiParser(string text) => _text = text;

    public static AbiType ParseType(string text)
    {
        var parser = new AbiParser(text);
        var type = parser.Type(0);
        parser.End();
        return type;
    }

    public static (string Name, IReadOnlyList<AbiParameter> Inputs, IReadOnlyList<AbiParameter> Outputs) ParseSignature(string text, string keyword)
    {
        var parser = new AbiParser(text);
        var name = parser.Identifier();
        if (name == keyword && parser.Peek() != '(')
        {
            name = parser.Identifier();
        }

        if (name.Length == 0)
        {
            throw parser.Unexpected("a name");
        }

        var inputs = parser.Parameters(0);
        IReadOnlyList<AbiParameter> outputs = [];
        while (parser.Identifier() is { Length: > 0 } word)
        {
            if (word == "returns")
            {
                outputs = parser.Parameters(0);
            }
        }

        parser.End();
        return (name, inputs, outputs);
    }

    /// <summary>The type that JSON ABIs spell as a base with suffixes, tuples apart: "tuple[2][]" and its components.</summary>
    public static AbiType ParseJsonType(string text, IReadOnlyList<AbiParameter> components)
    {
        const string tuple = "tuple";
        if (!text.StartsWith(tuple, StringComparison.Ordinal))
        {
            return ParseType(text);
        }

        var parser = new AbiParser(text) { _position = tuple.Length };
        var type = parser.Suffixes(AbiType.Tuple(components));
        parser.End();
        return type;
    }

    private List<AbiParameter> Parameters(int depth)
    {
        Expect('(');
        var parameters = new List<AbiParameter>();
        if (Peek() == ')')
        {
            Expect(')');
            return parameters;
        }

        while (true)
        {
            parameters.Add(Parameter(depth));
            if (Peek() == ')')
            {
                Expect(')');
                return parameters;
            }

            Expect(',');
        }
    }

    private AbiParameter Parameter(int depth)
    {
        var type = Type(depth);
        var indexed = false;
        var name = "";
        while (Identifier() is { Length: > 0 } word)
        {
            if (word == "indexed" && !indexed)
            {
                indexed = true;
            }
            else if (!Locations.Contains(word))
            {
                name = name.Length == 0 ? word : throw Unexpected("one name");
            }
        }

        return new AbiParameter(name, type, indexed);
    }

    private AbiType Type(int depth)
    {
        if (depth > MaxDepth)
        {
            throw new FormatException($"ABI tuples are nested at most {MaxDepth} deep.");
        }

        if (Peek() == '(')
        {
            return Suffixes(AbiType.Tuple(Parameters(depth + 1)));
        }

        var word = Identifier();
        return word == "tuple" && Peek() == '(' ? Suffixes(AbiType.Tuple(Parameters(depth + 1))) : Suffixes(Elementary(word));
    }

    private AbiType Elementary(string word) => word switch
    {
        "bool" => AbiType.Bool,
        "address" => AbiType.Address,
        "bytes" => AbiType.Bytes,
        "string" => AbiType.String,
        "uint" => AbiType.Integer(signed: false, 256),
        "int" => AbiType.Integer(signed: true, 256),
        _ when word.StartsWith("uint", StringComparison.Ordinal) => AbiType.Integer(signed: false, Number(word.AsSpan(4))),
        _ when word.StartsWith("int", StringComparison.Ordinal) => AbiType.Integer(signed: true, Number(word.AsSpan(3))),
        _ when word.StartsWith("bytes", StringComparison.Ordinal) => AbiType.FixedBytes(Number(word.AsSpan(5))),
        _ => throw new FormatException($"'{word}' in '{_text}' is no ABI type."),
    };

    private AbiType Suffixes(AbiType type)
    {
        for (var count = 0; Peek() == '['; count++)
        {
            if (count == MaxDepth)
            {
                throw new FormatException($"ABI arrays are nested at most {MaxDepth} deep.");
            }

            Expect('[');
            var start = _position;
            while (_position < _text.Length && char.IsAsciiDigit(_text[_position]))
            {
                _position++;
            }

            var digits = _text.AsSpan(start, _position - start);
            type = digits.IsEmpty ? AbiType.Array(type) : AbiType.FixedArray(type, Number(digits));
            Expect(']');
        }

        return type;
    }

    private int Number(ReadOnlySpan<char> digits) =>
        digits is not ['0', ..] && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new FormatException($"'{digits}' in '{_text}' is no size of an ABI type.");

    private string Identifier()
    {
        SkipSpaces();
        var start = _position;
        while (_position < _text.Length && (char.IsAsciiLetterOrDigit(_text[_position]) || _text[_position] is '_' or '$'))
        {
            _position++;
        }

        return _text[start.._position];
    }

    private char Peek()
    {
        SkipSpaces();
        return _position < _text.Length ? _text[_position] : '\0';
    }

    private void Expect(char c)
    {
        if (Peek() != c)
        {
            throw Unexpected($"'{c}'");
        }

        _position++;
    }

    private void End()
    {
        if (Peek() is ';')
        {
            _position++;
        }

        if (Peek() != '\0')
        {
            throw Unexpected("the end");
        }
    }

    private void SkipSpaces()
    {
        while (_position < _text.Length && char.IsWhiteSpace(_text[_position]))
        {
            _position++;
        }
    }

    private FormatException Unexpected(string expected) => new($"Expected {expected} at character {_position} of the ABI signature '{_text}'.");
}
