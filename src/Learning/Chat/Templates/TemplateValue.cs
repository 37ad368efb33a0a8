using System.Globalization;

namespace FedChain.Learning.Chat.Templates;

/// <summary>What a name stands for that nobody defined: empty where it is printed, false where it is asked, an error where it is used.</summary>
internal sealed record Undefined(string Name);

/// <summary>A call's arguments.</summary>
internal sealed record Arguments(IReadOnlyList<object?> Positional, IReadOnlyDictionary<string, object?> Named)
{
    /// <summary>The argument of a place or name; <paramref name="otherwise"/> if it isn't given.</summary>
    public object? At(int place, string name, object? otherwise = null) =>
        place < Positional.Count ? Positional[place] : Named.TryGetValue(name, out var value) ? value : otherwise;
}

internal delegate object? Function(Arguments arguments);

/// <summary>
/// The values of a template and what Python would make of them: null is None; bool; long; double; string; lists; mappings in order of insertion;
/// <see cref="Function"/>; <see cref="Undefined"/>.
/// </summary>
internal static class TemplateValue
{
    private const int MostRange = 100_000; // as Jinja's sandbox has it

    public static bool IsTrue(object? value) => value switch
    {
        null or Undefined => false,
        bool b => b,
        long n => n != 0,
        double d => d != 0,
        string s => s.Length > 0,
        List<object?> list => list.Count > 0,
        OrderedDictionary<string, object?> mapping => mapping.Count > 0,
        _ => true,
    };

    public static string Text(object? value) => value switch
    {
        null => "None",
        Undefined => "",
        bool b => b ? "True" : "False",
        long n => n.ToString(CultureInfo.InvariantCulture),
        string s => s,
        _ => throw new TemplateException($"{Kind(value)} can't be printed"),
    };

    public static new bool Equals(object? a, object? b) => (Number(a), Number(b)) switch
    {
        ({ } x, { } y) => x == y,
        (null, null) => (a, b) switch
        {
            (List<object?> x, List<object?> y) => x.Count == y.Count && x.Zip(y).All(p => Equals(p.First, p.Second)),
            (OrderedDictionary<string, object?> x, OrderedDictionary<string, object?> y) => x.Count == y.Count && x.All(p => y.TryGetValue(p.Key, out var other) && Equals(p.Value, other)),
            (Undefined, Undefined) => true,
            _ => object.Equals(a, b),
        },
        _ => false,
    };

    public static int Compare(object? a, object? b) => (Number(a), Number(b)) switch
    {
        ({ } x, { } y) => x.CompareTo(y),
        _ when a is string x && b is string y => string.CompareOrdinal(x, y),
        _ => throw new TemplateException($"{Kind(a)} and {Kind(b)} have no order"),
    };

    public static bool Contains(object? container, object? item) => container switch
    {
        string text when item is string part => text.Contains(part, StringComparison.Ordinal),
        List<object?> list => list.Exists(element => Equals(element, item)),
        OrderedDictionary<string, object?> mapping => item is string key && mapping.ContainsKey(key),
        Undefined => false,
        _ => throw new TemplateException($"'in' doesn't work with {Kind(item)} and {Kind(container)}"),
    };

    public static object? Calculate(string sign, object? a, object? b) => (sign, a, b) switch
    {
        ("+", string x, string y) => x + y,
        ("+", List<object?> x, List<object?> y) => new List<object?>([.. x, .. y]),
        ("+", long x, long y) => x + y,
        ("-", long x, long y) => x - y,
        ("*", long x, long y) => x * y,
        ("%", long x, long y) when y != 0 => x - (y * (long)Math.Floor((double)x / y)),
        ("//", long x, long y) when y != 0 => (long)Math.Floor((double)x / y),
        _ => throw new TemplateException($"'{sign}' doesn't work with {Kind(a)} and {Kind(b)}"),
    };

