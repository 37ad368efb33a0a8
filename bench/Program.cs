using FedChain.Bench;

// Measures, never asserts: each benchmark prints its figures beside a peer's or a limit's from the same run.
var benchmarks = new SortedDictionary<string, Action>(StringComparer.Ordinal)
{
    ["chain"] = ChainBenchmark.Run,
    ["content"] = ContentBenchmark.Run,
    ["envelope"] = EnvelopeBenchmark.Run,
    ["learning"] = LearningBenchmark.Run,
    ["mean"] = MeanBenchmark.Run,
    ["recipients"] = RecipientBenchmark.Run,
    ["rules"] = RulesBenchmark.Run,
};

if (args is ["load", var folder, var type]) // a process of its own, for "learning": what was in memory before would hide the peak
{
    LoadingBenchmark.Run(folder, type);
    return 0;
}

if (args is not [var name] || !benchmarks.TryGetValue(name, out var run))
{
    Console.Error.WriteLine("Usage: dotnet run -c Release --project bench -- " + string.Join('|', benchmarks.Keys));
    return 2;
}

#if DEBUG
Console.Error.WriteLine("This is a debug build; the figures mean little. Use -c Release.");
#endif
run();
return 0;
