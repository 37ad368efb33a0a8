using System.Globalization;

namespace FedChain.Learning.Chat.Templates;

/// <summary>Methods, filters, tests and functions: those that chat templates use. The others are refused by name, once they are come upon.</summary>
internal static class TemplateMethods
{
    private static readonly Dictionary<string, Func<string, Arguments, object?>> OfStrings = new(StringComparer.Ordinal)
    {
        ["strip"] = (text, a) => PythonText.Strip(text, Optional(a, 0, "chars")),
        ["lstrip"] = (text, a) => PythonText.StripStart(text, Optional(a, 0, "chars")),
        ["rstrip"] = (text, a) => PythonText.StripEnd(text, Optional(a, 0, "chars")),
        ["upper"] = (text, _) => text.ToUpperInvariant(),
        ["lower"] = (text, _) => text.ToLowerInvariant(),
        ["title"] = (text, _) => PythonText.Title(text),
        ["capitalize"] = (text, _) => PythonText.Capitalize(text),
        ["startswith"] = (text, a) => text.StartsWith(Needed(a, 0), StringComparison.Ordinal),
        ["endswith"] = (text, a) => text.EndsWith(Needed(a, 0), StringComparison.Ordinal),
        ["replace"] = (text, a) => text.Replace(Needed(a, 0), Needed(a, 1), StringComparison.Ordinal),
        ["split"] = (text, a) => PythonText.Split(text, Optional(a, 0, "sep"), a.At(1, "maxsplit") is long most and >= 0 and < int.MaxValue ? (int)most : -1),
    };

    private static readonly Dictionary<string, Func<OrderedDictionary<string, object?>, Arguments, object?>> OfMappings = new(StringComparer.Ordinal)
    {
        ["items"] = (mapping, _) => Pairs(mapping),
        ["keys"] = (mapping, _) => new List<object?>([.. mapping.Keys]),
        ["values"] = (mapping, _) => new List<object?>([.. mapping.Values]),
        ["get"] = (mapping, a) => mapping.TryGetValue(Needed(a, 0), out var value) ? value : a.At(1, "default"),
    };

    private static readonly Dictionary<string, Func<object?, Arguments, object?>> Filters = new(StringComparer.Ordinal)
    {
        ["trim"] = (value, a) => PythonText.Strip(TemplateValue.Text(value), Optional(a, 0, "chars")),
        ["length"] = (value, _) => (long)TemplateValue.Elements(value).Count,
        ["count"] = (value, _) => (long)TemplateValue.Elements(value).Count,
        ["upper"] = (value, _) => TemplateValue.Text(value).ToUpperInvariant(),
        ["lower"] = (value, _) => TemplateValue.Text(value).ToLowerInvariant(),
        ["title"] = (value, _) => PythonText.Title(TemplateValue.Text(value)),
        ["capitalize"] = (value, _) => PythonText.Capitalize(TemplateValue.Text(value)),
        ["replace"] = (value, a) => TemplateValue.Text(value).Replace(Needed(a, 0), Needed(a, 1), StringComparison.Ordinal),
        ["string"] = (value, _) => TemplateValue.Text(value),
        ["safe"] = (value, _) => value,
        ["default"] = Default,
        ["d"] = Default,
        ["list"] = (value, _) => new List<object?>(TemplateValue.Elements(value)),
        ["first"] = (value, _) => TemplateValue.Elements(value) is [var first, ..] ? first : new Undefined("first element"),
        ["last"] = (value, _) => TemplateValue.Elements(value) is [.., var last] ? last : new Undefined("last element"),
        ["reverse"] = (value, _) => value is string text ? string.Concat(text.Reverse()) : new List<object?>(TemplateValue.Elements(value).Reverse()),
        ["join"] = (value, a) => string.Join(TemplateValue.Text(a.At(0, "d", "")), TemplateValue.Elements(value).Select(TemplateValue.Text)),
        ["items"] = (value, _) => value is OrderedDictionary<string, object?> mapping ? Pairs(mapping) : throw new TemplateException($"{TemplateValue.Kind(value)} has no items"),
        ["map"] = (value, a) => a.At(1, "attribute") is string name
            ? new List<object?>([.. TemplateValue.Elements(value).Select(e => TemplateValue.Item(e, name))])
            : throw new TemplateException("The filter 'map' is supported with attribute= only"),
        ["selectattr"] = (value, a) => Chosen(value, a, wanted: true),
        ["rejectattr"] = (value, a) => Chosen(value, a, wanted: false),
    };

