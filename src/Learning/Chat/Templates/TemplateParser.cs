using System.Text;

namespace FedChain.Learning.Chat.Templates;

/// <summary>How a statement ended.</summary>
internal enum Flow
{
    Next,
    Break,
    Continue,
}

internal delegate Flow Statement(TemplateScope scope, StringBuilder output);

/// <summary>
/// Turns a template into what writes its text: the part of Jinja that chat templates of Hugging Face checkpoints use. Statements: for (else, break,
/// continue), if, set, generation. Others, such as macro, are refused by name.
/// </summary>
internal sealed class TemplateParser
{
    private const int MostDepth = 64;

    private readonly TokenReader _tokens;
    private readonly ExpressionParser _expressions;
    private int _depth;

    private TemplateParser(string source)
    {
        _tokens = new TokenReader(TemplateLexer.Cut(source));
        _expressions = new ExpressionParser(_tokens);
    }

    /// <exception cref="TemplateException">It isn't well-formed, or has a statement that isn't supported.</exception>
    public static Statement Parse(string source)
    {
        var parser = new TemplateParser(source);
        var template = parser.Body();
        return parser._tokens.AtEnd ? template : throw parser._tokens.Unexpected("the template's end");
    }

    /// <summary>Everything up to a statement of one of these names, which is left to be taken.</summary>
    private Statement Body(params string[] ends)
    {
        if (++_depth > MostDepth)
        {
            throw new TemplateException($"line {_tokens.Current.Line}: nested more than {MostDepth} deep");
        }

        List<Statement> statements = [];
        while (!_tokens.AtEnd && !(_tokens.Current.Is(TokenKind.Begin, "{%") && ends.Contains(_tokens.Following.Value)))
        {
            statements.Add(Next());
        }

        _depth--;
        return (scope, output) =>
        {
            foreach (var statement in statements)
            {
                scope.Count();
                if (statement(scope, output) is var flow and not Flow.Next)
                {
                    return flow;
                }
            }

            return Flow.Next;
        };
    }

    private Statement Next()
    {
        var token = _tokens.Take();
        if (token.Kind == TokenKind.Text)
        {
            return Does((_, output) => output.Append(token.Value));
        }

        if (token.Value == "{{")
        {
            var value = _expressions.Parse();
            _tokens.Need(TokenKind.End, "}}");
            return Does((scope, output) => output.Append(TemplateValue.Text(value(scope))));
        }

        var name = _tokens.NeedName();
        return name switch
        {
            "for" => For(),
            "if" => If(),
            "set" => Set(),
            "break" => Closed((_, _) => Flow.Break),
            "continue" => Closed((_, _) => Flow.Continue),
            "generation" => Generation(), // marks what a training would count; writes nothing of its own
            _ => throw new TemplateException($"line {token.Line}: the statement '{name}' isn't supported"),
        };
    }

    private Statement For()
    {
        List<string> targets = [_tokens.NeedName()];
        while (_tokens.TryTake(TokenKind.Operator, ","))
        {
            targets.Add(_tokens.NeedName());
        }

        _tokens.Need(TokenKind.Name, "in");
        var over = _expressions.ParseWithoutCondition();
        var filter = _tokens.TryTake(TokenKind.Name, "if") ? _expressions.Parse() : null;
        _tokens.Need(TokenKind.End, "%}");
        var body = Body("endfor", "else");
        var otherwise = Take("else") ? Body("endfor") : null;
        NeedEnd("endfor");
        return (scope, output) =>
        {
            List<object?> elements = [.. TemplateValue.Elements(over(scope)).Where(e => filter is null || TemplateValue.IsTrue(filter(Turn(scope, targets, e))))];
            for (var i = 0; i < elements.Count; i++)
            {
                var turn = Turn(scope, targets, elements[i]);
                turn["loop"] = Loop(elements, i);
                if (body(turn, output) == Flow.Break)
                {
                    break;
                }
            }

            return elements.Count == 0 && otherwise is not null ? otherwise(scope, output) : Flow.Next;
        };
    }

    private static TemplateScope Turn(TemplateScope scope, List<string> targets, object? element)
    {
        var turn = new TemplateScope(scope);
        if (targets is [var only])
        {
            turn[only] = element;
            return turn;
        }

        if (element is not List<object?> parts || parts.Count != targets.Count)
        {
            throw new TemplateException($"A loop over {targets.Count} names came upon {TemplateValue.Kind(element)}");
        }

        for (var i = 0; i < targets.Count; i++)
        {
            turn[targets[i]] = parts[i];
        }

        return turn;
    }

