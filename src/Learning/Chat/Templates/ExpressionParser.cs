// Expressions, by falling precedence:  a if c else b;  or;  and;  not;  comparisons, in, not in;  + -;  ~;  * / // %;  unary -;  x.y x[y] x(…) x|f x is t.
// Source: jinja.palletsprojects.com/templates/#expressions; the order is that of Jinja2 3.1's parser.
using System.Globalization;

namespace FedChain.Learning.Chat.Templates;

internal delegate object? Expression(TemplateScope scope);

/// <summary>Turns tokens into what computes their value.</summary>
internal sealed class ExpressionParser(TokenReader tokens)
{
    private const int MostDepth = 64;

    private int _depth;

    public Expression Parse()
    {
        if (++_depth > MostDepth)
        {
            throw new TemplateException($"line {tokens.Current.Line}: nested more than {MostDepth} deep");
        }

        var value = Or();
        while (Word("if"))
        {
            var (then, condition) = (value, Or());
            var otherwise = Word("else") ? Parse() : _ => new Undefined("the value of an 'if' without 'else'");
            value = scope => TemplateValue.IsTrue(condition(scope)) ? then(scope) : otherwise(scope);
        }

        _depth--;
        return value;
    }

    /// <summary>What a loop runs over: no <c>if</c>, which begins the loop's filter.</summary>
    public Expression ParseWithoutCondition() => Or();

    private Expression Or()
    {
        var value = And();
        while (Word("or"))
        {
            var (left, right) = (value, And());
            value = scope => left(scope) is var l && TemplateValue.IsTrue(l) ? l : right(scope);
        }

        return value;
    }

    private Expression And()
    {
        var value = Not();
        while (Word("and"))
        {
            var (left, right) = (value, Not());
            value = scope => left(scope) is var l && TemplateValue.IsTrue(l) ? right(scope) : l;
        }

        return value;
    }

    private Expression Not()
    {
        if (!Word("not"))
        {
            return Comparison();
        }

        var value = Not();
        return scope => !TemplateValue.IsTrue(value(scope));
    }

    /// <summary>a &lt; b == c means what it means in Python: both.</summary>
    private Expression Comparison()
    {
        var first = Sum();
        List<(Func<object?, object?, bool> Holds, Expression Right)> links = [];
        while (true)
        {
            if (tokens.Current is { Kind: TokenKind.Operator, Value: "==" or "!=" or "<" or "<=" or ">" or ">=" })
            {
                var sign = tokens.Take().Value;
                links.Add((Relation(sign), Sum()));
            }
            else if (Word("in"))
            {
                links.Add(((a, b) => TemplateValue.Contains(b, a), Sum()));
            }
            else if (tokens.Current.Is(TokenKind.Name, "not") && tokens.Following.Is(TokenKind.Name, "in"))
            {
                tokens.Take();
                tokens.Take();
                links.Add(((a, b) => !TemplateValue.Contains(b, a), Sum()));
            }
            else
            {
                break;
            }
        }

        return links.Count == 0 ? first : scope =>
        {
            var left = first(scope);
            foreach (var (holds, next) in links)
            {
                var right = next(scope);
                if (!holds(left, right))
                {
                    return false;
                }

                left = right;
            }

            return true;
        };
    }

    private static Func<object?, object?, bool> Relation(string sign) => sign switch
    {
        "==" => TemplateValue.Equals,
        "!=" => (a, b) => !TemplateValue.Equals(a, b),
        "<" => (a, b) => TemplateValue.Compare(a, b) < 0,
        "<=" => (a, b) => TemplateValue.Compare(a, b) <= 0,
        ">" => (a, b) => TemplateValue.Compare(a, b) > 0,
        _ => (a, b) => TemplateValue.Compare(a, b) >= 0,
    };

    private Expression Sum() => Chain(Join, "+", "-");

    private Expression Join()
    {
        var value = Product();
        while (tokens.TryTake(TokenKind.Operator, "~"))
        {
            var (left, right) = (value, Product());
            value = scope => TemplateValue.Text(left(scope)) + TemplateValue.Text(right(scope));
        }

        return value;
    }