    private static readonly Dictionary<string, Func<object?, Arguments, bool>> Tests = new(StringComparer.Ordinal)
    {
        ["defined"] = (value, _) => value is not Undefined,
        ["undefined"] = (value, _) => value is Undefined,
        ["none"] = (value, _) => value is null,
        ["string"] = (value, _) => value is string,
        ["mapping"] = (value, _) => value is OrderedDictionary<string, object?>,
        ["iterable"] = (value, _) => value is string or List<object?> or OrderedDictionary<string, object?> or Undefined,
        ["sequence"] = (value, _) => value is string or List<object?> or OrderedDictionary<string, object?> or Undefined,
        ["number"] = (value, _) => value is bool or long or double,
        ["integer"] = (value, _) => value is long,
        ["boolean"] = (value, _) => value is bool,
        ["true"] = (value, _) => value is true,
        ["false"] = (value, _) => value is false,
        ["odd"] = (value, _) => value is long n && n % 2 != 0,
        ["even"] = (value, _) => value is long n && n % 2 == 0,
        ["equalto"] = (value, a) => TemplateValue.Equals(value, a.At(0, "other")),
        ["eq"] = (value, a) => TemplateValue.Equals(value, a.At(0, "other")),
        ["ne"] = (value, a) => !TemplateValue.Equals(value, a.At(0, "other")),
        ["in"] = (value, a) => TemplateValue.Contains(a.At(0, "seq"), value),
    };

    public static object? Filter(string name, object? value, Arguments arguments) =>
        Filters.TryGetValue(name, out var filter) ? filter(value, arguments) : throw new TemplateException($"The filter '{name}' isn't supported");

    public static bool Test(string name, object? value, Arguments arguments) =>
        Tests.TryGetValue(name, out var test) ? test(value, arguments) : throw new TemplateException($"The test '{name}' isn't supported");

    /// <summary>value.name: a method, or else an element.</summary>
    public static object? Attribute(object? value, string name) => value switch
    {
        Undefined u => throw TemplateValue.Missing(u),
        string text when OfStrings.TryGetValue(name, out var method) => (Function)(a => method(text, a)),
        OrderedDictionary<string, object?> mapping when OfMappings.TryGetValue(name, out var method) => (Function)(a => method(mapping, a)),
        OrderedDictionary<string, object?> mapping => TemplateValue.Item(mapping, name),
        TemplateSpace space => space.Values.TryGetValue(name, out var found) ? found : new Undefined(name),
        _ => new Undefined(name),
    };

    public static object? Call(object? function, Arguments arguments) => function switch
    {
        Function f => f(arguments),
        Undefined u => throw new TemplateException($"'{u.Name}' is no function that is supported"),
        _ => throw new TemplateException($"{TemplateValue.Kind(function)} can't be called"),
    };

    /// <summary>time.strftime in the C locale.</summary>
    public static string FormatTime(DateTimeOffset time, string format)
    {
        var text = new System.Text.StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                text.Append(format[i]);
                continue;
            }

            text.Append(format[++i] switch
            {
                'd' => time.ToString("dd", CultureInfo.InvariantCulture),
                'm' => time.ToString("MM", CultureInfo.InvariantCulture),
                'y' => time.ToString("yy", CultureInfo.InvariantCulture),
                'Y' => time.ToString("yyyy", CultureInfo.InvariantCulture),
                'b' => time.ToString("MMM", CultureInfo.InvariantCulture),
                'B' => time.ToString("MMMM", CultureInfo.InvariantCulture),
                'a' => time.ToString("ddd", CultureInfo.InvariantCulture),
                'A' => time.ToString("dddd", CultureInfo.InvariantCulture),
                'H' => time.ToString("HH", CultureInfo.InvariantCulture),
                'M' => time.ToString("mm", CultureInfo.InvariantCulture),
                'S' => time.ToString("ss", CultureInfo.InvariantCulture),
                '%' => "%",
                var other => throw new TemplateException($"The time format '%{other}' isn't supported"),
            });
        }

        return text.ToString();
    }

    private static string Needed(Arguments arguments, int place) =>
        arguments.At(place, "") as string ?? throw new TemplateException($"A string was expected as argument {place + 1}");

    private static string? Optional(Arguments arguments, int place, string name) => arguments.At(place, name) switch
    {
        null => null,
        string text => text,
        var other => throw new TemplateException($"A string was expected as argument {place + 1}, found {TemplateValue.Kind(other)}"),
    };

    private static List<object?> Pairs(OrderedDictionary<string, object?> mapping) => [.. mapping.Select(p => new List<object?>([p.Key, p.Value]))];

    private static object? Default(object? value, Arguments arguments) =>
        value is Undefined || (TemplateValue.IsTrue(arguments.At(1, "boolean", false)) && !TemplateValue.IsTrue(value)) ? arguments.At(0, "default_value", "") : value;

    private static List<object?> Chosen(object? value, Arguments arguments, bool wanted)
    {
        var name = Needed(arguments, 0);
        var test = arguments.Positional.Count > 1 ? Needed(arguments, 1) : null;
        var rest = new Arguments([.. arguments.Positional.Skip(2)], arguments.Named);
        return [.. TemplateValue.Elements(value).Where(e => (test is null ? TemplateValue.IsTrue(TemplateValue.Item(e, name)) : Test(test, TemplateValue.Item(e, name), rest)) == wanted)];
    }
}