    private static OrderedDictionary<string, object?> Loop(List<object?> elements, int index) => new(StringComparer.Ordinal)
    {
        ["index"] = index + 1L,
        ["index0"] = (long)index,
        ["revindex"] = (long)(elements.Count - index),
        ["revindex0"] = elements.Count - index - 1L,
        ["first"] = index == 0,
        ["last"] = index == elements.Count - 1,
        ["length"] = (long)elements.Count,
        ["previtem"] = index > 0 ? elements[index - 1] : new Undefined("loop.previtem"),
        ["nextitem"] = index < elements.Count - 1 ? elements[index + 1] : new Undefined("loop.nextitem"),
    };

    private Statement If()
    {
        List<(Expression Condition, Statement Body)> branches = [];
        Statement? otherwise = null;
        do
        {
            var condition = _expressions.Parse();
            _tokens.Need(TokenKind.End, "%}");
            branches.Add((condition, Body("elif", "else", "endif")));
        }
        while (TakeOpen("elif"));

        if (Take("else"))
        {
            otherwise = Body("endif");
        }

        NeedEnd("endif");
        return (scope, output) =>
        {
            foreach (var (condition, body) in branches)
            {
                if (TemplateValue.IsTrue(condition(scope)))
                {
                    return body(scope, output);
                }
            }

            return otherwise?.Invoke(scope, output) ?? Flow.Next;
        };
    }

    /// <summary>set x = …, set x, y = …, set space.x = …, or set x up to endset.</summary>
    private Statement Set()
    {
        var name = _tokens.NeedName();
        if (_tokens.TryTake(TokenKind.Operator, "."))
        {
            var field = _tokens.NeedName();
            var assigned = Assigned();
            return Does((scope, _) => (scope[name] as TemplateSpace ?? throw new TemplateException($"'{name}' is no namespace")).Values[field] = assigned(scope));
        }

        if (_tokens.TryTake(TokenKind.End, "%}"))
        {
            var body = Body("endset");
            NeedEnd("endset");
            return Does((scope, _) =>
            {
                var text = new StringBuilder();
                body(new TemplateScope(scope), text);
                scope[name] = text.ToString();
            });
        }

        List<string> names = [name];
        while (_tokens.TryTake(TokenKind.Operator, ","))
        {
            names.Add(_tokens.NeedName());
        }

        var value = Assigned();
        return Does((scope, _) =>
        {
            var found = value(scope);
            var parts = names.Count == 1 ? [found] : TemplateValue.Elements(found);
            if (parts.Count != names.Count)
            {
                throw new TemplateException($"{names.Count} names can't be set to {parts.Count} values");
            }

            for (var i = 0; i < names.Count; i++)
            {
                scope[names[i]] = parts[i];
            }
        });
    }

    private Expression Assigned()
    {
        _tokens.Need(TokenKind.Operator, "=");
        var value = _expressions.Parse();
        _tokens.Need(TokenKind.End, "%}");
        return value;
    }

    private Statement Generation()
    {
        _tokens.Need(TokenKind.End, "%}");
        var body = Body("endgeneration");
        NeedEnd("endgeneration");
        return body;
    }

    private Statement Closed(Statement statement)
    {
        _tokens.Need(TokenKind.End, "%}");
        return statement;
    }

    /// <summary>Takes a whole statement that is but a word, if it is this one.</summary>
    private bool Take(string word)
    {
        if (!TakeOpen(word))
        {
            return false;
        }

        _tokens.Need(TokenKind.End, "%}");
        return true;
    }

    /// <summary>Takes the beginning of a statement of this name, if it is this one.</summary>
    private bool TakeOpen(string word)
    {
        if (!_tokens.Current.Is(TokenKind.Begin, "{%") || !_tokens.Following.Is(TokenKind.Name, word))
        {
            return false;
        }

        _tokens.Take();
        _tokens.Take();
        return true;
    }

    private void NeedEnd(string word)
    {
        if (!Take(word))
        {
            throw _tokens.Unexpected($"'{{% {word} %}}'");
        }
    }

    private static Statement Does(Action<TemplateScope, StringBuilder> action) => (scope, output) =>
    {
        action(scope, output);
        return Flow.Next;
    };
}

/// <summary>What <c>namespace()</c> makes: values that outlive the turn of the loop that they are set in.</summary>
internal sealed record TemplateSpace(Dictionary<string, object?> Values);
