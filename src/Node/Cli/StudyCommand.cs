using System.CommandLine;
using FedChain.Learning;
using FedChain.Node.Models;
using FedChain.Node.Study;
using FedChain.Protocol.Files;

namespace FedChain.Node.Cli;

internal static class StudyCommand
{
    public static Command Create()
    {
        var normal = new StudyBudget();
        var data = new Option<DirectoryInfo>("--data") { Description = "A folder of *.jsonl or *.jsonl.gz, one institution each.", HelpName = "DIR", Required = true };
        var model = new Option<DirectoryInfo>("--model") { Description = "The base model, in Hugging Face layout.", HelpName = "DIR", Required = true };
        var output = new Option<DirectoryInfo>("--output") { Description = "Where runs and report go. A study that was broken off goes on there; one with more methods or seeds does only what is new.", HelpName = "DIR", Required = true };
        var methods = new Option<string[]>("--methods")
        {
            Description = $"What is compared, of: {string.Join(", ", StudyPlan.Methods.Select(m => m.Name))}; or all. A variant is name:key=value:…, with the keys rate, rank, shared-rate, share, keep-curve, alternate, bits, beside, from, rounds, curves, proximal, remember, momentum, power. If not given: {string.Join(", ", StudyPlan.Headline)}.",
            HelpName = "NAMES",
            AllowMultipleArgumentsPerToken = true,
        };
        var tune = new Option<bool>("--tune") { Description = "Search every method's learning rate on validation records first." };
        var unseen = new Option<bool>("--unseen") { Description = "Also leave each institution out of the training in turn, and test on it." };
        var attackers = new Option<int[]>("--attackers") { Description = "Also try every attack with so many dishonest members, such as 1 2.", HelpName = "NUMBERS", AllowMultipleArgumentsPerToken = true };
        var seeds = Number("--seeds", "Seeds.", 3);
        var rounds = Number("--rounds", "Rounds of a federated method.", normal.Rounds);
        var steps = Number("--steps", "Optimiser steps of each institution in all.", normal.Steps);
        var batch = Number("--batch", "Records in a step.", normal.BatchSize);
        var context = new Option<int?>("--context") { Description = "The longest sequence in tokens; the model's context if not given." }.Within(8);
        var tests = Number("--test-records", "At most so many test records of an institution.", normal.TestRecords);
        var validation = Number("--validation-records", "At most so many validation records of an institution.", normal.ValidationRecords);
        var rank = Number("--rank", "The adapter's rank.", 8);
        var alpha = Number("--alpha", "The adapter's alpha.", 16);
        var targets = new Option<string[]>("--targets")
        {
            Description = "Layers with an adapter.",
            HelpName = "NAMES",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
        };
        var device = new Option<string>("--device") { Description = "Where the models run: auto (CUDA if there is any), cpu or cuda.", DefaultValueFactory = _ => "auto" };
        var weights = new Option<string>("--weights") { Description = "How the base model's weights are held: f32, bf16, int8, or auto (f32 on a CPU, bf16 on CUDA).", DefaultValueFactory = _ => "auto" };
        var workers = new Option<int?>("--workers") { Description = "Runs side by side, each with a model of its own; if not given, one per processor on a CPU, and one on a GPU." }.Within(1);
        var command = new Command("study", """
            Compares ways to train together on a consortium's own data: every institution alone, all records in one place, and federations with different
            rules, all with the same number of local steps. Writes figures (study.json, gains.csv), tables (study.md) and plots (*.png).

            Examples:
              fedchain study --data institutions/ --model models/llama --output study --tune
              fedchain study --data institutions/ --model models/llama --output study --methods fedit trimmed --attackers 1 2 --seeds 1
            """)
        { data, model, output, methods, tune, unseen, attackers, seeds, rounds, steps, batch, context, tests, validation, rank, alpha, targets, device, weights, workers };
        command.SetAction(async (result, cancellationToken) =>
        {
            var placement = ModelPlacement.Of(result.GetRequiredValue(device), result.GetRequiredValue(weights), threads: 0);
            var isCuda = Compute.IsCuda(placement.Device);
            var options = new StudyOptions
            {
                Data = result.GetRequiredValue(data).FullName,
                Model = result.GetRequiredValue(model).FullName,
                Output = result.GetRequiredValue(output).FullName,
                Methods = StudyPlan.Chosen(result.GetValue(methods) ?? []),
                Tune = result.GetValue(tune),
                Unseen = result.GetValue(unseen),
                Attackers = result.GetValue(attackers) ?? [],
                Seeds = result.GetValue(seeds),
                Budget = new StudyBudget
                {
                    Rounds = result.GetValue(rounds),
                    Steps = result.GetValue(steps),
                    BatchSize = result.GetValue(batch),
                    Context = result.GetValue(context),
                    TestRecords = result.GetValue(tests),
                    ValidationRecords = result.GetValue(validation),
                },
                Adapter = new AdapterConfig(result.GetValue(rank), result.GetValue(alpha), result.GetValue(targets)!),
                Placement = isCuda ? placement : placement with { Threads = 1 }, // workers are what runs side by side
                Workers = result.GetValue(workers) ?? (isCuda ? 1 : Environment.ProcessorCount),
            };
            var report = await InstitutionStudy.RunAsync(options, Console.WriteLine, cancellationToken);
            Console.WriteLine();
            Console.Write(StudyTables.Markdown(report));
            Console.WriteLine($"Figures, tables and plots are in {options.Output}.");
            if (report.Methods.Count == 0)
            {
                throw new UserErrorException("No method came to a result; \"What failed\" above says why. Where trainings diverged, lower the learning rate (name:rate=0.001), or look for damaged data.");
            }
        });
        return command;
    }

    private static Option<int> Number(string name, string description, int normal) =>
        new Option<int>(name) { Description = description, DefaultValueFactory = _ => normal }.Within(1);
}