    public static object Negative(object? value) => value switch
    {
        long n => (object)-n,
        double d => -d,
        _ => throw new TemplateException($"'-' doesn't work with {Kind(value)}"),
    };

    /// <summary>The elements of a list, the keys of a mapping, the characters of a string.</summary>
    public static IReadOnlyList<object?> Elements(object? value) => value switch
    {
        List<object?> list => list,
        OrderedDictionary<string, object?> mapping => [.. mapping.Keys],
        string text => [.. text.Select(c => (object?)c.ToString())],
        Undefined => [],
        _ => throw new TemplateException($"{Kind(value)} has no elements"),
    };

    /// <summary>value[key].</summary>
    public static object? Item(object? value, object? key) => (value, key) switch
    {
        (Undefined u, _) => throw Missing(u),
        (OrderedDictionary<string, object?> mapping, string name) => mapping.TryGetValue(name, out var found) ? found : new Undefined(name),
        (List<object?> list, long index) => At(list.Count, index) is { } at ? list[at] : new Undefined($"element {index}"),
        (string text, long index) => At(text.Length, index) is { } at ? text[at].ToString() : new Undefined($"character {index}"),
        (_, string name) => TemplateMethods.Attribute(value, name),
        _ => throw new TemplateException($"{Kind(value)} has no element named by {Kind(key)}"),
    };

    /// <summary>value[start:stop:step].</summary>
    public static object Slice(object? value, object? start, object? stop, object? step)
    {
        var elements = Elements(value);
        var by = Bound(step) ?? 1;
        if (by == 0)
        {
            throw new TemplateException("A slice can't have steps of 0");
        }

        var (low, high) = by > 0 ? (0L, (long)elements.Count) : (-1L, elements.Count - 1L);
        var (from, to) = (Within(Bound(start)) ?? (by > 0 ? low : high), Within(Bound(stop)) ?? (by > 0 ? high : low));
        List<object?> chosen = [];
        for (var i = from; by > 0 ? i < to : i > to; i += by)
        {
            chosen.Add(elements[(int)i]);
        }

        return value is string ? string.Concat(chosen.Cast<string>()) : chosen;

        static long? Bound(object? bound) => bound is null or long ? (long?)bound : throw new TemplateException($"A slice's bounds are integers; this one is {Kind(bound)}");

        long? Within(long? bound) => bound is { } b ? Math.Clamp(b < 0 ? b + elements.Count : b, low, high) : null;
    }

    public static List<object?> Range(Arguments arguments)
    {
        var numbers = arguments.Positional.Select(a => a is long n ? n : throw new TemplateException("'range' takes integers")).ToList();
        var (start, stop, step) = numbers switch
        {
            [var to] => (0L, to, 1L),
            [var from, var to] => (from, to, 1L),
            [var from, var to, var by] when by != 0 => (from, to, by),
            _ => throw new TemplateException("'range' takes one to three integers, the last not 0"),
        };
        List<object?> range = [];
        for (var i = start; step > 0 ? i < stop : i > stop; i += step)
        {
            range.Add(i);
            if (range.Count > MostRange)
            {
                throw new TemplateException($"A range of more than {MostRange} numbers");
            }
        }

        return range;
    }

    public static TemplateException Missing(Undefined value) => new($"'{value.Name}' is undefined");

    /// <summary>For messages.</summary>
    public static string Kind(object? value) => value switch
    {
        null => "None",
        Undefined u => $"'{u.Name}', which is undefined,",
        bool => "a truth value",
        long or double => "a number",
        string => "a string",
        List<object?> => "a list",
        OrderedDictionary<string, object?> => "a mapping",
        _ => "a function",
    };

    private static double? Number(object? value) => value switch
    {
        bool b => b ? 1 : 0,
        long n => n,
        double d => d,
        _ => null,
    };

    private static int? At(int count, long index) => index + (index < 0 ? count : 0) is var at && at >= 0 && at < count ? (int)at : null;
}
