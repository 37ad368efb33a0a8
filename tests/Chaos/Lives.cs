namespace FedChain.Chaos;

/// <summary>When a member was running: each time from when it said that it was ready until its end.</summary>
internal sealed class Lives
{
    private readonly List<(DateTimeOffset Ready, DateTimeOffset? End)> _lives = [];

    /// <summary>It is ready, if it wasn't before.</summary>
    public void Begin(DateTimeOffset at)
    {
        if (_lives.Count == 0 || _lives[^1].End is not null)
        {
            _lives.Add((at, null));
        }
    }

    /// <summary>It ended, if it was ready at all.</summary>
    public void End(DateTimeOffset at)
    {
        if (_lives.Count > 0 && _lives[^1].End is null)
        {
            _lives[^1] = (_lives[^1].Ready, at);
        }
    }

    /// <summary>The longest that it was running without a break between two moments.</summary>
    public TimeSpan LongestBetween(DateTimeOffset from, DateTimeOffset to)
    {
        var longest = TimeSpan.Zero;
        foreach (var (ready, end) in _lives)
        {
            var begin = ready > from ? ready : from;
            var last = end is { } ended && ended < to ? ended : to;
            longest = last - begin > longest ? last - begin : longest;
        }

        return longest;
    }
}
