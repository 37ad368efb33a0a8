namespace FedChain.Learning.Chat.Templates;

/// <summary>Names and their values: those of the template, and within each turn of a loop its own.</summary>
internal sealed class TemplateScope(TemplateScope? outer)
{
    private const int MostWork = 1_000_000; // statements; chat templates need some dozens a message

    private readonly Dictionary<string, object?> _values = new(StringComparer.Ordinal);
    private readonly int[] _done = outer?._done ?? [0];

    public object? this[string name]
    {
        get => _values.TryGetValue(name, out var value) ? value : outer is not null ? outer[name] : new Undefined(name);
        set => _values[name] = value;
    }

    /// <exception cref="TemplateException">The template doesn't come to an end.</exception>
    public void Count()
    {
        if (++_done[0] > MostWork)
        {
            throw new TemplateException($"More than {MostWork} steps");
        }
    }
}