    private Expression Product() => Chain(() => Signed(filtered: true), "*", "/", "//", "%");

    private Expression Chain(Func<Expression> part, params string[] signs)
    {
        var value = part();
        while (tokens.Current.Kind == TokenKind.Operator && signs.Contains(tokens.Current.Value))
        {
            var (sign, left) = (tokens.Take().Value, value);
            var right = part();
            value = scope => TemplateValue.Calculate(sign, left(scope), right(scope));
        }

        return value;
    }

    private Expression Signed(bool filtered)
    {
        Expression value;
        if (tokens.TryTake(TokenKind.Operator, "-"))
        {
            var positive = Signed(filtered: false);
            value = scope => TemplateValue.Negative(positive(scope));
        }
        else
        {
            value = Elements(Primary());
        }

        return filtered ? Filtered(value) : value;
    }

    private Expression Primary()
    {
        var token = tokens.Take();
        switch (token)
        {
            case { Kind: TokenKind.String }:
                var text = token.Value;
                while (tokens.Current.Kind == TokenKind.String)
                {
                    text += tokens.Take().Value;
                }

                return _ => text;
            case { Kind: TokenKind.Integer }:
                var integer = long.TryParse(token.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : throw new TemplateException($"line {token.Line}: the number {token.Value} is too large");
                return _ => integer;
            case { Kind: TokenKind.Float }:
                var number = double.Parse(token.Value, CultureInfo.InvariantCulture);
                return _ => number;
            case { Kind: TokenKind.Name, Value: "true" or "True" }:
                return _ => true;
            case { Kind: TokenKind.Name, Value: "false" or "False" }:
                return _ => false;
            case { Kind: TokenKind.Name, Value: "none" or "None" }:
                return _ => null;
            case { Kind: TokenKind.Name }:
                return scope => scope[token.Value];
            case { Kind: TokenKind.Operator, Value: "(" }:
                return Parenthesised();
            case { Kind: TokenKind.Operator, Value: "[" }:
                var elements = Listed("]");
                return scope => new List<object?>(elements.Select(e => e(scope)));
            case { Kind: TokenKind.Operator, Value: "{" }:
                return Mapping();
            default:
                throw new TemplateException($"line {token.Line}: expected a value, found '{token.Value}'");
        }
    }

    private Expression Parenthesised()
    {
        if (tokens.TryTake(TokenKind.Operator, ")"))
        {
            return _ => new List<object?>();
        }

        var value = Parse();
        if (tokens.TryTake(TokenKind.Operator, ")"))
        {
            return value;
        }

        tokens.Need(TokenKind.Operator, ",");
        List<Expression> elements = [value, .. Listed(")")];
        return scope => new List<object?>(elements.Select(e => e(scope)));
    }

    private List<Expression> Listed(string end)
    {
        List<Expression> elements = [];
        while (!tokens.TryTake(TokenKind.Operator, end))
        {
            elements.Add(Parse());
            if (!tokens.Current.Is(TokenKind.Operator, end))
            {
                tokens.Need(TokenKind.Operator, ",");
            }
        }

        return elements;
    }

    private Expression Mapping()
    {
        List<(Expression Key, Expression Value)> entries = [];
        while (!tokens.TryTake(TokenKind.Operator, "}"))
        {
            var key = Parse();
            tokens.Need(TokenKind.Operator, ":");
            entries.Add((key, Parse()));
            if (!tokens.Current.Is(TokenKind.Operator, "}"))
            {
                tokens.Need(TokenKind.Operator, ",");
            }
        }

        return scope =>
        {
            var mapping = new OrderedDictionary<string, object?>(StringComparer.Ordinal);
            foreach (var (key, value) in entries)
            {
                mapping[key(scope) as string ?? throw new TemplateException("A mapping's keys are strings")] = value(scope);
            }

            return mapping;
        };
    }

    /// <summary>x.y, x[y], x[a:b] and x(…), as many as there are.</summary>
    private Expression Elements(Expression value)
    {
        while (true)
        {
            var of = value;
            if (tokens.TryTake(TokenKind.Operator, "."))
            {
                var name = tokens.NeedName();
                value = scope => TemplateMethods.Attribute(of(scope), name);
            }
            else if (tokens.TryTake(TokenKind.Operator, "["))
            {
                value = Subscript(of);
            }
            else if (tokens.TryTake(TokenKind.Operator, "("))
            {
                var arguments = Arguments();
                value = scope => TemplateMethods.Call(of(scope), arguments(scope));
            }
            else
            {
                return value;
            }
        }
    }

    private Expression Subscript(Expression of)
    {
        var bounds = new Expression?[3];
        var colons = 0;
        while (!tokens.TryTake(TokenKind.Operator, "]"))
        {
            if (colons < 2 && tokens.TryTake(TokenKind.Operator, ":"))
            {
                colons++;
            }
            else if (bounds[colons] is null)
            {
                bounds[colons] = Parse();
            }
            else
            {
                throw tokens.Unexpected("']'");
            }
        }

        if (colons > 0)
        {
            return scope => TemplateValue.Slice(of(scope), bounds[0]?.Invoke(scope), bounds[1]?.Invoke(scope), bounds[2]?.Invoke(scope));
        }

        var key = bounds[0] ?? throw tokens.Unexpected("an index before ']'");
        return scope => TemplateValue.Item(of(scope), key(scope));
    }

    /// <summary>What follows the opening parenthesis of a call.</summary>
    private Func<TemplateScope, Arguments> Arguments()
    {
        List<Expression> positional = [];
        List<(string Name, Expression Value)> named = [];
        while (!tokens.TryTake(TokenKind.Operator, ")"))
        {
            if (tokens.Current.Kind == TokenKind.Name && tokens.Following.Is(TokenKind.Operator, "="))
            {
                var name = tokens.Take().Value;
                tokens.Take();
                named.Add((name, Parse()));
            }
            else
            {
                positional.Add(Parse());
            }

            if (!tokens.Current.Is(TokenKind.Operator, ")"))
            {
                tokens.Need(TokenKind.Operator, ",");
            }
        }

        return scope => new([.. positional.Select(p => p(scope))], named.ToDictionary(p => p.Name, p => p.Value(scope), StringComparer.Ordinal));
    }

    /// <summary>x | filter(…) and x is test …, as many as there are.</summary>
    private Expression Filtered(Expression value)
    {
        while (true)
        {
            var of = value;
            if (tokens.TryTake(TokenKind.Operator, "|"))
            {
                var name = tokens.NeedName();
                var arguments = tokens.TryTake(TokenKind.Operator, "(") ? Arguments() : _ => new([], new Dictionary<string, object?>());
                value = scope => TemplateMethods.Filter(name, of(scope), arguments(scope));
            }
            else if (Word("is"))
            {
                value = Tested(of);
            }
            else if (tokens.TryTake(TokenKind.Operator, "("))
            {
                var arguments = Arguments();
                value = scope => TemplateMethods.Call(of(scope), arguments(scope));
            }
            else
            {
                return value;
            }
        }
    }

    private Expression Tested(Expression of)
    {
        var wanted = !Word("not");
        var name = tokens.NeedName();
        Func<TemplateScope, Arguments> arguments = _ => new([], new Dictionary<string, object?>());
        if (tokens.TryTake(TokenKind.Operator, "("))
        {
            arguments = Arguments();
        }
        else if (tokens.Current is { Kind: TokenKind.String or TokenKind.Integer or TokenKind.Float } or { Kind: TokenKind.Operator, Value: "[" or "{" }
            || tokens.Current is { Kind: TokenKind.Name, Value: not ("else" or "or" or "and" or "is" or "if" or "not" or "in") })
        {
            var argument = Elements(Primary());
            arguments = scope => new([argument(scope)], new Dictionary<string, object?>());
        }

        return scope => TemplateMethods.Test(name, of(scope), arguments(scope)) == wanted;
    }

    private bool Word(string word) => tokens.TryTake(TokenKind.Name, word);
}
