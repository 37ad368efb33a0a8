using System.Diagnostics;

namespace FedChain.Bench;

/// <summary>
/// Runs contenders in turn, several times each, so that a busy moment of the machine hits all of them, and prints medians and their ratio
/// to the first contender's; where they tell, also the rate for each second of processor time, which others on the machine disturb less.
/// </summary>
internal sealed class Contest(string title, string unit, int rounds)
{
    private readonly List<(string Name, double Amount, Func<double?> Run)> _contenders = [];

    /// <param name="name">What the table calls it.</param>
    /// <param name="amount">How many units a run handles.</param>
    /// <param name="run">One run.</param>
    public Contest Add(string name, double amount, Action run) => Add(name, amount, () =>
    {
        run();
        return null;
    });

    /// <summary>Adds a contender in this process, whose processor time is taken as well.</summary>
    public Contest AddTimed(string name, double amount, Action run) => Add(name, amount, () =>
    {
        var start = Environment.CpuUsage.TotalTime;
        run();
        return (Environment.CpuUsage.TotalTime - start).TotalSeconds;
    });

    /// <param name="name">What the table calls it.</param>
    /// <param name="amount">How many units a run handles.</param>
    /// <param name="run">One run; its result is the processor seconds that it took, of all cores together.</param>
    public Contest Add(string name, double amount, Func<double?> run)
    {
        _contenders.Add((name, amount, run));
        return this;
    }

    public void Print()
    {
        var seconds = _contenders.ConvertAll(_ => new List<double>());
        var busy = _contenders.ConvertAll(_ => new List<double>());
        for (var round = -1; round < rounds; round++)
        {
            for (var i = 0; i < _contenders.Count; i++)
            {
                var start = Stopwatch.GetTimestamp();
                var processor = _contenders[i].Run();
                if (round >= 0) // the first is for warming up
                {
                    seconds[i].Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
                    busy[i].AddRange(processor is { } some ? [some] : []);
                }
            }
        }

        var rates = _contenders.Select((c, i) => c.Amount / Median(seconds[i])).ToList();
        Console.WriteLine($"{title} (median of {rounds}, fastest and slowest in brackets)");
        for (var i = 0; i < _contenders.Count; i++)
        {
            var (name, amount, _) = _contenders[i];
            var core = busy[i].Count == 0 ? "" : $"  {amount / Median(busy[i]),7:0.00} {unit} a core";
            Console.WriteLine($"  {name,-44} {rates[i],7:0.00} {unit}  [{amount / seconds[i].Min():0.00}, {amount / seconds[i].Max():0.00}]  {rates[i] / rates[0],6:0.00}x{core}");
        }
    }

    private static double Median(List<double> values)
    {
        var sorted = values.Order().ToList();
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }
}
