using System.CommandLine;
using System.Globalization;
using FedChain.Chaos;
using FedChain.Node.Cli;
using FedChain.Node.LocalChain;

// Members as processes of their own, killed by a seeded schedule: whether the federation goes through it.
var members = new Option<int>("--members") { Description = "How many members.", HelpName = "NUMBER", DefaultValueFactory = _ => 8 }.Within(3, 64);
var rounds = new Option<int>("--rounds") { Description = "How many rounds.", HelpName = "NUMBER", DefaultValueFactory = _ => 20 }.Within(1, 1000);
var seed = new Option<int?>("--seed") { Description = "Decides the faults; a random one, which is printed, if not given.", HelpName = "NUMBER" };
var plan = new Option<bool>("--plan") { Description = "Print the faults, and inject none." };
var home = new Option<DirectoryInfo?>("--home") { Description = "Where the members' homes and logs go, and stay; else they are deleted.", HelpName = "DIR" };
var command = new RootCommand("""
    Runs a federation whose members are killed: one in each round at a random moment, every fourth round the aggregator. Exit code 0 only if every round
    ended by its own deadlines and one of them well, nothing is lost, no kill cost more training than since the last checkpoint, nothing was done twice,
    and the whole history verifies.

    Example:
      fedchain-chaos --members 8 --rounds 20 --seed 1
    """)
{ members, rounds, seed, plan, home };
command.SetAction(async (result, cancellationToken) =>
{
    var options = new ChaosOptions(result.GetValue(members), result.GetValue(rounds), result.GetValue(seed) ?? Random.Shared.Next(), result.GetValue(home)?.FullName);
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {options.Seed}: fedchain-chaos --members {options.Members} --rounds {options.Rounds} --seed {options.Seed}"));
    foreach (var fault in options.Faults)
    {
        Console.WriteLine(fault);
    }

    if (result.GetValue(plan))
    {
        return 0;
    }

    if (!NpmPackages.IsNpmAvailable())
    {
        await Console.Error.WriteLineAsync("npm is missing, and the local chain comes from an npm package. Install Node.js with npm.");
        return 1;
    }

    var report = await ChaosRun.RunAsync(options, cancellationToken);
    Console.WriteLine(report);
    return report.Holds ? 0 : 1;
});
var parsed = command.Parse(args);
return parsed.Errors.Count == 0 ? await parsed.InvokeAsync() : Misused();

int Misused()
{
    Console.Error.WriteLine(string.Join('\n', parsed.Errors.Select(e => e.Message)));
    return 2;
}
