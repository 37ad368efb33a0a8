namespace FedChain.Node.Study;

/// <param name="Difference">The first method's mean gain minus the second's, bits per byte.</param>
/// <param name="Low">The 2.5th percentile over resampled test records.</param>
/// <param name="High">The 97.5th.</param>
public sealed record Comparison(double Difference, double Low, double High);

/// <summary>
/// How sure a difference between two methods is, given that other test records might have been drawn: both are measured on the same resampled records,
/// many times (paired bootstrap; Koehn, Statistical Significance Tests for Machine Translation Evaluation, EMNLP 2004).
/// </summary>
internal static class PairedBootstrap
{
    private const int Resamples = 1000;

    /// <summary>Compares the mean over institutions of two methods' losses, each averaged over its seeds.</summary>
    public static Comparison Compare(IReadOnlyList<RunResult> first, bool firstPersonal, IReadOnlyList<RunResult> second, bool secondPersonal)
    {
        var names = first[0].Participants;
        var a = names.Select(i => Nats(first, firstPersonal, i)).ToArray();
        var b = names.Select(i => Nats(second, secondPersonal, i)).ToArray();
        var bytes = names.Select(i => first[0].Test(StudySummary.ModelOf(first[0], i, firstPersonal), i).Bytes).ToArray();
        var random = new Random(1);
        var differences = new double[Resamples];
        for (var r = 0; r < Resamples; r++)
        {
            differences[r] = Difference((records, _) => random.Next(records));
        }

        Array.Sort(differences);
        return new(Difference((_, n) => n), differences[(int)(0.025 * Resamples)], differences[(int)(0.975 * Resamples) - 1]);

        double Difference(Func<int, int, int> draw) => Enumerable.Range(0, names.Count).Average(i =>
        {
            var (nats, all) = (0.0, 0L);
            for (var n = 0; n < bytes[i].Length; n++)
            {
                var record = draw(bytes[i].Length, n);
                nats += b[i][record] - a[i][record];
                all += bytes[i][record];
            }

            return nats / Math.Log(2) / all;
        });
    }

    private static double[] Nats(IReadOnlyList<RunResult> seeds, bool personal, string institution)
    {
        var tests = seeds.Select(run => run.Test(StudySummary.ModelOf(run, institution, personal), institution).Nats).ToList();
        return [.. Enumerable.Range(0, tests[0].Length).Select(n => tests.Average(t => t[n]))];
    }
}
