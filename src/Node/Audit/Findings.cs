using System.Runtime.CompilerServices;

namespace FedChain.Node.Audit;

/// <summary>Collects what was compared, by kind of check and round, and makes one <see cref="AuditCheck"/> of each.</summary>
/// <param name="fromRound">What is said of earlier rounds is dropped; what is said of the federation (round 0) is kept.</param>
internal sealed class Findings(ulong fromRound = 1)
{
    private readonly Dictionary<(ulong Round, string Name), Entry> _entries = [];
    private readonly List<(ulong Round, string Name)> _order = [];

    /// <summary>Records one comparison; the check fails if any of its comparisons does.</summary>
    public void Compare(string name, ulong round, bool holds, [InterpolatedStringHandlerArgument(nameof(holds))] FailureText failure)
    {
        var entry = this[name, round];
        entry.Compared++;
        if (!holds)
        {
            entry.Failures.Add(failure.ToString());
        }
    }

    public void Fail(string name, ulong round, string failure) => this[name, round].Failures.Add(failure);

    public void Unavailable(string name, ulong round, string reason) => this[name, round].Missing.Add(reason);

    /// <summary>Says what held, for the line of a check that didn't fail.</summary>
    public void Say(string name, ulong round, string summary) => this[name, round].Summary = summary;

    public IEnumerable<AuditCheck> Checks() => _order.Select(key => _entries[key].ToCheck(key.Name, key.Round));

    private Entry this[string name, ulong round]
    {
        get
        {
            if (round > 0 && round < fromRound)
            {
                return new Entry();
            }

            if (!_entries.TryGetValue((round, name), out var entry))
            {
                _entries[(round, name)] = entry = new Entry();
                _order.Add((round, name));
            }

            return entry;
        }
    }

    private sealed class Entry
    {
        public int Compared { get; set; }

        public string Summary { get; set; } = "";

        public List<string> Failures { get; } = [];

        public List<string> Missing { get; } = [];

        public AuditCheck ToCheck(string name, ulong round) =>
            Failures.Count > 0 ? new(name, round, CheckResult.Failed, string.Join("; ", Failures))
            : Missing.Count > 0 ? new(name, round, CheckResult.Unavailable, string.Join("; ", Missing))
            : new(name, round, CheckResult.Held, Summary.Length > 0 ? Summary : $"{Compared} comparisons");
    }

    /// <summary>Text that is only put together when the comparison failed.</summary>
    [InterpolatedStringHandler]
    internal ref struct FailureText
    {
        private DefaultInterpolatedStringHandler _text;
        private readonly bool _needed;

        public FailureText(int literalLength, int formattedCount, bool holds, out bool needed)
        {
            _needed = needed = !holds;
            _text = needed ? new DefaultInterpolatedStringHandler(literalLength, formattedCount) : default;
        }

        public void AppendLiteral(string value) => _text.AppendLiteral(value);

        public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

        public override string ToString() => _needed ? _text.ToStringAndClear() : "";
    }
}
